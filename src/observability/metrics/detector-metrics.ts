/** Metrics of models: each runs in one thread, for all sources that it looks at. */
import { Counter, Histogram, type Registry } from 'prom-client';
import type { DetectorObserver } from '../../detection/index.js';
import { PREFIX, readGauge } from './metric.js';
import type { Readings } from './readings.js';

const INFERENCE_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** Metrics of detectors. Names of models are the operator's. */
export class DetectorMetrics implements DetectorObserver {
  readonly #inference: Histogram<'model'>;
  readonly #failures: Counter<'model'>;
  readonly #restarts: Counter<'model'>;

  constructor(registry: Registry) {
    const common = { labelNames: ['model'] as const, registers: [registry] };
    this.#inference = new Histogram({
      name: `${PREFIX}detector_inference_seconds`,
      help: 'Time of inference, a frame',
      buckets: INFERENCE_BUCKETS_S,
      ...common,
    });
    this.#failures = new Counter({ name: `${PREFIX}detector_failures_total`, help: 'Frames at which the detector failed', ...common });
    this.#restarts = new Counter({
      name: `${PREFIX}detector_restarts_total`,
      help: 'How often the thread of a model was replaced',
      ...common,
    });
  }

  /** Adds what is read from now on. Call once. */
  addRead(registry: Registry, { models }: Readings): void {
    readGauge(registry, {
      name: 'detector_ready',
      help: 'Whether a loaded model works (1) or its thread is being replaced (0)',
      labelNames: ['model'],
      read: () =>
        models().map(({ name, state }) => {
          this.#begin(name);
          return [{ model: name }, state === 'ready' ? 1 : 0];
        }),
    });
    readGauge(registry, {
      name: 'detector_queue',
      help: 'Sources with a frame that waits for the model; each has one at most',
      labelNames: ['model'],
      read: () => models().map(({ name, waiting }) => [{ model: name }, waiting]),
    });
  }

  inferred(model: string, inferenceMs: number): void {
    this.#inference.observe({ model }, inferenceMs / 1000);
  }

  failed(model: string): void {
    this.#failures.inc({ model });
  }

  restarted(model: string): void {
    this.#restarts.inc({ model });
  }

  /** A count that begins at 0 shows its first step; one that begins with it shows none. */
  #begin(model: string): void {
    this.#failures.inc({ model }, 0);
    this.#restarts.inc({ model }, 0);
  }
}
