/** What works and what does not, in words that say what to do: for `GET /health?verbose`. Pure: snapshots in, sentences out. */
import type { ForwardStatus } from '../forward/index.js';
import type { ModelInUse, SourceActivity } from '../pipeline/index.js';
import type { SessionStatus } from '../webrtc/index.js';
import type { AuthUrlStats } from '../access/index.js';
import type { MqttStats } from '../mqtt/index.js';
import type { RecordingStats } from '../recording/index.js';
import type { ReceiverStats } from '../webhooks/index.js';

/** What one look found, as in `sightline check`. */
export interface HealthFinding {
  /** `failed`: somebody gets nothing. `warning`: less than was asked for, or soon. */
  readonly state: 'ok' | 'warning' | 'failed';
  /** What was looked at, in a word. */
  readonly what: string;
  /** What is there, or what is wrong and what to do. */
  readonly text: string;
}

/** What is looked at. */
export interface Facts {
  /** Sources that run. */
  readonly activity: readonly SourceActivity[];
  /** What is wrong with how sources are described. */
  readonly sourceFaults: readonly string[];
  /** Known sources that cannot be played. */
  readonly unplayable: readonly { readonly id: string; readonly reason?: string | undefined }[];
  /** Models that are loaded; empty where detection is off. */
  readonly models: readonly ModelInUse[];
  /** Connected or connecting. */
  readonly sessions: readonly SessionStatus[];
  /** Places of viewers. */
  readonly maxClients: number;
  /** Places of publishers. */
  readonly maxPublishers: number;
  /** One for each receiver of webhooks. */
  readonly webhooks: readonly ReceiverStats[];
  /** The MQTT broker; undefined: there is none. */
  readonly mqtt?: MqttStats | undefined;
  /** Sources on their way to other servers. */
  readonly forwards: readonly ForwardStatus[];
  /** What became of the questions to AUTH_URL; undefined: there is none. */
  readonly authUrl: AuthUrlStats | undefined;
  /** That HTTPS is served with; undefined: HTTP. */
  readonly certificate: Certificate | undefined;
  /** Unix milliseconds. */
  readonly nowMs: number;
  /** Datagrams that the system dropped at the UDP port; undefined where that is not known. */
  readonly receiveDrops: number | undefined;
  /** What is recorded; undefined: nothing can be. */
  readonly recording?: RecordingStats | undefined;
  /** Folders that are written to, with what is free there. */
  readonly disks: readonly Disk[];
}

/** A certificate of this server. */
export interface Certificate {
  /** Unix milliseconds. */
  readonly validToMs: number;
  /** What is wrong with the newest files, which are not served therefore; undefined: nothing. */
  readonly fault: string | undefined;
}

/** Where something is written. */
export interface Disk {
  /** Absolute path. */
  readonly folder: string;
  /** What is free there. */
  readonly freeBytes: number;
}

/** Of all places: beyond, the next viewers may be refused. */
const NEARLY_FULL = 0.9;
/** Certbot renews 30 days before the end. */
const SOON_MS = 14 * 86_400_000;
const LITTLE_BYTES = 2 ** 30;
const TOO_LITTLE_BYTES = 100 * 2 ** 20;

/** One sentence for each thing that is wrong, and one for each thing that was looked at and is well. */
export function findings(facts: Facts): HealthFinding[] {
  const { activity, unplayable, models, sessions, webhooks, mqtt, forwards, disks } = facts;
  return [
    ...orWell(activity.flatMap(aboutSource), 'sources', activity.length === 0 ? 'none runs: nobody watches' : `${activity.length} running`),
    ...facts.sourceFaults.map((fault) => failed('sources', fault)),
    ...unplayable.map(({ id, reason = 'unknown reason' }) => warning('source', `'${id}' cannot be played: ${reason}`)),
    ...orWell(models.flatMap(aboutModel), 'detector', models.map(({ name }) => name).join(', ') || 'detection is off'),
    aboutPlaces('viewer', 'MAX_CONNECTIONS', facts.maxClients, sessions),
    aboutPlaces('publisher', 'MAX_PUBLISHERS', facts.maxPublishers, sessions),
    ...orWell(webhooks.flatMap(aboutReceiver), 'webhooks', webhooks.length === 0 ? 'none configured' : 'all events are delivered'),
    ...(mqtt ? orWell(aboutBroker(mqtt), 'mqtt', `${mqtt.broker} is connected, and has all events`) : []),
    ...orWell(forwards.flatMap(aboutForward), 'forwards', forwards.length === 0 ? 'none configured' : 'all are live'),
    ...aboutRecording(facts.recording),
    ...aboutAuthUrl(facts.authUrl),
    ...aboutCertificate(facts.certificate, facts.nowMs),
    ...aboutUdp(facts.receiveDrops),
    ...orWell(disks.flatMap(aboutDisk), 'disk', disks.map(({ folder, freeBytes }) => `${inGiB(freeBytes)} free in ${folder}`).join(', ')),
  ];
}

function aboutSource({ sourceId, state, kind, troubles, lastError }: SourceActivity): HealthFinding[] {
  const because = lastError === undefined ? '' : `; last error: ${lastError}`;
  const who =
    kind === 'live' ? 'its publisher is away and may come back' : 'its camera does not answer; is it switched on, and is its address right';
  return [
    ...troubles.map((trouble) => failed('source', `'${sourceId}': ${trouble}${because}`)),
    ...(state === 'waiting' ? [warning('source', `'${sourceId}' delivers nothing: ${who}${because}`)] : []),
  ];
}

function aboutRecording(recording: RecordingStats | undefined): HealthFinding[] {
  if (recording?.trouble !== undefined) return [failed('recording', recording.trouble)];
  return recording && recording.sources > 0 ? [{ state: 'ok', what: 'recording', text: `${recording.sources} sources` }] : [];
}

function aboutModel({ name, state, restarts }: ModelInUse): HealthFinding[] {
  if (state === 'ready') return [];
  return [failed('detector', `'${name}' does not work, and was started again ${restarts} times; boxes stand still. The log says why`)];
}

function aboutPlaces(role: SessionStatus['role'], variable: string, max: number, sessions: readonly SessionStatus[]): HealthFinding {
  const taken = sessions.filter((session) => session.role === role).length;
  const text = `${taken} of ${max} places are taken`;
  if (taken < NEARLY_FULL * max) return { state: 'ok', what: `${role}s`, text };
  return warning(`${role}s`, `${text}; who comes when all are is refused. ${variable} bounds them`);
}

function aboutReceiver({ receiver, queued, failed: lost, dropped, lastError }: ReceiverStats): HealthFinding[] {
  const because = lastError === undefined ? '' : `; last error: ${lastError}`;
  return [
    ...(queued > 0 && lastError !== undefined ? [warning('webhooks', `${queued} events wait for ${receiver}${because}`)] : []),
    ...(lost + dropped > 0
      ? [
          warning(
            'webhooks',
            `${lost + dropped} events for ${receiver} were lost since the start: ${lost} refused or too old, ${dropped} too many${because}`,
          ),
        ]
      : []),
  ];
}

function aboutForward({ sourceId, url, state, lastError }: ForwardStatus): HealthFinding[] {
  const because = lastError === undefined ? '' : `: ${lastError}`;
  if (state === 'failed') return [failed('forward', `'${sourceId}' is not forwarded to ${url}${because}; it is tried again every 30 s`)];
  if (state === 'waiting') return [warning('forward', `'${sourceId}' is not forwarded to ${url} now${because}; it is tried again`)];
  return [];
}

function aboutAuthUrl(stats: AuthUrlStats | undefined): HealthFinding[] {
  if (!stats) return [];
  if (stats.fault === undefined) return [{ state: 'ok', what: 'access', text: 'AUTH_URL answers' }];
  return [failed('access', `AUTH_URL says neither yes nor no, so what it is asked for is refused: ${stats.fault}. Does that server run?`)];
}

/** Some events are always on their way. */
const MANY_EVENTS = 100;

function aboutBroker({ broker, isConnected, lastError, queued, eventsDropped }: MqttStats): HealthFinding[] {
  const because = lastError === undefined ? '' : `: ${lastError}`;
  const waiting = `${queued} events wait on disk`;
  return [
    ...(isConnected ? [] : [failed('mqtt', `${broker} is not connected${because}; it is tried again, ${waiting}`)]),
    ...(isConnected && (lastError !== undefined || queued > MANY_EVENTS)
      ? [warning('mqtt', `${broker} does not take all${because}; ${waiting}`)]
      : []),
    ...(eventsDropped > 0
      ? [warning('mqtt', `${eventsDropped} events went by EVENT_RETENTION since the start before ${broker} had taken them`)]
      : []),
  ];
}

function aboutCertificate(certificate: Certificate | undefined, nowMs: number): HealthFinding[] {
  if (!certificate) return [];
  const { validToMs, fault } = certificate;
  const until = new Date(validToMs).toISOString().slice(0, 10);
  const broken = fault === undefined ? [] : [warning('certificate', `the newest files are not served: ${fault}`)];
  if (nowMs > validToMs) return [...broken, failed('certificate', `TLS_CERT expired on ${until}: browsers refuse it; renew it`)];
  if (validToMs - nowMs < SOON_MS) return [...broken, warning('certificate', `TLS_CERT ends on ${until}; renew it`)];
  return orWell(broken, 'certificate', `good until ${until}`);
}

function aboutUdp(drops: number | undefined): HealthFinding[] {
  if (drops === undefined) return [];
  if (drops === 0) return [{ state: 'ok', what: 'udp', text: 'the system dropped nothing' }];
  return [
    warning(
      'udp',
      `the system dropped ${drops} datagrams since the start, because too many waited: the machine is too busy, or net.core.rmem_max too small`,
    ),
  ];
}

function aboutDisk({ folder, freeBytes }: Disk): HealthFinding[] {
  const text = `${inGiB(freeBytes)} free in ${folder}`;
  if (freeBytes < TOO_LITTLE_BYTES) return [failed('disk', `${text}: uploads and webhooks cannot be kept; make room`)];
  return freeBytes < LITTLE_BYTES ? [warning('disk', `${text}; make room`)] : [];
}

/** What is wrong; where that is nothing, that all is well. */
function orWell(wrong: HealthFinding[], what: string, text: string): HealthFinding[] {
  return wrong.length > 0 ? wrong : [{ state: 'ok', what, text }];
}

function failed(what: string, text: string): HealthFinding {
  return { state: 'failed', what, text };
}

function warning(what: string, text: string): HealthFinding {
  return { state: 'warning', what, text };
}

function inGiB(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
