/** What tells of the way while nothing is heard of it: silence, probes without an answer, and what the pace has to keep back. */
import type { ProbeDemand } from './prober.js';
import { SilenceWatch } from './silence-watch.js';
import { WINDOW_MS } from './traffic.js';
import type { Way } from './way.js';

/** Without feedback for longer nothing is known: of sound alone, or of nothing, a receiver may say nothing. */
const QUIET_MS = 500;
/** What the pace keeps back for long is late already: video is held as for a queue of so long. */
const LATE_QUEUE_MS = 50;

/** Is told how time passes for one transport. */
export class TimeJudge {
  readonly #way: Way;
  readonly #silence = new SilenceWatch();

  /** @param way what is found is kept there */
  constructor(way: Way) {
    this.#way = way;
  }

  /** @param waitingBytes of video that the pace keeps back @param pacingBps the pace, bits a second; undefined: none */
  onTick(nowMs: number, waitingBytes: number, pacingBps: number | undefined): void {
    const way = this.#way;
    const now = way.advance(nowMs);
    if (way.backlog.isLasting(waitingBytes, pacingBps, now) && now > way.lateMs) this.#yieldToBacklog(waitingBytes, now);
    way.probing.onTick(now, way.roundTripMs ?? 0);
    if (this.#isSilent(now)) way.fallSilent(now);
    way.release(now);
  }

  /** Probe packets that are to be sent now; undefined: none. */
  probeDue(nowMs: number): ProbeDemand | undefined {
    const way = this.#way;
    const now = way.advance(nowMs);
    if (!way.isPaced) return undefined;
    const isQuiet = now - (way.traffic.feedbackMs ?? now) > QUIET_MS;
    if (isQuiet && (way.probing.isWatched(now) || way.status.state === 'congested')) return this.#silence.ping(now);
    return way.status.state !== 'clear' || way.hold.isHeld ? undefined : way.probing.due(way.queueMs, now);
  }

  #yieldToBacklog(waitingBytes: number, now: number): void {
    const way = this.#way;
    const arrivingBps = way.hasFeedback ? way.traffic.arrivedBps(WINDOW_MS) : way.traffic.sentBps(now);
    way.estimate.backOff(Math.min(arrivingBps, way.estimate.carriedBps));
    way.overuse('queue', now, waitingBytes > 0 ? LATE_QUEUE_MS : 0);
  }

  /** Feedback should have come. */
  #isSilent(now: number): boolean {
    const { isPaced, status, hasFeedback, lateMs, traffic, roundTripMs = 0 } = this.#way;
    const isListening = isPaced && status.state !== 'congested' && hasFeedback && now > lateMs;
    return isListening && this.#silence.isSilent(traffic.feedbackMs ?? now, traffic.sent, roundTripMs, now);
  }
}
