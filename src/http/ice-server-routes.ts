/** `/ice-servers`: which STUN and TURN servers a client is told of, and which it hands in for its own next connection. */
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type, type Static } from 'typebox';
import type { IceServer } from '../webrtc/index.js';
import { guestId, KEPT_MS, type IceServers } from './ice-servers.js';
import { ErrorSchema } from './schemas.js';
import { perMinute } from './wish.js';

/** What `/ice-servers` needs. */
export interface IceServersDeps {
  /** The servers that are told and handed in. */
  readonly iceServers: IceServers;
  /** Requests per minute and address; 0 is no limit. */
  readonly rateLimit: number;
}

const ClientId = Type.String({ pattern: '^[A-Za-z0-9._-]{1,64}$' });
const Text = Type.String({ maxLength: 512 });

const IceServerSchema = Type.Object({
  urls: Type.Array(Text),
  username: Type.Optional(Type.String()),
  credential: Type.Optional(Type.String()),
  credential_type: Type.Optional(Type.String({ description: 'Always `password`' })),
});

const IceServerList = Type.Object(
  {
    ice_servers: Type.Array(IceServerSchema),
    ttl_s: Type.Integer({ description: 'Seconds that the credentials are valid for' }),
  },
  {
    title: 'IceServers',
    description: 'ICE servers, as RTCPeerConnection takes them',
    examples: [
      {
        ice_servers: [
          { urls: ['turn:turn.example.com'], username: '1795266391:drone-1', credential: 'Zm9v...', credential_type: 'password' },
        ],
        ttl_s: 3600,
      },
    ],
  },
);

const HandedIn = Type.Object(
  {
    client_id: Type.Optional(ClientId),
    ice_servers: Type.Array(
      Type.Object({
        urls: Type.Union([Text, Type.Array(Text, { minItems: 1, maxItems: 4 })]),
        username: Type.Optional(Text),
        credential: Type.Optional(Text),
      }),
      { maxItems: 4 },
    ),
  },
  {
    title: 'ProvidedIceServers',
    examples: [{ client_id: 'drone-1', ice_servers: [{ urls: 'turn:turn.example.com', username: 'drone', credential: 's3cret' }] }],
  },
);

const Accepted = Type.Object(
  {
    client_id: Type.String({ description: 'Use it in the offer' }),
    ice_servers: Type.Array(Type.Object({ urls: Type.Array(Type.String()), username: Type.Optional(Type.String()) }), {
      description: 'What was accepted; credentials are not repeated',
    }),
    ttl_s: Type.Integer({ description: 'Seconds that they are kept for' }),
  },
  {
    title: 'AcceptedIceServers',
    description: 'What was accepted',
    examples: [{ client_id: 'drone-1', ice_servers: [{ urls: ['turn:turn.example.com'], username: 'drone' }], ttl_s: 60 }],
  },
);

/** A server as clients are told of it. */
export function iceServerJson({ urls, username, credential }: IceServer): Static<typeof IceServerSchema> {
  return {
    urls: [...urls],
    ...(username !== undefined && credential !== undefined && { username, credential, credential_type: 'password' }),
  };
}

/** Installs `GET /ice-servers` and `POST /ice-servers`. */
export const iceServerRoutes: FastifyPluginCallbackTypebox<IceServersDeps> = (app, { iceServers, rateLimit }, done) => {
  const config = { action: 'ice', ...perMinute(rateLimit) } as const;

  app.get(
    '/ice-servers',
    {
      config,
      schema: {
        operationId: 'listIceServers',
        summary: 'STUN and TURN servers for a client, with credentials that expire',
        tags: ['media'],
        querystring: Type.Object({ client_id: Type.Optional(ClientId) }),
        response: { 200: IceServerList, '4xx': ErrorSchema },
      },
    },
    async (request, reply) => {
      reply.header('cache-control', 'no-store');
      const user = await request.access.turnUser(request.query.client_id);
      return { ice_servers: iceServers.iceServers(user).map(iceServerJson), ttl_s: iceServers.ttlS };
    },
  );

  app.post(
    '/ice-servers',
    {
      config,
      schema: {
        operationId: 'provideIceServers',
        summary: "ICE servers that this server uses for one client's next connection; kept for 60 s",
        tags: ['media'],
        body: HandedIn,
        response: { 200: Accepted, '4xx': ErrorSchema },
      },
    },
    (request) => {
      const { client_id: clientId = guestId(), ice_servers: handedIn } = request.body;
      const servers = handedIn.map(({ urls, ...server }) => ({ ...server, urls: typeof urls === 'string' ? [urls] : urls }));
      iceServers.keep(clientId, servers);
      return {
        client_id: clientId,
        ice_servers: servers.map(({ urls, username }) => ({ urls, ...(username !== undefined && { username }) })),
        ttl_s: KEPT_MS / 1000,
      };
    },
  );

  done();
};
