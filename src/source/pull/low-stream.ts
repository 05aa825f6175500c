/**
 * The second stream of a camera (`low_url`): smaller, of the same scene, and connected only while somebody needs it. It is handed
 * on as it comes or not at all: what cannot be copied is encoded of the first stream instead.
 */
import { messageOf } from '../../base/errors.js';
import { Listeners, type StopListening } from '../../base/listeners.js';
import { Backoff, probeLive, type FfmpegDeps, type LiveInput } from '../../ffmpeg/index.js';
import { BitrateMeter } from '../../media/index.js';
import type { LayerDescription } from '../layer.js';
import { planPull, type PullPlan } from './plan.js';
import type { PullInput } from './read-entry.js';
import type { RefusedLogins } from './refused-logins.js';

/** Between two looks at one that cannot be used now. */
const BACKOFF = { firstMs: 5_000, maxMs: 60_000, stableMs: 60_000 };

/** What answers and cannot be copied may be set up otherwise meanwhile. */
const UNSUITABLE_MS = 5 * 60_000;

/** What is known of a second stream that can be copied. */
export interface LowKnowledge extends LayerDescription {
  /** How it is read. */
  readonly plan: PullPlan;
}

/** Whose second stream it is. */
export interface LowStreamInit extends FfmpegDeps {
  /** The camera as it is described. */
  readonly entry: PullInput;
  /** Its second stream. */
  readonly input: LiveInput;
  /** What cameras have refused. */
  readonly logins: RefusedLogins;
}

/** A camera's second stream. */
export class LowStream {
  /** What is opened. */
  readonly input: LiveInput;
  /** What it takes, over all connections. */
  readonly meter = new BitrateMeter();
  readonly #init: LowStreamInit;
  readonly #stop = new AbortController();
  readonly #changes: Listeners;
  readonly #backoff = new Backoff(BACKOFF);
  #known: LowKnowledge | undefined;
  #problem: string | undefined;
  #lookAtMs = -Infinity;
  #looking: Promise<void> | undefined;

  constructor(init: LowStreamInit) {
    this.#init = init;
    this.input = init.input;
    this.#changes = new Listeners(init.logger, `low stream of ${init.entry.name}`);
  }

  /** What it sends; undefined where it cannot be used now. */
  get known(): LowKnowledge | undefined {
    return this.#known;
  }

  /** Begins to find out what it sends, where that is not known and due: call it as often as needed, while somebody watches. */
  prepare(): void {
    const isDue = this.#init.clock.now() >= this.#lookAtMs && !this.#stop.signal.aborted;
    if (!this.#known && !this.#looking && isDue) this.#looking = this.#look().finally(() => (this.#looking = undefined));
  }

  /** Why it is not used; undefined where it is, and before it is known. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Calls `listener` whenever it can be used, or no longer. Call the returned function to stop listening. */
  onChange(listener: () => void): StopListening {
    return this.#changes.add(listener);
  }

  /** It was read for `ranMs`, and ended or was something else: it is looked at again later. @param reason in words, without credentials */
  failed(reason: string, ranMs: number): void {
    this.#lose(this.#init.logins.failed(this.input, reason), this.#backoff.next(ranMs));
  }

  /** It was read, and cannot be copied after all. */
  refuse(reason: string): void {
    this.#lose(reason, UNSUITABLE_MS);
  }

  /** Gives up a look that goes on; what reads it ends by itself. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#looking;
  }

  async #look(): Promise<void> {
    const { entry, logger, logins } = this.#init;
    if (logins.waitMs(this.input) > 0) return this.#note(this.#problem ?? 'the camera has refused its user name and password', 0);
    try {
      const found = await probeLive(this.input, this.#init, this.#stop.signal);
      logins.accepted(this.input);
      const { description, plan } = planPull({ ...entry, input: this.input, wantsAudio: false }, found, this.#init.tools) ?? {};
      if (!plan || !description) return this.#note('it sends no video that can be played', UNSUITABLE_MS);
      if (plan.delivery !== 'passthrough' || description.videoCodec !== 'h264') {
        return this.#note(description.reason ?? `its codec is ${description.videoCodec}; only H.264 is copied of it`, UNSUITABLE_MS);
      }
      this.#known = { widthPx: plan.widthPx, heightPx: plan.heightPx, codec: 'h264', h264Profile: description.h264Profile, plan };
      this.#problem = undefined;
      logger.info({ sourceId: entry.name, widthPx: plan.widthPx, heightPx: plan.heightPx }, 'second stream of a camera answers');
      this.#changes.tell();
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      this.#note(logins.failed(this.input, messageOf(error)), this.#backoff.next(0));
    }
  }

  #lose(reason: string, waitMs: number): void {
    this.#note(reason, waitMs);
    this.#known = undefined;
    this.#changes.tell();
  }

  /** Each reason is told once. @param waitMs until it is looked at again */
  #note(reason: string, waitMs: number): void {
    const { entry, logger, clock, logins } = this.#init;
    this.#lookAtMs = clock.now() + Math.max(waitMs, logins.waitMs(this.input));
    const fields = { sourceId: entry.name, reason };
    if (reason !== this.#problem) logger.warn(fields, 'second stream of a camera cannot be used, lower qualities are encoded');
    this.#problem = reason;
  }
}
