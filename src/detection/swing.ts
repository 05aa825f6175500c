/**
 * A length that swings, such as the width of somebody who walks: it comes and goes twice a stride, faster than a
 * smoothing filter follows at ten detections per second. A sine is fitted to the newest lengths, at the best of some
 * periods (least squares; Lomb, "Least-squares frequency analysis of unequally spaced data", 1976).
 */

/** Periods that are tried, ms: half strides, from a run to a stroll. */
const PERIODS_MS = [400, 450, 500, 550, 600, 650, 700, 800, 900, 1100];
/** Lengths that are kept, and how many there must be before a sine means anything. */
const KEPT = 10;
const NEEDED = 8;
/** Lengths closer in time than this tell nothing more, ms. */
const MIN_APART_MS = 80;
/** No period is shorter than so many intervals. */
const INTERVALS_A_PERIOD = 3;
/** Lengths that vary by less, as a share of their mean, are noise. */
const MIN_SPREAD = 0.1;
/** Weight of the newest error in the mean errors of the two predictions. */
const ERROR_WEIGHT = 0.25;
/** The sine is believed while its mean error is this part of the other prediction's. */
const CLEARLY_BETTER = 0.7;

interface Sine {
  readonly mean: number;
  readonly cosine: number;
  readonly sine: number;
  readonly radiansPerMs: number;
}

/** The swing of one length. */
export class Swing {
  #lengths: { readonly timeMs: number; readonly length: number }[] = [];
  #fitted: Sine | undefined;
  /** Moving means of the errors of the two predictions, px. */
  #error = 0;
  #otherError = 0;

  /** Takes a length in, and what was expected without the swing. */
  update(length: number, expected: number, timeMs: number): void {
    const last = this.#lengths.at(-1);
    if (last && timeMs - last.timeMs < MIN_APART_MS) return;
    const own = this.#fitted ? this.#fittedAt(this.#fitted, timeMs) : expected;
    this.#error += (Math.abs(length - own) - this.#error) * ERROR_WEIGHT;
    this.#otherError += (Math.abs(length - expected) - this.#otherError) * ERROR_WEIGHT;
    this.#lengths = [...this.#lengths.slice(1 - KEPT), { timeMs, length }];
    this.#fitted = this.#fit(timeMs);
  }

  /** Expected length; undefined where it does not swing, or not evenly. */
  at(timeMs: number): number | undefined {
    return this.#fitted && this.#error < CLEARLY_BETTER * this.#otherError ? this.#fittedAt(this.#fitted, timeMs) : undefined;
  }

  #fittedAt({ mean, cosine, sine, radiansPerMs }: Sine, timeMs: number): number {
    const angle = radiansPerMs * (timeMs - (this.#lengths.at(-1)?.timeMs ?? timeMs));
    return mean + cosine * Math.cos(angle) + sine * Math.sin(angle);
  }

  #fit(timeMs: number): Sine | undefined {
    const count = this.#lengths.length;
    const first = this.#lengths[0];
    if (count < NEEDED || !first) return undefined;
    const mean = this.#lengths.reduce((sum, { length }) => sum + length, 0) / count;
    const spread = this.#lengths.reduce((sum, { length }) => sum + (length - mean) ** 2, 0);
    if (spread < count * (MIN_SPREAD * mean) ** 2) return undefined;
    const shortestMs = (INTERVALS_A_PERIOD * (timeMs - first.timeMs)) / (count - 1);
    let best: Sine | undefined;
    let most = 0;
    for (const periodMs of PERIODS_MS) {
      if (periodMs < shortestMs) continue;
      const { sine, explained } = this.#sineOf((2 * Math.PI) / periodMs, mean, timeMs);
      if (explained <= most) continue;
      most = explained;
      best = sine;
    }
    return best;
  }

  /** The best sine of a period, and how much of the spread it explains. */
  #sineOf(radiansPerMs: number, middle: number, timeMs: number): { sine: Sine; explained: number } {
    let c = 0,
      s = 0,
      cc = 0,
      cs = 0,
      ss = 0,
      cy = 0,
      sy = 0;
    for (const { timeMs: at, length } of this.#lengths) {
      const cosine = Math.cos(radiansPerMs * (at - timeMs));
      const sine = Math.sin(radiansPerMs * (at - timeMs));
      c += cosine;
      s += sine;
      cc += cosine * cosine;
      cs += cosine * sine;
      ss += sine * sine;
      cy += cosine * (length - middle);
      sy += sine * (length - middle);
    }
    // Normal equations, the constant term taken out: lengths are counted from their mean.
    const count = this.#lengths.length;
    cc -= (c * c) / count;
    cs -= (c * s) / count;
    ss -= (s * s) / count;
    const determinant = cc * ss - cs * cs;
    if (determinant < 1e-6) return { sine: { mean: middle, cosine: 0, sine: 0, radiansPerMs }, explained: 0 };
    const cosine = (ss * cy - cs * sy) / determinant;
    const sine = (cc * sy - cs * cy) / determinant;
    return { sine: { mean: middle - (cosine * c + sine * s) / count, cosine, sine, radiansPerMs }, explained: cosine * cy + sine * sy };
  }
}
