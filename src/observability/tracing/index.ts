/** Traces of joins for OpenTelemetry, the only place that knows it. */
export { JoinTraces, type JoinTrace } from './join-trace.js';
export { openOtlp, type JoinSink } from './otlp.js';
export { RequestTime } from './request-time.js';
