/** The wiring: every room built once and handed to the next, and the order in which they end. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { buildApp } from './app.js';
import { Counting } from './counting.js';
import { systemClock } from './clock.js';
import { configuredPath, environment, projectRoot, type Config } from './config.js';
import { DetectorPool, ModelFolder, modelName } from './detection/index.js';
import { MediaPeerError, messageOf } from './errors.js';
import { findFfmpeg } from './ffmpeg/index.js';
import type { Loggers } from './log.js';
import type { Logger } from './logger.js';
import { ConnectionManager, IceTcpListener } from './peer/index.js';
import { AlwaysOn, Pipelines, SeenStills, slateCaption, SourceModels, StillFeeds } from './pipeline/index.js';
import { HttpSessions, Tokens } from './signalling/index.js';
import { ResourceLedger } from './resources.js';
import { iceServerJson, IceServers, RoomsDoor } from './signalling/index.js';
import { LiveRooms, PullSources, readSourcesFile, SourceCatalogue, SourceLibrary, StillPictures } from './source/index.js';
import { WebhookSender } from './webhooks/index.js';

/** A server that listens. */
export interface Server {
  /** `http://127.0.0.1:8001` */
  readonly url: string;
  /** What is held, by kind. */
  readonly ledger: ResourceLedger;
  /** Viewers first, then sources, then the detector: nothing is cut off from what it needs. Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts everything and listens.
 * @throws MediaPeerError FFMPEG_NOT_FOUND, MODEL_INVALID, CONFIG_INVALID
 */
export async function startServer(config: Config, loggers: Loggers): Promise<Server> {
  const ledger = new ResourceLedger();
  const clock = systemClock(ledger);
  const startedMs = clock.now();
  const closers: (() => Promise<void>)[] = [];
  const closeAll = memoized(async () => {
    const errors: unknown[] = [];
    // What one cannot give back does not keep the others from ending: no ffmpeg may be left.
    for (const close of closers.reverse()) await close().catch((error: unknown) => errors.push(error));
    if (errors.length > 0) throw new AggregateError(errors, `the server did not close cleanly: ${errors.map(messageOf).join('; ')}`);
  });
  try {
    const tools = await findFfmpeg({
      ...(config.FFMPEG_PATH !== '' && { ffmpegPath: config.FFMPEG_PATH }),
      ...(config.FFPROBE_PATH !== '' && { ffprobePath: config.FFPROBE_PATH }),
    });
    const ffmpeg = { tools, clock, ledger, logger: loggers.room('ffmpeg') };
    ffmpeg.logger.info({ path: tools.ffmpegPath, version: tools.version }, 'ffmpeg found');

    const library = await SourceLibrary.open({ ...ffmpeg, logger: loggers.room('source'), uploadDir: configuredPath(config, 'UPLOAD_DIR') });
    closers.push(() => library.close());

    const caption = slateCaption();
    const pulls = new PullSources({
      ...ffmpeg,
      logger: loggers.room('source'),
      entries: config.SOURCES_FILE === '' ? [] : readSourcesFile(configuredPath(config, 'SOURCES_FILE'), environment()),
      caption,
    });
    closers.push(() => pulls.close());
    const liveRooms = new LiveRooms({
      clock,
      logger: loggers.room('source'),
      graceMs: config.PUBLISH_GRACE,
      isTaken: (room) => (pulls.get(room) && 'a camera') ?? (library.get(room) && 'a file'),
      caption,
      expected: [...config.PUBLISH_TOKENS.keys()].filter((room) => room !== '*'),
    });
    const catalogue = new SourceCatalogue({ library, rooms: liveRooms, pulls });
    const isRecorded = (sourceId: string): boolean => catalogue.find(sourceId)?.kind === 'file';
    closers.push(() => Promise.resolve(liveRooms.close()));

    const seen = { clock, ledger, logger: loggers.room('detection') };
    const models = await SourceModels.open({
      logger: seen.logger,
      pool: new DetectorPool({ ...seen, executionProviders: config.EXECUTION_PROVIDERS }),
      defaultModel: config.MODEL === 'none' ? 'none' : configuredPath(config, 'MODEL'),
      models: config.SOURCE_MODELS,
    });
    closers.push(() => models.close());

    const counting = await Counting.open({ uploadDir: configuredPath(config, 'UPLOAD_DIR'), library, rooms: liveRooms, catalogue, seeing: models, clock, logger: loggers.room('scene') });
    closers.push(() => counting.close());

    const webhooks =
      config.WEBHOOK_URL.length === 0
        ? undefined
        : await WebhookSender.open({ urls: config.WEBHOOK_URL, secret: config.WEBHOOK_SECRET, queueDir: configuredPath(config, 'WEBHOOK_QUEUE_DIR'), clock, logger: loggers.room('webhooks') });
    if (webhooks) closers.push(() => webhooks.close());

    const pipelines = new Pipelines({
      clock,
      logger: loggers.room('pipeline'),
      ffmpeg,
      seeing: models,
      detectFps: config.DETECT_FPS,
      motionGate: config.MOTION_GATE,
      sceneOf: (sourceId, picture) => counting.observers.of(sourceId, picture),
      idleGraceMs: config.IDLE_GRACE,
      find: (sourceId) => {
        // Whoever wants a camera makes it be called; who cannot wait for it asks again.
        void pulls.prepare(sourceId);
        return catalogue.find(sourceId);
      },
      playable: () => catalogue.playable(),
    });
    closers.push(() => pipelines.close());
    const alwaysOn = new AlwaysOn({ pipelines, clock, logger: loggers.room('pipeline'), sources: pulls.alwaysOn, prepare: (sourceId) => pulls.prepare(sourceId) });
    closers.push(() => Promise.resolve(alwaysOn.close()));
    closers.push(() => Promise.resolve(counting.stopReading()));

    const iceServers = new IceServers({
      stunUrls: config.STUN_URLS,
      turnUrls: config.TURN_URLS,
      turnUsername: config.TURN_USERNAME,
      turnCredential: config.TURN_CREDENTIAL,
      turnSecret: config.TURN_SECRET,
      ttlS: config.TURN_TTL,
      allowedHosts: config.ICE_SERVER_HOSTS,
      clock,
    });

    const iceTcp = config.ICE_TCP_PORT === 0 ? undefined : await IceTcpListener.open({ iceAddresses: config.ICE_ADDRESSES, port: config.ICE_TCP_PORT, clock, ledger });
    if (iceTcp) closers.push(() => iceTcp.close());

    const stillFeeds = new StillFeeds({ pipelines, clock, logger: loggers.room('pipeline') });
    const sessions = new ConnectionManager({
      gateway: {
        prepare: (sourceId) => pulls.prepare(sourceId),
        describe: (sourceId) => pipelines.describe(sourceId),
        openTrack: (request) => pipelines.openTrack(request),
        openDetections: (sourceId) => pipelines.openDetections(sourceId),
        openStills: (sourceId, maxBytes) => stillFeeds.open(sourceId, maxBytes),
        openPublication: (request) => liveRooms.publish(request),
      },
      clock,
      ledger,
      logger: loggers.room('peer'),
      options: {
        maxConnections: config.MAX_CONNECTIONS,
        connectionTimeoutMs: config.CONNECTION_TIMEOUT,
        disconnectGraceMs: config.DISCONNECT_GRACE,
        reconnectMaxAttempts: config.RECONNECT_MAX_ATTEMPTS,
        iceAddresses: config.ICE_ADDRESSES,
        ...(config.ICE_PORT_RANGE && { icePortRange: config.ICE_PORT_RANGE }),
        publicIps: config.PUBLIC_IPS,
        iceTcp,
        iceServersFor: (clientId) => [...iceServers.own(), ...iceServers.take(clientId)],
      },
    });
    closers.push(() => sessions.closeAll('server-closing'));

    const tokens = new Tokens({ viewerToken: config.VIEWER_TOKEN, publishTokens: config.PUBLISH_TOKENS });
    const httpSessions = new HttpSessions({ sessions, isStrict: config.WHIP_STRICT });
    const rooms = new RoomsDoor({
      clock,
      logger: loggers.room('http'),
      sessions,
      directory: {
        // A camera is called by whoever joins its room, so its room is never empty.
        describe: (room) => {
          const source = catalogue.find(room);
          return source?.kind === 'pull' && source.state === 'empty' ? { ...source, state: 'waiting' } : source;
        },
        onState: (listener) => liveRooms.onState(({ room }) => listener(room)),
        sources: () => catalogue.playable(),
      },
      tokens,
      allowTakeover: config.PUBLISH_TAKEOVER,
      iceServers: (clientId) => iceServers.iceServers(clientId).map(iceServerJson),
      isClientIdTaken: (clientId) => sessions.hasClient(clientId),
      openDetections: (sourceId) => pipelines.openDetections(sourceId),
      snapshotOf: (sessionId) => sessions.snapshotOf(sessionId),
      rtpTimestamps: (sessionId, mediaTimeMs) => sessions.rtpTimestamps(sessionId, mediaTimeMs),
      viewersOf: (room) => sessions.viewersOf(room),
      requestReconnect: (room, reason) => liveRooms.requestReconnect(room, reason),
      corsOrigins: config.CORS_ORIGINS,
      maxSockets: 4 * config.MAX_CONNECTIONS + 100,
      rateLimit: config.RATE_LIMIT,
    });
    const modelFolder = new ModelFolder(path.join(projectRoot, 'models'), configuredModels(config));
    const stills = new StillPictures(ffmpeg);
    const seenStills = new SeenStills(pipelines, clock);
    let isReady = false;
    const app = await buildApp({
      logger: loggers.http,
      corsOrigins: config.CORS_ORIGINS,
      pageDir: path.join(projectRoot, 'src/page/public'),
      clientDir: path.join(projectRoot, 'dist/client'),
      offer: {
        sessions,
        httpSessions,
        tokens,
        defaultSource: () => (config.DEFAULT_SOURCE !== '' ? config.DEFAULT_SOURCE : catalogue.first()),
        rateLimit: config.RATE_LIMIT,
      },
      iceServers: { iceServers, tokens, rateLimit: config.RATE_LIMIT },
      wish: { sessions, httpSessions, tokens, iceServers: (clientId) => iceServers.iceServers(clientId), rateLimit: config.RATE_LIMIT, mayTakeOver: config.PUBLISH_TAKEOVER },
      reports: { sessions, rateLimit: config.RATE_LIMIT },
      state: {
        version: version(),
        maxClients: config.MAX_CONNECTIONS,
        uptimeS: () => (clock.now() - startedMs) / 1000,
        sources: () => catalogue.list(),
        activity: () => pipelines.activity(),
        sessions: () => sessions.snapshot(),
        webSockets: () => rooms.connections,
        detectorLoaded: () => models.areReady,
        resources: () => ledger.snapshot(),
        isReady: () => isReady,
        webhooks: () => webhooks?.stats ?? [],
      },
      stills: {
        still: async (sourceId, widthPx) => {
          await pulls.prepare(sourceId);
          pipelines.describe(sourceId);
          const file = isRecorded(sourceId) ? library.get(sourceId) : undefined;
          return file ? stills.get(file, widthPx) : seenStills.get(sourceId, { widthPx, isAnnotated: false });
        },
        seenStill: async (sourceId, widthPx) => {
          await pulls.prepare(sourceId);
          return seenStills.get(sourceId, { widthPx, isAnnotated: true });
        },
        isRecorded,
      },
      zones: counting.routes(),
      rooms,
      detections: {
        clock,
        openDetections: (sourceId) => pipelines.openDetections(sourceId),
        sourceOf: (sessionId) => sessions.sourceOf(sessionId),
        rtpTimestamps: (sessionId, mediaTimeMs) => sessions.rtpTimestamps(sessionId, mediaTimeMs),
      },
      models: {
        available: () => modelFolder.list(),
        inUse: () => models.inUse(),
        modelOf: (sourceId) => (counting.hasSource(sourceId) ? modelName(models.choiceOf(sourceId)) : undefined),
        assign: (sourceId, name) => models.assign(name === 'none' ? 'none' : modelFolder.pathOf(name), sourceId),
      },
    });
    closers.push(() => app.close());
    // Many files take minutes to look into: meanwhile the server answers, and says that it is not ready.
    const url = await app.listen({ host: config.HOST, port: config.PORT }).catch((error: unknown) => {
      throw new MediaPeerError('CONFIG_INVALID', whyNoListening(config, error), { cause: error });
    });
    await library.ready;
    counting.start(pipelines, webhooks && ((detections) => void webhooks.report(detections)));
    warnOfNothingToServe(config, catalogue, loggers.room('source'));
    isReady = true;
    closers.push(() => {
      isReady = false;
      return Promise.resolve();
    });
    return { url, ledger, close: closeAll };
  } catch (error) {
    await closeAll().catch((closing: unknown) => loggers.http.error({ err: closing }, 'not everything could be given back'));
    throw error;
  }
}

/** The models that the configuration names, each once. */
function configuredModels(config: Config): string[] {
  const named = [config.MODEL === 'none' ? 'none' : configuredPath(config, 'MODEL'), ...config.SOURCE_MODELS.values()];
  return [...new Set(named)].filter((choice) => choice !== 'none');
}

function warnOfNothingToServe(config: Config, catalogue: SourceCatalogue, logger: Logger): void {
  const uploadDir = configuredPath(config, 'UPLOAD_DIR');
  const available = catalogue.list().map(({ id }) => id);
  if (available.length === 0) logger.warn({ uploadDir }, 'no videos yet; files that are put there appear by themselves');
  const isThere = (sourceId: string): boolean => catalogue.find(sourceId) !== undefined;
  if (config.DEFAULT_SOURCE !== '' && !isThere(config.DEFAULT_SOURCE)) logger.warn({ sourceId: config.DEFAULT_SOURCE, uploadDir, available }, 'no source of the name in DEFAULT_SOURCE');
  for (const sourceId of config.SOURCE_MODELS.keys()) {
    if (!isThere(sourceId)) logger.warn({ sourceId, uploadDir, available }, 'no source of a name in SOURCE_MODELS; its model waits for it');
  }
}

/** What is wrong with HOST or PORT, and what to do. */
function whyNoListening({ HOST, PORT }: Config, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') return `PORT ${PORT} on ${HOST} is taken by another program; end that program, choose another PORT, or 0 for a free one`;
  if (code === 'EACCES') return `PORT ${PORT} on ${HOST} needs rights that this user does not have; choose a PORT from 1024 on`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `HOST '${HOST}' is no address of this machine; 127.0.0.1 serves this machine, 0.0.0.0 the network`;
  return `cannot listen on HOST '${HOST}', PORT ${PORT}: ${messageOf(error)}`;
}

/** Everybody who calls waits for the one run. */
function memoized<T>(run: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  return () => (running ??= run());
}

function version(): string {
  const { version: found } = JSON.parse(readFileSync(path.join(projectRoot, 'package.json'), 'utf8')) as { version: string };
  return found;
}
