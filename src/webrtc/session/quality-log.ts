/** In which quality each stream of a viewer was sent, and why it changed. */
import type { QualityReason, QualityStatus } from '../api/status.js';
import type { Selection } from '../congestion/index.js';
import type { Target } from './quality-control.js';
import type { ViewerStream } from './viewer-stream.js';

/** The quality of a stream has changed. */
export interface QualityChange {
  /** Whose quality it is. */
  readonly stream: ViewerStream;
  /** As `QualityStatus.quality`; undefined: it is the first. */
  readonly from: string | undefined;
  /** As `QualityStatus.quality`. */
  readonly to: string;
  /** Why. */
  readonly reason: QualityReason;
}

interface Entry {
  /** What it gets now. */
  readonly quality: string;
  /** The same, fillers passed over. */
  readonly settled: string;
  readonly switches: number;
  readonly reason: QualityReason;
}

/** What one viewer got. */
export class QualityLog {
  readonly #entries = new Map<ViewerStream, Entry>();

  /**
   * Notes what a stream gets now.
   * @param isFilled it only fills the time until something that was chosen already can begin: that is no change
   * @returns the change, where it is another quality than before
   */
  note(stream: ViewerStream, target: Target | undefined, isFilled = false): QualityChange | undefined {
    const to = nameOf(stream, target);
    if (to === undefined) return undefined;
    const before = this.#entries.get(stream);
    if (before && (isFilled || before.settled === to)) {
      this.#entries.set(stream, { ...before, quality: to });
      return undefined;
    }
    const reason = target?.reason ?? (before ? 'wish' : 'start');
    this.#entries.set(stream, { quality: to, settled: to, switches: before ? before.switches + 1 : 0, reason });
    return { stream, from: before?.settled, to, reason };
  }

  /** What is known of a stream. */
  statusOf(stream: ViewerStream): QualityStatus {
    const { quality, switches = 0, reason } = this.#entries.get(stream) ?? {};
    return { quality, switches, switchReason: reason };
  }

  /** As `QualityStatus.quality`. */
  qualityOf(stream: ViewerStream): string | undefined {
    return this.#entries.get(stream)?.quality;
  }

  /** Of these streams: what the first one gets that flows, with the switches of all. */
  summary(streams: readonly ViewerStream[]): QualityStatus {
    const first = streams.find(({ rung }) => rung !== undefined) ?? streams[0];
    const switches = streams.reduce((sum, stream) => sum + this.statusOf(stream).switches, 0);
    return { quality: undefined, switchReason: undefined, ...(first && this.statusOf(first)), switches };
  }
}

/** Undefined where nothing flows. */
function nameOf({ rung }: ViewerStream, target: Target | undefined): string | undefined {
  return rung === undefined ? undefined : qualityName({ rung, delivery: target?.delivery ?? 'frames' });
}

/** As `QualityStatus.quality`. */
export function qualityName({ rung, delivery }: Selection): string {
  if (delivery === 'frames') return rung;
  return delivery === 'keyframes' ? 'keyframes' : 'sound';
}
