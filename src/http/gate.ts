/**
 * The gate at every route: each one declares what it asks for, and nobody gets further who may not do that. It stands before
 * the body is read. A route that declares nothing does not exist: the server does not start with it.
 */
import assert from 'node:assert/strict';
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import type { MediaPeerError } from '../base/errors.js';
import { fingerprint } from '../base/secret.js';
import { cookieValue } from './login-cookie.js';
import {
  HeldRights,
  idOf,
  isAmbient,
  isForwardingHeader,
  turnUserOf,
  type Access,
  type Action,
  type Approach,
  type Principal,
  type Protocol,
  type Right,
  type Scope,
} from '../access/index.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the route asks for. */
    action?: Action;
    /** Name of the source that it is about. Left out: `admin` and `metrics` are about all sources, others about any. */
    sourceOf?: (request: FastifyRequest) => string;
    /** Name of the source that it has added, to be written down. */
    added?: (request: FastifyRequest) => string;
    /** Takes a signed address, and a bearer token in the query: browsers send no headers for pictures and event streams. */
    takesTokenInQuery?: boolean;
  }
  interface FastifyRequest {
    /** Who asks, and what they may do. */
    access: RequestAccess;
  }
}

/** Routes of plugins, which declare nothing: pages, the API reference, preflights. */
const OF_PLUGINS = /^(\/docs(\/.*)?|\/?\*|\/)$/;
/** What is about all sources where no one is named. */
const ABOUT_ALL: ReadonlySet<Action> = new Set(['admin', 'metrics']);

/** What was changed by a request. */
interface Change {
  readonly action: Action;
  /** Undefined where it is about no single source. */
  readonly source: string | undefined;
  /** `PUT /sources/:id/zones` */
  readonly route: string;
}

/** Who asks, and what they may do. Whoever shows nothing is looked at only when somebody wants to know. */
export class RequestAccess {
  /** How the request came. */
  readonly approach: Approach;
  readonly #access: Access;
  readonly #asked: { readonly action: Action; readonly source: string | undefined };
  #principal: Promise<Principal> | undefined;

  /** @param asked what the route asks for, for the log */
  constructor(access: Access, approach: Approach, asked: { readonly action: Action; readonly source: string | undefined }) {
    this.#access = access;
    this.approach = approach;
    this.#asked = asked;
  }

  /** True where a token was shown. */
  get hasCredentials(): boolean {
    return this.approach.token !== undefined;
  }

  /** @throws MediaPeerError UNAUTHORIZED, TOO_MANY_REQUESTS for a token of nobody */
  principal(): Promise<Principal> {
    this.#principal ??= this.#access.identify(this.approach, this.#asked);
    return this.#principal;
  }

  /**
   * What their requests are counted by: the address, and who it is that shows a token that holds. So whoever shows none uses up
   * nothing of those who share the address, and those who share a token nothing of each other.
   */
  async countedBy(): Promise<string> {
    const { address, login, signature } = this.approach;
    if (!this.hasCredentials && login === undefined && signature === undefined) return address;
    // The gate, which comes next, refuses a token of nobody.
    const principal = await this.principal().catch(() => undefined);
    // Nor has one that AUTH_URL has not said yes to.
    const isSomebody = principal && !isAmbient(principal) && principal.decider?.isKnown !== false;
    return isSomebody ? `${address} ${principal.kind} ${principal.name}` : address;
  }

  /** Whether they may do that. @throws MediaPeerError as `principal` */
  async may(action: Action, scope?: Scope): Promise<boolean> {
    return this.#access.may(await this.principal(), action, scope);
  }

  /** Lets them do that. @throws MediaPeerError as `principal`; FORBIDDEN, SOURCE_NOT_FOUND */
  async demand(action: Action, scope?: Scope): Promise<void> {
    await this.#access.admit(this.approach, action, scope, this.principal());
  }

  /** Writes down that they changed something. */
  async noteChange({ action, source, route }: Change): Promise<void> {
    const who = idOf(await this.principal());
    this.#access.audit.changed({ who, address: this.approach.address, action, source }, route);
  }

  /** The rights that a session of theirs goes on with. @param sources that it is to be sent, with what is detected in them */
  async heldRights(sources: readonly string[] = []): Promise<HeldRights> {
    const rights = new HeldRights(this.#access, this.approach, await this.principal());
    await rights.lookAtData(sources);
    return rights;
  }

  /** Whom TURN servers know them as, so that quotas bind to each person. @param clientId of those who are nobody in particular */
  async turnUser(clientId: string | undefined): Promise<string | undefined> {
    return turnUserOf(await this.principal()) ?? clientId;
  }

  /** An error as they may read it. */
  async readable(error: MediaPeerError): Promise<MediaPeerError> {
    return this.#access.readable(await this.principal(), error);
  }

  /** Those sources for which they may do that. @throws MediaPeerError as `principal` */
  async permitted(action: Right, sources: readonly string[]): Promise<string[]> {
    return this.#access.permitted(await this.principal(), action, sources);
  }
}

/** The source of a route's parameter. */
export function inParam(name: string): (request: FastifyRequest) => string {
  return ({ params }) => (params as Readonly<Record<string, string>>)[name] ?? '';
}

/** From here on every route has to declare what it asks for. */
export function declareActions(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => declare(route));
}

/** Puts the gate before every route that follows, after the limits on rates, which ask who it is. */
export function installGate(app: FastifyInstance, access: Access): void {
  app.decorateRequest('access');
  let hasSaid = false;
  app.addHook('onRequest', (request, _reply, done) => {
    const { action = 'public', sourceOf } = request.routeOptions.config;
    request.access = new RequestAccess(access, approachOf(request, access), { action, source: sourceOf?.(request) });
    if (!hasSaid && request.access.approach.token !== undefined && bearerToken(request.headers.authorization) === undefined) {
      hasSaid = true;
      request.log.warn(
        { route: request.routeOptions.url },
        'a token came in the query, which is deprecated, since addresses are kept in logs and histories: use POST /signed-urls, or a login',
      );
    }
    done();
  });
  // Before the answer is written: a client that has gone by then has changed something all the same, and its response never ends.
  app.addHook('onSend', async (request, reply) => {
    const { method, access: asked, routeOptions } = request;
    const { action, sourceOf, added = sourceOf } = routeOptions.config;
    if (action === 'admin' && method !== 'GET' && method !== 'HEAD' && reply.statusCode < 400)
      await asked.noteChange({ action, source: added?.(request), route: `${method} ${routeOptions.url ?? ''}` });
  });
  app.addHook('onRoute', (route) => {
    const { action } = route.config ?? {};
    const hooks = [route.onRequest ?? []].flat();
    // What is public looks at nobody who does not want to be known. HEAD of a GET has its hooks already.
    if (action !== 'public' && !hooks.includes(letIn)) route.onRequest = [...hooks, letIn];
  });
}

async function letIn(request: FastifyRequest): Promise<void> {
  const { access } = request;
  const { action, sourceOf } = request.routeOptions.config;
  assert(action !== undefined, 'every route declares what it asks for');
  if (action !== 'session')
    return access.demand(action, sourceOf ? { source: sourceOf(request) } : ABOUT_ALL.has(action) ? 'every' : 'some');
  // The URL is a secret; a token that is shown as well has to be one.
  if (access.hasCredentials) await access.principal();
}

function declare(route: RouteOptions): void {
  if (OF_PLUGINS.test(route.url)) route.config = { ...route.config, action: 'public' };
  assert(route.config?.action !== undefined, `${String(route.method)} ${route.url} declares no action`);
}

/** The token in an `Authorization` header (RFC 6750 §2.1); undefined where there is none. */
function bearerToken(authorization: string | undefined): string | undefined {
  return /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
}

/** Fields of queries that hold no secret. */
const SHOWN_FIELDS = [
  ...['width', 'annotated', 'classes', 'source', 'type', 'from', 'to', 'after', 'order', 'limit'],
  ...['at', 'step', 'exact', 'label', 'zone', 'line', 'direction', 'hours', 'weekday', 'timezone'],
  ...['min_duration', 'max_duration', 'min_score'],
];

/**
 * An address without what is secret in it, whichever way it is written: ids of sessions by their hash, and of the query the
 * values of known fields alone. For logs.
 */
export function withoutSecrets(url: string): string {
  const [written = '', ...query] = url.split('?');
  const path = decoded(written).replace(/(\/sessions\/)([^/]+)/g, (_all, before: string, id: string) => before + fingerprint(id));
  if (query.length === 0) return path;
  const fields = query.join('?').split('&');
  return `${path}?${fields.map((field) => (SHOWN_FIELDS.includes(field.replace(/=.*$/s, '')) ? field : hidden(field))).join('&')}`;
}

function hidden(field: string): string {
  const [name = ''] = new URLSearchParams(field).keys();
  return ['token', 'session', 'signature'].includes(name) ? `${name}=...` : '...';
}

/** As the router reads it. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return '...'; // the router refuses it
  }
}

/** Methods that change nothing. */
const READING: readonly string[] = ['GET', 'HEAD', 'OPTIONS'];

function approachOf(request: FastifyRequest, access: Access): Approach {
  const { headers, clientAddress: address, socket, isSecure } = request;
  const { takesTokenInQuery = false } = request.routeOptions.config;
  const inQuery = (name: string): string | undefined => {
    const value = takesTokenInQuery ? (request.query as Readonly<Record<string, unknown>>)[name] : undefined;
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const fetchSite = headers['sec-fetch-site'];
  return {
    address,
    ip: request.clientIp,
    connected: socket.remoteAddress,
    host: headers.host,
    origin: headers.origin,
    fetchSite: [fetchSite].flat()[0],
    // Browsers and programs speak HTTP/1.1; proxies that say nothing of themselves often 1.0.
    isForwarded: request.raw.httpVersion === '1.0' || Object.keys(headers).some(isForwardingHeader),
    protocol: protocolOf(request.routeOptions.url),
    token: bearerToken(headers.authorization) ?? inQuery('token'),
    login: headers.cookie?.includes('sightline_') ? cookieValue(headers.cookie, access.logins.cookieName(isSecure)) : undefined,
    signature: inQuery('signature'),
    path: request.url,
    isChange: !READING.includes(request.method) || headers.upgrade !== undefined,
    isSecure,
  };
}

/** Doors by which media is asked for. */
const PROTOCOLS: readonly Protocol[] = ['offer', 'whep', 'whip', 'ws'];

function protocolOf(route = ''): Protocol {
  const [, first] = route.split('/');
  return PROTOCOLS.find((protocol) => protocol === first) ?? 'http';
}
