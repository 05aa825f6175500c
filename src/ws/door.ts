/** `GET /ws`: opens the WebSockets, watches that they live, and closes them with the server. */
import websocket from '@fastify/websocket';
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { delay, type Clock, type Timer } from '../base/clock.js';
import { MediaPeerError } from '../base/errors.js';
import { capacityReached } from '../base/refusals.js';
import type { Logger } from '../base/logger.js';
import { whoGivesWay } from '../base/fair-share.js';
import { ErrorSchema, perMinute } from '../http/index.js';
import type { RoomsDeps } from './deps.js';
import { CLOSE, RoomClient, type RoomClientInit, type RoomSocket } from './room-client.js';
import { Rooms } from './rooms.js';

/** Longer frames are not read: the socket is closed with 1009. Between this and what a message may have, an error says so. */
const MAX_FRAME_BYTES = 256 * 1024;
const HEARTBEAT_MS = 15_000;
/** How long clients may take to say goodbye when the server closes. */
const GOODBYE_MS = 1000;

/** What the door to the rooms needs. */
export interface RoomsDoorDeps extends RoomsDeps {
  /** Origins whose pages may connect; `*` is any. The server's own always may. */
  readonly corsOrigins: readonly string[];
  /** WebSockets at the same time. */
  readonly maxSockets: number;
  /** WebSockets a minute and address; 0 is no limit. */
  readonly rateLimit: number;
}

/** Who opened a WebSocket. */
type Caller = Pick<RoomClientInit, 'approach'>;

/** The rooms and the sockets of those who are in them. */
export class RoomsDoor {
  /** Who has joined. */
  readonly rooms: Rooms;
  readonly deps: RoomsDoorDeps;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #clients = new Map<RoomSocket, RoomClient>();
  #heartbeat: Timer | undefined;
  #onEmpty = (): void => undefined;
  #isClosing = false;

  constructor(deps: RoomsDoorDeps) {
    this.deps = deps;
    this.#clock = deps.clock;
    this.#logger = deps.logger;
    this.rooms = new Rooms(deps, deps.maxSockets);
  }

  /** WebSockets that are open. */
  get connections(): number {
    return this.#clients.size;
  }

  /** Where all sockets are taken, closes one of the address that has most, if the newcomer's has less. */
  makeRoom(newcomer: string): void {
    const { maxSockets } = this.deps;
    if (this.connections < maxSockets) return;
    const clients = [...this.#clients].map(([socket, client]) => ({ socket, client, address: client.address }));
    const leaving = whoGivesWay(clients, newcomer, ({ client }) => (client.hasSession ? undefined : Number(!client.isJoined)));
    if (!leaving) return;
    leaving.client.close(CLOSE.tryAgainLater, 'the place is given to another client');
    // Its goodbye may take long; the place is free now.
    this.remove(leaving.socket);
    leaving.socket.terminate();
  }

  /** A WebSocket has been opened. */
  add(socket: RoomSocket, { approach }: Caller): RoomClient {
    const client = new RoomClient({ socket, rooms: this.rooms, clock: this.#clock, logger: this.#logger, approach });
    this.#clients.set(socket, client);
    if (this.#isClosing) client.close(CLOSE.goingAway, 'the server is shutting down');
    this.#heartbeat ??= this.#clock.every(HEARTBEAT_MS, () => {
      for (const other of [...this.#clients.values()]) other.ping();
      this.rooms.look();
    });
    return client;
  }

  /** A WebSocket is gone. */
  remove(socket: RoomSocket): void {
    this.#clients.get(socket)?.gone();
    this.#clients.delete(socket);
    if (this.#clients.size > 0) return;
    this.#heartbeat?.cancel();
    this.#heartbeat = undefined;
    this.#onEmpty();
  }

  /** Ends every membership, and closes every socket. Idempotent. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.rooms.close('server-closing');
    for (const client of this.#clients.values()) client.close(CLOSE.goingAway, 'the server is shutting down');
    if (this.#clients.size === 0) return;
    const impatience = new AbortController();
    this.#onEmpty = () => impatience.abort();
    await delay(this.#clock, GOODBYE_MS, impatience.signal);
    for (const socket of this.#clients.keys()) socket.terminate();
  }
}

/** Lets requests be upgraded to WebSockets; before any route. */
export async function installWebSockets(app: FastifyInstance): Promise<void> {
  await app.register(websocket, {
    options: { maxPayload: MAX_FRAME_BYTES },
    // The door closes its sockets by itself.
    preClose: (done) => done(),
    errorHandler: (error, socket, request) => {
      // A frame that cannot be read closes the socket with the code of its fault: anybody can send one.
      if (isOfTheClient(error)) return request.log.debug({ err: error }, 'a WebSocket broke');
      request.log.error({ err: error }, 'a WebSocket failed');
      socket.terminate();
    },
  });
}

/** Installs `GET /ws`. */
export const roomRoutes: FastifyPluginCallbackTypebox<{ readonly door: RoomsDoor }> = (app, { door }, done) => {
  const { corsOrigins, maxSockets, rateLimit } = door.deps;
  app.addHook('preClose', () => door.close());
  app.route({
    method: 'GET',
    url: '/ws',
    exposeHeadRoute: false,
    // Whoever joins shows who it is in its first message, and each message has an action of its own.
    config: { action: 'public', ...perMinute(rateLimit) },
    schema: {
      operationId: 'openRooms',
      summary: 'Rooms over WebSocket: docs/rooms.md has the messages',
      tags: ['media'],
      response: { 101: Type.Null({ description: 'From here on each message is one JSON object' }), '4xx': ErrorSchema, '5xx': ErrorSchema },
    },
    onRequest: (request, _reply, next) => {
      if (!isAllowedOrigin(request, corsOrigins))
        throw new MediaPeerError('ORIGIN_REFUSED', 'pages of this origin may not connect; CORS_ORIGINS lists those that may');
      door.makeRoom(request.clientAddress);
      if (door.connections >= maxSockets) throw capacityReached(`all ${maxSockets} WebSockets are taken`);
      next();
    },
    handler: (_request, reply) => {
      reply.status(426).header('upgrade', 'websocket');
      return {
        statusCode: 426,
        code: 'UPGRADE_REQUIRED',
        error: 'Upgrade Required',
        message: 'this is a WebSocket; connect to it with ws: or wss:',
      };
    },
    wsHandler: (socket, request) => {
      const client = door.add(socket, { approach: request.access.approach });
      socket.on('message', (data, isBinary) => client.receive(data as Buffer, isBinary));
      socket.on('pong', () => client.pong());
      socket.on('close', () => door.remove(socket));
    },
  });
  done();
};

/** True for a fault of the WebSocket protocol, and for a network that broke. */
function isOfTheClient(error: Error & { readonly code?: unknown }): boolean {
  return typeof error.code === 'string' && /^(WS_ERR_|E[A-Z]+$)/.test(error.code);
}

/** Browsers name the origin of the page (RFC 6455 §10.2); others name none. */
function isAllowedOrigin({ headers }: FastifyRequest, allowed: readonly string[]): boolean {
  const { origin, host } = headers;
  if (origin === undefined || allowed.includes('*') || allowed.includes(origin)) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}
