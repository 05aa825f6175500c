/** Real videos and detectors that lie beside the project and are not part of it. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's root folder. */
export const projectRoot = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');

/** Absolute path of an asset such as `videos/car-detection.mp4`; undefined where the assets are absent. */
export function assetPath(name: string): string | undefined {
  const file = path.join(projectRoot, '../shared/assets', name);
  return existsSync(file) ? file : undefined;
}
