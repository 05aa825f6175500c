import path from 'node:path';
import { Access } from '../access/index.js';
import { buildApp, type AppDeps } from '../app.js';
import { configuredPath, packageRoot, version, type Config } from '../config.js';
import { modelName } from '../detection/index.js';
import { HttpConnections, HttpSessions, iceServerJson } from '../http/index.js';
import { Onvif } from '../onvif/index.js';
import { RoomsDoor } from '../ws/index.js';
import type { Connections } from './connections.js';
import type { Forwarding } from './forwarding.js';
import type { Host } from './host.js';
import { zoneRoutesOf } from './counting.js';
import { freeSpace } from './free-space.js';
import { openLooking } from './looking.js';
import { openLooks } from './looks.js';
import type { DetectionServices } from './detection.js';
import { keepAudit } from './lifecycle.js';
import { sourceFaults, sourceRoutesOf, type Managing } from './managing.js';
import type { Metrics } from './metrics.js';
import type { Playing } from './playback.js';
import type { Ports } from './ports.js';
import type { Recording } from './recording.js';
import type { Sources } from './sources.js';

/** What the doors stand in front of. */
export interface Served extends Sources, DetectionServices, Connections, Forwarding, Recording, Playing, Managing, Metrics {
  /** Walls that are kept by name. */
  readonly walls: AppDeps['walls'];
  /** True once all files have been looked into. */
  readonly isReady: () => boolean;
  /** UDP port of all sessions; undefined where each has ports of its own. */
  readonly iceUdp: Ports['iceUdp'];
  /** Follows requests, for traces; undefined: nobody wants any. */
  readonly requests: AppDeps['requests'];
}

/** Width of the snapshots that the broker keeps. */
const MQTT_SNAPSHOT_PX = 640;

/** Every way in: HTTP and WebSocket, the page, the client library. Does not listen. */
export async function openDoors(host: Host, served: Served): Promise<Awaited<ReturnType<typeof buildApp>>> {
  const { config, loggers, closers } = host;
  const { sessions, iceServers, catalogue, counting, events } = served;
  const zones = zoneRoutesOf(counting, catalogue);
  const access = openAccess(host, served);
  keepAudit(served.lifecycle, access);
  const httpSessions = new HttpSessions({ sessions, isStrict: config.WHIP_STRICT });
  const webSockets = openRooms(host, served, access);
  const rateLimit = config.RATE_LIMIT;
  const looks = openLooks(host, served);
  served.mqtt?.takeSnapshots((sourceId, isAnnotated, signal) =>
    isAnnotated
      ? looks.snapshots.annotatedSnapshot(sourceId, MQTT_SNAPSHOT_PX, signal)
      : looks.snapshots.snapshot(sourceId, MQTT_SNAPSHOT_PX, signal),
  );
  const state = stateOf(host, served, { webSockets, access });
  const { metrics, counts, models, ffmpeg } = served;
  metrics.readFrom({
    state,
    sessions: () => sessions.measure(),
    counts,
    models: () => models.inUse(),
    processes: ffmpeg.processes,
    udp: served.iceUdp,
  });
  const app = await buildApp({
    access,
    logger: loggers.http,
    corsOrigins: config.CORS_ORIGINS,
    trustedProxies: config.TRUST_PROXY,
    connections: new HttpConnections({ max: maxHttpConnections(config), clock: host.clock, logger: loggers.of('http') }),
    tls: host.tls,
    bodies: { clock: host.clock },
    pageDir: path.join(packageRoot, 'dist/page'),
    clientDir: path.join(packageRoot, 'dist/client'),
    offer: {
      sessions,
      httpSessions,
      defaultSource: () => (config.DEFAULT_SOURCE !== '' ? config.DEFAULT_SOURCE : catalogue.first()),
      playable: () => catalogue.playable(),
      rateLimit,
    },
    iceServers: { iceServers, rateLimit },
    wish: {
      sessions,
      httpSessions,
      iceServers: (clientId) => iceServers.iceServers(clientId),
      rateLimit,
      mayTakeOver: config.PUBLISH_TAKEOVER,
    },
    reports: { sessions, rateLimit },
    state,
    metrics,
    requests: served.requests,
    snapshots: looks.snapshots,
    zones,
    uploads: uploadsOf(served),
    onvif: openOnvif(host, served),
    clients: {
      disconnect: async (clientId) => {
        const wasMember = webSockets.rooms.disconnect(clientId, 'removed');
        return (await sessions.disconnect(clientId, 'removed')) || wasMember;
      },
    },
    rooms: webSockets,
    events: {
      query: (query) => events.query(query),
      still: (eventId) => events.still(eventId),
      sources: () => events.sources(),
      onAdded: (listener) => events.onAdded(listener),
      clock: host.clock,
    },
    forwards: forwardsOf(served, zones),
    walls: served.walls,
    looking: openLooking(host, { ...served, encodes: served.playbackEncodes }, served.seen),
    recordings: served.recordings,
    recordingSettings: {
      hasSource: zones.hasSource,
      status: served.recordingStatus,
      put: (sourceId, settings) => served.keptRecordings.put(sourceId, settings),
      remove: (sourceId) => served.keptRecordings.remove(sourceId),
    },
    detections: {
      clock: host.clock,
      inTurn: (sourceId, look, signal) => looks.inTurn(sourceId, look, signal),
      openSource: (sourceId) => served.pipelines.open(sourceId),
      sourcesOf: (sessionId) => sessions.sourcesOf(sessionId),
      rtpTimestamps: (sessionId, sourceId, mediaTimeMs) => sessions.rtpTimestamps(sessionId, sourceId, mediaTimeMs),
    },
    models: modelsOf(served),
    sources: sourcesOf(served),
  });
  closers.add(() => app.close());
  return app;
}

/** Asks cameras on demand. */
function openOnvif({ clock, ledger, closers }: Host, { cameraCalls: calls }: Served): Onvif {
  const onvif = new Onvif({ clock, ledger, calls });
  closers.add(() => onvif.close());
  return onvif;
}

/** Who may use this server, of the configuration. */
function openAccess({ config, clock, loggers, closers }: Host, { catalogue }: Pick<Served, 'catalogue'>): Access {
  const access = new Access({
    clock,
    logger: loggers.of('http'),
    authFile: config.AUTH_FILE === '' ? '' : configuredPath(config, 'AUTH_FILE'),
    jwt: { secret: config.JWT_SECRET, jwksUrl: config.JWT_JWKS_URL, audience: config.JWT_AUDIENCE, issuer: config.JWT_ISSUER },
    authUrl: config.AUTH_URL,
    sources: () => catalogue.list().map(({ id }) => id),
    tokens: { adminToken: config.ADMIN_TOKEN, viewerToken: config.VIEWER_TOKEN, publishTokens: config.PUBLISH_TOKENS },
    logins: { secret: config.LOGIN_SECRET, ttlS: config.LOGIN_TTL, stateDir: configuredPath(config, 'STATE_DIR') },
    anonymous: config.ALLOW_ANONYMOUS,
    serverNames: config.SERVER_NAMES,
    corsOrigins: config.CORS_ORIGINS,
  });
  closers.add(() => access.close());
  return access;
}

/** For each client a browser's six, its WebSocket and what else it reads; and some for those who come and go. */
function maxHttpConnections({ MAX_CONNECTIONS, MAX_PUBLISHERS }: Config): number {
  return Math.min(20_000, 16 * (MAX_CONNECTIONS + MAX_PUBLISHERS) + 256);
}

function openRooms(
  { config, loggers, clock }: Host,
  { catalogue, liveRooms, pulls, pipelines, sessions, iceServers }: Served,
  access: Access,
): RoomsDoor {
  return new RoomsDoor({
    clock,
    logger: loggers.of('ws'),
    sessions,
    directory: {
      // A camera is connected for whoever joins its room, so its room is never empty.
      describe: (room) => {
        const source = catalogue.find(room);
        return source?.kind === 'pull' && source.state === 'empty' ? { ...source, state: 'waiting' } : source;
      },
      onState: (listener) => {
        const stops = [liveRooms.onState(({ room }) => listener(room)), pulls.onChange(({ id }) => listener(id))];
        return () => stops.forEach((stop) => stop());
      },
      sources: () => catalogue.playable(),
    },
    access,
    allowTakeover: config.PUBLISH_TAKEOVER,
    iceServers: (clientId) => iceServers.iceServers(clientId).map(iceServerJson),
    isClientIdTaken: (clientId) => sessions.hasClient(clientId),
    openSource: (sourceId) => pipelines.open(sourceId),
    allSourcesOf: (sessionId) => sessions.allSourcesOf(sessionId),
    statusOf: (sessionId) => sessions.statusOf(sessionId),
    rtpTimestamps: (sessionId, sourceId, mediaTimeMs) => sessions.rtpTimestamps(sessionId, sourceId, mediaTimeMs),
    viewersOf: (room) => sessions.viewersOf(room),
    requestReconnect: (room, reason) => liveRooms.requestReconnect(room, reason),
    corsOrigins: config.CORS_ORIGINS,
    maxSockets: 4 * (config.MAX_CONNECTIONS + config.MAX_PUBLISHERS) + 60,
    rateLimit: config.RATE_LIMIT,
  });
}

function stateOf(
  { config, clock, ledger, tls }: Host,
  served: Served,
  { webSockets, access }: { readonly webSockets: RoomsDoor; readonly access: Access },
): AppDeps['state'] {
  const { catalogue, pipelines, sessions, models, webhooks, mqtt, forwards, managed, isReady, iceUdp } = served;
  const startedMs = clock.now();
  return {
    version: version(),
    maxClients: config.MAX_CONNECTIONS,
    maxPublishers: config.MAX_PUBLISHERS,
    uptimeS: () => (clock.now() - startedMs) / 1000,
    sources: () => catalogue.list().map((source) => (source.kind === 'pull' ? source : { ...source, ...managed.labelsOf(source.id) })),
    activity: () => pipelines.activity(),
    activeClients: () => sessions.count,
    sessions: () => sessions.snapshot(),
    webSockets: () => webSockets.connections,
    detectorLoaded: () => models.areReady,
    resources: () => ledger.snapshot(),
    iceUdp,
    isReady,
    webhooks: () => webhooks?.stats ?? [],
    mqtt: () => mqtt?.stats,
    forwards,
    models: () => models.inUse(),
    authUrl: () => access.authUrlStats,
    certificate: () => tls && { ...tls.pair, fault: tls.fault },
    sourceFaults: () => sourceFaults(served),
    recording: served.recordingStats,
    disks: freeSpace(config, clock),
  };
}

function sourcesOf(served: Served): AppDeps['sources'] {
  const sources = sourceRoutesOf(served, served, served, served);
  return {
    ...sources,
    remove: async (sourceId) => {
      await sources.remove(sourceId);
      await served.keptForwards.endForgotten(sourceId);
    },
  };
}

function uploadsOf({ uploads, library, managed, keptForwards }: Served): AppDeps['uploads'] {
  return {
    put: (request) => uploads.put(request),
    status: (name) => uploads.status(name),
    remove: async (name, expected) => {
      const file = library.list().find((listed) => listed.name === name);
      await uploads.remove(name, expected);
      // A file that is gone for another reason may be back: a folder of the network, a copy that replaces it.
      if (file && !library.get(file.id)) await Promise.all([managed.forgetLabels(file.id), keptForwards.sourceGone(file.id)]);
    },
  };
}

function forwardsOf({ forwards, keptForwards }: Served, { hasSource }: AppDeps['zones']): AppDeps['forwards'] {
  return {
    hasSource,
    list: (sourceId) => forwards.list(sourceId),
    add: (forward) => keptForwards.add(forward),
    remove: (sourceId, id) => keptForwards.remove(sourceId, id),
  };
}

function modelsOf({ models, counting, catalogue, modelFolder: folder, chosen, managed }: Served): AppDeps['models'] {
  return {
    available: () => folder.list(),
    inUse: () => models.inUse(),
    modelOf: (sourceId) =>
      catalogue.find(sourceId) !== undefined || counting.zones.has(sourceId) ? modelName(models.choiceOf(sourceId)) : undefined,
    labelsOf: (sourceId) => models.of(sourceId)?.classNames,
    assign: (sourceId, name) => chosen.choose({ sourceId, model: name, isCamera: managed.get(sourceId) !== undefined }),
  };
}
