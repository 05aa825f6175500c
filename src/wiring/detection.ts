import { isSceneEvent } from '../base/event-types.js';
import { configuredPath } from '../config.js';
import { DetectorPool, type DetectorObserver } from '../detection/index.js';
import { Pipelines, SourceModels, StandingLeases } from '../pipeline/index.js';
import { WebhookSender } from '../webhooks/index.js';
import type { FrameDetections } from '../media/index.js';
import type { Counting } from '../scene/index.js';
import type { MqttPublisher } from '../mqtt/index.js';
import { LimitedEvents, type EventStore, type StateFile } from '../store/index.js';
import { asItComes } from './as-it-comes.js';
import { keptModels, modelPaths } from './chosen-models.js';
import { openCounting, readZones } from './counting.js';
import { keepSceneEvents, openEvents } from './events.js';
import type { Host } from './host.js';
import { keepSourceEvent } from './lifecycle.js';
import type { Metrics } from './metrics.js';
import { openMqtt } from './mqtt.js';
import type { Sources } from './sources.js';

/** From sources to tracks and detections. */
export interface DetectionServices {
  /** Which model looks at which source. */
  readonly models: SourceModels;
  /** Counts in zones. */
  readonly counting: Counting;
  /** Opens sources. */
  readonly pipelines: Pipelines;
  /** Undefined where none is configured. */
  readonly webhooks: WebhookSender | undefined;
  /** Undefined where no broker is configured. */
  readonly mqtt: MqttPublisher | undefined;
  /** What happens, kept over restarts. */
  readonly events: EventStore;
  /** Keeps what becomes of sources and clients, in bounds. */
  readonly lifecycle: LimitedEvents;
  /** Ids of sources that are forwarded to other servers: they are never refused. Whoever forwards keeps it. */
  readonly forwarded: Set<string>;
  /** Ids of sources that are to be recorded: likewise. Whoever records keeps it. */
  readonly recorded: Set<string>;
  /** Begins to read sources for their zones although nobody watches them; to be called once the sources are known. */
  readonly readForZones: () => void;
}

/** @throws MediaPeerError MODEL_INVALID, CONFIG_INVALID */
export async function openDetection(
  host: Host,
  { ffmpeg, library, pulls, liveRooms, catalogue, configuration, modelFolder }: Sources,
  { metrics, counts }: Metrics,
  state: StateFile,
): Promise<DetectionServices> {
  const { config, loggers, clock, ledger, closers } = host;
  const events = await openEvents(host);
  const lifecycle = new LimitedEvents({ add: (facts) => events.add(facts), clock });
  const { detectors } = metrics;
  const observer: DetectorObserver = {
    inferred: (model, inferenceMs) => detectors.inferred(model, inferenceMs),
    failed: (model) => detectors.failed(model),
    ended: (model, reason) => lifecycle.add('detector_failed', undefined, { model, reason }),
    restarted: (model) => detectors.restarted(model),
  };
  const seen = { clock, ledger, logger: loggers.of('detection') };
  // A server that is started without the file, perhaps by mistake, forgets nothing.
  const cameras = config.SOURCES_FILE === '' ? undefined : (sourceId: string) => configuration.sources.has(sourceId);
  const models = await SourceModels.open({
    logger: seen.logger,
    pool: new DetectorPool({ ...seen, executionProviders: config.EXECUTION_PROVIDERS, observer }),
    defaultModel: config.MODEL === 'none' ? 'none' : configuredPath(config, 'MODEL'),
    models: new Map([...config.SOURCE_MODELS, ...modelPaths(modelFolder, configuration.models, seen.logger)]),
    chosen: modelPaths(modelFolder, keptModels(state, { cameras, nowMs: clock.wallClock() }), seen.logger),
  });
  closers.add(() => models.close());

  const counting = await openCounting({
    uploadDir: configuredPath(config, 'UPLOAD_DIR'),
    readsAll: (config.WEBHOOK_URL.length > 0 && config.WEBHOOK_EVENTS.some(isSceneEvent)) || config.MQTT_URL !== '',
    kept: events.counts,
    keep: (sourceId, state) => events.keepCounts(sourceId, state),
    catalogue,
    models,
    clock,
    logger: loggers.of('scene'),
  });
  closers.add(() => counting.close());

  const webhooks =
    config.WEBHOOK_URL.length === 0
      ? undefined
      : await WebhookSender.open({
          urls: config.WEBHOOK_URL,
          types: config.WEBHOOK_EVENTS,
          secret: config.WEBHOOK_SECRET,
          queueDir: configuredPath(config, 'WEBHOOK_QUEUE_DIR'),
          clock,
          logger: loggers.of('webhooks'),
        });
  if (webhooks) {
    events.onAdded((event) => {
      // Never rejects. What happens in frames is reported with them.
      if (!isSceneEvent(event.type)) void webhooks.reportLifecycle(event);
    });
    closers.add(() => webhooks.close());
  }

  const mqtt = await openMqtt(host, { events, counting, catalogue });
  const wantsDetections = (sourceId: string): boolean => mqtt?.wantsDetections(sourceId) === true;

  const logger = loggers.of('pipeline');
  const forwarded = new Set<string>();
  const recorded = new Set<string>();
  const pipelines = new Pipelines({
    clock,
    logger,
    ffmpeg,
    models,
    detectFps: config.DETECT_FPS,
    motionGate: config.MOTION_GATE,
    sceneOf: (sourceId, picture) => counting.observers.of(sourceId, picture),
    onSceneEvents: (detections, still) => keepSceneEvents(events, detections, clock.wallClock(), still),
    idleGraceMs: config.IDLE_GRACE,
    find: (sourceId) => catalogue.find(sourceId),
    connect: (sourceId) => pulls.prepare(sourceId),
    playable: () => catalogue.playable(),
    maxRunning: config.MAX_RUNNING_SOURCES,
    ladder: config.LADDER,
    counts,
    onRunning: (sourceId, ended) => keepSourceEvent(lifecycle, sourceId, ended),
    isNeverRefused: (sourceId) =>
      pulls.alwaysOn.includes(sourceId) ||
      counting.isAlwaysRead(sourceId) ||
      forwarded.has(sourceId) ||
      recorded.has(sourceId) ||
      wantsDetections(sourceId),
  });
  closers.add(() => pipelines.close());
  const alwaysOn = new StandingLeases({
    open: (sourceId) => pipelines.open(sourceId),
    clock,
    logger,
    purpose: 'always on',
    wanted: () => pulls.alwaysOn,
    lease: asItComes,
    // A camera that is off is tried every few seconds.
    backoff: { firstMs: 1_000 },
  });
  alwaysOn.sync();
  pulls.onChange(() => alwaysOn.sync());
  closers.add(() => alwaysOn.close());
  const onDetections = (detections: FrameDetections): void => {
    void webhooks?.report(detections);
    mqtt?.report(detections);
  };
  let readers: ReturnType<typeof readZones> | undefined;
  closers.add(() => readers?.close());
  const readForZones = (): void => {
    const alsoRead = (): string[] => catalogue.playable().filter(wantsDetections);
    readers = readZones({
      counting,
      alsoRead,
      pipelines,
      library,
      pulls,
      rooms: liveRooms,
      catalogue,
      clock,
      logger: loggers.of('scene'),
      onDetections,
    });
    mqtt?.begin();
  };
  return { models, counting, pipelines, webhooks, mqtt, events, lifecycle, forwarded, recorded, readForZones };
}
