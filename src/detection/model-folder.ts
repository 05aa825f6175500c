/**
 * The models that a running server can be told to use, by name: every ONNX file of its models folder, and those of
 * its configuration wherever they lie.
 */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { MediaPeerError } from '../base/errors.js';

/** Models by name. */
export class ModelFolder {
  readonly #dir: string;
  readonly #configured: ReadonlyMap<string, string>;

  /**
   * @param dir absolute path; may be missing
   * @param configured absolute paths of models, each an `.onnx` or the `.json` that describes one; of two with the
   *   same name the first counts, and before one in the folder
   */
  constructor(dir: string, configured: readonly string[] = []) {
    this.#dir = dir;
    this.#configured = new Map(configured.map((file) => [modelName(file), file] as const).reverse());
  }

  /** Names, sorted. */
  list(): string[] {
    return [...new Set([...this.#configured.keys(), ...this.#lying()])].sort();
  }

  /**
   * Absolute path of the model of that name; names lead nowhere else.
   * @throws MediaPeerError MODEL_NOT_FOUND
   */
  pathOf(name: string): string {
    const configured = this.#configured.get(name);
    if (configured !== undefined) return configured;
    if (this.#lying().includes(name)) return path.join(this.#dir, `${name}.onnx`);
    throw new MediaPeerError(
      'MODEL_NOT_FOUND',
      `no model '${name}'; available: ${this.list().join(', ') || 'none'}. Put its .onnx into ${this.#dir}, or get one with: sightline models pull yolox_nano`,
    );
  }

  #lying(): string[] {
    return this.#files()
      .filter((file) => file.endsWith('.onnx'))
      .map(modelName);
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

/** A model's name: that of its file without the extension. */
export function modelName(file: string): string {
  return path.basename(file).replace(/\.(onnx|json)$/i, '');
}
