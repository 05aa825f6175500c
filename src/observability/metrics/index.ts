/** Metrics for Prometheus, the only place that knows it. */
export { ServerMetrics } from './server-metrics.js';
export type { MetricSources } from './readings.js';
export { countAnswers, metricRoutes, type MetricsDeps } from './routes.js';
