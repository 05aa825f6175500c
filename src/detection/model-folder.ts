/** The models that lie ready in a folder: an ONNX file each, named without its extension. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { MediaPeerError } from '../errors.js';

export class ModelFolder {
  readonly #dir: string;

  /** @param dir absolute path; may be missing */
  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Names, sorted. */
  list(): string[] {
    return this.#files()
      .filter((file) => file.endsWith('.onnx'))
      .map((file) => file.slice(0, -'.onnx'.length))
      .sort();
  }

  /**
   * Absolute path of the model of that name; names lead nowhere else.
   * @throws MediaPeerError MODEL_NOT_FOUND
   */
  pathOf(name: string): string {
    const names = this.list();
    if (names.includes(name)) return path.join(this.#dir, `${name}.onnx`);
    throw new MediaPeerError('MODEL_NOT_FOUND', `no model '${name}' in ${path.basename(this.#dir)}/; available: ${names.join(', ') || 'none'}. Get one with: npm run models -- pull yolox_nano`);
  }

  #files(): string[] {
    try {
      return readdirSync(this.#dir);
    } catch {
      // No folder, no models.
      return [];
    }
  }
}
