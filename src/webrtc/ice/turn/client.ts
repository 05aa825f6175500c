/**
 * Requests to one TURN server: sent again until they are answered, with the long-term credentials that the server asks
 * for (RFC 8489 §9.2), and believed only where the answer proves that the server knows them, too.
 */
import { createHash } from 'node:crypto';
import type { Clock, Timer } from '../../../base/clock.js';
import type { TurnServer } from './server.js';
import { attributeOf, classes, type methods, parseMessage, StunMessage } from '../werift-stun.js';
import type { ConnectTurn, TurnTransport, TurnTransportEvents } from './transport.js';

/** First wait before a request is sent again over UDP; it doubles (RFC 8489 §6.2.1). */
const RTO_MS = 500;
/** How long an answer may take. */
const ANSWER_MS = 5000;
/** A server may answer each request with a new nonce, once. */
const MAX_ATTEMPTS = 3;

/** The server refuses. */
export class TurnRefusal extends Error {
  override readonly name = 'TurnRefusal';
  /** RFC 8656 §19; 0: none. */
  readonly errorCode: number;

  constructor(errorCode: number, message: string) {
    super(message);
    this.errorCode = errorCode;
  }
}

interface Pending {
  readonly integrityKey: Buffer | undefined;
  readonly settle: (answer: StunMessage | Error) => void;
}

/** Talks to one TURN server. */
export class TurnClient {
  readonly #events: TurnTransportEvents;
  readonly #server: TurnServer;
  readonly #clock: Clock;
  readonly #pending = new Map<string, Pending>();
  #login: { readonly realm: string; readonly nonce: Buffer; readonly key: Buffer } | undefined;
  #transport: TurnTransport | undefined;
  #lost: Error | undefined;

  /** `events` get what is no answer: ChannelData and indications; and the loss of the connection. */
  constructor(server: TurnServer, clock: Clock, events: TurnTransportEvents) {
    this.#server = server;
    this.#clock = clock;
    this.#events = events;
  }

  /** Opens the transport, once. @throws Error where no connection comes about */
  async connect(connect: ConnectTurn): Promise<void> {
    this.#transport = await connect({
      message: (message) => this.#receive(message),
      lost: (error) => {
        this.fail(error);
        this.#events.lost(error);
      },
    });
  }

  /** False where messages may be lost, or are not padded. */
  get isStream(): boolean {
    return this.#transport?.isStream === true;
  }

  /** Bytes that the network stack has not taken yet. */
  get pendingBytes(): number {
    return this.#transport?.pendingBytes ?? 0;
  }

  /** Sends messages that are not answered, as the transport does. */
  send(slab: Buffer, ends: readonly number[]): void {
    this.#transport?.send(slab, ends);
  }

  /** Settles what is still asked, and closes the transport. */
  async close(error: Error): Promise<void> {
    this.fail(error);
    await this.#transport?.close();
  }

  /** Settles everything that is still asked. */
  fail(error: Error): void {
    this.#lost ??= error;
    for (const { settle } of [...this.#pending.values()]) settle(error);
  }

  /**
   * Asks until it is answered; `fill` sets the attributes, again for each attempt.
   * @throws TurnRefusal, Error where nothing answers.
   */
  async request(method: methods, fill: (request: StunMessage) => void, answerMs = ANSWER_MS): Promise<StunMessage> {
    for (let attempt = 1; ; attempt++) {
      const used = this.#login;
      const answer = await this.#exchange(method, fill, answerMs);
      if (answer.messageClass === classes.RESPONSE) return answer;
      const [code, reason] = errorOf(answer);
      const isAsked = code === 438 || (code === 401 && used === undefined);
      if (!isAsked || attempt >= MAX_ATTEMPTS || !this.#takeLogin(answer)) throw new TurnRefusal(code, this.#explain(code, reason));
    }
  }

  async #exchange(method: methods, fill: (request: StunMessage) => void, answerMs: number): Promise<StunMessage> {
    if (this.#lost) throw this.#lost;
    const request = new StunMessage(method, classes.REQUEST);
    fill(request);
    if (this.#login) {
      const { realm, nonce, key } = this.#login;
      request
        .setAttribute('USERNAME', this.#server.username)
        .setAttribute('REALM', realm)
        .setAttribute('NONCE', nonce)
        .addMessageIntegrity(key);
    }
    const { bytes } = request.addFingerprint();
    let timer: Timer | undefined;
    const answer = await new Promise<StunMessage | Error>((settle) => {
      this.#pending.set(request.transactionIdHex, { integrityKey: this.#login?.key, settle });
      const deadlineMs = this.#clock.now() + answerMs;
      const send = (waitMs: number): void => {
        this.send(bytes, [bytes.length]);
        const leftMs = Math.max(0, deadlineMs - this.#clock.now());
        const isLast = this.isStream || waitMs >= leftMs;
        timer = this.#clock.after(isLast ? leftMs : waitMs, () => (isLast ? settle(new Error('it does not answer')) : send(waitMs * 2)));
      };
      send(RTO_MS);
    });
    timer?.cancel();
    this.#pending.delete(request.transactionIdHex);
    if (answer instanceof Error) throw answer;
    return answer;
  }

  #receive(data: Buffer): void {
    try {
      const message = parseMessage(data);
      const isAnswer = message?.messageClass === classes.RESPONSE || message?.messageClass === classes.ERROR;
      if (!message || !isAnswer) return this.#events.message(data);
      const pending = this.#pending.get(message.transactionIdHex);
      // An error may come without integrity: the server cannot prove anything to who did not log in (RFC 8489 §9.2.4).
      const authentic =
        message.messageClass === classes.RESPONSE && pending?.integrityKey ? parseMessage(data, pending.integrityKey) : message;
      if (pending && authentic) pending.settle(authentic);
    } catch {
      return; // Malformed: anybody can send one.
    }
  }

  #takeLogin(answer: StunMessage): boolean {
    const realm = attributeOf(answer, 'REALM') ?? this.#login?.realm;
    const nonce = attributeOf(answer, 'NONCE');
    if (typeof realm !== 'string' || !Buffer.isBuffer(nonce)) return false;
    const { username, credential } = this.#server;
    this.#login = { realm, nonce, key: createHash('md5').update(`${username}:${realm}:${credential}`).digest() };
    return true;
  }

  /** What the refusal means to who runs this server. */
  #explain(code: number, reason: string): string {
    const said = `${code} ${reason}`.trim();
    const expiry = /^([0-9]{9,11}):/.exec(this.#server.username)?.[1];
    if (code === 401 && expiry !== undefined && Number(expiry) * 1000 < this.#clock.wallClock())
      return `the credentials expired at ${new Date(Number(expiry) * 1000).toISOString()} (${said})`;
    if (code === 401 || code === 441) return `the user name, the credential or the shared secret is wrong (${said})`;
    if (code === 486) return `the quota of this user is used up (${said})`;
    if (code === 508) return `it has no capacity left (${said})`;
    if (code === 403) return `it does not allow that (${said})`;
    if (code === 300) return `it redirects to another server, which is not followed (${said})`;
    if (code === 437) return `it does not know this allocation (${said})`;
    return `it refuses (${said})`;
  }
}

function errorOf(answer: StunMessage): [code: number, reason: string] {
  const value = attributeOf(answer, 'ERROR-CODE');
  return Array.isArray(value)
    ? [
        Number(value[0]),
        String(value[1])
          .replace(/[^\x20-\x7e]/g, '')
          .slice(0, 100),
      ]
    : [0, 'an error without a code'];
}
