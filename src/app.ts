/** The HTTP side: doors, state, reference and page on one Fastify instance. Does not listen. */
import cors from '@fastify/cors';
import rateLimit from '@fastify/rate-limit';
import fastifyStatic from '@fastify/static';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { observabilityRoutes, type ObservabilityDeps } from './observability/index.js';
import { installErrorHandling, offerRoutes, type OfferDeps } from './signalling/index.js';

export interface AppDeps {
  readonly logger: FastifyBaseLogger;
  /** Origins that may call from a browser; `*` is any. */
  readonly corsOrigins: readonly string[];
  /** Folder of the page. */
  readonly pageDir: string;
  readonly offer: OfferDeps;
  readonly state: ObservabilityDeps;
  /** JPEG still of a source, as wide as asked; throws MediaPeerError. */
  readonly still: (sourceId: string, widthPx: number) => Promise<Buffer>;
}

/** An offer is at most 256 KiB of SDP; JSON escapes make it a little longer. */
const BODY_LIMIT_BYTES = 512 * 1024;

/** Still pictures a minute and address: a page of sources is loaded several times; each costs a run of ffmpeg. */
const STILLS_PER_MINUTE = 240;

/** Everything on the page comes from this server, and media over WebRTC. */
const PAGE_POLICY = "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob: mediastream:; frame-ancestors 'self'";

export async function buildApp(deps: AppDeps): Promise<FastifyInstance> {
  const fastify = Fastify({
    loggerInstance: deps.logger,
    bodyLimit: BODY_LIMIT_BYTES,
    logController: new LogController({ disableRequestLogging: true }),
    // Connections that are open while the server closes end with it: a browser keeps them for minutes.
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 300 },
  });
  const app = fastify.withTypeProvider<TypeBoxTypeProvider>();
  installErrorHandling(fastify);
  // JSON alone is understood; anything else is answered 415.
  app.removeContentTypeParser('text/plain');
  app.addHook('onResponse', (request, reply, done) => {
    request.log.debug({ method: request.method, url: request.url, status: reply.statusCode, ms: reply.elapsedTime }, 'request answered');
    done();
  });

  await app.register(cors, {
    origin: deps.corsOrigins.includes('*') ? '*' : [...deps.corsOrigins],
    methods: ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'],
    exposedHeaders: ['Location', 'Link', 'ETag', 'Retry-After'],
  });
  await app.register(rateLimit, { global: false });
  await app.register(swagger, {
    openapi: {
      info: { title: 'Sightline', version: deps.state.version, description: 'A WebRTC media peer that sees: recorded videos to any WebRTC client, raw and with detected objects drawn in.' },
      tags: [
        { name: 'media', description: 'Watching' },
        { name: 'state', description: 'Sources, sessions and health' },
      ],
    },
  });
  await app.register(swaggerUi, { routePrefix: '/docs' });
  app.get('/openapi.json', { schema: { hide: true } }, () => fastify.swagger());

  await app.register(offerRoutes, deps.offer);
  await app.register(observabilityRoutes, deps.state);
  app.get(
    '/snapshot/:file',
    {
      config: { rateLimit: { max: STILLS_PER_MINUTE, timeWindow: 60_000 } },
      schema: {
        summary: 'A still picture of a source',
        tags: ['state'],
        params: Type.Object({ file: Type.String({ pattern: '^[^/]+\\.jpg$', description: 'Source and `.jpg`: `demo.jpg`' }) }),
        querystring: Type.Object({ width: Type.Integer({ minimum: 16, maximum: 1920, default: 640, description: 'Pixels' }) }),
      },
    },
    async (request, reply) => {
      const picture = await deps.still(request.params.file.slice(0, -'.jpg'.length), request.query.width);
      return reply.type('image/jpeg').header('cache-control', 'max-age=60').send(picture);
    },
  );
  await app.register(fastifyStatic, {
    root: deps.pageDir,
    setHeaders: (reply) => void reply.header('content-security-policy', PAGE_POLICY),
  });
  return fastify;
}
