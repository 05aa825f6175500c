/**
 * The RTP timestamps of one layer of a simulcast, and what lies between them and those of the layer that leads: about,
 * by when the two arrive; better, by Sender Reports (RFC 3550 §6.4.1); exactly, by the steps between frames, since both
 * are made of the same ones.
 */

const TICKS_PER_MS = 90;
/** Frames that are looked at. */
const MAX_FRAMES = 16;
/** So many frames with the same distance say what it is. */
const SAME_FRAMES = 3;
/** Encoders round; distances differ by less. */
const SAME_TICKS = 20;
/** A frame is told from the next where what is known about the distance is off by less than half of what lies between them. */
const TOLERANCE_TICKS = { least: 5 * TICKS_PER_MS, most: 100 * TICKS_PER_MS } as const;
/** Where arrival says that the distance is off by more, timestamps have jumped. */
const MAX_OFF_TICKS = 1_000 * TICKS_PER_MS;
/** Reports that are off from arrival by more come of two clocks. */
const MAX_REPORT_TICKS = 500 * TICKS_PER_MS;
/** Two frames never have the same time. */
const MIN_STEP_MS = 0.1;

interface Arrival {
  readonly ticks: number;
  readonly nowMs: number;
}

/** The times of one layer. */
export class LayerTimes {
  /** The newest Sender Report; undefined before it. */
  report: { readonly ntpMs: number; readonly rtpTimestamp: number } | undefined;
  #arrivals: Arrival[] = [];
  /** Its timestamps less those of the common timeline, modulo 2^32; undefined before anything is known. */
  #offset: number | undefined;
  #isExact = false;
  #arrivedMs = -Infinity;
  #lastMs = -Infinity;

  /** When its newest packet came. */
  get arrivedMs(): number {
    return this.#arrivedMs;
  }

  /** False before anything is known of where its timestamps belong. */
  get isPlaced(): boolean {
    return this.#offset !== undefined;
  }

  /** Whether a timestamp has nothing to do with those before: time has passed otherwise. */
  isJump(rtpTimestamp: number, nowMs: number): boolean {
    const newest = this.#arrivals.at(-1);
    return newest !== undefined && Math.abs(((rtpTimestamp - newest.ticks) | 0) - (nowMs - newest.nowMs) * TICKS_PER_MS) > MAX_OFF_TICKS;
  }

  /** A packet came. True for the first of a frame. */
  arrived(rtpTimestamp: number, nowMs: number): boolean {
    this.#arrivedMs = nowMs;
    if (this.#arrivals.some(({ ticks }) => ticks === rtpTimestamp)) return false;
    this.#arrivals = [...this.#arrivals.slice(1 - MAX_FRAMES), { ticks: rtpTimestamp, nowMs }];
    return true;
  }

  /** The common timeline begins with it. */
  begin(): void {
    this.#offset = 0;
    this.#isExact = true;
  }

  /** On the timeline that all layers share, modulo 2^32. */
  commonTicks(rtpTimestamp: number): number {
    return (rtpTimestamp - (this.#offset ?? 0)) >>> 0;
  }

  /** Finds out where it belongs, by a layer of which that is known. */
  relateTo(lead: LayerTimes, nowMs: number): void {
    const arrived = (this.#ticksAt(nowMs) - lead.commonTicks(lead.#ticksAt(nowMs))) | 0;
    const reported = this.#reportedOffset(lead);
    const isReported = reported !== undefined && Math.abs((reported - arrived) | 0) <= MAX_REPORT_TICKS;
    const about = isReported ? reported : arrived;
    const tolerance = lead.#toleranceTicks;
    const off = this.#offset === undefined ? Infinity : Math.abs((about - this.#offset) | 0);
    if (off > (isReported ? tolerance : MAX_OFF_TICKS)) {
      this.#offset = about;
      this.#isExact = false;
    }
    if (this.#isExact) return;
    const exact = this.#exactOffset(lead, this.#offset ?? about, tolerance);
    if (exact === undefined) return;
    this.#offset = exact;
    this.#isExact = true;
  }

  /** The media time of its next frame: never that of one before. */
  ascending(mediaTimeMs: number): number {
    return (this.#lastMs = Math.max(mediaTimeMs, this.#lastMs + MIN_STEP_MS));
  }

  /** Its timestamps have nothing to do with those before. Media time continues. */
  forget(): void {
    this.report = this.#offset = undefined;
    this.#arrivals = [];
    this.#isExact = false;
  }

  /** The timestamp of what would come now, if the network were at its quickest. */
  #ticksAt(nowMs: number): number {
    const newest = this.#arrivals.at(-1)?.ticks ?? 0;
    const ahead = this.#arrivals.map(({ ticks, nowMs: atMs }) => ((ticks - newest) | 0) + (nowMs - atMs) * TICKS_PER_MS);
    return Math.round(newest + Math.max(...ahead));
  }

  #reportedOffset(lead: LayerTimes): number | undefined {
    if (!this.report || !lead.report) return undefined;
    const between = Math.round((this.report.ntpMs - lead.report.ntpMs) * TICKS_PER_MS);
    return (this.report.rtpTimestamp - lead.commonTicks(lead.report.rtpTimestamp) - between) | 0;
  }

  /** Where each of some frames has one of the leading layer's at the same distance, that distance. */
  #exactOffset(lead: LayerTimes, about: number, tolerance: number): number | undefined {
    const offsets = this.#arrivals.flatMap(({ ticks }) => {
      const off = lead.#arrivals.map((other) => (ticks - lead.commonTicks(other.ticks) - about) | 0);
      const nearest = off.reduce((least, each) => (Math.abs(each) < Math.abs(least) ? each : least), Infinity);
      return Math.abs(nearest) <= tolerance ? [nearest] : [];
    });
    const [median] = offsets.sort((a, b) => a - b).slice(Math.floor(offsets.length / 2));
    if (median === undefined || offsets.filter((each) => Math.abs(each - median) <= SAME_TICKS).length < SAME_FRAMES) return undefined;
    return about + median;
  }

  /** Half of the time between its frames. */
  get #toleranceTicks(): number {
    const [first, last] = [this.#arrivals[0], this.#arrivals.at(-1)];
    const spanTicks = first && last ? (last.ticks - first.ticks) | 0 : 0;
    const half = spanTicks / Math.max(1, this.#arrivals.length - 1) / 2;
    return Math.min(TOLERANCE_TICKS.most, Math.max(TOLERANCE_TICKS.least, half));
  }
}
