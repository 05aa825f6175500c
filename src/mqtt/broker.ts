/**
 * One connection to a broker, from CONNECT to its end; the only file that knows the package `mqtt`, which is loaded with the first
 * one. Nothing is kept for a later connection here: who publishes knows what was not acknowledged, and publishes it again.
 */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { IConnackPacket, MqttClient } from 'mqtt';
import type { Clock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { ResourceLedger } from '../base/resources.js';
import { Turns } from '../base/turns.js';
import type { BrokerAddress } from './address.js';
import { InboundGuard } from './inbound-guard.js';
import { openSocket } from './socket.js';
import { BrokerError, reasonWords, unreachable } from './trouble.js';

/** A message on its way out. */
export interface OutgoingMessage {
  /** Without wildcards. */
  readonly topic: string;
  /** Text is UTF-8. */
  readonly payload: string | Buffer;
  /** The broker keeps it for whoever subscribes later; an empty one removes what it kept. */
  readonly retain: boolean;
}

/** A message that somebody else has published. */
export interface IncomingMessage {
  /** As it was subscribed to. */
  readonly topic: string;
  /** As UTF-8. */
  readonly payload: string;
}

/** How to connect. */
export interface BrokerInit {
  /** Where it is, and who we are there. */
  readonly address: BrokerAddress;
  /** Certificates of authorities, PEM; undefined: those that Node trusts. */
  readonly ca: string | undefined;
  /** 5, or 4 which is 3.1.1: what the broker understands. */
  readonly protocolVersion: 4 | 5;
  /** What the broker publishes, retained, when the connection is lost. */
  readonly will: OutgoingMessage & { readonly payload: string };
  /** Called with each message of a topic that was subscribed to. */
  readonly onMessage: (message: IncomingMessage) => void;
  readonly clock: Clock;
  readonly ledger: ResourceLedger;
  /** Gives up while it connects. */
  readonly signal: AbortSignal;
  /** How long connecting, and each acknowledgement, may take. Default 10 s and 20 s. */
  readonly deadlines?: Partial<BrokerDeadlines>;
}

/** In milliseconds. */
export interface BrokerDeadlines {
  /** From the first packet to the answer of the broker, TCP and MQTT each. */
  readonly connectMs: number;
  /** From a message to its acknowledgement. */
  readonly acknowledgeMs: number;
}

const DEADLINES: BrokerDeadlines = { connectMs: 10_000, acknowledgeMs: 20_000 };
/** Of messages that are not acknowledged yet; brokers may take fewer. */
const MAX_IN_FLIGHT = 64;
/** What may wait in the socket before what need not arrive is left out. */
const MAX_UNSENT_BYTES = 256 * 1024;
const MAX_INBOUND_BYTES = 64 * 1024;
const KEEPALIVE_S = 30;
const CLOSE_MS = 1000;

/** One connection. */
export class Broker {
  readonly #client: MqttClient;
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #acknowledgeMs: number;
  #maxPacketBytes = Infinity;
  #turns = inFlight(MAX_IN_FLIGHT);
  readonly #pending = new Set<(error: BrokerError) => void>();
  /** Resolves with why, when the connection is over. */
  readonly lost: Promise<BrokerError>;
  #end!: (error: BrokerError) => void;
  #ended: BrokerError | undefined;

  /** @throws BrokerError */
  static async connect(init: BrokerInit): Promise<Broker> {
    const { address, will, protocolVersion, clock, signal } = init;
    const { connectMs, acknowledgeMs } = { ...DEADLINES, ...init.deadlines };
    const { MqttClient: Client } = await import('mqtt');
    const socket = await openSocket({ ...init, timeoutMs: connectMs });
    const release = init.ledger.acquire('tcp_sockets');
    socket.once('close', release);
    const client = new Client(() => socket, {
      protocolVersion,
      // Brokers that know version 3.1 alone allow 23 characters.
      clientId: `sightline-${randomBytes(6).toString('hex')}`,
      ...(address.username !== undefined && { username: address.username }),
      ...(address.password !== undefined && { password: address.password }),
      ...(protocolVersion === 5 && { properties: { maximumPacketSize: MAX_INBOUND_BYTES, receiveMaximum: 16 } }),
      clean: true,
      keepalive: KEEPALIVE_S,
      reconnectPeriod: 0,
      // Ours comes first, and says more.
      connectTimeout: 2 * connectMs,
      resubscribe: false,
      queueQoSZero: false,
      will: { topic: will.topic, payload: Buffer.from(will.payload), qos: 1, retain: will.retain },
    });
    const broker = new Broker(client, socket, init, acknowledgeMs);
    const abort = (): void => broker.#over(new BrokerError('lost', 'the server is closing'));
    signal.addEventListener('abort', abort, { once: true });
    const timer = clock.after(connectMs, () =>
      broker.#over(new BrokerError('lost', `${address.shown} does not answer within ${connectMs / 1000} s`)),
    );
    try {
      return await Promise.race([
        new Promise<Broker>((resolve) => client.once('connect', (connack) => resolve(broker.#accept(connack)))),
        broker.lost.then((error) => Promise.reject(error)),
      ]);
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', abort);
    }
  }

  private constructor(client: MqttClient, socket: Socket, { address, clock, onMessage }: BrokerInit, acknowledgeMs: number) {
    this.#client = client;
    this.#socket = socket;
    this.#clock = clock;
    this.#acknowledgeMs = acknowledgeMs;
    this.lost = new Promise((resolve) => (this.#end = resolve));
    const guard = new InboundGuard({
      clock,
      maxBytes: 4 * MAX_INBOUND_BYTES,
      onTooMuch: (what) => this.#over(new BrokerError('lost', what)),
    });
    socket.on('data', (chunk: Buffer) => guard.bytes(chunk.length));
    client.on('packetreceive', ({ cmd }) => guard.packet(cmd === 'publish'));
    client.on('error', (error) => this.#over(troubleOf(address, error)));
    client.on('disconnect', ({ reasonCode = 0 }) =>
      this.#over(new BrokerError('lost', `it ended the connection: ${reasonWords(reasonCode)}`)),
    );
    client.on('close', () => this.#over(new BrokerError('lost', 'it closed the connection')));
    client.on('message', (topic, payload) => onMessage({ topic, payload: payload.toString() }));
  }

  /** Resolves when the broker has it. @throws BrokerError */
  publish({ topic, payload, retain }: OutgoingMessage): Promise<void> {
    return this.#turns.run(() => {
      const bytes = Buffer.byteLength(topic) + Buffer.byteLength(payload) + PACKET_OVERHEAD_BYTES;
      if (bytes > this.#maxPacketBytes)
        throw new BrokerError('refused', `a message of ${bytes} bytes is larger than the ${this.#maxPacketBytes} that it takes`, {
          reasonCode: 149,
        });
      return this.#answered((done) => this.#client.publish(topic, payload, { qos: 1, retain }, done));
    });
  }

  /** Sends what need not arrive (QoS 0); false where it is left out because too much waits. */
  send({ topic, payload, retain }: OutgoingMessage): boolean {
    if (this.#ended || this.#socket.writableLength > MAX_UNSENT_BYTES || Buffer.byteLength(payload) > this.#maxPacketBytes) return false;
    this.#client.publish(topic, payload, { qos: 0, retain });
    return true;
  }

  /** Messages of that topic come from now on. @throws BrokerError */
  subscribe(topic: string): Promise<void> {
    return this.#answered((done) => this.#client.subscribe(topic, { qos: 0 }, (error) => done(error ?? undefined)));
  }

  /** Says good-bye, so that the broker does not publish the will; within a second. Idempotent. */
  async close(): Promise<void> {
    if (!this.#ended) {
      await Promise.race([
        new Promise((resolve) => this.#client.end(false, resolve)),
        new Promise<void>((resolve) => {
          const timer = this.#clock.after(CLOSE_MS, resolve);
          void this.lost.then(() => timer.cancel());
        }),
      ]);
    }
    this.#over(new BrokerError('lost', 'the server is closing'));
  }

  #accept({ properties }: IConnackPacket): this {
    this.#maxPacketBytes = properties?.maximumPacketSize ?? Infinity;
    this.#turns = inFlight(Math.min(MAX_IN_FLIGHT, properties?.receiveMaximum ?? MAX_IN_FLIGHT));
    return this;
  }

  #answered(ask: (done: (error?: Error) => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#ended) return reject(this.#ended);
      const settle = (error: BrokerError | undefined): void => {
        timer.cancel();
        this.#pending.delete(settle);
        if (error) reject(error);
        else resolve();
      };
      const timer = this.#clock.after(this.#acknowledgeMs, () =>
        this.#over(new BrokerError('lost', `it acknowledged nothing for ${this.#acknowledgeMs / 1000} s`)),
      );
      this.#pending.add(settle);
      ask((error) => settle(error && refusalOf(error)));
    });
  }

  #over(error: BrokerError): void {
    if (this.#ended) return;
    this.#ended = error;
    // Before the client says of them that the connection was closed, and no more.
    for (const settle of [...this.#pending]) settle(error);
    this.#end(error);
    // Also stops the timers of the client.
    this.#client.end(true);
    this.#socket.destroy();
  }
}

/** Of a message, beside topic and content, at most. */
const PACKET_OVERHEAD_BYTES = 16;

function inFlight(atOnce: number): Turns {
  return new Turns({ atOnce: Math.max(1, atOnce), maxWaiting: Infinity, what: 'messages' });
}

/** What ends a connection. */
function troubleOf(address: BrokerAddress, error: Error): BrokerError {
  const code = codeOf(error);
  return code === undefined
    ? unreachable(address, error)
    : new BrokerError('lost', `${address.shown} refuses the connection: ${reasonWords(code)}`, { reasonCode: code, cause: error });
}

/** What one message is refused with. */
function refusalOf(error: Error): BrokerError {
  const code = codeOf(error);
  return new BrokerError('refused', code === undefined ? messageOf(error) : reasonWords(code), { reasonCode: code, cause: error });
}

function codeOf(error: Error): number | undefined {
  return 'code' in error && typeof error.code === 'number' ? error.code : undefined;
}
