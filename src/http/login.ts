/**
 * `POST /login` and `/logout`: logins of browsers, by a cookie that no script reads. `GET /login`: who asks, and what they may do.
 * `POST /signed-urls`: what sends no headers has addresses instead.
 */
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { GRANTABLE, MAX_PASSWORD_CHARS, isAmbient, type Access } from '../access/index.js';
import { setCookie } from './login-cookie.js';
import { ErrorSchema, nullable } from './schemas.js';
import { perMinute } from './wish.js';

/** What logins need. */
export interface LoginDeps {
  /** Who may log in. */
  readonly access: Access;
}

/** A minute and address; wrong ones have a bound of their own, which is lower. */
const LOGINS_PER_MINUTE = 60;
const QUESTIONS_PER_MINUTE = 240;
const SIGNATURES_PER_MINUTE = 240;
/** A page of pictures asks for all of them at once. */
const MAX_SIGNED = 200;

const ByToken = Type.Object({
  token: Type.String({ minLength: 1, maxLength: 8192, description: 'Any token that is taken as a bearer token' }),
});
const ByPassword = Type.Object({
  user: Type.String({ minLength: 1, maxLength: 64, description: 'Name of a user with a password' }),
  password: Type.String({ minLength: 1, maxLength: MAX_PASSWORD_CHARS }),
});
const LoginBody = Type.Union([ByPassword, ByToken], { title: 'Login', examples: [{ user: 'alice', password: 'correct horse battery' }] });

const LoginAnswer = Type.Object(
  {
    user: Type.String({ description: 'Who that is: a user, the subject of a JSON Web Token, or the variable of a token' }),
    actions: Type.Array(Type.Enum([...GRANTABLE]), { description: 'Rights for one source at least' }),
    expires_at: Type.Integer({ description: 'When the login ends at the latest, Unix seconds' }),
  },
  {
    title: 'LoggedIn',
    description: 'The cookie is set',
    examples: [{ user: 'alice', actions: ['watch', 'data', 'ice'], expires_at: 1796475991 }],
  },
);

const HolderQuery = Type.Object({
  source: Type.Optional(
    Type.String({ minLength: 1, maxLength: 255, description: 'Rights for this source alone, whether or not there is one' }),
  ),
});
const HolderAnswer = Type.Object(
  {
    user: nullable(
      Type.String(),
      'As in `POST /login`; null: nobody in particular, who may do what everybody may, or what this machine may',
    ),
    actions: Type.Array(Type.Enum([...GRANTABLE]), { description: 'Rights for that source; where none is named, for one at least' }),
    everywhere: Type.Array(Type.Enum([...GRANTABLE]), { description: 'Those of them for all sources that there are and will be' }),
    expires_at: Type.Optional(
      Type.Integer({ description: 'When the login of this browser ends at the latest, Unix seconds; left out: it has none' }),
    ),
  },
  {
    title: 'Holder',
    description: 'Who asks, and what they may do',
    examples: [{ user: 'alice', actions: ['watch', 'data', 'ice'], everywhere: ['ice'], expires_at: 1796475991 }],
  },
);

const SignBody = Type.Object(
  {
    paths: Type.Array(Type.String({ pattern: '^/[^/\\\\]', maxLength: 2048 }), {
      minItems: 1,
      maxItems: MAX_SIGNED,
      description: 'Paths of this server, with their queries',
    }),
  },
  { title: 'Paths', examples: [{ paths: ['/snapshot/demo.jpg?width=480'] }] },
);
const Signed = Type.Object(
  {
    urls: Type.Array(Type.String(), { description: 'In the order of the paths; without a token or a login as they were' }),
    expires_at: Type.Integer({
      description: 'Until when they may be opened, Unix seconds. What is open then goes on as long as the right does',
    }),
  },
  {
    title: 'SignedUrls',
    description: 'Addresses for pages that send no headers',
    examples: [{ urls: ['/snapshot/demo.jpg?width=480&signature=fJ3...'], expires_at: 1795266451 }],
  },
);

/** `GET` and `POST /login`, `POST /logout`, `POST /signed-urls`. */
export const loginRoutes: FastifyPluginCallbackTypebox<LoginDeps> = (app, { access }, done) => {
  app.get(
    '/login',
    {
      config: { action: 'public', ...perMinute(QUESTIONS_PER_MINUTE) },
      schema: {
        operationId: 'readLogin',
        summary: 'Who asks, by token, login or neither, and what they may do',
        tags: ['access'],
        querystring: HolderQuery,
        response: { 200: HolderAnswer, '4xx': ErrorSchema, '5xx': ErrorSchema },
      },
    },
    async (request, reply) => {
      const { source } = request.query;
      const { approach } = request.access;
      const principal = await request.access.principal();
      const actions = await access.rightsOf(principal, source === undefined ? 'some' : { source });
      const everywhere = await access.rightsOf(principal, 'every');
      const isNobody = isAmbient(principal) || principal.decider?.isKnown === false;
      const untilS = isNobody ? undefined : access.logins.endOf(approach);
      reply.header('cache-control', 'no-store');
      return { user: isNobody ? null : principal.name, actions, everywhere, ...(untilS !== undefined && { expires_at: untilS }) };
    },
  );

  app.post(
    '/login',
    {
      config: { action: 'public', ...perMinute(LOGINS_PER_MINUTE) },
      schema: {
        operationId: 'logIn',
        summary: 'Log a browser in, by a password or a token; the cookie lasts LOGIN_TTL',
        tags: ['access'],
        body: LoginBody,
        response: { 200: LoginAnswer, '4xx': ErrorSchema, '5xx': ErrorSchema },
      },
    },
    async (request, reply) => {
      const { sealed, lifeS, untilS, principal } = await access.logIn(request.access.approach, request.body);
      sendCookie({ access, request, reply }, sealed, lifeS);
      return {
        user: principal.name,
        actions: await access.rightsOf(principal),
        expires_at: untilS,
      };
    },
  );

  app.post(
    '/logout',
    {
      config: { action: 'public', ...perMinute(LOGINS_PER_MINUTE) },
      schema: {
        operationId: 'logOut',
        summary: 'End the login of this browser, and what goes on by it; without one nothing happens',
        tags: ['access'],
        response: { 204: Type.Null({ description: 'There is no login any more' }), '4xx': ErrorSchema },
      },
    },
    async (request, reply) => {
      await access.logOut(request.access.approach);
      sendCookie({ access, request, reply }, '', 0);
      return reply.status(204).send(null);
    },
  );

  app.post(
    '/signed-urls',
    {
      config: { action: 'data', ...perMinute(SIGNATURES_PER_MINUTE) },
      schema: {
        operationId: 'signUrls',
        summary: 'Addresses for pictures and event streams, which browsers ask for without headers: good for 60 s',
        tags: ['access'],
        body: SignBody,
        response: { 200: Signed, '4xx': ErrorSchema, '5xx': ErrorSchema },
      },
    },
    (request) => {
      const { urls, untilS } = access.logins.sign(request.access.approach, request.body.paths);
      return { urls, expires_at: untilS };
    },
  );
  done();
};

interface Exchange {
  readonly access: Access;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

function sendCookie({ access, request, reply }: Exchange, value: string, maxAgeS: number): void {
  const { isSecure } = request;
  // No cache between here and the browser keeps it.
  reply
    .header('set-cookie', setCookie({ name: access.logins.cookieName(isSecure), value, maxAgeS, isSecure }))
    .header('cache-control', 'no-store');
}
