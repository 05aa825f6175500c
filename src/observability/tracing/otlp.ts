/** Sends joins to an OpenTelemetry collector by OTLP over HTTP. Its packages are optional, and loaded where they are used. */
import type { Context, Span, TimeInput, Tracer } from '@opentelemetry/api';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { Logger } from '../../base/logger.js';
import type { JoinSpan, JoinTrace } from './join-trace.js';

/** Where traces go. */
export interface OtlpInit {
  /** Of the collector, without `/v1/traces`. */
  readonly endpoint: string;
  /** Of the server, such as `0.2.0`. */
  readonly version: string;
  readonly logger: Logger;
}

/** A collector. */
export interface JoinSink {
  /** Sends the join within a second or so. Never waits, never throws; what the collector does not take is dropped, and said. */
  send(join: JoinTrace): void;
  /** Sends what waits, for some seconds at most. */
  close(): Promise<void>;
}

const SEND_AFTER_MS = 1000;
const EXPORT_TIMEOUT_MS = 2000;
const WARN_INTERVAL_MS = 60_000;

/** @throws Error where a package is missing */
export async function openOtlp({ endpoint, version, logger }: OtlpInit): Promise<JoinSink> {
  const api = await import('@opentelemetry/api');
  const { BasicTracerProvider, BatchSpanProcessor } = await import('@opentelemetry/sdk-trace-base');
  const { detectResources, envDetector, resourceFromAttributes } = await import('@opentelemetry/resources');
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, '')}/v1/traces`, timeoutMillis: EXPORT_TIMEOUT_MS });
  const own = resourceFromAttributes({ 'service.name': 'sightline', 'service.version': version });
  const provider = new BasicTracerProvider({
    // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES come first.
    resource: own.merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [
      new BatchSpanProcessor(saying(exporter, logger), { scheduledDelayMillis: SEND_AFTER_MS, exportTimeoutMillis: EXPORT_TIMEOUT_MS }),
    ],
  });
  const tracer = provider.getTracer('sightline', version);
  return {
    send: (join) => {
      const root = start(tracer, join, api.ROOT_CONTEXT, join.attributes);
      const inside = api.trace.setSpan(api.ROOT_CONTEXT, root);
      for (const part of join.parts) finish(start(tracer, part, inside), part);
      finish(root, join);
    },
    close: () => provider.shutdown(),
  };

  function finish(span: Span, { endMs, failure }: JoinSpan): void {
    if (failure !== undefined) span.setStatus({ code: api.SpanStatusCode.ERROR, message: failure });
    span.end(endMs);
  }
}

function start(tracer: Tracer, { name, startMs }: JoinSpan, context: Context, attributes: JoinTrace['attributes'] = {}): Span {
  const startTime: TimeInput = startMs;
  return tracer.startSpan(name, { startTime, attributes }, context);
}

/** The same exporter; that it cannot deliver is said once a minute. */
function saying(exporter: SpanExporter, logger: Logger): SpanExporter {
  let saidMs = -Infinity;
  return {
    export: (spans: ReadableSpan[], done) =>
      exporter.export(spans, (result) => {
        if (result.error && performance.now() - saidMs >= WARN_INTERVAL_MS) {
          saidMs = performance.now();
          logger.warn({ err: result.error, spans: spans.length }, 'traces could not be delivered');
        }
        done(result);
      }),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
    shutdown: () => exporter.shutdown(),
  };
}
