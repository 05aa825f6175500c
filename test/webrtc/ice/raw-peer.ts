/** The other end of ICE agents, as bare as can be: one UDP socket that checks, answers checks, and keeps what else it gets. */
import dgram from 'node:dgram';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { classes, Message, methods, parseMessage } from 'werift';
import type { IceAgent } from '../../../src/webrtc/ice/agent.js';

/** What agents are told of their peer. */
export const REMOTE = { iceUfrag: 'abcd', icePassword: 'a'.repeat(24), iceLite: false, candidates: [] } as const;

export interface CheckOptions {
  readonly nominates?: boolean;
  readonly password?: string;
  readonly ufrag?: string;
  /** The role that it claims. Default true. */
  readonly controlling?: boolean;
}

export class RawPeer {
  readonly socket: dgram.Socket;
  /** Datagrams that are no STUN. */
  readonly received: Buffer[] = [];
  /** Transactions of checks that were answered with success. */
  readonly answered = new Set<string>();
  /** Anything at all. */
  datagrams = 0;

  private constructor(socket: dgram.Socket) {
    this.socket = socket;
    socket.on('message', (data, { address, port }) => this.#receive(data, address, port));
  }

  /** Closed after the test. */
  static async open(t: TestContext, address = '127.0.0.1', port = 0): Promise<RawPeer> {
    const socket = dgram.createSocket(address.includes(':') ? 'udp6' : 'udp4');
    socket.bind(port, address);
    await once(socket, 'listening');
    const peer = new RawPeer(socket);
    t.after(() => peer.close());
    return peer;
  }

  get port(): number {
    return this.socket.address().port;
  }

  /** Sends a check to an agent. @returns its transaction */
  check(agent: IceAgent, options: CheckOptions = {}): string {
    const { nominates = false, password = agent.localPassword, ufrag = agent.localUfrag, controlling = true } = options;
    const request = new Message(methods.BINDING, classes.REQUEST);
    request
      .setAttribute('USERNAME', `${ufrag}:${REMOTE.iceUfrag}`)
      .setAttribute('PRIORITY', 1)
      .setAttribute(controlling ? 'ICE-CONTROLLING' : 'ICE-CONTROLLED', controlling ? 1n : 2n ** 64n - 1n);
    if (nominates) request.setAttribute('USE-CANDIDATE', null);
    this.send(agent, request.addMessageIntegrity(Buffer.from(password)).addFingerprint().bytes);
    return request.transactionIdHex;
  }

  send(agent: IceAgent, data: Buffer): void {
    const reachable = agent.candidates.find((line) => / udp \d+ (127\.|::1)/.test(line)) ?? '';
    const [, , , , address = '', port = '0'] = reachable.split(' ');
    this.socket.send(data, Number(port), address);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.socket.close();
  }

  #isClosed = false;

  #receive(data: Buffer, address: string, port: number): void {
    this.datagrams++;
    const message = (data[0] ?? 0) < 4 ? parseMessage(data) : undefined;
    if (!message) return void this.received.push(data);
    if (message.messageClass === classes.RESPONSE) this.answered.add(message.transactionIdHex);
    if (message.messageClass !== classes.REQUEST) return;
    const answer = new Message(methods.BINDING, classes.RESPONSE, message.transactionId).setAttribute('XOR-MAPPED-ADDRESS', [
      address,
      port,
    ]);
    this.socket.send(answer.addMessageIntegrity(Buffer.from(REMOTE.icePassword)).addFingerprint().bytes, port, address);
  }
}
