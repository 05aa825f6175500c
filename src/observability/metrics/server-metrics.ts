/**
 * `GET /metrics`: what happens is counted as it happens, what is counted elsewhere is read when it is scraped. No packet and
 * no frame passes through here. What belongs to the process, memory, garbage collection and event loop, is watched from the
 * first scrape on.
 */
import { collectDefaultMetrics, Counter, Registry } from 'prom-client';
import type { ForwardTotals } from '../../forward/index.js';
import type { MqttStats } from '../../mqtt/index.js';
import type { RecordingStats } from '../../recording/index.js';
import type { SourceKind } from '../../source/index.js';
import type { SessionEvent } from '../../webrtc/index.js';
import { DetectorMetrics } from './detector-metrics.js';
import { MetricLabels } from './labels.js';
import { PREFIX, readCounter, readGauge, type Sample } from './metric.js';
import type { MetricSources, Reading, Readings } from './readings.js';
import { SessionMetrics } from './session-metrics.js';
import { addSourceMetrics } from './source-metrics.js';

/** Between two looks at the event loop: what is late by less is not seen. */
const EVENT_LOOP_PRECISION_MS = 20;
/** Gauges that are named like counters; the ledger says more. */
const MISNAMED = ['active_handles', 'active_requests', 'active_resources'];
const NOTHING: Reading = { activity: [], receiveDrops: undefined };

/** Of the whole process, however many servers it has. */
let ofProcess: Registry | undefined;

/** An answer to an HTTP request. */
export interface HttpAnswer {
  /** As it was asked with. */
  readonly method: string;
  /** The pattern of the route, `/whep/:source`; undefined where there is none. */
  readonly route: string | undefined;
  /** HTTP status. */
  readonly status: number;
}

/** All metrics of one server. */
export class ServerMetrics {
  /** What sources and qualities are called. */
  readonly labels: MetricLabels;
  /** Is told of what detectors do. */
  readonly detectors: DetectorMetrics;
  readonly #registry = new Registry();
  readonly #sessions: SessionMetrics;
  readonly #answers: Counter<'method' | 'route' | 'status'>;
  #sources: MetricSources | undefined;
  #reading = NOTHING;

  /** @param kindOf of a source; undefined for one that is not known */
  constructor(kindOf: (sourceId: string) => SourceKind | undefined) {
    const registry = this.#registry;
    this.labels = new MetricLabels(kindOf);
    this.#sessions = new SessionMetrics(registry, this.labels);
    this.detectors = new DetectorMetrics(registry);
    this.#answers = new Counter({
      name: `${PREFIX}http_responses_total`,
      help: 'Answers to HTTP requests by method, pattern of the route and status',
      labelNames: ['method', 'route', 'status'],
      registers: [registry],
    });
  }

  /** What the answers of `scrape` are. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Takes what happens to sessions. */
  takeSession(event: SessionEvent): void {
    this.#sessions.take(event);
  }

  /** An HTTP request was answered. Paths and methods that do not exist are made up by clients. */
  takeAnswer({ method, route, status }: HttpAnswer): void {
    this.#answers.inc({ method: route === undefined ? 'other' : method, route: route ?? 'none', status: String(status) });
  }

  /** Reads from these from now on. Call once. */
  readFrom(sources: MetricSources): void {
    const readings: Readings = { ...sources, now: () => this.#reading };
    this.#sources = sources;
    this.#sessions.addRead(this.#registry, readings);
    addSourceMetrics(this.#registry, this.labels, readings);
    this.detectors.addRead(this.#registry, readings);
    addServerMetrics(this.#registry, this.labels, readings);
  }

  /** Everything in Prometheus' text format. */
  async scrape(): Promise<string> {
    ofProcess ??= watchProcess();
    const { state, sessions, udp } = this.#sources ?? {};
    const receiveDrops = await udp?.receiveDrops();
    this.#reading = { activity: state?.activity() ?? [], receiveDrops };
    this.#sessions.look(sessions?.() ?? []);
    const texts = await Promise.all([this.#registry.metrics(), ofProcess.metrics()]);
    return texts.join('\n');
  }
}

function watchProcess(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: PREFIX, eventLoopMonitoringPrecision: EVENT_LOOP_PRECISION_MS });
  for (const name of MISNAMED)
    for (const metric of [`${PREFIX}nodejs_${name}`, `${PREFIX}nodejs_${name}_total`]) registry.removeSingleMetric(metric);
  return registry;
}

function addServerMetrics(registry: Registry, labels: MetricLabels, { state, udp, now }: Readings): void {
  readGauge(registry, {
    name: 'build_info',
    help: 'Always 1; its labels say what runs',
    labelNames: ['version', 'node'],
    read: () => [[{ version: state.version, node: process.version }, 1]],
  });
  readGauge(registry, {
    name: 'ready',
    help: 'Whether a load balancer may send clients here',
    read: () => [[{}, state.isReady() ? 1 : 0]],
  });
  readGauge(registry, {
    name: 'resources',
    help: 'What is held and must be released, by kind',
    labelNames: ['kind'],
    read: () => Object.entries(state.resources()).map(([kind, held]) => [{ kind }, held]),
  });
  addWebhookMetrics(registry, state);
  addMqttMetrics(registry, state);
  addForwardMetrics(registry, labels, state);
  addRecordingMetrics(registry, state);
  readGauge(registry, {
    name: 'tls_certificate_expiry_timestamp_seconds',
    help: 'When the certificate of TLS_CERT ends, Unix time',
    read: () => {
      const certificate = state.certificate?.();
      return certificate ? [[{}, certificate.validToMs / 1000]] : [];
    },
  });
  readCounter(registry, {
    name: 'auth_url_answers_total',
    help: 'Questions to AUTH_URL by what became of them: allowed, denied, failed (no answer that says yes or no, which counts as no)',
    labelNames: ['result'],
    read: () => {
      const stats = state.authUrl?.();
      return stats ? (['allowed', 'denied', 'failed'] as const).map((result) => [{ result }, stats[result]]) : [];
    },
  });
  if (!udp) return;
  readCounter(registry, {
    name: 'udp_unrouted_datagrams_total',
    help: 'Datagrams at the UDP port of all sessions that were for none of them',
    read: () => [[{}, udp.unrouted]],
  });
  readCounter(registry, {
    name: 'udp_receive_drops_total',
    help: 'Datagrams that the system dropped because too many waited at the UDP port; Linux alone tells',
    read: () => {
      const drops = now().receiveDrops;
      return drops === undefined ? [] : [[{}, drops]];
    },
  });
}

function addWebhookMetrics(registry: Registry, { webhooks }: Pick<MetricSources['state'], 'webhooks'>): void {
  readGauge(registry, {
    name: 'webhook_waiting_events',
    help: 'Events that wait for a receiver of webhooks, by its host',
    labelNames: ['receiver'],
    read: () => webhooks().map(({ receiver, queued }) => [{ receiver }, queued]),
  });
  readCounter(registry, {
    name: 'webhook_events_total',
    help: 'Events by what became of them: delivered, failed (refused or too old), dropped (the queue was full)',
    labelNames: ['receiver', 'result'],
    read: () =>
      webhooks().flatMap((stats) =>
        (['delivered', 'failed', 'dropped'] as const).map((result) => [{ receiver: stats.receiver, result }, stats[result]]),
      ),
  });
}

function addRecordingMetrics(registry: Registry, { recording }: Pick<MetricSources['state'], 'recording'>): void {
  const read = (value: (stats: RecordingStats) => number | undefined) => (): Sample<never>[] => {
    const stats = recording?.();
    const found = stats && value(stats);
    return found === undefined ? [] : [[{}, found]];
  };
  readGauge(registry, {
    name: 'recording_sources',
    help: 'Sources that are recorded now, or wait for an event',
    read: read(({ sources }) => sources),
  });
  readGauge(registry, {
    name: 'recording_free_bytes',
    help: 'Free space of the disk of RECORD_DIR; none while nothing is recorded',
    read: read(({ freeBytes }) => freeBytes),
  });
  readCounter(registry, { name: 'recording_bytes_total', help: 'Bytes of recorded segments', read: read(({ bytes }) => bytes) });
  readCounter(registry, { name: 'recording_segments_total', help: 'Segments that were recorded', read: read(({ segments }) => segments) });
  readCounter(registry, {
    name: 'recording_gaps_total',
    help: 'Gaps of more than a second in what is recorded of a source',
    read: read(({ gaps }) => gaps),
  });
  readCounter(registry, {
    name: 'recording_errors_total',
    help: 'Segments that ended because they could not be written',
    read: read(({ errors }) => errors),
  });
}

/** One broker at most, so no labels. */
function addMqttMetrics(registry: Registry, { mqtt }: Pick<MetricSources['state'], 'mqtt'>): void {
  const read = (value: (stats: MqttStats) => number) => (): Sample<never>[] => {
    const stats = mqtt?.();
    return stats ? [[{}, value(stats)]] : [];
  };
  readGauge(registry, {
    name: 'mqtt_connected',
    help: 'Whether the MQTT broker is connected; none where there is no broker',
    read: read(({ isConnected }) => (isConnected ? 1 : 0)),
  });
  readGauge(registry, { name: 'mqtt_waiting_events', help: 'Events that wait for the MQTT broker', read: read(({ queued }) => queued) });
  readCounter(registry, {
    name: 'mqtt_events_total',
    help: 'Events that the MQTT broker has taken',
    read: read(({ events }) => events),
  });
  readCounter(registry, {
    name: 'mqtt_events_dropped_total',
    help: 'Events that went by EVENT_RETENTION before the MQTT broker had taken them',
    read: read(({ eventsDropped }) => eventsDropped),
  });
  readCounter(registry, {
    name: 'mqtt_messages_total',
    help: 'Messages to the MQTT broker beside events: states, counts, snapshots, detections, discovery',
    read: read(({ messages }) => messages),
  });
  readCounter(registry, {
    name: 'mqtt_messages_dropped_total',
    help: 'Messages beside events that the MQTT broker refused, or that were left out because too much waited',
    read: read(({ messagesDropped }) => messagesDropped),
  });
}

function addForwardMetrics(registry: Registry, labels: MetricLabels, { forwards }: Pick<MetricSources['state'], 'forwards'>): void {
  const sums = (name: keyof ForwardTotals): Sample<'source'>[] =>
    [...(forwards?.totals ?? [])].map(([sourceId, totals]) => [{ source: labels.source(sourceId) }, totals[name]]);
  readGauge(registry, {
    name: 'forwards',
    help: 'Forwards to other servers by WHIP, by source and state: connecting, live, waiting, failed',
    labelNames: ['source', 'state'],
    read: () => (forwards?.list() ?? []).map(({ sourceId, state }) => [{ source: labels.source(sourceId), state }, 1]),
  });
  readCounter(registry, {
    name: 'forward_attempts_total',
    help: 'Connections to WHIP servers that were tried, by source',
    labelNames: ['source'],
    read: () => sums('attempts'),
  });
  readCounter(registry, {
    name: 'forward_sent_bytes_total',
    help: 'Payload that was sent to WHIP servers, by source',
    labelNames: ['source'],
    read: () => sums('bytesSent'),
  });
}
