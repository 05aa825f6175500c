/** Model files for tests: tiny ONNX graphs written by hand, and descriptions around them. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { assetPath } from './assets.js';

/** A folder that holds a model for the time of a test. */
export class ModelFolder {
  readonly #dir = mkdtempSync(path.join(os.tmpdir(), 'sightline-model-'));

  /** Writes `model.json` and, when given, `model.onnx`; returns the path of the ONNX file. */
  write(json: unknown, onnx?: Buffer): string {
    writeFileSync(path.join(this.#dir, 'model.json'), typeof json === 'string' ? json : JSON.stringify(json));
    const file = path.join(this.#dir, 'model.onnx');
    if (onnx) writeFileSync(file, onnx);
    return file;
  }

  /** A copy of a real model without a JSON, under its own name; undefined where the assets are absent. */
  asset(name: string): string | undefined {
    const asset = assetPath(`models/${name}`);
    return asset === undefined ? undefined : this.copy(asset);
  }

  /** A copy of an ONNX file without its JSON, under its own name. */
  copy(onnxPath: string): string {
    const file = path.join(this.#dir, path.basename(onnxPath));
    copyFileSync(onnxPath, file);
    return file;
  }

  /** Writes the JSON beside a model. */
  describe(onnxPath: string, json: unknown): void {
    writeFileSync(onnxPath.replace(/\.onnx$/, '.json'), JSON.stringify(json));
  }

  /** The real YOLOX-nano with its description; undefined where the assets are absent. */
  yoloxNano(): string | undefined {
    const asset = assetPath('models/yolox_nano_416.onnx');
    if (!asset) return undefined;
    const file = this.write({ family: 'yolox', input: { width: 416, height: 416 }, labels: 'coco', score_threshold: 0.3 });
    copyFileSync(asset, file);
    return file;
  }

  remove(): void {
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
