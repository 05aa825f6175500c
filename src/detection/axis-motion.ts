/**
 * One axis of a box, horizontal or vertical: its place and its length. At the border of the picture a detector sees
 * only a part of an object: its box stops or grows there though the object moves on evenly. So the edge inside the
 * picture alone is taken for a measurement, and the length that was known before, or that is seen now, stands for the
 * rest.
 */
import { ConstantVelocity, type MotionNoise } from './kalman.js';
import { Swing } from './swing.js';
import type { TrackerOptions } from './tracker-options.js';

/** Edges this close to the border lie on it, in lengths; detectors are not exact. */
const BORDER_TOLERANCE = 0.03;
const BORDER_TOLERANCE_PX = 1.5;
/** No box is thinner, px. */
const MIN_LENGTH = 2;

/** What a detector says of one axis. */
export interface AxisSighting {
  /** Left or upper side, in pixels. */
  readonly start: number;
  /** Width or height, in pixels. */
  readonly length: number;
  /** Mean size of the whole box, px: larger, nearer objects move by more pixels and are measured less exactly. */
  readonly size: number;
  /** Factor on the standard deviation of the measurement. */
  readonly doubt: number;
  /** True where others are close by: its length may be that of two objects, or of what is seen of one. */
  readonly isCrossing: boolean;
}

type Border = 'low' | 'high' | undefined;

/** Place and length of one object along one axis. */
export class AxisMotion {
  readonly #options: TrackerOptions;
  readonly #extent: number;
  readonly #centre: ConstantVelocity;
  #length: ConstantVelocity;
  readonly #swing = new Swing();
  /** The border that cuts it. */
  #cutBy: Border;
  /** False while it was never seen away from the border. */
  #isLengthKnown: boolean;

  /** @param extent of the picture along this axis, px. */
  constructor(sighting: AxisSighting, timeMs: number, extent: number, options: TrackerOptions) {
    const { start, length, size } = sighting;
    this.#options = options;
    this.#extent = extent;
    this.#cutBy = this.#border(start, length);
    this.#isLengthKnown = this.#cutBy === undefined;
    const speed = (options.firstSpeed * size) / 1000;
    this.#centre = new ConstantVelocity({
      value: start + length / 2,
      timeMs,
      noise: placeNoise(sighting, options),
      speed,
      agility: options.agility,
    });
    this.#length = this.#newLength(sighting, timeMs);
  }

  /** px/ms. */
  get velocity(): number {
    return this.#centre.velocity;
  }

  /** Expected start and end, inside the picture or beyond. */
  at(timeMs: number): [start: number, end: number] {
    const centre = this.#centre.at(timeMs);
    const half = Math.max(MIN_LENGTH, this.#swing.at(timeMs) ?? this.#length.at(timeMs)) / 2;
    // More of it may come in: until the whole is seen, it reaches to the border.
    const isEntering = this.#cutBy && !this.#isLengthKnown;
    const start = isEntering && this.#cutBy === 'low' ? Math.min(0, centre - half) : centre - half;
    const end = isEntering && this.#cutBy === 'high' ? Math.max(this.#extent, centre + half) : centre + half;
    return [start, end];
  }

  update(seen: AxisSighting, timeMs: number): void {
    const sighting = seen.isCrossing ? this.#doubted(seen, timeMs) : seen;
    const { start, length } = sighting;
    const border = this.#border(start, length);
    const noise = placeNoise(sighting, this.#options);
    if (border) {
      if (!this.#isLengthKnown || length > this.#length.at(timeMs)) this.#grow(sighting, border, timeMs);
      const half = this.#length.at(timeMs) / 2;
      this.#centre.update(border === 'low' ? start + length - half : start + half, timeMs, noise);
    } else {
      if (this.#isLengthKnown) {
        this.#swing.update(length, this.#length.at(timeMs), timeMs);
        this.#length.update(length, timeMs, lengthNoise(sighting, this.#options));
      } else if (this.#cutBy) this.#grow(sighting, this.#cutBy, timeMs);
      this.#centre.update(start + length / 2, timeMs, noise);
      this.#isLengthKnown = true;
    }
    this.#cutBy = border;
  }

  /** The more the length differs from what is expected, the more it is doubted. */
  #doubted(sighting: AxisSighting, timeMs: number): AxisSighting {
    const oddness = Math.abs(Math.log(sighting.length / Math.max(MIN_LENGTH, this.#length.at(timeMs))));
    return { ...sighting, doubt: sighting.doubt * (1 + this.#options.oddLengthNoise * oddness) };
  }

  /** Takes the length that is seen; the edge away from the border stays where it was expected. */
  #grow(sighting: AxisSighting, border: 'low' | 'high', timeMs: number): void {
    const growth = sighting.length - this.#length.at(timeMs);
    this.#length = this.#newLength(sighting, timeMs);
    this.#centre.shift(border === 'low' ? -growth / 2 : growth / 2);
  }

  #newLength(sighting: AxisSighting, timeMs: number): ConstantVelocity {
    const { firstSpeed, sizeFadeMs } = this.#options;
    const speed = (firstSpeed * sighting.size) / 4000;
    return new ConstantVelocity({ value: sighting.length, timeMs, noise: lengthNoise(sighting, this.#options), speed, fadeMs: sizeFadeMs });
  }

  #border(start: number, length: number): Border {
    const tolerance = BORDER_TOLERANCE_PX + BORDER_TOLERANCE * length;
    const isLow = start <= tolerance;
    const isHigh = start + length >= this.#extent - tolerance;
    if (isLow === isHigh) return undefined;
    return isLow ? 'low' : 'high';
  }
}

function placeNoise({ size, length, doubt }: AxisSighting, options: TrackerOptions): MotionNoise {
  return {
    acceleration: (options.acceleration * Math.max(30, size)) / 1e6,
    measurement: Math.max(1, length * options.measurementNoise * doubt),
  };
}

function lengthNoise({ size, length, doubt }: AxisSighting, options: TrackerOptions): MotionNoise {
  return {
    acceleration: (options.sizeAcceleration * Math.max(30, size)) / 1e6,
    measurement: Math.max(1, length * options.measurementNoise * doubt),
  };
}
