/** `/users`: who may do what, changed while the server runs. A token is shown once, when it is made; hashes never. */
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type, type Static } from 'typebox';
import { Check, Errors } from 'typebox/value';
import {
  MAX_PASSWORD_CHARS,
  MIN_PASSWORD_CHARS,
  USER_NAME,
  UserActions,
  UserSources,
  type Precondition,
  type ShownUser,
  type UserChange,
  type UserManager,
} from '../access/index.js';
import { isAddressRange } from '../base/address-ranges.js';
import { MediaPeerError } from '../base/errors.js';
import { entityTag, matchTag } from './entity-tags.js';
import { ErrorSchema } from './schemas.js';

/** What the routes of users need. */
export interface UsersDeps {
  /** Reads and changes them. */
  readonly users: UserManager;
}

const Params = Type.Object({ name: Type.String({ pattern: USER_NAME, maxLength: 64, description: '1 to 64 of `A-Z a-z 0-9 . _ @ -`' }) });
const EXAMPLE = {
  name: 'alice',
  origin: 'api',
  actions: ['watch', 'data', 'ice'],
  sources: ['gate-*'],
  addresses: [],
  has_password: false,
  has_token: true,
} as const;
const User = Type.Object(
  {
    name: Type.String(),
    origin: Type.Enum(['file', 'api'], { description: '`file`: of AUTH_FILE, where it is changed' }),
    actions: Type.Array(Type.String(), { description: 'Rights; `all`: every one' }),
    sources: Type.Array(Type.String(), { description: 'Names and globs' }),
    addresses: Type.Array(Type.String(), { description: 'IP addresses and CIDRs from where it may come; none: from anywhere' }),
    has_password: Type.Boolean(),
    has_token: Type.Boolean(),
  },
  { title: 'User', description: 'Somebody who may use this server', examples: [EXAMPLE] },
);
const ChangedUser = Type.Object(
  { ...User.properties, token: Type.Optional(Type.String({ description: 'The new token: it is shown this once' })) },
  {
    title: 'ChangedUser',
    description: 'The user as it is now',
    examples: [{ ...EXAMPLE, token: 'tlf4Yc3TtM2xJt1yBv7uWq0eKd9sHn6pGa5rZo8iCbE' }],
  },
);
const UserList = Type.Object(
  { users: Type.Array(Type.Object(User.properties)) },
  { title: 'Users', description: 'By name', examples: [{ users: [EXAMPLE] }] },
);
const Body = Type.Object(
  {
    actions: UserActions,
    sources: Type.Optional(UserSources),
    addresses: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { maxItems: 1000 })),
    password: Type.Optional(
      Type.Union([Type.String({ minLength: MIN_PASSWORD_CHARS, maxLength: MAX_PASSWORD_CHARS }), Type.Null()], {
        description: 'Null: none any more. Left out: as it was',
      }),
    ),
    token: Type.Optional(
      Type.Union([Type.Literal('new'), Type.Null()], {
        description: '`new`: the server makes another one, and tells it once. Null: none any more. Left out: as it was',
      }),
    ),
  },
  {
    title: 'UserChange',
    additionalProperties: false,
    description: 'What is left out of `sources` and `addresses` is every one',
    examples: [{ actions: ['watch', 'data', 'ice'], sources: ['gate-*'], token: 'new' }],
  },
);

/** `GET /users`, and `GET`, `PUT` and `DELETE /users/:name`. */
export const userRoutes: FastifyPluginCallbackTypebox<UsersDeps> = (app, { users }, done) => {
  const config = { action: 'admin' } as const;
  const shared = (operationId: string, summary: string) => ({ operationId, summary, tags: ['access'] });
  const refusals = { '4xx': ErrorSchema, '5xx': ErrorSchema };

  app.get(
    '/users',
    { config, schema: { ...shared('listUsers', 'Who may use this server'), response: { 200: UserList, ...refusals } } },
    () => ({
      users: users.list().map(json),
    }),
  );

  app.get(
    '/users/:name',
    {
      config,
      schema: {
        ...shared('readUser', 'One of them, with the `ETag` of its version'),
        params: Params,
        response: { 200: User, ...refusals },
      },
    },
    (request, reply) => {
      const user = users.get(request.params.name);
      tagged(reply, user);
      return json(user);
    },
  );

  app.put(
    '/users/:name',
    {
      config,
      schema: {
        ...shared('putUser', 'Make a user, or change one; `If-Match` and `If-None-Match: *` are heeded'),
        params: Params,
        body: Type.Unsafe<unknown>(Body),
        response: { 200: ChangedUser, 201: ChangedUser, ...refusals },
      },
      // The framework would leave out what it does not know: a misspelt limit would be none.
      validatorCompiler: () => () => true,
    },
    async (request, reply) => {
      const { user, token, isNew } = await users.put(nameOf(request.params), readChange(request.body), preconditionOf(request));
      request.log.info(
        { user: user.name, isNew, actions: user.actions, sources: user.sources, hasNewToken: token !== undefined },
        'user changed',
      );
      tagged(reply, user).status(isNew ? 201 : 200);
      return { ...json(user), ...(token !== undefined && { token }) };
    },
  );

  app.delete(
    '/users/:name',
    {
      config,
      schema: {
        ...shared('removeUser', 'Remove a user; its sessions end within 2 s'),
        params: Params,
        response: { 204: Type.Null({ description: 'It is gone' }), ...refusals },
      },
    },
    async (request, reply) => {
      await users.remove(request.params.name, preconditionOf(request));
      request.log.info({ user: request.params.name }, 'user removed');
      return reply.status(204).send(null);
    },
  );
  done();
};

function tagged(reply: FastifyReply, { version }: ShownUser): FastifyReply {
  return reply.header('etag', entityTag(version));
}

function json({ name, origin, actions, sources, addresses, hasPassword, hasToken }: ShownUser): Static<typeof User> {
  return { name, origin, actions, sources: [...sources], addresses: [...addresses], has_password: hasPassword, has_token: hasToken };
}

function nameOf(params: { readonly name: string }): string {
  if (!Check(Params, params)) throw new MediaPeerError('QUERY_INVALID', 'the name of a user is 1 to 64 of A-Z a-z 0-9 . _ @ -');
  return params.name;
}

/** @throws MediaPeerError USER_INVALID with all faults */
function readChange(body: unknown): UserChange {
  const faults = Check(Body, body)
    ? (body.addresses ?? []).flatMap((address, i) =>
        isAddressRange(address) ? [] : [{ path: `/addresses/${i}`, code: 'format', text: 'is no IP address or CIDR, such as 10.0.0.0/8' }],
      )
    : [...Errors(Body, body)].map(({ instancePath, keyword, message }) => ({ path: instancePath, code: keyword, text: message }));
  if (faults.length === 0) return body as UserChange;
  // What was sent may be a password: only where the faults are is said.
  const words = faults.map(({ path, text }) => `${path === '' ? 'the body' : path} ${text}`);
  throw new MediaPeerError('USER_INVALID', `the user cannot be as it was sent: ${words.join('; ')}`, {
    facts: { faults: faults.map(({ path, code }) => ({ path, code })) },
  });
}

/** What `If-Match` and `If-None-Match: *` ask for (RFC 9110 §13.1). */
function preconditionOf({ headers }: FastifyRequest): Precondition {
  return (before) => {
    const match = before ? matchTag(headers['if-match'], before.version) : headers['if-match'] === undefined ? 'absent' : 'other';
    if (match === 'other')
      throw new MediaPeerError(
        'PRECONDITION_FAILED',
        'the user has been changed meanwhile, or is gone: read it again, and send its ETag as If-Match',
      );
    if (before && headers['if-none-match']?.trim() === '*')
      throw new MediaPeerError('PRECONDITION_FAILED', `there is a user '${before.name}' already: leave out If-None-Match to change it`);
  };
}
