/** Clips that ffmpeg makes for tests are kept: the same ffmpeg makes the same clip of the same arguments again. */
import { createHash, randomUUID } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from './assets.js';

/** Ignored by git, and removed by `npm ci`. */
const FOLDER = path.join(projectRoot, 'node_modules/.cache/sightline-clips');

/** Where a clip of that name is kept that is made of these inputs, and by the ffmpeg that is found now; its folder is there. */
export function cachedClip(name: string, inputs: unknown): string {
  const key = createHash('sha256')
    .update(JSON.stringify([inputs, identityOfFfmpeg()]))
    .digest('hex');
  const folder = path.join(FOLDER, key.slice(0, 16));
  mkdirSync(folder, { recursive: true });
  return path.join(folder, name);
}

/** Puts a clip at `file`: a copy of the one that is kept, which `make` makes where there is none. */
export async function copyOrMake(file: string, inputs: unknown, make: (file: string) => Promise<void>): Promise<void> {
  const kept = cachedClip(`clip${path.extname(file)}`, inputs);
  if (!existsSync(kept)) {
    // Test files run side by side: whoever is last replaces a clip by the same one.
    const scratch = path.join(path.dirname(kept), `${randomUUID()}${path.extname(file)}`);
    try {
      await make(scratch);
      renameSync(scratch, kept);
    } finally {
      rmSync(scratch, { force: true });
    }
  }
  copyFileSync(kept, file);
}

let identity: string | undefined;

/** Path, size and time of change: asking it for its version takes longer than some clips. */
function identityOfFfmpeg(): string {
  return (identity ??= [process.env['FFMPEG_PATH'] ?? 'ffmpeg']
    .flatMap((command) =>
      command.includes(path.sep)
        ? [command]
        : (process.env['PATH'] ?? '').split(path.delimiter).map((folder) => path.join(folder, command)),
    )
    .filter((file) => existsSync(file))
    .map((file) => `${file} ${statSync(file).size} ${statSync(file).mtimeMs}`)
    .join('\n'));
}
