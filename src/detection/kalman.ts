/** A constant-velocity Kalman filter for one coordinate; looking ahead never changes it. */

/** How a coordinate moves and how well it is measured, in pixels and milliseconds. */
export interface MotionNoise {
  /** Standard deviation of the acceleration, px/ms². */
  readonly acceleration: number;
  /** Standard deviation of a measurement, px. */
  readonly measurement: number;
}

export interface ConstantVelocityInit {
  /** First measurement, px. */
  readonly value: number;
  readonly timeMs: number;
  readonly noise: MotionNoise;
  /** Standard deviation of the unknown first velocity, px/ms. */
  readonly speed: number;
  /** The velocity fades with this time constant, ms. Default: it stays. */
  readonly fadeMs?: number;
}

export class ConstantVelocity {
  #value: number;
  #timeMs: number;
  #velocity = 0;
  /** Covariance of value and velocity. */
  #vv: number;
  #vs = 0;
  #ss: number;
  readonly #fadeMs: number;

  constructor({ value, timeMs, noise, speed, fadeMs = Infinity }: ConstantVelocityInit) {
    this.#value = value;
    this.#timeMs = timeMs;
    this.#vv = noise.measurement ** 2;
    this.#ss = speed ** 2;
    this.#fadeMs = fadeMs;
  }

  /** As of the last measurement, px/ms. */
  get velocity(): number {
    return this.#velocity;
  }

  /** Expected value; times before the last measurement count as that of the measurement. */
  at(timeMs: number): number {
    return this.#value + this.#velocity * this.#reach(timeMs);
  }

  /** Moves on to that time and takes a measurement in. */
  update(measured: number, timeMs: number, noise: MotionNoise): void {
    const t = Math.max(0, timeMs - this.#timeMs);
    const reach = this.#reach(timeMs);
    const q = noise.acceleration ** 2;
    const vs = this.#vs + reach * this.#ss + (q * t ** 3) / 2;
    const ss = this.#ss + q * t * t;
    const vv = this.#vv + 2 * reach * this.#vs + reach * reach * this.#ss + (q * t ** 4) / 4;
    const total = vv + noise.measurement ** 2;
    const innovation = measured - this.at(timeMs);
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

  /** Time for which the velocity of the last measurement acts in full, ms. */
  #reach(timeMs: number): number {
    const t = Math.max(0, timeMs - this.#timeMs);
    return this.#fadeMs === Infinity ? t : this.#fadeMs * (1 - Math.exp(-t / this.#fadeMs));
  }
}
