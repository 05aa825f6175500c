/** The HTTP side over stand-ins for the rooms behind it. */
import { pino } from 'pino';
import path from 'node:path';
import { buildApp, type AppDeps } from '../../src/app.js';
import { DetectionFeed } from '../../src/media/index.js';
import { ServerMetrics } from '../../src/observability/index.js';
import { MediaPeerError } from '../../src/base/errors.js';
import { DEFAULT_SETTINGS, recordingNotFound } from '../../src/recording/index.js';
import { ZonesSchema } from '../../src/scene/index.js';
import { SourceEntrySchema, SourcePatchSchema, SourceProbeSchema } from '../../src/source/index.js';
import type { Access } from '../../src/access/index.js';
import { HttpConnections, HttpSessions, IceServers } from '../../src/http/index.js';
import { RoomsDoor } from '../../src/ws/index.js';
import { openAccess } from './access.js';
import { projectRoot } from './assets.js';
import { FakeClock } from './fake-clock.js';

/** What a test may replace; the rest is an idle server with one source. */
export interface AppOverrides {
  /** Default: everybody may do everything. */
  readonly access?: Access;
  readonly corsOrigins?: AppDeps['corsOrigins'];
  readonly trustedProxies?: AppDeps['trustedProxies'];
  readonly connections?: AppDeps['connections'];
  readonly tls?: AppDeps['tls'];
  readonly bodies?: AppDeps['bodies'];
  readonly deadlines?: AppDeps['deadlines'];
  readonly offer?: Partial<AppDeps['offer']>;
  readonly wish?: AppDeps['wish'];
  readonly logger?: AppDeps['logger'];
  readonly iceServers?: AppDeps['iceServers'];
  readonly state?: Partial<AppDeps['state']>;
  readonly metrics?: AppDeps['metrics'];
  readonly snapshots?: Partial<AppDeps['snapshots']>;
  readonly detections?: Partial<AppDeps['detections']>;
  readonly onvif?: Partial<AppDeps['onvif']>;
  readonly clients?: AppDeps['clients'];
  readonly uploads?: Partial<AppDeps['uploads']>;
  readonly models?: Partial<AppDeps['models']>;
  readonly sources?: Partial<AppDeps['sources']>;
  readonly events?: Partial<AppDeps['events']>;
  readonly looking?: { readonly [K in keyof AppDeps['looking']]?: Partial<AppDeps['looking'][K]> };
  readonly walls?: AppDeps['walls'];
  readonly forwards?: Partial<AppDeps['forwards']>;
  readonly recordings?: Partial<AppDeps['recordings']>;
  readonly recordingSettings?: Partial<AppDeps['recordingSettings']>;
}

export function testApp(overrides: AppOverrides = {}): ReturnType<typeof buildApp> {
  const unopened = (): never => {
    throw new Error('no test opens such a session');
  };
  const close = (sessionId: string): Promise<boolean> => Promise.resolve(sessionId === 'secret');
  const shared = {
    httpSessions: new HttpSessions({
      sessions: { addCandidates: unopened, restart: unopened, iceTag: () => 'tag', close, allSourcesOf: () => [] },
      isStrict: false,
    }),
    rateLimit: 0,
  };
  const access = overrides.access ?? openAccess();
  const clock = new FakeClock();
  const logger = pino({ level: 'silent' });
  return buildApp({
    access,
    logger: overrides.logger ?? logger,
    corsOrigins: overrides.corsOrigins ?? ['*'],
    trustedProxies: overrides.trustedProxies ?? [],
    tls: overrides.tls,
    connections: overrides.connections ?? new HttpConnections({ max: 100, clock, logger }),
    bodies: overrides.bodies ?? { clock },
    ...(overrides.deadlines && { deadlines: overrides.deadlines }),
    pageDir: path.join(projectRoot, 'dist/page'),
    clientDir: path.join(projectRoot, 'dist/client'),
    offer: {
      sessions: {
        accept: (request) =>
          Promise.resolve({
            sdp: 'v=0 answer',
            clientId: request.clientId ?? 'generated',
            sourceId: request.sourceId,
            renditions: request.renditions ?? ['processed'],
            sessionId: 'secret',
            ended: new Promise(() => undefined),
          }),
      },
      defaultSource: () => 'demo',
      playable: () => ['demo'],
      ...shared,
      ...overrides.offer,
    },
    wish: overrides.wish ?? { ...shared, sessions: { accept: unopened, publish: unopened }, iceServers: () => [], mayTakeOver: false },
    iceServers: overrides.iceServers ?? {
      iceServers: new IceServers({
        stunUrls: [],
        turnUrls: [],
        turnUsername: '',
        turnCredential: '',
        turnSecret: '',
        ttlS: 3600,
        allowedHosts: [],
        clock,
      }),
      rateLimit: 0,
    },
    reports: { sessions: { report: () => undefined }, rateLimit: 0 },
    rooms: new RoomsDoor({
      clock,
      logger,
      sessions: {
        offer: unopened,
        answer: unopened,
        publish: unopened,
        addCandidates: unopened,
        offerRestart: unopened,
        restartByOffer: unopened,
        close,
      },
      directory: { describe: () => undefined, onState: () => () => undefined, sources: () => ['demo'] },
      access,
      allowTakeover: false,
      iceServers: () => [],
      isClientIdTaken: () => false,
      openSource: unopened,
      allSourcesOf: () => [],
      statusOf: () => undefined,
      rtpTimestamps: () => ({}),
      viewersOf: () => 0,
      requestReconnect: () => false,
      corsOrigins: ['*'],
      maxSockets: 10,
      rateLimit: 0,
    }),
    state: idleState(overrides.state),
    metrics: overrides.metrics ?? new ServerMetrics(() => undefined),
    snapshots: {
      snapshot: () => Promise.resolve(Buffer.from([0xff, 0xd8])),
      annotatedSnapshot: () => Promise.resolve(Buffer.from([0xff, 0xd8, 1])),
      isRecorded: (sourceId) => sourceId === 'demo',
      ...overrides.snapshots,
    },
    detections: {
      clock,
      openSource: () =>
        Promise.resolve({ labels: undefined, openDetections: () => ({ feed: new DetectionFeed('demo'), release: () => undefined }) }),
      inTurn: (_source, look) => look(),
      sourcesOf: () => [],
      rtpTimestamps: () => ({}),
      ...overrides.detections,
    },
    events: {
      clock,
      query: () => Promise.resolve([]),
      still: () => Promise.resolve(undefined),
      sources: () => Promise.resolve([]),
      onAdded: () => () => undefined,
      ...overrides.events,
    },
    looking: lookingOf(overrides.looking, clock),
    forwards: {
      hasSource: (sourceId) => sourceId === 'demo',
      list: () => [],
      add: () => {
        throw new Error('no test forwards here');
      },
      remove: () => Promise.resolve(0),
      ...overrides.forwards,
    },
    walls: overrides.walls ?? { list: () => new Map(), put: unopened, remove: unopened },
    recordings: {
      list: () => Promise.resolve([]),
      describe: (sourceId) => Promise.reject(recordingNotFound(sourceId)),
      keep: () => Promise.resolve([]),
      release: () => Promise.resolve([]),
      remove: () => Promise.resolve([]),
      check: () => Promise.resolve({ checked: 0, checkedToMs: 0, damaged: [] }),
      ...overrides.recordings,
    },
    recordingSettings: {
      hasSource: (sourceId) => sourceId === 'demo',
      status: () => ({ ...DEFAULT_SETTINGS, mode: 'off', origin: 'config', state: 'off', reason: undefined }),
      put: () => Promise.resolve(),
      remove: () => Promise.resolve(),
      ...overrides.recordingSettings,
    },
    sources: {
      entrySchema: SourceEntrySchema,
      patchSchema: SourcePatchSchema,
      probeSchema: SourceProbeSchema,
      probe: () => Promise.reject(new MediaPeerError('TOO_MANY_REQUESTS', 'another probe is running')),
      list: () => [],
      removed: () => [],
      get: () => undefined,
      add: () => Promise.resolve('demo'),
      change: () => Promise.resolve(),
      remove: () => Promise.resolve(),
      ...overrides.sources,
    },
    zones: {
      hasSource: (sourceId) => sourceId === 'demo',
      bodySchema: ZonesSchema,
      get: () => undefined,
      put: () => Promise.resolve({}),
      remove: () => Promise.resolve(false),
      counts: () => undefined,
      resetCounts: () => undefined,
    },
    onvif: {
      discover: () => Promise.resolve([]),
      profiles: () => Promise.resolve({ profiles: [], main: undefined, low: undefined }),
      ...overrides.onvif,
    },
    clients: overrides.clients ?? { disconnect: (clientId) => Promise.resolve(clientId === 'drone-1') },
    uploads: {
      put: ({ lengthBytes = 0 }) => Promise.resolve({ isComplete: true, isNew: true, tag: 'tag', sizeBytes: lengthBytes, file: undefined }),
      status: () => Promise.resolve({ receivedBytes: 0, totalBytes: 1, isComplete: false, tag: undefined }),
      remove: () => Promise.resolve(),
      ...overrides.uploads,
    },
    models: {
      available: () => ['nano'],
      inUse: () => [{ name: 'nano', family: 'yolox', state: 'ready', restarts: 0, averageMs: 2.14 }],
      labelsOf: () => ['person', 'car'],
      modelOf: (sourceId) => (sourceId === 'demo' ? 'nano' : undefined),
      assign: () => Promise.resolve(),
      ...overrides.models,
    },
  });
}

/** Nothing is recorded. @param looking what differs */
function lookingOf(looking: AppOverrides['looking'], clock: FakeClock): AppDeps['looking'] {
  const nothing = (sourceId: string): Promise<never> =>
    Promise.reject(new MediaPeerError('RECORDING_NOT_FOUND', `nothing is recorded of '${sourceId}'`));
  const now = (): number => clock.wallClock();
  return {
    timeline: { now, timeline: nothing, ...looking?.timeline },
    search: { now, search: () => Promise.resolve([]), sources: () => Promise.resolve([]), ...looking?.search },
    thumbnails: { thumbnail: nothing, narrowed: (jpeg) => Promise.resolve(jpeg), ...looking?.thumbnails },
    clips: { openClip: ({ sourceId }) => nothing(sourceId), describeClip: ({ sourceId }) => nothing(sourceId), ...looking?.clips },
  };
}

/** The state of a server in which nothing runs. @param state what differs */
export function idleState(state: AppOverrides['state'] = {}): AppDeps['state'] {
  return {
    version: '0.0.0',
    maxClients: 10,
    maxPublishers: 10,
    uptimeS: () => 1.5,
    sources: () => [],
    activity: () => [],
    activeClients: () => (state.sessions?.() ?? []).length,
    sessions: () => [],
    detectorLoaded: () => true,
    resources: () => ({ peer_connections: 0, udp_sockets: 0, tcp_sockets: 0, child_processes: 0, workers: 1, timers: 2 }),
    isReady: () => true,
    webhooks: () => [],
    ...state,
  };
}
