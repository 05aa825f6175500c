/** One server: what it opens, in order, and when it is ready. */
import { systemClock } from './base/clock.js';
import { configuredPath, throwIfOpen, type Config, type LogComponent } from './config.js';
import type { Loggers } from './base/loggers.js';
import type { Logger } from './base/logger.js';
import { ResourceLedger } from './base/resources.js';
import type { SourceCatalogue } from './source/index.js';
import {
  Closers,
  KeptWalls,
  listeningFailed,
  openConnections,
  openDetection,
  openDoors,
  openManaging,
  openForwarding,
  openMetrics,
  openPlayback,
  openPorts,
  openRecording,
  openSources,
  openState,
  openTls,
  openTracing,
  type Host,
} from './wiring/index.js';

/** A server that listens. */
export interface Server {
  /** `http://127.0.0.1:8001`, or with https. */
  readonly url: string;
  /** UDP port of all sessions; undefined where each has ports of its own. */
  readonly udpPort: number | undefined;
  /** What is held, by kind. */
  readonly ledger: ResourceLedger;
  /** Reads SOURCES_FILE again, now. Resolves when it counts; never rejects. */
  reload(): Promise<void>;
  /** Viewers first, then sources, then the detector: nothing is cut off from what it needs. Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts everything and listens. `onListening` is told of the server as soon as it serves, while many files are still looked into.
 * @throws MediaPeerError FFMPEG_NOT_FOUND, MODEL_INVALID, CONFIG_INVALID
 */
export async function startServer(config: Config, loggers: Loggers<LogComponent>, onListening?: (server: Server) => void): Promise<Server> {
  throwIfOpen(config);
  const ledger = new ResourceLedger();
  const closers = new Closers();
  const base = { config, loggers, ledger, clock: systemClock(ledger), closers };
  try {
    const host: Host = { ...base, tls: openTls(base) };
    const ports = await openPorts(host);
    const state = await openState(host);
    const sources = await openSources(host, state);
    const metrics = openMetrics(sources);
    const seeing = await openDetection(host, sources, metrics, state);
    const recording = await openRecording(host, sources, seeing, state);
    const playing = openPlayback(host, sources, seeing, recording);
    const connections = openConnections(host, sources, seeing, { ...ports, ...playing }, metrics);
    const forwarding = openForwarding(host, sources, seeing, connections, state);
    const requests = await openTracing(host, connections.sessions);
    const managing = openManaging(host, sources, seeing, { ...forwarding, ...recording }, state);
    let isReady = false;
    const app = await openDoors(host, {
      ...sources,
      ...metrics,
      ...seeing,
      ...connections,
      ...forwarding,
      ...recording,
      ...playing,
      ...managing,
      walls: new KeptWalls(state),
      iceUdp: ports.iceUdp,
      requests,
      isReady: () => isReady,
    });
    // Many files take minutes to look into: meanwhile the server answers, and says that it is not ready.
    await app.ready();
    await ports.releaseHttp();
    const url = await listen(app, config, ports.http);
    const server: Server = {
      url,
      udpPort: ports.iceUdp?.port,
      ledger,
      reload: () => managing.sourcesFile.reload(),
      close: () => closers.closeAll(),
    };
    onListening?.(server);
    await sources.library.ready;
    seeing.readForZones();
    forwarding.beginForwarding();
    await recording.beginRecording();
    warnOfNothingToServe(config, sources.catalogue, loggers.of('source'));
    isReady = true;
    closers.add(() => void (isReady = false));
    return server;
  } catch (error) {
    await closers.closeAll().catch((closing: unknown) => loggers.http.error({ err: closing }, 'not everything could be released'));
    throw error;
  }
}

/** On the port that was held so far. One that was chosen freely may be lost in the moment between; then another one does. */
async function listen(app: Awaited<ReturnType<typeof openDoors>>, config: Config, port: number): Promise<string> {
  const { HOST: host, PORT } = config;
  const url = await app
    .listen({ host, port })
    .catch((error: unknown) => (PORT === 0 ? app.listen({ host, port: 0 }) : Promise.reject(error as Error)))
    .catch((error: unknown) => Promise.reject(listeningFailed(config, error)));
  return config.TLS_CERT === '' ? url : url.replace(/^http:/, 'https:');
}

function warnOfNothingToServe(config: Config, catalogue: SourceCatalogue, logger: Logger): void {
  const uploadDir = configuredPath(config, 'UPLOAD_DIR');
  const available = catalogue.list().map(({ id }) => id);
  if (available.length === 0) logger.warn({ uploadDir }, 'no videos yet; files that are added are picked up automatically');
  const isThere = (sourceId: string): boolean => catalogue.find(sourceId) !== undefined;
  if (config.DEFAULT_SOURCE !== '' && !isThere(config.DEFAULT_SOURCE))
    logger.warn({ sourceId: config.DEFAULT_SOURCE, uploadDir, available }, 'DEFAULT_SOURCE names no source');
  for (const sourceId of config.SOURCE_MODELS.keys()) {
    if (!isThere(sourceId))
      logger.warn({ sourceId, uploadDir, available }, 'SOURCE_MODELS names a source that does not exist; its model is used once it does');
  }
}
