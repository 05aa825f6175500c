/**
 * Viewers that are sent to and make no progress: the connection says `connected`, and their reports say that nothing
 * arrives any more, or do not come any more. First they get a keyframe, then ICE is restarted where that can be, then
 * the session ends, so that a page that waits forever is told to connect again.
 *
 * A progress is a receiver report with a higher extended highest sequence number, the first report of a stream, or a
 * NACK, which names packets after which others came. A PLI is none: a viewer that gets nothing sends it, too.
 *
 * Not every receiver sends reports (some embedded stacks do not, though RFC 3550 §6 asks for them). One that never
 * sent any is not ended for their lack: its ICE consent and its DTLS tell whether it is there, and a session whose
 * consent expires ends by itself.
 *
 * Only time counts in which packets were sent: a source that stalls, and streams that are paused or not selected,
 * count against nobody. Pure timing; `tick` is called once a second while the connection stands.
 */
import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/logger.js';
import type { StreamProgress } from '../rtp/send/stream-progress.js';

/** Longer than the 5 s between two reports at low rates (RFC 3550 §6.2), with their randomization (× 1.5). */
const KEYFRAME_AFTER_MS = 10_000;
const ICE_RESTART_AFTER_MS = 15_000;
const CLOSE_AFTER_MS = 25_000;
/** Time between two ticks beyond which the connection was away in between. */
const MAX_TICK_GAP_MS = 3000;

/** What is watched, and what follows. */
export interface ViewerWatchInit {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Sends a keyframe on each video stream. */
  readonly requestKeyframes: () => void;
  /** Restarts ICE; false where the door of this viewer cannot. */
  readonly restartIce: () => boolean;
  /** Ends the session. Called once. */
  readonly onStuck: () => void;
}

type Stage = 'well' | 'keyframe' | 'ice-restart' | 'over';

/** Watches the progress of one viewer. */
export class ViewerWatch {
  readonly #init: ViewerWatchInit;
  #streams = new Map<number, StreamProgress>();
  #lastTickMs: number;
  #stuckMs = 0;
  #stage: Stage = 'well';
  #hasReported = false;

  constructor(init: ViewerWatchInit) {
    this.#init = init;
    this.#lastTickMs = init.clock.now();
  }

  /** Milliseconds of sending without progress. */
  get stuckMs(): number {
    return this.#stuckMs;
  }

  /** @param streams those that flow. */
  tick(streams: readonly StreamProgress[]): void {
    const now = this.#init.clock.now();
    const elapsedMs = now - this.#lastTickMs;
    this.#lastTickMs = now;
    const before = this.#streams;
    this.#streams = new Map(streams.map((stream) => [stream.ssrc, stream]));
    if (streams.some(({ highestReported }) => highestReported !== undefined)) this.#hasReported = true;
    const hasProgress = streams.some((stream) => isProgress(before.get(stream.ssrc), stream));
    if (hasProgress || elapsedMs > MAX_TICK_GAP_MS) return this.#reset();
    const isSent = streams.some(({ ssrc, packetsSent }) => packetsSent > (before.get(ssrc)?.packetsSent ?? 0));
    if (!isSent) return;
    this.#stuckMs += elapsedMs;
    this.#act();
  }

  #reset(): void {
    if (this.#stage !== 'well') this.#init.logger.info({ stuckMs: Math.round(this.#stuckMs) }, 'viewer makes progress again');
    this.#stuckMs = 0;
    this.#stage = 'well';
  }

  #act(): void {
    const { logger, requestKeyframes, restartIce, onStuck } = this.#init;
    const facts = { stuckMs: Math.round(this.#stuckMs) };
    if (this.#stage === 'well' && this.#stuckMs >= KEYFRAME_AFTER_MS) {
      this.#stage = 'keyframe';
      requestKeyframes();
      if (this.#hasReported) logger.warn(facts, 'viewer makes no progress; keyframe sent');
      else logger.debug(facts, 'viewer sends no reports; keyframe sent');
    }
    if (!this.#hasReported) return;
    if (this.#stage === 'keyframe' && this.#stuckMs >= ICE_RESTART_AFTER_MS) {
      this.#stage = 'ice-restart';
      if (restartIce()) logger.warn(facts, 'viewer makes no progress; ICE restarted');
    }
    if (this.#stage === 'ice-restart' && this.#stuckMs >= CLOSE_AFTER_MS) {
      this.#stage = 'over';
      onStuck();
    }
  }
}

function isProgress(before: StreamProgress | undefined, { highestReported, nacks }: StreamProgress): boolean {
  if (!before) return false;
  if (nacks > before.nacks) return true;
  if (highestReported === undefined) return false;
  // Extended numbers count modulo 2^32; after a restart of its counting a viewer may report a lower one.
  return before.highestReported === undefined || highestReported !== before.highestReported;
}
