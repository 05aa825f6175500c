/**
 * Finds connections that look alive but bring no picture any more: `connected`, and no frame. Told once a second how
 * many frames there were so far. Pure.
 */

/** What to do about it, in this order. */
export type Remedy = 'keyframe' | 'restart' | 'reconnect';

/** Without a frame for this long, ms. */
const REMEDIES: readonly (readonly [atMs: number, remedy: Remedy])[] = [
  [5_000, 'keyframe'],
  [8_000, 'restart'],
  [12_000, 'reconnect'],
];
/** Looks that lie further apart say that the device slept, not that frames were missing. */
export const SLEPT_MS = 4_000;

/** For so long a source may send nothing, which its server says all the while: some cameras send a picture in 12 s. */
const MAX_QUIET_MS = 60_000;

/** What the sender of the pictures says of itself (RTCP Sender Reports). */
export interface SenderWords {
  /** Reports that came. */
  readonly reports: number;
  /** Packets that they count, of all video. */
  readonly packetsSent: number;
}

/** Counts how long a connection has brought no frame. */
export class FrameWatch {
  #frames = 0;
  #words: SenderWords | undefined;
  #arrivedAtMs = 0;
  #sinceMs: number | undefined;
  #lookedAtMs = 0;
  #applied = 0;

  /** Begins afresh: after a pause, or on another connection, which counts from `frames` on. */
  reset(frames = this.#frames): void {
    this.#frames = frames;
    this.#sinceMs = undefined;
  }

  /** @param frames decoded so far @param words undefined where the browser does not tell @returns `arrived` where there are more than before, else what has become due, once each */
  look(frames: number, nowMs: number, words?: SenderWords): Remedy | 'arrived' | undefined {
    const slept = nowMs - this.#lookedAtMs > SLEPT_MS;
    const arrived = frames > this.#frames;
    this.#lookedAtMs = nowMs;
    this.#frames = frames;
    if (arrived || this.#sinceMs === undefined) this.#arrivedAtMs = nowMs;
    const isQuiet = this.#isQuiet(words) && nowMs - this.#arrivedAtMs < MAX_QUIET_MS;
    this.#words = words;
    if (this.#sinceMs === undefined || slept || arrived || isQuiet) {
      this.#sinceMs = nowMs;
      this.#applied = 0;
      return arrived ? 'arrived' : undefined;
    }
    const next = REMEDIES[this.#applied];
    if (!next || nowMs - this.#sinceMs < next[0]) return undefined;
    this.#applied++;
    return next[1];
  }

  /** The sender is there, and says that it has sent nothing more. */
  #isQuiet(words: SenderWords | undefined): boolean {
    return (
      words !== undefined &&
      this.#words !== undefined &&
      words.reports > this.#words.reports &&
      words.packetsSent === this.#words.packetsSent
    );
  }

  /** Without a frame for this long, ms; 0 while nothing is expected. */
  silenceMs(nowMs: number): number {
    return this.#sinceMs === undefined ? 0 : nowMs - this.#sinceMs;
  }
}

/** What senders of pictures say in a browser's statistics; undefined where it does not tell. */
export function senderWords(report: RTCStatsReport): SenderWords | undefined {
  let words: SenderWords | undefined;
  report.forEach((entry: { type: string; kind?: string; reportsSent?: number; packetsSent?: number }) => {
    if (entry.type !== 'remote-outbound-rtp' || entry.kind !== 'video') return;
    const { reports = 0, packetsSent = 0 } = words ?? {};
    words = { reports: reports + (entry.reportsSent ?? 0), packetsSent: packetsSent + (entry.packetsSent ?? 0) };
  });
  return words;
}
