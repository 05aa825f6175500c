/** Traces of joins, where a collector is configured. */
import { delay } from '../base/clock.js';
import { MediaPeerError, messageOf } from '../base/errors.js';
import { version } from '../config.js';
import { JoinTraces, openOtlp, RequestTime, type JoinSink } from '../observability/index.js';
import type { ConnectionManager } from '../webrtc/index.js';
import type { Host } from './host.js';

/** A collector that does not answer keeps the server from ending no longer. */
const CLOSE_MS = 2000;

/** @returns follows requests, for their traces; undefined where no collector is configured. @throws MediaPeerError CONFIG_INVALID where packages are missing */
export async function openTracing(host: Host, sessions: Pick<ConnectionManager, 'onEvent'>): Promise<RequestTime | undefined> {
  const { config, loggers, clock, closers } = host;
  const endpoint = config.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (endpoint === '') return undefined;
  const sink = await openOtlp({ endpoint, version: version(), logger: loggers.of('http') }).catch((error: unknown) => {
    const what = `OTEL_EXPORTER_OTLP_ENDPOINT needs the optional packages of Sightline, which are not installed (npm install without --omit=optional)`;
    throw new MediaPeerError('CONFIG_INVALID', `${what}: ${messageOf(error)}`, { cause: error });
  });
  closers.add(() => closeSoon(host, sink));
  const requests = new RequestTime();
  const wallClock = (): number => clock.wallClock();
  const traces = new JoinTraces({ wallClock, requestedAtMs: requests.current, onJoin: (join) => sink.send(join) });
  sessions.onEvent((event) => traces.take(event));
  return requests;
}

async function closeSoon({ clock, loggers }: Host, sink: JoinSink): Promise<void> {
  const closed = new AbortController();
  const closing = sink
    .close()
    .catch((error: unknown) => loggers.of('http').warn({ err: error }, 'traces could not be delivered'))
    .finally(() => closed.abort());
  await Promise.race([closing, delay(clock, CLOSE_MS, closed.signal)]);
}
