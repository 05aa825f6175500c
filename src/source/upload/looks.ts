/** Looks into complete uploads, one after another: each is a process, and viewers come first. */
import { stat } from 'node:fs/promises';
import type { FfmpegDeps, ProbeResult } from '../../ffmpeg/index.js';
import { examineFile } from '../file/examine-file.js';

/** For a machine that is too busy to look into a file at once. */
const FIRST_TIMEOUT_MS = 10_000;
const LATER_TIMEOUTS_MS = [20_000, 30_000];

/** The queue of looks. */
export class Looks {
  readonly #deps: Pick<FfmpegDeps, 'tools' | 'ledger'>;
  #last: Promise<unknown> = Promise.resolve();

  constructor(deps: Pick<FfmpegDeps, 'tools' | 'ledger'>) {
    this.#deps = deps;
  }

  /** What is in the file, as the library finds it. @param signal ends the look; its reason is thrown */
  into(file: string, signal: AbortSignal): Promise<ProbeResult> {
    const look = this.#last.then(() => this.#look(file, signal));
    this.#last = look.catch(() => undefined);
    return look;
  }

  async #look(file: string, signal: AbortSignal): Promise<ProbeResult> {
    signal.throwIfAborted();
    const { size } = await stat(file);
    let content = await examineFile(file, size, this.#deps, { timeoutMs: FIRST_TIMEOUT_MS, signal });
    for (const timeoutMs of LATER_TIMEOUTS_MS) {
      if (content.isUnsettled !== true) break;
      signal.throwIfAborted();
      content = await examineFile(file, size, this.#deps, { timeoutMs, signal });
    }
    signal.throwIfAborted();
    return content;
  }
}
