/** A models folder, a registry and a terminal for tests of the model manager. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Terminal } from '../../../src/cli/models/terminal.js';
import { projectRoot } from '../../helpers/assets.js';

/** The bundled model: small, and known to work. */
export const demoOnnx = path.join(projectRoot, 'models/sightline-demo.onnx');
export const demoLabels = ['car', 'person', 'drone'];

/** A folder for the time of a test. */
export class Workshop {
  readonly folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-models-'));
  readonly models = path.join(this.folder, 'models');
  readonly registry = path.join(this.folder, 'registry.json');

  /** A registry of one model, `demo`, at that address; `changes` overrides what is said of it. */
  writeRegistry(url: string, changes: Readonly<Record<string, unknown>> = {}): void {
    const content = readFileSync(demoOnnx);
    const entry = {
      ...{ name: 'demo', file: 'demo.onnx', url, bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') },
      ...{ licence: 'MIT', family: 'yolox', input: { width: 384, height: 224 }, strides: [8], labels: demoLabels, score_threshold: 0.5 },
      ...changes,
    };
    writeFileSync(this.registry, JSON.stringify({ models: [entry] }));
  }

  path(name: string): string {
    return path.join(this.folder, name);
  }

  write(name: string, content: string | Buffer): string {
    writeFileSync(this.path(name), content);
    return this.path(name);
  }

  /** What is in the models folder, hidden files too. */
  get files(): string[] {
    return readdirSync(this.models).sort();
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Remembers what was printed and answers questions. */
export class FakeTerminal implements Terminal {
  readonly isInteractive: boolean;
  readonly questions: string[] = [];
  readonly #answer: string;
  #text = '';
  /** Called with each step of a bar. */
  onProgress: (bytes: number) => void = () => undefined;

  constructor(answer?: string) {
    this.isInteractive = answer !== undefined;
    this.#answer = answer ?? '';
  }

  get text(): string {
    return this.#text;
  }

  print(text: string): void {
    this.#text += `${text}\n`;
  }

  ask(question: string): Promise<string> {
    this.questions.push(question);
    return Promise.resolve(this.#answer);
  }

  progress(): { update(bytes: number): void; stop(): void } {
    return { update: (bytes) => this.onProgress(bytes), stop: () => undefined };
  }
}
