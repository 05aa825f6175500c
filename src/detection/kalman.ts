/** A constant-velocity Kalman filter for one coordinate; state is extrapolated without being changed. */

/** How a coordinate moves and how well it is measured, in pixels and milliseconds. */
export interface MotionNoise {
  /** Standard deviation of the acceleration, px/ms². */
  readonly acceleration: number;
  /** Standard deviation of a measurement, px. */
  readonly measurement: number;
}

export class ConstantVelocity {
  #value: number;
  #velocity = 0;
  /** Covariance of value and velocity. */
  #vv: number;
  #vs = 0;
  #ss: number;

  /** @param value first measurement, px. @param noise as of that measurement. @param speed standard deviation of the unknown first velocity, px/ms. */
  constructor(value: number, noise: MotionNoise, speed: number) {
    this.#value = value;
    this.#vv = noise.measurement ** 2;
    this.#ss = speed ** 2;
  }

  /** px/ms. */
  get velocity(): number {
    return this.#velocity;
  }

  /** Where it will be `elapsedMs` after the last measurement. */
  at(elapsedMs: number): number {
    return this.#value + this.#velocity * elapsedMs;
  }

  /** Moves on by `elapsedMs` and takes a measurement in. */
  update(measured: number, elapsedMs: number, noise: MotionNoise): void {
    const t = Math.max(0, elapsedMs);
    const q = noise.acceleration ** 2;
    const vv = this.#vv + 2 * t * this.#vs + t * t * this.#ss + (q * t ** 4) / 4;
    const vs = this.#vs + t * this.#ss + (q * t ** 3) / 2;
    const ss = this.#ss + q * t * t;
    const innovation = measured - this.at(t);
    const total = vv + noise.measurement ** 2;
    const gain = vv / total;
    const speedGain = vs / total;
    this.#value = this.at(t) + gain * innovation;
    this.#velocity += speedGain * innovation;
    this.#vv = (1 - gain) * vv;
    this.#vs = (1 - gain) * vs;
    this.#ss = ss - speedGain * vs;
  }
}
