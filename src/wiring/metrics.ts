/** What metrics are read from. */
import { ServerMetrics } from '../observability/index.js';
import { SourceCounts } from '../pipeline/index.js';
import type { Sources } from './sources.js';

/** What is counted, and what becomes of it. */
export interface Metrics {
  /** `GET /metrics`. */
  readonly metrics: ServerMetrics;
  /** Of running sources. */
  readonly counts: SourceCounts;
}

/** Counts from now on; what is read at each scrape is added once it is there. */
export function openMetrics({ catalogue }: Pick<Sources, 'catalogue'>): Metrics {
  const metrics = new ServerMetrics((sourceId) => catalogue.find(sourceId)?.kind);
  return { metrics, counts: new SourceCounts({ sourceLabel: metrics.labels.source, qualityLabel: metrics.labels.quality }) };
}
