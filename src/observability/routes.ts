/** What the server tells about itself: reads snapshots, owns nothing, changes nothing. */
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Forwards } from '../forward/index.js';
import type { SessionStatus, ReceivedStatus } from '../webrtc/index.js';
import type { ModelInUse, SourceActivity } from '../pipeline/index.js';
import type { ResourceKind } from '../base/resources.js';
import type { RoomState, SourceDescription, SourceKind } from '../source/index.js';
import type { AuthUrlStats } from '../access/index.js';
import type { MqttStats } from '../mqtt/index.js';
import type { RecordingStats } from '../recording/index.js';
import type { ReceiverStats } from '../webhooks/index.js';
import { findings, type Certificate, type Disk } from './findings.js';
import { viewingGraph } from './graph.js';
import { ActiveStreams, AvailableVideos, ConnectionStats, Health, Ready } from './schemas.js';

/** The UDP port of all sessions as it is now. */
interface UdpPortStatus {
  /** Of all its sockets. */
  readonly port: number;
  /** That are bound. */
  readonly addresses: readonly string[];
  /** Of all its sockets together. */
  readonly counts: { readonly agents: number; readonly addresses: number };
  /** Datagrams that were for nobody, since it was opened. */
  readonly unrouted: number;
  /** Datagrams that the system dropped because too many waited; undefined where it does not tell. */
  receiveDrops(): Promise<number | undefined>;
}

/** Where the state of the server is read. Each function returns what holds at that moment. */
export interface ObservabilityDeps {
  /** Of the package, such as `0.2.0`. */
  readonly version: string;
  /** Places of viewers. */
  readonly maxClients: number;
  /** Places of publishers. */
  readonly maxPublishers: number;
  /** Monotonic seconds since the start. */
  readonly uptimeS: () => number;
  /** All sources, playing or not. */
  readonly sources: () => readonly (SourceDescription & { readonly kind: SourceKind; readonly state: RoomState })[];
  /** What runs for each source that somebody watches. */
  readonly activity: () => readonly SourceActivity[];
  /** How many viewers and publishers are connected or connecting. */
  readonly activeClients: () => number;
  /** Viewers and publishers that are connected or connecting. */
  readonly sessions: () => readonly SessionStatus[];
  /** WebSockets that are open. */
  readonly webSockets?: () => number;
  /** Whether at least one model is loaded. */
  readonly detectorLoaded: () => boolean;
  /** UDP port of all sessions; left out: each has ports of its own. */
  readonly iceUdp?: UdpPortStatus | undefined;
  /** What is held of each kind. */
  readonly resources: () => Record<ResourceKind, number>;
  /** False until all files of the upload folder have been looked into, and again while the server closes. */
  readonly isReady: () => boolean;
  /** One for each receiver of webhooks. */
  readonly webhooks: () => readonly ReceiverStats[];
  /** The MQTT broker; undefined, or left out: there is none. */
  readonly mqtt?: () => MqttStats | undefined;
  /** Forwards to other servers. Default: none. */
  readonly forwards?: Pick<Forwards, 'list' | 'totals'> | undefined;
  /** Models that are loaded. Default: none. */
  readonly models?: () => readonly ModelInUse[];
  /** What became of the questions to AUTH_URL; undefined: there is none. */
  readonly authUrl?: () => AuthUrlStats | undefined;
  /** That HTTPS is served with; undefined: HTTP. */
  readonly certificate?: () => Certificate | undefined;
  /** What is wrong with how sources are described, in words. Default: nothing. */
  readonly sourceFaults?: () => readonly string[];
  /** What is recorded. Default: nothing. */
  readonly recording?: (() => RecordingStats) | undefined;
  /** Where the server writes. Default: nowhere. */
  readonly disks?: () => Promise<readonly Disk[]>;
}

const HealthQuery = Type.Object({
  verbose: Type.Optional(Type.String({ description: 'Also tells what was looked at and what is wrong, in words; to administrators' })),
});

/** Installs /available-videos, /active-streams, /connection-stats, /health and /ready. */
export const observabilityRoutes: FastifyPluginCallbackTypebox<ObservabilityDeps> = (app, deps, done) => {
  const schema = <R extends object>(operationId: string, summary: string, response: R) => ({
    operationId,
    summary,
    tags: ['state'],
    response,
  });

  app.get(
    '/available-videos',
    {
      config: { action: 'watch' },
      schema: schema('listSources', 'Every source that you may watch, playable or not', { 200: AvailableVideos }),
    },
    async ({ access }) => {
      const sources = deps.sources();
      const permitted = new Set(
        await access.permitted(
          'watch',
          sources.map(({ id }) => id),
        ),
      );
      const running = new Map(deps.activity().map(({ sourceId, qualities }) => [sourceId, qualities]));
      return { videos: sources.filter(({ id }) => permitted.has(id)).map((source) => listedSource(source, running.get(source.id))) };
    },
  );

  app.get(
    '/active-streams',
    {
      config: { action: 'admin' },
      schema: schema('listActiveStreams', 'Running sources, their renditions and who watches them', { 200: ActiveStreams }),
    },
    () => {
      return {
        sources: deps.activity().map((source) => activeSource(source, deps.recording?.())),
        graph: viewingGraph(deps.activity(), deps.sessions()),
      };
    },
  );

  const stats = {
    config: { action: 'admin' },
    schema: schema('readConnectionStats', 'Clients and shared tracks', { 200: ConnectionStats }),
  } as const;
  app.get('/connection-stats', stats, () => {
    const sessions = deps.sessions();
    // A rendition is one track however many codecs it is encoded in.
    const sharedTracks = (wanted: string): number =>
      deps.activity().filter(({ renditions }) => renditions.some(({ rendition }) => rendition === wanted)).length;
    return {
      active_clients: sessions.length,
      max_clients: deps.maxClients,
      active_viewers: sessions.filter(({ role }) => role === 'viewer').length,
      active_publishers: sessions.filter(({ role }) => role === 'publisher').length,
      max_publishers: deps.maxPublishers,
      shared_tracks: {
        shared_video_tracks: sharedTracks('raw'),
        shared_processed_tracks: sharedTracks('processed'),
        active_clients: sessions.length,
      },
      websocket_connections: deps.webSockets?.() ?? 0,
      detector_loaded: deps.detectorLoaded(),
      ...(deps.iceUdp && { ice_udp: udpPort(deps.iceUdp) }),
      clients: sessions.map((session) => ({
        client_id: session.clientId,
        connection_state: session.connectionState,
        ice_state: session.iceState,
        created_at: session.createdAtS,
        has_processed_track: session.video.some(({ rendition }) => rendition === 'processed'),
        source: session.sourceId,
        role: session.role,
        bytes_sent: session.bytesSent,
        packets_lost: session.packetsLost,
        round_trip_ms: session.roundTripMs ?? null,
        ice_path: session.icePath ?? null,
        ice_troubles: [...session.iceTroubles],
        tracks: session.video.map(({ rendition }) => rendition),
        video_codecs: session.video.map(({ codec }) => codec),
        ...(session.quality && { ...qualityOf(session.quality), qualities: session.video.map(({ quality }) => quality ?? null) }),
        m_lines: session.video.map(mLine),
        active_tracks: session.isPaused ? [] : [...session.selected],
        frames_dropped: session.framesDropped,
        detections_sent: session.detectionsSent,
        detections_dropped: session.detectionsDropped,
        pictures_sent: session.snapshotsSent ?? 0,
        pictures_dropped: session.snapshotsDropped ?? 0,
        last_activity_at: session.lastActivityS ?? null,
        ...(session.received && { received: receivedMedia(session.received) }),
      })),
    };
  });

  app.get(
    '/health',
    {
      config: { action: 'public' },
      schema: {
        ...schema('readHealth', 'Whether everything that runs can be kept running; viewers are told more, administrators everything', {
          200: Health,
          503: Health,
        }),
        querystring: HealthQuery,
      },
    },
    async ({ access, query }, reply) => {
      const reasons = deps.activity().flatMap((source) => source.troubles.map((trouble) => `${source.sourceId}: ${trouble}`));
      const status = reasons.length > 0 ? ('degraded' as const) : ('ok' as const);
      reply.status(reasons.length > 0 ? 503 : 200);
      if (!(await access.may('watch', 'some'))) return reply.send({ status });
      const basics = { status, uptime_s: deps.uptimeS(), version: deps.version, detector_loaded: deps.detectorLoaded() };
      if (!(await access.may('admin'))) return reply.send(basics);
      const { user, system } = process.cpuUsage();
      return reply.send({
        ...basics,
        reasons,
        ...(isAsked(query.verbose) && { findings: findings(await factsOf(deps)) }),
        active_clients: deps.activeClients(),
        ...(deps.iceUdp && { ice_udp_port: deps.iceUdp.port }),
        resources: deps.resources(),
        webhooks: deps.webhooks().map(({ receiver, queued, delivered, failed, dropped, lastError }) => ({
          receiver,
          queued,
          delivered,
          failed,
          dropped,
          last_error: lastError ?? null,
        })),
        ...brokerOf(deps.mqtt?.()),
        process: { cpu_s: (user + system) / 1e6, rss_bytes: process.memoryUsage.rss() },
      });
    },
  );

  app.get(
    '/ready',
    {
      config: { action: 'public' },
      schema: schema('readReadiness', 'Whether a load balancer may send clients here', { 200: Ready, 503: Ready }),
    },
    async (_request, reply) => {
      const ready = deps.isReady();
      return reply.status(ready ? 200 : 503).send({ ready });
    },
  );

  done();
};

function brokerOf(mqtt: MqttStats | undefined) {
  if (!mqtt) return {};
  const { broker, isConnected, queued, events, eventsDropped, messages, messagesDropped, lastError } = mqtt;
  return {
    mqtt: {
      broker,
      connected: isConnected,
      queued,
      events,
      events_dropped: eventsDropped,
      messages,
      messages_dropped: messagesDropped,
      last_error: lastError ?? null,
    },
  };
}

/** `?verbose`, or with a value that does not say no. */
function isAsked(value: string | undefined): boolean {
  return value !== undefined && !['0', 'false', 'off', 'no'].includes(value);
}

async function factsOf(deps: ObservabilityDeps): Promise<Parameters<typeof findings>[0]> {
  return {
    activity: deps.activity(),
    unplayable: deps.sources().filter(({ playable, kind }) => !playable && kind !== 'live'),
    models: deps.models?.() ?? [],
    sessions: deps.sessions(),
    maxClients: deps.maxClients,
    maxPublishers: deps.maxPublishers,
    webhooks: deps.webhooks(),
    mqtt: deps.mqtt?.(),
    forwards: deps.forwards?.list() ?? [],
    authUrl: deps.authUrl?.(),
    certificate: deps.certificate?.(),
    nowMs: Date.now(),
    sourceFaults: deps.sourceFaults?.() ?? [],
    receiveDrops: await deps.iceUdp?.receiveDrops(),
    recording: deps.recording?.(),
    disks: (await deps.disks?.()) ?? [],
  };
}

function listedSource(source: ReturnType<ObservabilityDeps['sources']>[number], qualities: SourceActivity['qualities'] | undefined) {
  return {
    name: source.name,
    source: source.id,
    ...(source.title !== undefined && { title: source.title }),
    ...(source.group !== undefined && { group: source.group }),
    kind: source.kind,
    state: source.state,
    duration_s: source.durationS,
    width: source.widthPx,
    height: source.heightPx,
    fps: source.fps,
    video_codec: source.videoCodec,
    audio_codec: source.audioCodec,
    ...(source.audioReason !== undefined && { audio_reason: source.audioReason }),
    size_bytes: source.sizeBytes,
    delivery: source.delivery,
    playable: source.playable,
    ...(source.reason !== undefined && { reason: source.reason }),
    ...(qualities && { qualities: qualities.map(listedQuality) }),
  };
}

function listedQuality(rung: SourceActivity['qualities'][number]) {
  return {
    quality: rung.name,
    width: rung.widthPx ?? null,
    height: rung.heightPx ?? null,
    bitrate_bps: rung.bitrateBps ?? null,
    running: rung.isRunning,
    available: rung.isAvailable,
  };
}

function activeSource(source: SourceActivity, recording: RecordingStats | undefined) {
  return {
    source: source.sourceId,
    kind: source.kind,
    state: source.state,
    delivery: source.delivery,
    codec: source.codec ?? null,
    publisher: source.publisherId ?? null,
    slate: source.isWaiting,
    uptime_s: source.uptimeMs / 1000,
    restarts: source.restarts,
    last_error: source.lastError ?? null,
    decoder: source.decoder
      ? { frames_decoded: source.decoder.framesDecoded, frames_dropped: source.decoder.framesDropped, restarts: source.decoder.restarts }
      : null,
    detection: source.detection
      ? {
          model: source.detection.model ?? null,
          frames_detected: source.detection.framesDetected,
          frames_skipped: source.detection.framesSkipped,
          frames_slept: source.detection.framesSlept,
          failures: source.detection.failures,
          latency_ms: source.detection.latencyMs ?? null,
          objects: source.detection.objects,
        }
      : null,
    qualities: source.qualities.map(listedQuality),
    recording: recording?.stateOf(source.sourceId) ?? null,
    layers_problem: source.layersProblem ?? null,
    renditions: source.renditions.map((rendition) => ({
      rendition: rendition.rendition,
      codec: rendition.codec,
      quality: rendition.rung ?? null,
      width: rendition.widthPx ?? null,
      height: rendition.heightPx ?? null,
      fps: Math.round(rendition.stats.fps * 100) / 100,
      bitrate_bps: Math.round(rendition.stats.bitrateBps),
      origin: rendition.origin,
      viewers: rendition.viewers,
      keyframe_interval_ms: rendition.stats.keyframeIntervalMs ?? null,
      frames_sent: rendition.stats.frames,
      frames_dropped: rendition.framesDropped,
      restarts: rendition.restarts,
    })),
  };
}

function mLine({ mid, sourceId, rendition, quality, maxHeightPx }: SessionStatus['video'][number]) {
  return {
    mid: mid ?? null,
    source: sourceId ?? null,
    rendition,
    quality: quality ?? null,
    ...(maxHeightPx !== undefined && { max_height: maxHeightPx }),
  };
}

function qualityOf({ estimateBps, queueMs, ...quality }: NonNullable<SessionStatus['quality']>) {
  return {
    quality: quality.quality ?? null,
    switches: quality.switches,
    switch_reason: quality.switchReason ?? null,
    estimate_kbps: estimateBps === undefined ? null : Math.round(estimateBps / 1000),
    queue_ms: queueMs === undefined ? null : Math.round(queueMs),
  };
}

function udpPort({ port, addresses, counts, unrouted }: UdpPortStatus) {
  return {
    port,
    addresses: [...addresses],
    ice_agents: counts.agents,
    peer_addresses: counts.addresses,
    datagrams_unrouted: unrouted,
  };
}

function receivedLayer({ rid, size, fps, bitrateBps, packetsLost, keyframesRequested }: ReceivedStatus['layers'][number]) {
  return {
    rid,
    width: size?.widthPx ?? null,
    height: size?.heightPx ?? null,
    fps,
    bitrate_bps: Math.round(bitrateBps),
    packets_lost: packetsLost,
    keyframes_requested: keyframesRequested,
  };
}

function receivedMedia(received: ReceivedStatus) {
  return {
    bytes: received.bytesReceived,
    packets: received.packetsReceived,
    packets_lost: received.packetsLost,
    packets_repaired: received.packetsRepaired,
    nacks_sent: received.nacksSent,
    keyframes_requested: received.keyframesRequested,
    frames: received.framesReceived,
    frames_lost: received.framesLost,
    fps: received.fps,
    jitter_ms: received.jitterMs,
    video_codec: received.videoCodec ?? null,
    layers: received.layers.map(receivedLayer),
    no_frames_failures: received.silence?.failures ?? 0,
    reconnects_requested: received.silence?.requests ?? 0,
    recoveries: received.silence?.recoveries ?? 0,
  };
}
