/** Metrics of viewers and publishers: joins, ends, what is sent and received, how their networks are. */
import { Counter, Histogram, type Registry } from 'prom-client';
import type { MeasuredSession, SessionEvent } from '../../webrtc/index.js';
import { LabelCounts } from './label-counts.js';
import type { MetricLabels } from './labels.js';
import { PREFIX, readCounter, readGauge } from './metric.js';
import type { Readings } from './readings.js';
import { SessionTotals } from './session-totals.js';

const JOIN_BUCKETS_S = [0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 2, 3, 5, 10, 30];
const NETWORK_BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** Metrics of sessions. */
export class SessionMetrics {
  readonly #labels: MetricLabels;
  readonly #totals: SessionTotals;
  readonly #started: Counter<'role' | 'door'>;
  readonly #ended: Counter<'role' | 'reason'>;
  readonly #connected: Histogram<'role' | 'door'>;
  readonly #firstFrame: Histogram<'role' | 'door'>;
  readonly #switches: Counter<'direction' | 'reason'>;
  readonly #queue: Histogram;
  readonly #roundTrip: Histogram<'role'>;
  readonly #connections = new LabelCounts('role', 'state');
  readonly #connectedOf = { viewer: new LabelCounts('source'), publisher: new LabelCounts('source') };
  readonly #streams = new LabelCounts('source', 'rendition', 'quality');

  constructor(registry: Registry, labels: MetricLabels) {
    this.#labels = labels;
    this.#totals = new SessionTotals(labels);
    const registers = [registry];
    this.#started = new Counter({
      name: `${PREFIX}sessions_started_total`,
      help: 'Sessions that were begun, by role and door',
      labelNames: ['role', 'door'],
      registers,
    });
    this.#ended = new Counter({
      name: `${PREFIX}session_ends_total`,
      help: 'Sessions that have ended, by role and reason',
      labelNames: ['role', 'reason'],
      registers,
    });
    const join = { labelNames: ['role', 'door'] as const, buckets: JOIN_BUCKETS_S, registers };
    this.#connected = new Histogram({
      name: `${PREFIX}join_connected_seconds`,
      help: 'From the request to the end of the handshake',
      ...join,
    });
    this.#firstFrame = new Histogram({
      name: `${PREFIX}join_first_frame_seconds`,
      help: 'From the request to the first frame of video, sent to a viewer or received from a publisher',
      ...join,
    });
    this.#switches = new Counter({
      name: `${PREFIX}quality_switches_total`,
      help: 'Changes of the quality that a viewer is sent, by direction and reason',
      labelNames: ['direction', 'reason'],
      registers,
    });
    const network = { buckets: NETWORK_BUCKETS_S, registers };
    this.#queue = new Histogram({
      name: `${PREFIX}viewer_queue_seconds`,
      help: 'How long packets wait in the networks of viewers: one observation a viewer and scrape',
      ...network,
    });
    this.#roundTrip = new Histogram({
      name: `${PREFIX}round_trip_seconds`,
      help: 'Round-trip times of clients: one observation a client and scrape',
      labelNames: ['role'],
      ...network,
    });
  }

  /** Takes what happens to sessions. */
  readonly take = (event: SessionEvent): void => {
    const { role, door, waitedMs } = event.session;
    switch (event.type) {
      case 'started':
        this.#started.inc({ role, door });
        break;
      case 'step':
        if (event.step.step === 'connected') this.#connected.observe({ role, door }, (waitedMs + event.step.atMs) / 1000);
        if (event.step.step === 'first keyframe') this.#firstFrame.observe({ role, door }, (waitedMs + event.step.atMs) / 1000);
        break;
      case 'source-changing':
        this.#totals.look(event.status);
        break;
      case 'quality-changed':
        this.#switches.inc({ direction: rank(event.to) < rank(event.from) ? 'down' : 'up', reason: event.reason });
        break;
      case 'ended':
        this.#ended.inc({ role, reason: event.reason });
        this.#totals.look(event.status);
        this.#totals.forget(event.session.sessionId);
        break;
    }
  };

  /** For each scrape, before anything is read. */
  look(sessions: readonly MeasuredSession[]): void {
    for (const counts of [this.#connections, this.#connectedOf.viewer, this.#connectedOf.publisher, this.#streams]) counts.clear();
    const roundTrips = { viewer: this.#roundTrip.labels('viewer'), publisher: this.#roundTrip.labels('publisher') };
    for (const session of sessions) {
      const { role, connectionState, roundTripMs, quality } = session;
      this.#totals.look(session);
      if (roundTripMs !== undefined) roundTrips[role].observe(roundTripMs / 1000);
      if (role === 'viewer' && quality?.queueMs !== undefined) this.#queue.observe(quality.queueMs / 1000);
      this.#connections.add(role, connectionState);
      if (isConnected(session)) for (const source of this.#shownBy(session)) this.#connectedOf[role].add(source);
      for (const stream of session.video) this.#countStream(stream);
    }
  }

  #countStream({ sourceId, rendition, quality }: MeasuredSession['video'][number]): void {
    if (quality === undefined || sourceId === undefined) return;
    this.#streams.add(this.#labels.source(sourceId), rendition, this.#labels.quality(quality));
  }

  /** Names of the sources that a session shows, each once; its own where no m-line shows one. */
  #shownBy({ sourceId, video }: MeasuredSession): readonly string[] {
    const { source } = this.#labels;
    const [first] = video;
    if (video.length <= 1) return [source(first?.sourceId ?? sourceId)];
    const shown = video.flatMap((stream) => stream.sourceId ?? []);
    return [...new Set((shown.length > 0 ? shown : [sourceId]).map(source))];
  }

  /** Adds what is read from now on. Call once. */
  addRead(registry: Registry, { state }: Readings): void {
    for (const [role, help] of [
      ['viewer', 'Connected viewers by source; a wall counts once for each source that it shows'],
      ['publisher', 'Connected publishers by source'],
    ] as const)
      readGauge(registry, { name: `${role}s`, help, labelNames: ['source'], read: () => this.#connectedOf[role].samples() });
    readGauge(registry, {
      name: 'sessions',
      help: 'Sessions by role and connection state',
      labelNames: ['role', 'state'],
      read: () => this.#connections.samples(),
    });
    readGauge(registry, {
      name: 'session_places',
      help: 'Sessions that there may be at once: MAX_CONNECTIONS and MAX_PUBLISHERS',
      labelNames: ['role'],
      read: () => [
        [{ role: 'viewer' }, state.maxClients],
        [{ role: 'publisher' }, state.maxPublishers],
      ],
    });
    readGauge(registry, {
      name: 'viewer_streams',
      help: 'Streams of video by the quality that is sent; keyframes: only those of the lowest; sound: no video',
      labelNames: ['source', 'rendition', 'quality'],
      read: () => this.#streams.samples(),
    });
    readGauge(registry, { name: 'websockets', help: 'Open WebSockets', read: () => [[{}, state.webSockets?.() ?? 0]] });
    this.#addSent(registry);
    this.#addReceived(registry);
    readCounter(registry, {
      name: 'channel_messages_total',
      help: 'Messages on the data channels detections and video, by what became of them',
      labelNames: ['channel', 'result'],
      read: () =>
        MESSAGE_COUNTS.flatMap(([count, labels]) => [...this.#totals.messages.of(count)].map(([, value]) => [labels, value] as const)),
    });
  }

  #addSent(registry: Registry): void {
    const { sent } = this.#totals;
    const labelNames = ['source', 'rendition'] as const;
    const add = (name: string, help: string, count: Parameters<typeof sent.of>[0]): void =>
      readCounter(registry, { name, help, labelNames, read: () => sent.of(count) });
    add('sent_packets_total', 'RTP packets that were sent to viewers, without repairs', 'packetsSent');
    add('sent_bytes_total', 'Payload bytes that were sent to viewers', 'bytesSent');
    add('sent_repairs_total', 'Packets that were sent once more because a viewer asked', 'packetsRepaired');
    add('sent_lost_packets_total', 'Packets that viewers report as lost', 'packetsLost');
    add('sent_dropped_frames_total', 'Frames that viewers lost because they did not keep up', 'framesDropped');
  }

  #addReceived(registry: Registry): void {
    const { received } = this.#totals;
    const labelNames = ['source'] as const;
    const add = (name: string, help: string, count: Parameters<typeof received.of>[0]): void =>
      readCounter(registry, { name, help, labelNames, read: () => received.of(count) });
    add('received_packets_total', 'RTP packets of publishers, repairs included', 'packetsReceived');
    add('received_bytes_total', 'Payload bytes of publishers', 'bytesReceived');
    add('received_repairs_total', 'Packets of publishers that came after a NACK', 'packetsRepaired');
    add('received_lost_packets_total', 'Packets of publishers that never came', 'packetsLost');
    add('received_frames_total', 'Frames of video of publishers', 'framesReceived');
    add('received_lost_frames_total', 'Frames of publishers that were given up', 'framesLost');
    add('received_nacks_total', 'Requests for packets (NACK) to publishers', 'nacksSent');
    add('received_keyframe_requests_total', 'Requests for keyframes (PLI, FIR) to publishers', 'keyframesRequested');
  }
}

const MESSAGE_COUNTS = [
  ['detectionsSent', { channel: 'detections', result: 'sent' }],
  ['detectionsDropped', { channel: 'detections', result: 'dropped' }],
  ['snapshotsSent', { channel: 'video', result: 'sent' }],
  ['snapshotsDropped', { channel: 'video', result: 'dropped' }],
] as const;

function isConnected({ connectionState }: MeasuredSession): boolean {
  return connectionState === 'connected' || connectionState === 'disconnected';
}

/** Of qualities, the worst first. */
function rank(quality: string): number {
  if (quality === 'sound') return 0;
  if (quality === 'keyframes') return 1;
  const shortSide = /^(\d+)p$/.exec(quality)?.[1];
  return shortSide === undefined ? Infinity : 1 + Number(shortSide);
}
