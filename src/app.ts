/** The HTTP side: doors, state, reference and page on one Fastify instance. Does not listen. */
import path from 'node:path';
import cors from '@fastify/cors';
import rateLimit from '@fastify/rate-limit';
import fastifyStatic from '@fastify/static';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance, type FastifyServerFactory } from 'fastify';
import {
  countAnswers,
  metricRoutes,
  observabilityRoutes,
  type MetricsDeps,
  type ObservabilityDeps,
  type RequestTime,
} from './observability/index.js';
import {
  answerBrokenRequest,
  answerRouterError,
  clientRoutes,
  clipRoutes,
  declareActions,
  detectionRoutes,
  eventRoutes,
  forwardRoutes,
  iceServerRoutes,
  installBodyLimits,
  installClientAddress,
  installErrorHandling,
  installExpectations,
  installGate,
  installReference,
  loginRoutes,
  modelRoutes,
  offerRoutes,
  onvifRoutes,
  refuseMisspeltMembers,
  recordingRoutes,
  recordingSettingsRoutes,
  reportRoutes,
  searchRoutes,
  sessionUrlRoutes,
  snapshotRoutes,
  sourceRoutes,
  thumbnailRoutes,
  timelineRoutes,
  uploadRoutes,
  userRoutes,
  wallRoutes,
  whepRoutes,
  whipRoutes,
  withoutSecrets,
  zoneRoutes,
  createTlsServer,
  type TlsFiles,
  type BodyLimits,
  type ClientsDeps,
  type ClipDeps,
  type DetectionsDeps,
  type EventsDeps,
  type ForwardDeps,
  type HttpConnections,
  type IceServersDeps,
  type ModelDeps,
  type OfferDeps,
  type OnvifDeps,
  type RecordingSettingsDeps,
  type RecordingsDeps,
  type ReportDeps,
  type SearchDeps,
  type SnapshotDeps,
  type SourcesDeps,
  type ThumbnailDeps,
  type TimelineDeps,
  type UploadsDeps,
  type WallsDeps,
  type WhepDeps,
  type WhipDeps,
  type ZonesDeps,
} from './http/index.js';
import type { Access } from './access/index.js';
import type { Clock } from './base/clock.js';
import { installWebSockets, roomRoutes, type RoomsDoor } from './ws/index.js';

/** What the HTTP side is built on: what each door needs, handed down by the wiring. */
export interface AppDeps {
  /** Says who somebody is and what they may do. */
  readonly access: Access;
  /** Logs requests and faults; its lines carry `component: http`. */
  readonly logger: FastifyBaseLogger;
  /** Origins that may call from a browser; `*` is any. */
  readonly corsOrigins: readonly string[];
  /** Addresses and CIDRs of proxies that are believed what they forward. */
  readonly trustedProxies: readonly string[];
  /** The server's TCP connections. */
  readonly connections: HttpConnections;
  /** The certificate that HTTPS is served with. Default: HTTP. */
  readonly tls?: TlsFiles | undefined;
  /** Bounds on request bodies that are being received. */
  readonly bodies: BodyLimits;
  /** How long clients may take; what is left out has its default. */
  readonly deadlines?: {
    /** What a client may take to send the header of a request. Default 10000 ms. */
    readonly headerMs?: number;
    /** How long nothing may move on a connection that is being answered. Default 60000 ms. */
    readonly stalledMs?: number;
  };
  /** Folder of the page. */
  readonly pageDir: string;
  /** Folder of the client library, `sightline.js`. */
  readonly clientDir: string;
  /** For `POST /offer`. */
  readonly offer: OfferDeps;
  /** WHEP, WHIP and session URLs. */
  readonly wish: WhepDeps & WhipDeps;
  /** For `/ice-servers`. */
  readonly iceServers: IceServersDeps;
  /** For `GET /sessions/:id/report`. */
  readonly reports: ReportDeps;
  /** For `/health`, `/ready`, `/available-videos`, `/connection-stats` and `/active-streams`. */
  readonly state: ObservabilityDeps;
  /** For `/metrics`, which counts the answers of all routes. */
  readonly metrics: MetricsDeps;
  /** Follows requests, for traces. Default: nobody does. */
  readonly requests?: RequestTime | undefined;
  /** For `GET /snapshot/:source.jpg`. */
  readonly snapshots: SnapshotDeps;
  /** For `/models`. */
  readonly models: ModelDeps;
  /** For `/sources`. */
  readonly sources: SourcesDeps;
  /** For `/sources/discover` and `/sources/onvif`. */
  readonly onvif: OnvifDeps;
  /** For `/clients`. */
  readonly clients: ClientsDeps;
  /** For `/uploads`. */
  readonly uploads: UploadsDeps;
  /** For `/zones`. */
  readonly zones: ZonesDeps;
  /** For `/sources/:id/forward`. */
  readonly forwards: ForwardDeps;
  /** For `/recordings`. */
  readonly recordings: RecordingsDeps;
  /** For `/sources/:id/recording`. */
  readonly recordingSettings: RecordingSettingsDeps;
  /** For `/recordings/:source/timeline`, `/search`, thumbnails and clips. */
  readonly looking: {
    readonly timeline: TimelineDeps;
    readonly search: SearchDeps;
    readonly thumbnails: ThumbnailDeps;
    readonly clips: ClipDeps;
  };
  /** For `/walls`. */
  readonly walls: WallsDeps;
  /** For `/events`. */
  readonly events: EventsDeps;
  /** For `/detections`. */
  readonly detections: DetectionsDeps;
  /** `/ws`. */
  readonly rooms: RoomsDoor;
}

/** Bodies that carry no SDP: JSON of a few kilobytes. Routes that take more say so. */
const BODY_LIMIT_BYTES = 64 * 1024;
const HEADER_DEADLINE_MS = 10_000;
/** How often that is looked at; Node does so every 30 s by itself. */
const HEADER_CHECK_MS = 1000;
/** Longer than the heartbeats of what stays open. */
const STALLED_MS = 60_000;
/** An idle connection; longer than proxies keep theirs, so that they are the ones who close them. */
const KEEP_ALIVE_MS = 72_000;

/** Everything on the page comes from this server, and media over WebRTC. */
const PAGE_POLICY =
  "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob: mediastream:; frame-ancestors 'self'; base-uri 'none'; form-action 'self'";

/** Everything that HTTP serves; does not listen yet. Whoever gets it closes it. */
export async function buildApp(deps: AppDeps): Promise<FastifyInstance> {
  const { headerMs = HEADER_DEADLINE_MS, stalledMs = STALLED_MS } = deps.deadlines ?? {};
  const fastify = Fastify({
    loggerInstance: deps.logger,
    bodyLimit: BODY_LIMIT_BYTES,
    http: { headersTimeout: headerMs, connectionsCheckingInterval: Math.min(HEADER_CHECK_MS, headerMs) },
    connectionTimeout: stalledMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    logController: new LogController({ disableRequestLogging: true }),
    // Connections that are open while the server closes end with it: a browser keeps them for minutes.
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 300 },
    frameworkErrors: answerRouterError,
    ...(deps.tls && { serverFactory: overTls(deps.tls, deps.bodies.clock, { headerMs, stalledMs }) }),
    clientErrorHandler: (error, socket) => answerBrokenRequest(error, socket, deps.logger),
  });
  const app = fastify.withTypeProvider<TypeBoxTypeProvider>();
  installErrorHandling(fastify);
  refuseMisspeltMembers(fastify);
  deps.connections.watch(fastify.server);
  installClientAddress(fastify, deps.trustedProxies);
  installExpectations(fastify);
  installBodyLimits(fastify, deps.bodies);
  countAnswers(fastify, deps.metrics);
  deps.requests?.follow(fastify, () => Date.now());
  // JSON alone is understood; anything else is answered 415.
  app.removeContentTypeParser('text/plain');
  app.addHook('onResponse', (request, reply, done) => {
    request.log.debug(
      { method: request.method, url: withoutSecrets(request.url), status: reply.statusCode, ms: reply.elapsedTime },
      'request answered',
    );
    done();
  });

  declareActions(fastify);
  await app.register(cors, {
    origin: deps.corsOrigins.includes('*') ? '*' : [...deps.corsOrigins],
    // What changes the server's settings takes a page of a named origin: any page may watch, not any page may reconfigure.
    methods: ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE', ...(deps.corsOrigins.includes('*') ? [] : ['PUT'])],
    exposedHeaders: [
      'Location',
      'Link',
      'ETag',
      'Accept-Post',
      'Accept-Patch',
      'Retry-After',
      'Upload-Offset',
      'Upload-Length',
      'Upload-Complete',
      'Thumbnail-At',
      'Thumbnail-Pending',
      'Clip-From',
      'Content-Disposition',
    ],
  });
  await app.register(rateLimit, { global: false, keyGenerator: (request) => request.access.countedBy() });
  installGate(fastify, deps.access);
  await installWebSockets(fastify);
  await installReference(fastify, deps.state.version);

  await app.register(loginRoutes, { access: deps.access });
  await app.register(userRoutes, { users: deps.access.users });
  await app.register(offerRoutes, deps.offer);
  await app.register(whepRoutes, deps.wish);
  await app.register(whipRoutes, deps.wish);
  await app.register(sessionUrlRoutes, deps.wish);
  await app.register(iceServerRoutes, deps.iceServers);
  await app.register(reportRoutes, deps.reports);
  await app.register(observabilityRoutes, deps.state);
  await app.register(metricRoutes, deps.metrics);
  await app.register(modelRoutes, deps.models);
  await app.register(sourceRoutes, deps.sources);
  await app.register(zoneRoutes, deps.zones);
  await app.register(forwardRoutes, deps.forwards);
  await app.register(wallRoutes, deps.walls);
  await app.register(onvifRoutes, deps.onvif);
  await app.register(clientRoutes, deps.clients);
  await app.register(uploadRoutes, deps.uploads);
  await app.register(snapshotRoutes, deps.snapshots);
  await app.register(detectionRoutes, deps.detections);
  await app.register(eventRoutes, deps.events);
  await app.register(recordingRoutes, deps.recordings);
  await app.register(recordingSettingsRoutes, deps.recordingSettings);
  await app.register(timelineRoutes, deps.looking.timeline);
  await app.register(searchRoutes, deps.looking.search);
  await app.register(thumbnailRoutes, deps.looking.thumbnails);
  await app.register(clipRoutes, deps.looking.clips);
  await app.register(roomRoutes, { door: deps.rooms });
  const assetsDir = path.join(deps.pageDir, 'assets');
  await app.register(fastifyStatic, {
    root: [deps.pageDir, deps.clientDir],
    // `/publish` is publish.html.
    extensions: ['html'],
    preCompressed: true,
    setHeaders: (reply, file) => {
      // Their names change with what is in them; documents are asked for again each time.
      if (path.dirname(file) === assetsDir) reply.header('cache-control', 'public, max-age=31536000, immutable');
      reply.header('content-security-policy', PAGE_POLICY);
      // Addresses of pages are nobody else's business; to this server a page still says its origin.
      reply.header('referrer-policy', 'same-origin');
      reply.header('x-content-type-options', 'nosniff');
    },
  });
  return fastify;
}

/** With what Fastify gives servers of its own. */
function overTls(
  files: TlsFiles,
  clock: Clock,
  { headerMs, stalledMs }: { readonly headerMs: number; readonly stalledMs: number },
): FastifyServerFactory {
  return (handler) => {
    const server = createTlsServer({ files, clock, headerMs, checkMs: Math.min(HEADER_CHECK_MS, headerMs) }, handler);
    server.keepAliveTimeout = KEEP_ALIVE_MS;
    server.requestTimeout = 0;
    server.timeout = stalledMs;
    return server;
  };
}
