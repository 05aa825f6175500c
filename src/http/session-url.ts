/** The session URL of every session that was opened over HTTP: PATCH for ICE, DELETE to leave. */
import type { FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { MAX_FRAGMENT_BYTES } from '../webrtc/index.js';
import { acceptOnly, FRAGMENT_TYPE, ignoreBodies } from './content-types.js';
import type { HttpSessions } from './http-sessions.js';
import { ErrorSchema } from './schemas.js';
import { installOptions, perMinute, schemaOf } from './wish.js';

/** What session URLs need. */
export interface SessionUrlDeps {
  /** The sessions behind the URLs. */
  readonly httpSessions: HttpSessions;
  /** Requests per minute and address, for each method; 0 is no limit. */
  readonly rateLimit: number;
}

const URL = '/sessions/:id';
const Params = Type.Object({ id: Type.String({ maxLength: 128, description: 'From `Location` or `session_url`' }) });

/** Installs `/sessions/:id`. */
export const sessionUrlRoutes: FastifyPluginCallback<SessionUrlDeps> = (app, { httpSessions, rateLimit }, done) => {
  void app.register((scope, _options, installed) => {
    acceptOnly(scope, FRAGMENT_TYPE, MAX_FRAGMENT_BYTES);
    scope.patch<{ Params: { id: string } }>(
      URL,
      {
        config: { action: 'session', ...perMinute(rateLimit) },
        schema: {
          operationId: 'updateSession',
          summary: 'Add candidates, or restart ICE with new credentials',
          tags: ['media'],
          params: Params,
          headers: Type.Object({
            'if-match': Type.Optional(Type.String({ description: 'The ETag of the session; `"*"` for an ICE restart' })),
          }),
          body: { content: { [FRAGMENT_TYPE]: { schema: Type.String({ maxLength: MAX_FRAGMENT_BYTES, description: 'RFC 8840 §9' }) } } },
          response: {
            200: { description: 'ICE was restarted; `ETag` is the new one', content: { [FRAGMENT_TYPE]: { schema: Type.String() } } },
            204: { type: 'null', description: 'The candidates were taken' },
            '4xx': ErrorSchema,
            '5xx': ErrorSchema,
          },
        },
        validatorCompiler: () => () => true,
        preParsing: (request, _reply, payload, proceed) => {
          httpSessions.find(request.params.id);
          proceed(null, payload);
        },
      },
      async (request, reply) => {
        const fragment = typeof request.body === 'string' ? request.body : '';
        const { restarted, isLenient, clientId } = await httpSessions.patch(request.params.id, {
          fragment,
          ifMatch: request.headers['if-match'],
          access: request.access,
        });
        if (isLenient) request.log.info({ clientId }, 'a PATCH without If-Match is accepted; WHIP_STRICT=on refuses it');
        if (restarted === undefined) return reply.status(204).send();
        return reply.status(200).type(FRAGMENT_TYPE).header('etag', restarted.etag).send(restarted.fragment);
      },
    );
    installed();
  });

  void app.register((scope, _options, installed) => {
    ignoreBodies(scope);
    const read = {
      exposeHeadRoute: false,
      schema: {
        ...schemaOf({ isHidden: false, operationId: 'readSession', summary: 'Whether the session lives', status: 204 }),
        params: Params,
      },
      config: { action: 'session', swagger: { exposeHeadRoute: true } } as const,
      handler: (request: FastifyRequest<{ Params: { id: string } }>, reply: FastifyReply) => {
        httpSessions.find(request.params.id);
        return reply.status(204).send();
      },
    };
    scope.get<{ Params: { id: string } }>(URL, read);
    scope.head<{ Params: { id: string } }>(URL, read);
    installOptions(scope, URL, {
      operationId: 'describeSession',
      summary: 'What the session takes (`Accept-Patch`)',
      methods: ['GET', 'HEAD', 'PATCH', 'DELETE'],
      headers: { 'accept-patch': FRAGMENT_TYPE },
    });
    scope.delete<{ Params: { id: string } }>(
      URL,
      {
        config: { action: 'session', ...perMinute(rateLimit) },
        schema: {
          operationId: 'closeSession',
          summary: 'Leave',
          tags: ['media'],
          params: Params,
          response: {
            200: Type.Object(
              { closed: Type.Literal(true) },
              { title: 'Closed', description: 'The session has ended', examples: [{ closed: true }] },
            ),
            '4xx': ErrorSchema,
          },
        },
      },
      async (request) => {
        await httpSessions.close(request.params.id, request.access);
        return { closed: true as const };
      },
    );
    installed();
  });
  done();
};
