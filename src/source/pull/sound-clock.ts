/**
 * Where a camera's sound lies beside its pictures. Stamps of the same origin tell it, better than arrival does, since
 * cameras send their pictures later than their sound; but the stamps of one of them may jump or stand still while the
 * other's do not. So how far stamps and arrival are apart is remembered once both have settled, and a departure from it
 * is a fault of the stamps.
 */
import type { ArrivalClock } from './arrival-clock.js';

/** Sound may come so much before or after the pictures that it belongs to. */
const MAX_APART_MS = 500;
/** What comes at once in the beginning says little about arrival. */
const SETTLE_MS = 3_000;
/** A departure of more, for so long, is no jitter; beyond `MAX_APART_MS` at once. */
const MAX_DEPARTURE_MS = 100;
const DEPARTED_MS = 500;
/** One of the two that comes so much later than the other, in its quickest frames of such a time, has stamps that stood still. */
const MAX_LATER_MS = 100;
const WINDOW_MS = 1_000;
/** So few tell nothing: a camera may send a picture in several seconds, and each may be late. */
const MIN_FRAMES = 5;

/** Maps the stamps of a camera's sound to the time of the source. */
export class SoundClock {
  readonly #video: ArrivalClock;
  readonly #audio: ArrivalClock;
  #beganAtMs: number | undefined;
  /** Media time by the stamps minus media time by arrival, when all was well. */
  #usualApartMs: number | undefined;
  /** Added to what the stamps say. */
  #correctionMs = 0;
  #departedAtMs: number | undefined;
  #windowStartMs = -Infinity;
  /** In the window. */
  #leastLag = { video: Infinity, audio: Infinity };
  #frames = { video: 0, audio: 0 };

  constructor(video: ArrivalClock, audio: ArrivalClock) {
    this.#video = video;
    this.#audio = audio;
  }

  /** A picture was placed so long before its arrival. */
  pictureLag(lagMs: number): void {
    this.#note('video', lagMs);
  }

  /** The media time of a packet of sound. @param nowMs media time of its arrival */
  at(stampMs: number, nowMs: number): number {
    const byArrivalMs = this.#audio.at(stampMs, nowMs);
    this.#note('audio', nowMs - byArrivalMs);
    if (nowMs - this.#windowStartMs >= WINDOW_MS && Math.min(this.#frames.video, this.#frames.audio) >= MIN_FRAMES) this.#endWindow(nowMs);
    const byStampMs = this.#video.beside(stampMs);
    if (byStampMs === undefined) return byArrivalMs;
    this.#beganAtMs ??= nowMs;
    const apartMs = byStampMs + this.#correctionMs - byArrivalMs;
    if (this.#usualApartMs === undefined) {
      const isNear = Math.abs(apartMs) < MAX_APART_MS;
      if (nowMs - this.#beganAtMs >= SETTLE_MS) this.#settle(isNear ? apartMs : 0, apartMs);
      return isNear ? byStampMs + this.#correctionMs : byArrivalMs;
    }
    if (this.#hasDeparted(apartMs - this.#usualApartMs, nowMs)) this.#settle(this.#usualApartMs, apartMs);
    return byStampMs + this.#correctionMs;
  }

  #note(kind: 'video' | 'audio', lagMs: number): void {
    this.#leastLag[kind] = Math.min(this.#leastLag[kind], lagMs);
    this.#frames[kind]++;
  }

  #settle(usualApartMs: number, apartMs: number): void {
    this.#usualApartMs = usualApartMs;
    this.#correctionMs += usualApartMs - apartMs;
    this.#departedAtMs = undefined;
  }

  #hasDeparted(byMs: number, nowMs: number): boolean {
    if (Math.abs(byMs) <= MAX_DEPARTURE_MS) this.#departedAtMs = undefined;
    else this.#departedAtMs ??= nowMs;
    return Math.abs(byMs) >= MAX_APART_MS || (this.#departedAtMs !== undefined && nowMs - this.#departedAtMs >= DEPARTED_MS);
  }

  /** The one that is late catches up. */
  #endWindow(nowMs: number): void {
    const { video, audio } = this.#leastLag;
    const laterMs = audio - video;
    if (this.#usualApartMs !== undefined && Math.abs(laterMs) > MAX_LATER_MS) {
      if (laterMs > 0) this.#audio.catchUp(laterMs);
      else this.#video.catchUp(-laterMs);
      // What the stamps say of sound goes with the pictures, and not with the sound.
      this.#correctionMs += laterMs;
    }
    this.#windowStartMs = nowMs;
    this.#leastLag = { video: Infinity, audio: Infinity };
    this.#frames = { video: 0, audio: 0 };
  }
}
