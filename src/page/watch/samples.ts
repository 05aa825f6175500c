/** The last minute of what can be drawn of a viewing. Knows no DOM. */
import type { Latency } from '/sightline.js';
import type { DetectorFigures } from '../overlay/detector-rate.js';
import type { Figures } from './figures.js';

/** How long is drawn, seconds; one sample each. */
export const SAMPLES_S = 60;

/** Figures of one second; undefined where nobody tells. */
export interface Sample {
  /** Seconds on the clock that they are drawn by. */
  readonly atS: number;
  /** Video and sound, Mbit/s. */
  readonly bitrateMbps: number | undefined;
  /** Decoded frames a second. */
  readonly fps: number | undefined;
  /** From capture until the server sent it, ms. */
  readonly serverMs: number | undefined;
  /** On the way, ms. */
  readonly networkMs: number | undefined;
  /** From its arrival to the screen, ms. */
  readonly playoutMs: number | undefined;
  /** How long frames wait in the browser for those before them, ms. */
  readonly queueMs: number | undefined;
  /** How long the detector looks at a frame, ms. */
  readonly detectorMs: number | undefined;
}

/** What is drawn in one plot: each curve with the member of a sample that it is of. */
export const PLOTS = [
  { name: 'bitrate', unit: 'Mbit/s', digits: 1, curves: ['bitrateMbps'] },
  { name: 'frames', unit: '/s', digits: 0, curves: ['fps'] },
  { name: 'latency', unit: 'ms', digits: 0, curves: ['serverMs', 'networkMs', 'playoutMs'] },
  { name: 'queue', unit: 'ms', digits: 0, curves: ['queueMs'] },
  { name: 'detector', unit: 'ms', digits: 1, curves: ['detectorMs'] },
] as const satisfies readonly { name: string; unit: string; digits: number; curves: readonly Exclude<keyof Sample, 'atS'>[] }[];

/** One plot. */
export type Plot = (typeof PLOTS)[number];

/** A sample of what is known now. */
export function sampleOf(atS: number, figures: Figures, latency: Latency | undefined, detector: DetectorFigures | undefined): Sample {
  return {
    atS,
    bitrateMbps: figures.bitrateBps === undefined ? undefined : figures.bitrateBps / 1e6,
    fps: figures.fps,
    serverMs: latency?.serverMs,
    networkMs: latency?.networkMs,
    playoutMs: latency?.playoutMs,
    queueMs: figures.jitterBufferMs,
    detectorMs: detector?.inferenceMs,
  };
}

/** The samples of the last minute with another one. */
export function withSample(samples: readonly Sample[], sample: Sample): readonly Sample[] {
  return [...samples.filter(({ atS }) => sample.atS - atS < SAMPLES_S), sample];
}

/** What a plot says now, such as `33 ms`: stages together; undefined where nothing is known. */
export function nowText({ curves, unit, digits }: Plot, samples: readonly Sample[]): string | undefined {
  const newest = samples.at(-1);
  const values = curves.flatMap((curve) => newest?.[curve] ?? []);
  return values.length === 0 ? undefined : `${values.reduce((sum, value) => sum + value, 0).toFixed(digits)} ${unit}`;
}

/** As they are drawn: times, then each curve upon those before it. */
export function columnsOf({ curves }: Plot, samples: readonly Sample[]): [number[], ...(number | null)[][]] {
  const stacked = curves.map((_, top) =>
    samples.map((sample) => {
      const parts = curves.slice(0, top + 1).map((curve) => sample[curve]);
      return parts.some((part) => part === undefined) ? null : parts.reduce<number>((sum, part) => sum + (part ?? 0), 0);
    }),
  );
  return [samples.map(({ atS }) => atS), ...stacked];
}
