/** The ffmpeg that writes a clip: it is fed as fast as it takes, and read as fast as somebody downloads; nothing is collected. */
import { Readable } from 'node:stream';
import { openProcess, type FfmpegDeps, type FfmpegProcess, type ProcessEnd } from '../ffmpeg/index.js';
import { MediaPeerError } from '../base/errors.js';
import { ClipHead } from './clip-head.js';

/** What it reads and writes. */
export interface ClipProcessInit {
  /** For logs and errors: `clip of gate`. */
  readonly owner: string;
  /** Options before its input, which is fed by `write`. */
  readonly input: readonly string[];
  /** Options of its output, without the container. */
  readonly output: readonly string[];
  /** About how long the clip is going to be. */
  readonly durationMs: number;
  /** Pictures are encoded. */
  readonly isEncoded: boolean;
}

/** Of output, while it is read: a keyframe on a busy machine. */
const SILENCE_MS = 60_000;
const BUFFERED_BYTES = 1 << 20;
/** Plays while it is still on its way, for it needs no end. */
const FRAGMENTED = ['-movflags', '+frag_keyframe+empty_moov+default_base_moof', '-map_metadata', '-1', '-f', 'mp4'];

/** One clip that is being written. */
export class ClipProcess {
  /** The bytes of the MP4. Destroying it ends the process. */
  readonly output: Readable;
  /** Resolves with the first bytes. @throws MediaPeerError what it ended of before them */
  readonly started: Promise<void>;
  /** Pictures are encoded. */
  readonly isEncoded: boolean;
  readonly #deps: FfmpegDeps;
  readonly #process: FfmpegProcess;
  readonly #head: ClipHead;
  #start!: { readonly resolve: () => void; readonly reject: (error: Error) => void };
  #pausedMs: number | undefined;
  #resumedMs = 0;
  #end: ProcessEnd | undefined;

  constructor(deps: FfmpegDeps, { owner, input, output, durationMs, isEncoded }: ClipProcessInit) {
    this.#deps = deps;
    this.isEncoded = isEncoded;
    this.#head = new ClipHead(durationMs);
    this.started = new Promise((resolve, reject) => (this.#start = { resolve, reject }));
    this.started.catch(() => undefined);
    this.output = new Readable({
      highWaterMark: BUFFERED_BYTES,
      read: () => this.#resume(),
      destroy: (error, done) => void this.#process.close().then(() => done(error)),
    });
    // Whoever reads it hears of its failure; where nobody does any more, nobody needs to.
    this.output.on('error', () => undefined);
    this.#process = openProcess(deps, {
      owner,
      kind: isEncoded ? 'encoder' : 'other',
      inputs: [{ options: input, address: 'pipe:0' }],
      outputs: [{ options: [...output, ...FRAGMENTED], address: 'pipe:1' }],
      onOutput: (chunk) => this.#push(this.#head.push(chunk)),
      expectOutput: 'on-input',
      outputTimeoutMs: () => this.#patienceMs(),
    });
    void this.#process.closed.then((end) => this.#ended(end));
  }

  /** Resolves once the process is gone; never rejects. */
  get closed(): Promise<unknown> {
    return this.#process.closed;
  }

  /** For how long nobody has read what is there; 0: it is being read. */
  get unreadMs(): number {
    return this.#pausedMs === undefined ? 0 : this.#deps.clock.now() - this.#pausedMs;
  }

  /** Resolves when they are on their way, which is when there is room for more. @throws MediaPeerError what it failed of */
  async write(chunks: readonly Buffer[]): Promise<void> {
    if (!this.#end) await new Promise<void>((resolve) => this.#process.write(chunks, resolve));
    if (this.#end) throw failureOf(this.#end);
  }

  /** Everything was written. */
  endInput(): void {
    this.#process.endInput();
  }

  /** Ends it, whatever is left to be read. Idempotent. */
  close(error?: Error): void {
    this.output.destroy(error);
  }

  #push(bytes: Buffer): void {
    if (bytes.length === 0 || this.output.destroyed) return;
    this.#start.resolve();
    if (this.output.push(bytes)) return;
    this.#pausedMs ??= this.#deps.clock.now();
    this.#process.pauseOutput();
  }

  #resume(): void {
    if (this.#pausedMs === undefined) return;
    this.#pausedMs = undefined;
    this.#resumedMs = this.#deps.clock.now();
    this.#process.resumeOutput();
  }

  /** While nobody reads, and just after that, it owes nothing. */
  #patienceMs(): number {
    return this.#pausedMs !== undefined || this.#deps.clock.now() - this.#resumedMs < SILENCE_MS ? Infinity : SILENCE_MS;
  }

  #ended(end: ProcessEnd): void {
    this.#end = end;
    this.#start.reject(this.output.errored ?? failureOf(end));
    if (this.output.destroyed) return;
    if (end.error || end.requested) this.output.destroy(failureOf(end));
    else this.output.push(null);
  }
}

function failureOf({ error, lastLines }: ProcessEnd): Error {
  return error ?? new MediaPeerError('FFMPEG_FAILED', `ffmpeg ended before the clip did${lastLines}`);
}
