/** The door `/ws` on a real socket, over stand-ins for sessions and sources. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import Fastify from 'fastify';
import { pino } from 'pino';
import WebSocket, { type ClientOptions } from 'ws';
import { MediaPeerError } from '../../src/base/errors.js';
import { DetectionFeed, type DetectionLease, type EndReason } from '../../src/media/index.js';
import type {
  ConnectionState,
  OfferRequest,
  OpenedViewing,
  SessionStatus,
  PublishRequest,
  TrickledCandidate,
} from '../../src/webrtc/index.js';
import { installClientAddress, installErrorHandling, installGate } from '../../src/http/index.js';
import { installWebSockets, roomRoutes, RoomsDoor, type RoomDescription, type RoomsDoorDeps, type RoomState } from '../../src/ws/index.js';
import { openAccess } from '../helpers/access.js';
import { eventually, within } from '../helpers/deadline.js';
import { FakeClock } from '../helpers/fake-clock.js';

/** A session as the stand-in keeps it. */
interface FakeSession {
  readonly id: string;
  readonly request: OfferRequest | PublishRequest;
  readonly clientId: string;
  readonly room: string;
  readonly answers: string[];
  readonly candidates: TrickledCandidate[];
  restarts: number;
  endReason: EndReason | undefined;
  end(reason: EndReason, closing?: boolean): void;
  state(state: ConnectionState): void;
  /** A candidate of the server. */
  found(candidate: string | null): void;
}

/** What the door asks of sessions, done by nobody: offers and answers are names. */
class FakeSessions implements Pick<RoomsDoorDeps['sessions'], keyof RoomsDoorDeps['sessions']> {
  readonly all: FakeSession[] = [];
  /** Client ids, until some time after the end of their sessions. */
  readonly taken = new Set<string>();
  /** Thrown by the next request. */
  refuseNext: unknown;
  /** What restarts of offers wait for. */
  gate: Promise<void> = Promise.resolve();
  /** What the end of sessions waits for. */
  closing: Promise<void> = Promise.resolve();

  get open(): FakeSession[] {
    return this.all.filter(({ endReason }) => endReason === undefined);
  }

  get last(): FakeSession {
    const session = this.all.at(-1);
    if (!session) throw new Error('there is no session');
    return session;
  }

  offer(request: OfferRequest): Promise<OpenedViewing> {
    return this.#begin(request, request.sourceId, 'offer');
  }

  publish(request: PublishRequest): Promise<OpenedViewing> {
    return this.#begin(request, request.room, 'answer');
  }

  async answer(sessionId: string, sdp: string): Promise<void> {
    const session = this.#get(sessionId);
    await this.gate;
    this.#throwIfRefused();
    if (sdp === 'v=0 bad') {
      session.end('negotiation-failed');
      throw new MediaPeerError('SDP_INVALID', 'it is bad');
    }
    session.answers.push(sdp);
  }

  addCandidates(sessionId: string, candidates: readonly TrickledCandidate[]): void {
    for (const candidate of candidates) {
      if (candidate.candidate.startsWith('nonsense'))
        throw new MediaPeerError('CANDIDATE_INVALID', `'${candidate.candidate}' is no ICE candidate`);
      this.#get(sessionId).candidates.push(candidate);
    }
  }

  async offerRestart(sessionId: string): Promise<string> {
    const session = this.#get(sessionId);
    await this.gate;
    this.#throwIfRefused();
    return `v=0 offer ${session.id} restart ${++session.restarts}`;
  }

  async restartByOffer(sessionId: string): Promise<string> {
    const session = this.#get(sessionId);
    await this.gate;
    this.#throwIfRefused();
    return `v=0 answer ${session.id} restart ${++session.restarts}`;
  }

  async close(sessionId: string, reason: EndReason): Promise<boolean> {
    const session = this.all.find(({ id, endReason }) => id === sessionId && endReason === undefined);
    session?.end(reason, true);
    await new Promise(setImmediate);
    await this.closing;
    if (session) this.taken.delete(session.clientId);
    return session !== undefined;
  }

  async #begin(request: OfferRequest | PublishRequest, room: string, type: string): Promise<OpenedViewing> {
    await this.gate;
    this.#throwIfRefused();
    const wanted = request.clientId ?? 'none';
    const clientId = this.taken.has(wanted) ? `${wanted}-taken` : wanted;
    this.taken.add(clientId);
    let resolve = (_reason: EndReason): void => undefined;
    const ended = new Promise<EndReason>((done) => (resolve = done));
    const session: FakeSession = {
      id: `s${this.all.length + 1}`,
      request,
      clientId,
      room,
      answers: [],
      candidates: [],
      restarts: 0,
      endReason: undefined,
      end: (reason, closing = false) => {
        session.endReason ??= reason;
        if (!closing) this.taken.delete(clientId);
        resolve(reason);
      },
      state: (state) => request.onState?.(state),
      found: (candidate) => request.onCandidate?.(candidate === null ? null : { candidate, mid: '0', ufrag: 'srv' }),
    };
    this.all.push(session);
    return {
      sdp: `v=0 ${type} ${session.id}`,
      clientId: session.clientId,
      sourceId: room,
      sessionId: session.id,
      renditions: ['processed'],
      ended,
    };
  }

  #get(sessionId: string): FakeSession {
    const session = this.open.find(({ id }) => id === sessionId);
    if (!session) throw new MediaPeerError('SESSION_NOT_FOUND', 'there is no such session');
    return session;
  }

  #throwIfRefused(): void {
    const refusal = this.refuseNext;
    this.refuseNext = undefined;
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- whatever a test wants
    if (refusal !== undefined) throw refusal;
  }
}

/** Rooms whose state a test sets. */
class FakeDirectory {
  readonly rooms = new Map<string, RoomDescription>([['street', { state: 'live', kind: 'file' }]]);
  readonly listeners = new Set<(room: string) => void>();

  describe(room: string): RoomDescription | undefined {
    return this.rooms.get(room);
  }

  onState(listener: (room: string) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  sources(): string[] {
    return [...this.rooms].filter(([, { state }]) => state !== 'empty').map(([name]) => name);
  }

  set(room: string, state: RoomState, kind: RoomDescription['kind'] = 'live'): void {
    this.rooms.set(room, { state, kind });
    for (const listener of this.listeners) listener(room);
  }
}

export type Json = Record<string, unknown>;

/** A client on a real WebSocket; remembers what it got. */
export class Client {
  readonly socket: WebSocket;
  readonly messages: Json[] = [];
  closeCode: number | undefined;
  #read = 0;

  constructor(url: string, options: ClientOptions = {}) {
    this.socket = new WebSocket(url, options);
    this.socket.on('message', (data: Buffer) => this.messages.push(JSON.parse(data.toString()) as Json));
    this.socket.on('close', (code) => (this.closeCode = code));
    this.socket.on('error', () => undefined);
  }

  send(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** The next message that was not read yet, which must be of that type where one is named. */
  async next(type?: string): Promise<Json> {
    const message = await eventually(() => this.messages[this.#read], 3000, `a message${type === undefined ? '' : ` '${type}'`}`);
    this.#read++;
    if (type !== undefined && message['type'] !== type) throw new Error(`expected ${type}, got ${JSON.stringify(message)}`);
    return message;
  }

  /** What was not read yet. */
  rest(): Json[] {
    const rest = this.messages.slice(this.#read);
    this.#read = this.messages.length;
    return rest;
  }

  /** Everything that was sent before has been handled; returns what came until then. */
  async settled(): Promise<Json[]> {
    const id = randomBytes(6).toString('hex');
    this.send({ type: 'leave-it', id });
    await eventually(() => this.messages.some((message) => message['in_reply_to'] === id), 3000, 'the server to have read everything');
    return this.rest().filter((message) => message['in_reply_to'] !== id);
  }

  async join(message: Json): Promise<Json> {
    this.send({ type: 'join', role: 'viewer', ...message });
    return this.next('joined');
  }

  async closed(): Promise<number> {
    return eventually(() => this.closeCode, 3000, 'the socket to close');
  }

  /** Cuts the connection without a goodbye. */
  cut(): void {
    this.socket.terminate();
  }
}

export class Rig {
  readonly clock = new FakeClock();
  readonly sessions = new FakeSessions();
  readonly directory = new FakeDirectory();
  readonly feed = new DetectionFeed('street');
  /** Lines of its log from `error` on. */
  readonly errors: string[] = [];
  readonly app = Fastify({
    forceCloseConnections: true,
    logger: { level: 'error', stream: { write: (line: string) => void this.errors.push(line) } },
  });
  readonly door: RoomsDoor;
  readonly clients: Client[] = [];
  leases = 0;

  #openDetections(sourceId: string): DetectionLease {
    if (sourceId === 'dark') throw new MediaPeerError('DETECTION_OFF', 'no detector looks at it');
    this.leases++;
    return { feed: this.feed, release: () => this.leases-- };
  }
  viewers = 0;
  url = '';

  constructor(overrides: Partial<RoomsDoorDeps> = {}) {
    this.door = new RoomsDoor({
      clock: this.clock,
      logger: pino({ level: 'silent' }),
      sessions: this.sessions,
      directory: this.directory,
      access: openAccess(),
      allowTakeover: false,
      iceServers: () => [],
      isClientIdTaken: (clientId) => this.sessions.taken.has(clientId),
      requestReconnect: (room, reason) => {
        const publisher = this.sessions.open.find(({ request }) => 'room' in request && request.room === room);
        if (publisher && 'room' in publisher.request) publisher.request.onCommand?.({ command: 'reconnect', reason });
        return publisher !== undefined;
      },
      openSource: (sourceId) =>
        this.directory.describe(sourceId)?.state === 'live'
          ? Promise.resolve({ openDetections: () => this.#openDetections(sourceId) })
          : Promise.reject(new MediaPeerError('SOURCE_NOT_LIVE', 'nobody is there')),
      allSourcesOf: (sessionId) => this.sessions.open.filter(({ id }) => id === sessionId).map(({ room }) => room),
      statusOf: (sessionId) => {
        const session = this.sessions.open.find(({ id }) => id === sessionId);
        return session && snapshot(session);
      },
      rtpTimestamps: (sessionId, sourceId, mediaTimeMs) => {
        const session = this.sessions.open.find(({ id }) => id === sessionId);
        return session && snapshot(session).sourceId === sourceId ? { raw: mediaTimeMs * 90 } : {};
      },
      viewersOf: () => this.viewers,
      corsOrigins: ['*'],
      maxSockets: 100,
      rateLimit: 0,
      ...overrides,
    });
  }

  /** Gone after the test, also when that fails. */
  static async open(test: TestContext, overrides: Partial<RoomsDoorDeps> = {}): Promise<Rig> {
    const rig = new Rig(overrides);
    test.after(() => {
      for (const { socket } of rig.clients) socket.terminate();
      return rig.app.close();
    });
    installErrorHandling(rig.app);
    installClientAddress(rig.app, []);
    installGate(rig.app, rig.door.deps.access);
    await installWebSockets(rig.app);
    await rig.app.register(roomRoutes, { door: rig.door });
    await rig.app.listen({ port: 0, host: '127.0.0.1' });
    rig.url = `ws://127.0.0.1:${(rig.app.server.address() as AddressInfo).port}/ws`;
    return rig;
  }

  /** A client whose socket is open. */
  async client(options: ClientOptions = {}): Promise<Client> {
    const client = new Client(this.url, options);
    this.clients.push(client);
    await within(once(client.socket, 'open'), 3000, 'the socket to open');
    return client;
  }

  /** Waits until the server has noticed that so many sockets are left. */
  async connections(count: number): Promise<void> {
    await eventually(() => this.door.connections === count, 3000, `${count} sockets`);
  }

  /** Closes and checks that nothing is held. */
  async close(): Promise<void> {
    await within(this.app.close(), 3000, 'the server to close');
    await eventually(
      () =>
        this.sessions.open.length === 0 &&
        this.leases === 0 &&
        this.clock.pendingTimers === 0 &&
        this.door.rooms.size === 0 &&
        this.door.connections === 0,
      1000,
      `everything to be given back: ${JSON.stringify({ sessions: this.sessions.open.length, leases: this.leases, timers: this.clock.pendingTimers, members: this.door.rooms.size, sockets: this.door.connections })}`,
    );
    if (this.directory.listeners.size > 0) throw new Error('somebody listens to the rooms');
  }
}

function snapshot(session: FakeSession): SessionStatus {
  return {
    sessionId: session.id,
    clientId: session.clientId,
    sourceId: session.room,
    role: 'viewer',
    connectionState: 'connected',
    iceState: 'connected',
    createdAtS: 1,
    connectMs: 1,
    icePath: undefined,
    iceTroubles: [],
    hasProcessedTrack: true,
    bytesSent: 1000,
    packetsSent: 10,
    packetsLost: 0,
    packetsRepaired: 0,
    framesDropped: 0,
    detectionsSent: 0,
    detectionsDropped: 0,
    selected: ['processed'],
    isPaused: false,
    roundTripMs: 3,
    video: [],
    audio: [],
  };
}
