/** Metrics that are read when they are scraped: whoever counts knows nothing of Prometheus, and pays nothing before that. */
import { Counter, Gauge, type Registry } from 'prom-client';

/** One sample; samples with the same labels are added. */
export type Sample<Label extends string> = readonly [labels: Readonly<Record<Label, string>>, value: number];

/** What is read. */
export interface ReadMetric<Label extends string> {
  /** With its unit, and `_total` for a counter. */
  readonly name: string;
  /** In one sentence. */
  readonly help: string;
  /** All that a sample has. Default: none. */
  readonly labelNames?: readonly Label[];
  /** Called for each scrape. */
  readonly read: () => Iterable<Sample<Label>>;
}

/** Begins with this. */
export const PREFIX = 'sightline_';

/** Something that goes up and down. */
export function readGauge<Label extends string = never>(registry: Registry, metric: ReadMetric<Label>): void {
  const gauge: Gauge<Label> = new Gauge({ ...optionsOf(registry, metric), collect: () => fill(gauge, metric.read()) });
}

/** Something that only grows. */
export function readCounter<Label extends string = never>(registry: Registry, metric: ReadMetric<Label>): void {
  const counter: Counter<Label> = new Counter({ ...optionsOf(registry, metric), collect: () => fill(counter, metric.read()) });
}

function optionsOf<Label extends string>(registry: Registry, { name, help, labelNames = [] }: ReadMetric<Label>) {
  return { name: PREFIX + name, help, labelNames, registers: [registry] };
}

interface Filled<Label extends string> {
  reset(): void;
  inc(labels: Partial<Record<Label, string>>, value: number): void;
}

function fill<Label extends string>(metric: Filled<Label>, samples: Iterable<Sample<Label>>): void {
  metric.reset();
  for (const [labels, value] of samples) metric.inc(labels, value);
}
