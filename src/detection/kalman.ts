/**
 * A constant-velocity Kalman filter for one coordinate; looking ahead never changes it. An object that turns or brakes
 * errs on one side for several measurements, noise errs on both: the share of the error that is bias (the tracking
 * signal of Trigg and Leach, "Exponential Smoothing with an Adaptive Response Rate", 1967) raises the acceleration
 * that the filter allows for.
 */

/** How a coordinate moves and how well it is measured, in pixels and milliseconds. */
export interface MotionNoise {
  /** Standard deviation of the acceleration, px/ms². */
  readonly acceleration: number;
  /** Standard deviation of a measurement, px. */
  readonly measurement: number;
}

/** Where a coordinate is at first, and how it may move. */
export interface ConstantVelocityInit {
  /** First measurement, px. */
  readonly value: number;
  /** Media time of the first measurement, in milliseconds. */
  readonly timeMs: number;
  /** How far measurements and velocities are to be trusted. */
  readonly noise: MotionNoise;
  /** Standard deviation of the unknown first velocity, px/ms. */
  readonly speed: number;
  /** How much a biased error raises the acceleration. Default 0: not at all. */
  readonly agility?: number;
  /** The velocity fades with this time constant, ms. Default: it stays. */
  readonly fadeMs?: number;
}

/** Weight of the newest error in the means that tell bias from noise. */
const ERROR_WEIGHT = 0.25;
/** Mean error, in standard deviations of a measurement, from which on more error raises the acceleration no further. */
const MAX_DEVIATION = 3;

/** The filter of one coordinate. */
export class ConstantVelocity {
  #value: number;
  #timeMs: number;
  #velocity = 0;
  /** Covariance of value and velocity. */
  #vv: number;
  #vs = 0;
  #ss: number;
  readonly #fadeMs: number;
  readonly #agility: number;
  /** Moving means of the error and of its size, px. */
  #bias = 0;
  #deviation = 0;

  constructor({ value, timeMs, noise, speed, agility = 0, fadeMs = Infinity }: ConstantVelocityInit) {
    this.#value = value;
    this.#timeMs = timeMs;
    this.#vv = noise.measurement ** 2;
    this.#ss = speed ** 2;
    this.#agility = agility;
    this.#fadeMs = fadeMs;
  }

  /** As of the last measurement, px/ms. */
  get velocity(): number {
    return this.#velocity;
  }

  /**
   * Expected value; times before the last measurement count as that of the measurement. The velocity counts as far as
   * it is known: what is no more than its own deviation is half noise, and carries a hidden object away.
   */
  at(timeMs: number): number {
    const known = this.#velocity ** 2 / (this.#velocity ** 2 + this.#ss || 1);
    return this.#value + known * this.#velocity * this.#reach(timeMs);
  }

  /** Moves on to that time and takes a measurement in. */
  update(measured: number, timeMs: number, noise: MotionNoise): void {
    const t = Math.max(0, timeMs - this.#timeMs);
    const reach = this.#reach(timeMs);
    const innovation = measured - this.at(timeMs);
    const q = this.#acceleration(innovation, noise) ** 2;
    const vs = this.#vs + reach * this.#ss + (q * t ** 3) / 2;
    const ss = this.#ss + q * t * t;
    const vv = this.#vv + 2 * reach * this.#vs + reach * reach * this.#ss + (q * t ** 4) / 4;
    const total = vv + noise.measurement ** 2;
    const gain = vv / total;
    const speedGain = vs / total;
    this.#value = this.at(timeMs) + gain * innovation;
    this.#velocity += speedGain * innovation;
    this.#vv = (1 - gain) * vv;
    this.#vs = (1 - gain) * vs;
    this.#ss = ss - speedGain * vs;
    this.#timeMs = timeMs;
  }

  /** Moves the value; what is known of the velocity stays. */
  shift(by: number): void {
    this.#value += by;
  }

  /** The acceleration to allow for, px/ms²: more of it the more the error is biased and large. */
  #acceleration(innovation: number, { acceleration, measurement }: MotionNoise): number {
    this.#bias += (innovation - this.#bias) * ERROR_WEIGHT;
    this.#deviation += (Math.abs(innovation) - this.#deviation) * ERROR_WEIGHT;
    if (this.#deviation === 0) return acceleration;
    const signal = (this.#bias / this.#deviation) ** 2;
    return acceleration * (1 + this.#agility * signal * Math.min(MAX_DEVIATION, this.#deviation / measurement));
  }

  /** Time for which the velocity of the last measurement acts in full, ms. */
  #reach(timeMs: number): number {
    const t = Math.max(0, timeMs - this.#timeMs);
    return this.#fadeMs === Infinity ? t : this.#fadeMs * (1 - Math.exp(-t / this.#fadeMs));
  }
}
