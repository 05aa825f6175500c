/** One WebSocket: reads and checks what a client says, hands it on, and answers what cannot be done. */
import type { Clock, Timer } from '../base/clock.js';
import { MediaPeerError } from '../base/errors.js';
import type { Approach } from '../access/index.js';
import type { Logger } from '../base/logger.js';
import type { Seated } from '../base/fair-share.js';
import { fromClient } from './candidates.js';
import type { Link, Member } from './member.js';
import type { Outgoing } from './outbox.js';
import { MAX_MESSAGE_BYTES, nameOf, parseMessage, parseObject, type ClientMessage } from './protocol.js';
import type { Rooms } from './rooms.js';
import { TokenBucket } from '../base/token-bucket.js';

/** What is used of a WebSocket. */
export interface RoomSocket {
  /** As in the W3C's WebSocket: 1 is open. */
  readonly readyState: number;
  /** Bytes that the network has not taken yet. */
  readonly bufferedAmount: number;
  /** Sends one text message. */
  send(text: string): void;
  /** Sends a ping (RFC 6455 §5.5.2). */
  ping(): void;
  /** Begins to close. @param code RFC 6455 §7.4 */
  close(code: number, reason: string): void;
  /** Ends it without a goodbye. */
  terminate(): void;
}

/** Who opened the WebSocket. */
export interface RoomClientInit {
  /** The WebSocket. */
  readonly socket: RoomSocket;
  /** Where it may join. */
  readonly rooms: Rooms;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How the request came that opened it; a `join` may show another token. */
  readonly approach: Approach;
}

/** How long a socket may stay without joining. */
const UNJOINED_MS = 10_000;
/** Pings that a socket may leave unanswered. */
const MAX_MISSED_PINGS = 2;
const MESSAGES = { perSecond: 20, burst: 200 };
/** Messages that make or end sessions cost as much as so many others. */
const COSTS: Readonly<Partial<Record<ClientMessage['type'], number>>> = {
  join: 10,
  offer: 10,
  restart: 10,
  subscribe: 5,
  token: 5,
  reconnect_request: 5,
};
/** Messages over the limit after which a socket is closed; they are forgotten when it kept to the limit for as long. */
const MAX_TOO_FAST = 1000;
const FORGOTTEN_MS = 10_000;
/** How often a client is told that it is too fast. */
const TOO_FAST_PERIOD_MS = 1000;
/** Messages that may come before a join is answered: an offer, and candidates. */
const MAX_WAITING = 50;
/** What a client may leave unread before it loses messages of topics, and before it is given up. */
const FULL_BYTES = 512 * 1024;
const MAX_UNREAD_BYTES = 1024 * 1024;
const OPEN = 1;

/** Close codes (RFC 6455 §7.4). */
export const CLOSE = { goingAway: 1001, policy: 1008, tryAgainLater: 1013, replaced: 4001 } as const;

/** A client on one WebSocket, joined or not. */
export class RoomClient implements Link, Seated {
  readonly #socket: RoomSocket;
  readonly #init: RoomClientInit;
  readonly #bucket: TokenBucket;
  #member: Member | undefined;
  #unjoined: Timer | undefined;
  #missedPings = 0;
  #tooFast = 0;
  #tooFastAtMs = -Infinity;
  #toldTooFastMs = -Infinity;
  #isGone = false;
  /** The join that is being looked at; never rejects. */
  #joining: Promise<void> | undefined;
  /** Messages that came meanwhile. */
  #waiting = 0;

  constructor(init: RoomClientInit) {
    this.#init = init;
    this.#socket = init.socket;
    this.#bucket = new TokenBucket(init.clock, MESSAGES);
    this.#waitForJoin();
  }

  /** Whose requests count together: an IPv4 address, or a /64 of IPv6. */
  get address(): string {
    return this.#init.approach.address;
  }

  /** True once it has joined a room. */
  get isJoined(): boolean {
    return this.#member !== undefined;
  }

  /** True where media belongs to it. */
  get hasSession(): boolean {
    return this.#member?.sessionId !== undefined;
  }

  /** True where more waits to be sent than topics should add to. */
  get isFull(): boolean {
    return this.#socket.bufferedAmount > FULL_BYTES;
  }

  /** False where the socket is gone: the message has to wait for another one. */
  send(message: Outgoing): boolean {
    if (this.#isGone || this.#socket.readyState !== OPEN) return false;
    if (this.#socket.bufferedAmount > MAX_UNREAD_BYTES) {
      if (message.kind === 'topic') return true;
      this.#init.logger.warn({ clientId: this.#member?.clientId }, 'a WebSocket is closed: its client does not read');
      this.#socket.terminate();
      return false;
    }
    this.#socket.send(message.text);
    return true;
  }

  /** The membership is over; the socket may join again. */
  ended(): void {
    this.#member = undefined;
    if (!this.#isGone) this.#waitForJoin();
  }

  /** The membership continues on another socket. */
  replaced(): void {
    this.#member = undefined;
    this.close(CLOSE.replaced, 'the client came back on another socket');
  }

  /** A message as it came. Never throws. */
  receive(data: Buffer, isBinary: boolean): void {
    this.#missedPings = 0;
    // A membership that another socket has taken over is not taken back by what was under way on this one.
    if (this.#isGone || this.#socket.readyState !== OPEN) return;
    let name: string | number | undefined;
    try {
      this.#spend(1);
      if (isBinary) throw new MediaPeerError('MESSAGE_INVALID', 'the message is binary; expected JSON as text');
      if (data.length > MAX_MESSAGE_BYTES)
        throw new MediaPeerError('MESSAGE_INVALID', `the message has ${data.length} bytes; expected ${MAX_MESSAGE_BYTES} at most`);
      const object = parseObject(data.toString());
      name = nameOf(object);
      const message = parseMessage(object);
      this.#spend((COSTS[message.type] ?? 1) - 1);
      this.#handle(message)?.catch((error: unknown) => this.#refuseReadably(error, name));
    } catch (error) {
      this.#refuse(error, name);
    }
  }

  /** It answered a ping. */
  pong(): void {
    this.#missedPings = 0;
  }

  /** Asks whether it is still there; gives it up when it did not answer. */
  ping(): void {
    if (this.#missedPings >= MAX_MISSED_PINGS) return this.#socket.terminate();
    this.#missedPings++;
    if (this.#socket.readyState === OPEN) this.#socket.ping();
  }

  /** Closes the socket. @param code RFC 6455 §7.4 */
  close(code: number, reason: string): void {
    this.#unjoined?.cancel();
    this.#socket.close(code, reason);
  }

  /** The socket is gone. Idempotent. */
  gone(): void {
    this.#isGone = true;
    this.#unjoined?.cancel();
    this.#member?.detach(this);
    this.#member = undefined;
  }

  /** What takes longer comes back as a promise. */
  #handle(message: ClientMessage): Promise<void> | undefined {
    if (this.#joining) return this.#handleLater(message, this.#joining);
    if (message.type === 'ping') this.#tell({ type: 'pong' });
    else if (message.type === 'join') return this.#beginJoin(message);
    else if (this.#member) return this.#handleOf(this.#member, message);
    else throw new MediaPeerError('NOT_JOINED', `a join must come before ${message.type}`);
    return undefined;
  }

  #handleOf(member: Member, message: Exclude<ClientMessage, { type: 'join' | 'ping' }>): Promise<void> | undefined {
    switch (message.type) {
      case 'offer':
      case 'answer':
        throwIfForeign(message.type, member);
        return member.side.describe(message.sdp);
      case 'restart':
        return member.side.restart();
      case 'candidate':
        member.side.candidate(fromClient(message.candidate));
        break;
      case 'reconnect_request':
        this.#init.rooms.requestReconnect(member.room, message.reason ?? '');
        break;
      case 'subscribe':
        return this.#init.rooms.subscribe(member, message.topics);
      case 'token':
        return member.rights
          .renew(message.token)
          .then(() => this.#tell({ type: 'token', ...(message.id !== undefined && { in_reply_to: message.id }) }));
      case 'leave':
        member.end(member.role === 'viewer' ? 'viewer-left' : 'publisher-left');
    }
    return undefined;
  }

  #beginJoin(message: ClientMessage & { type: 'join' }): Promise<void> {
    const joined = this.#join(message);
    const settled = joined.catch(() => undefined).finally(() => (this.#joining = undefined));
    this.#joining = settled;
    return joined;
  }

  async #join(message: ClientMessage & { type: 'join' }): Promise<void> {
    if (this.#member) throw new MediaPeerError('NEGOTIATION_STATE', `this socket has joined room '${this.#member.room}'; leave that first`);
    const { rooms, approach } = this.#init;
    // A field that was left empty shows nothing.
    const token = message.token === '' ? approach.token : (message.token ?? approach.token);
    const member = await rooms.join(message, { ...approach, token }, this);
    this.#unjoined?.cancel();
    // It may have gone while it was asked who it is.
    if (this.#isGone) member.detach(this);
    else this.#member = member;
  }

  /** After the join that is being looked at: who asks is not known before. @throws MediaPeerError MESSAGES_TOO_FAST */
  async #handleLater(message: ClientMessage, joining: Promise<void>): Promise<void> {
    if (this.#waiting >= MAX_WAITING)
      throw new MediaPeerError('MESSAGES_TOO_FAST', `more than ${MAX_WAITING} messages came before the join was answered`);
    this.#waiting++;
    await joining.finally(() => this.#waiting--);
    if (!this.#isGone) await this.#handle(message);
  }

  #waitForJoin(): void {
    this.#unjoined?.cancel();
    this.#unjoined = this.#init.clock.after(UNJOINED_MS, () => {
      this.#refuse(new MediaPeerError('NOT_JOINED', `no join came within ${UNJOINED_MS / 1000} s; the socket is closed`));
      this.close(CLOSE.policy, 'no join came');
    });
  }

  /** @throws MediaPeerError MESSAGES_TOO_FAST */
  #spend(count: number): void {
    if (!this.#bucket.take(count))
      throw new MediaPeerError(
        'MESSAGES_TOO_FAST',
        `more than ${MESSAGES.perSecond} messages per second (a join, an offer and a restart count as 10); the excess is dropped`,
      );
  }

  /** What takes longer may fail with the names of sources, which are for those who may watch them. */
  async #refuseReadably(error: unknown, inReplyTo?: string | number): Promise<void> {
    const rights = this.#member?.rights;
    const isReadable = rights === undefined || !(error instanceof MediaPeerError);
    this.#refuse(isReadable ? error : await rights.readable(error), inReplyTo);
  }

  #refuse(error: unknown, inReplyTo?: string | number): void {
    if (error instanceof MediaPeerError) {
      if (error.code === 'MESSAGES_TOO_FAST' && !this.#mayTellTooFast()) return;
      const { code, message, retryAfterS } = error;
      return this.#tell({
        type: 'error',
        code,
        message,
        ...(inReplyTo !== undefined && { in_reply_to: inReplyTo }),
        ...(retryAfterS !== undefined && { retry_after_s: retryAfterS }),
      });
    }
    this.#init.logger.error({ err: error }, 'a message failed');
    this.#tell({
      type: 'error',
      code: 'INTERNAL_ERROR',
      message: 'the server failed to answer; its log says why',
      ...(inReplyTo !== undefined && { in_reply_to: inReplyTo }),
    });
  }

  #mayTellTooFast(): boolean {
    const nowMs = this.#init.clock.now();
    if (nowMs - this.#tooFastAtMs > FORGOTTEN_MS) this.#tooFast = 0;
    this.#tooFastAtMs = nowMs;
    if (++this.#tooFast === MAX_TOO_FAST) this.close(CLOSE.policy, 'messages come too fast');
    if (nowMs - this.#toldTooFastMs < TOO_FAST_PERIOD_MS) return false;
    this.#toldTooFastMs = nowMs;
    return true;
  }

  #tell(message: object): void {
    this.send({ kind: 'signalling', text: JSON.stringify(message) });
  }
}

/** The side that sends the media makes the offer. @throws MediaPeerError ROLE_REFUSED */
function throwIfForeign(type: 'offer' | 'answer', { role }: Member): void {
  if (type === 'offer' && role === 'viewer')
    throw new MediaPeerError(
      'ROLE_REFUSED',
      'the side that sends the media makes the offer: a viewer waits for the offer of the server and answers it',
    );
  if (type === 'answer' && role === 'publisher')
    throw new MediaPeerError('ROLE_REFUSED', 'the side that sends the media makes the offer: a publisher offers, and the server answers');
}
