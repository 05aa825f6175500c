/**
 * What the endpoints of WHEP and WHIP have in common: the offer comes as `application/sdp`, the answer goes with a session
 * URL; GET, HEAD and OPTIONS tell a client what it has found.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteShorthandOptions } from 'fastify';
import { Type } from 'typebox';
import type { HeldRights } from '../access/index.js';
import { MediaPeerError } from '../base/errors.js';
import { MAX_SDP_BYTES, type Door, type IceServer, type OpenedSession } from '../webrtc/index.js';
import { acceptOnly, FRAGMENT_TYPE, ignoreBodies, SDP_TYPE } from './content-types.js';
import { iceServerLinks } from './ice-server-links.js';
import type { HttpSessions } from './http-sessions.js';
import { ErrorSchema } from './schemas.js';
import { whenGone } from './gone-client.js';

/** What the endpoints of WHEP and WHIP need alike. */
export interface WishDeps {
  /** Keeps the session URLs. */
  readonly httpSessions: HttpSessions;
  /** What a client is told of; with credentials for it where they are made for each. */
  readonly iceServers: (clientId?: string) => readonly IceServer[];
  /** Requests per minute and address, for each method; 0 is no limit. */
  readonly rateLimit: number;
}

/** One endpoint. */
export interface Endpoint {
  /** With `:source` or `:room`. */
  readonly url: string;
  /** What the endpoint is for. */
  readonly door: Door;
  /** One sentence for the API reference. */
  readonly summary: string;
  /** Names its operations in the API reference: `WhepSession` gives `openWhepSession`. */
  readonly operations: string;
  /** The right that it takes. */
  readonly action: 'watch' | 'publish';
  /** Opens a session for an offer. @throws MediaPeerError */
  open(offer: EndpointOffer): Promise<OpenedSession>;
}

/** What comes with a POST to an endpoint. */
interface EndpointOffer {
  /** Of the source, or the room. */
  readonly name: string;
  /** The offer, as it came. */
  readonly sdp: string;
  /** By which the client is counted. */
  readonly address: string;
  /** True where the client has shown who it is. */
  readonly hasCredentials: boolean;
  /** What the session goes on with. */
  readonly rights: HeldRights;
  /** What was recorded, from then on, UTC in ms; undefined: the present. */
  readonly atMs: number | undefined;
  /** Id of the session that the client had before, where it names one. */
  readonly replaces: string | undefined;
}

/** Request header with the session URL that a returning client had before: who knows it is that client. */
const REPLACES = 'sightline-replaces';

/** Seconds that a browser may remember the answer to a preflight: a page that watches again asks no second time. */
const PREFLIGHT_MAX_AGE_S = 600;

/** Rate limit of a route, in requests per minute and address; 0 is no limit. */
export function perMinute(rateLimit: number): { rateLimit: false | { max: number; timeWindow: number } } {
  return { rateLimit: rateLimit > 0 ? { max: rateLimit, timeWindow: 60_000 } : false };
}

/** Installs POST, GET, HEAD and OPTIONS of an endpoint, with and without a slash at its end. */
export function installEndpoint(app: FastifyInstance, endpoint: Endpoint, deps: WishDeps): void {
  for (const url of [endpoint.url, `${endpoint.url}/`]) {
    const isHidden = url !== endpoint.url;
    void app.register((scope, _options, done) => {
      acceptOnly(scope, SDP_TYPE, MAX_SDP_BYTES);
      installPost(scope, url, isHidden, endpoint, deps);
      done();
    });
    void app.register((scope, _options, done) => {
      ignoreBodies(scope);
      const described = (status: number, summary: string) => ({
        schema: schemaOf({ isHidden, operationId: `read${endpoint.operations}`, summary, status }),
        config: { action: 'public', swagger: { exposeHeadRoute: true } } as const,
      });
      const head = described(200, 'Whether this is an endpoint; the content type is that of an offer');
      scope.head(url, head, (_request, reply) => reply.type(SDP_TYPE).send());
      const get = { ...described(204, 'As HEAD: there is nothing to read here'), exposeHeadRoute: false };
      scope.get(url, get, (_request, reply) => reply.status(204).type(SDP_TYPE).send());
      installOptions(scope, url, {
        isHidden,
        operationId: `describe${endpoint.operations}`,
        summary: 'What can be posted (`Accept-Post`), and ICE servers (`Link`) for those who may come in',
        methods: ['GET', 'HEAD', 'POST'],
        headers: { 'accept-post': SDP_TYPE },
        // Some clients must know their ICE servers before they make an offer. Who may not watch or publish gets none.
        describe: async (request, reply) => {
          if (await mayOpen(endpoint, request)) addLinks(reply, deps.iceServers(await request.access.turnUser(undefined)));
        },
        // What it tells depends on the token.
        rateLimit: deps.rateLimit,
      });
      done();
    });
  }
}

/** What OPTIONS of a URL says. */
export interface Offered {
  /** Default: it stands in `/openapi.json`. */
  readonly isHidden?: boolean;
  /** Its name in the API reference. */
  readonly operationId: string;
  /** What the URL is, in one sentence. */
  readonly summary: string;
  /** HTTP methods that the URL takes. */
  readonly methods: readonly string[];
  /** Sent in any case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Adds what preflights do not get. */
  readonly describe?: (request: FastifyRequest, reply: FastifyReply) => Promise<void>;
  /** Requests per minute and address that are no preflights. Default 0: no limit. */
  readonly rateLimit?: number;
}

/** Installs OPTIONS: preflights (Fetch) get what the CORS plugin adds, any other request what `describe` does. */
export function installOptions(
  app: FastifyInstance,
  url: string,
  { isHidden = false, operationId, summary, methods, headers, describe, rateLimit = 0 }: Offered,
): void {
  const limited = perMinute(rateLimit).rateLimit;
  const options = {
    schema: schemaOf({ isHidden, operationId, summary, status: 200 }),
    config: {
      action: 'public',
      rateLimit: limited && { ...limited, allowList: isPreflight },
      cors: { methods: [...methods], preflightContinue: true, strictPreflight: false, maxAge: PREFLIGHT_MAX_AGE_S },
    },
  };
  app.options(url, options as RouteShorthandOptions, async (request, reply) => {
    reply.headers({ ...headers, allow: [...methods, 'OPTIONS'].join(', '), 'content-length': '0' });
    if (isPreflight(request)) return reply.status(204).send();
    await describe?.(request, reply);
    return reply.status(200).send();
  });
}

/** What the API reference says of a route that answers without content. */
export interface Described {
  /** True for a route that is the same as another one. */
  readonly isHidden: boolean;
  /** Unique. */
  readonly operationId: string;
  /** One sentence. */
  readonly summary: string;
  /** Of its answer. */
  readonly status: number;
}

/** Of a route that answers without content. */
export function schemaOf({ isHidden, operationId, summary, status }: Described) {
  return {
    hide: isHidden,
    operationId,
    summary,
    tags: ['media'],
    response: { [status]: { type: 'null', description: 'Without content' }, '4xx': ErrorSchema },
  };
}

function isPreflight({ headers }: FastifyRequest): boolean {
  return headers['access-control-request-method'] !== undefined;
}

function installPost(app: FastifyInstance, url: string, isHidden: boolean, endpoint: Endpoint, deps: WishDeps): void {
  const { httpSessions, iceServers, rateLimit } = deps;
  app.post(
    url,
    {
      config: { action: endpoint.action, sourceOf: nameOf, ...perMinute(rateLimit) },
      schema: {
        hide: isHidden,
        operationId: `open${endpoint.operations}`,
        summary: endpoint.summary,
        tags: ['media'],
        body: {
          content: {
            [SDP_TYPE]: {
              schema: Type.String({
                maxLength: MAX_SDP_BYTES,
                description: 'The offer. Candidates may follow by PATCH on the session URL',
              }),
            },
          },
        },
        response: {
          201: {
            description: 'The answer. `Location`: the session URL; `ETag`: of its ICE session; `Link` rel="ice-server"',
            content: { [SDP_TYPE]: { schema: Type.String() } },
          },
          '4xx': ErrorSchema,
          '5xx': ErrorSchema,
        },
      },
      // The body is a text, and an empty one is no SDP.
      validatorCompiler: () => () => true,
    },
    async (request, reply) => {
      const offer = typeof request.body === 'string' ? request.body : '';
      const name = nameOf(request);
      const { clientAddress: address, access } = request;
      const rights = await access.heldRights(endpoint.action === 'watch' ? [name] : []);
      const atMs = endpoint.action === 'watch' ? askedTime(request) : undefined;
      if (atMs !== undefined) await access.demand('playback', { source: name });
      const opened = await endpoint.open({
        name,
        atMs,
        sdp: offer,
        address,
        hasCredentials: rights.wasShown,
        rights,
        replaces: replacedBy(request),
      });
      const { location, etag } = httpSessions.opened(opened, { door: endpoint.door, offer, action: endpoint.action, rights });
      await whenGone(reply, () => httpSessions.abandon(opened.sessionId));
      if (await access.may('ice', 'some')) addLinks(reply, iceServers((await access.turnUser(undefined)) ?? opened.clientId));
      return reply.status(201).type(SDP_TYPE).headers({ location, etag, 'accept-patch': FRAGMENT_TYPE }).send(opened.sdp);
    },
  );
}

/** `?at=` in Unix seconds. @throws MediaPeerError QUERY_INVALID */
function askedTime({ query }: FastifyRequest): number | undefined {
  const { at } = query as Readonly<Record<string, unknown>>;
  if (at === undefined) return undefined;
  const seconds = typeof at === 'string' && /^\d{1,13}(\.\d{1,9})?$/.test(at) ? Number(at) : NaN;
  if (Number.isNaN(seconds))
    throw new MediaPeerError(
      'QUERY_INVALID',
      'at is not a time: expected Unix seconds, such as at=1764500000.5; leave it out for the present',
    );
  return seconds * 1000;
}

function replacedBy({ headers }: FastifyRequest): string | undefined {
  const url = headers[REPLACES];
  return typeof url === 'string' ? /\/sessions\/([\w-]{1,128})$/.exec(url)?.[1] : undefined;
}

async function mayOpen(endpoint: Endpoint, request: FastifyRequest): Promise<boolean> {
  try {
    return (await request.access.may(endpoint.action, { source: nameOf(request) })) && (await request.access.may('ice', 'some'));
  } catch (error) {
    if (error instanceof MediaPeerError && error.code === 'UNAUTHORIZED') return false;
    throw error;
  }
}

/** The one parameter of an endpoint's URL. */
function nameOf(request: FastifyRequest): string {
  return Object.values(request.params as Record<string, string>)[0] ?? '';
}

function addLinks(reply: FastifyReply, servers: readonly IceServer[]): void {
  const links = iceServerLinks(servers);
  if (links.length > 0) reply.header('link', links);
}
