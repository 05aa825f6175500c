/** The transports of one session: a bundle has one. They are opened, connected, restarted and closed together. */
import { MediaPeerError } from '../../base/errors.js';
import type { EndReason } from '../../media/index.js';
import type { LocalTransport } from '../sdp/answer.js';
import type { IncomingChannel } from '../transport/data-channel.js';
import type { IceRemote } from '../ice/agent.js';
import { PeerTransport, type PeerTransportEvents, type PeerTransportInit } from '../transport/peer-transport.js';
import type { IceReport } from '../api/report.js';
import { remoteSctp } from '../sdp/description.js';
import type { Plan } from '../sdp/negotiate.js';
import { writeGoodbye } from '../rtp/rtcp.js';

/** What comes from a transport; `index` says which. */
export interface TransportEvents {
  /** A decrypted RTP packet. @param index of the transport */
  receiveRtp(packet: Buffer, index: number): void;
  /** A decrypted compound RTCP packet. @param index of the transport */
  receiveRtcp(compound: Buffer, index: number): void;
  /** The client has opened a data channel. */
  takeChannel(channel: IncomingChannel): void;
  /** Something happened that the session's record notes. */
  step(step: string, facts?: Readonly<Record<string, unknown>>): void;
  /** Found by now, of the ICE generation of `ufrag`; undefined: no more, on any of them. */
  candidate(candidate: string | undefined, index: number, ufrag: string): void;
  /** A transport has failed, or the other side has closed it. */
  ended(reason: EndReason): void;
}

/** What the handshake needs to know of the agreement. */
export interface HandshakeOptions {
  /** True where this side made the offer. */
  readonly isOfferer: boolean;
  /** True where the client sends media. */
  readonly receivesRtp: boolean;
}

/** Of a session that has no transport yet. */
export const NO_ICE: IceReport = { local: {}, remote: {}, pairs: [], checksReceived: 0, selected: undefined, restarts: 0, troubles: [] };

/** The transports of one session. */
export class Transports {
  readonly #all: PeerTransport[] = [];
  readonly #connected: Promise<unknown>;
  /** ICE restarts that were begun. */
  #restarts = 0;

  private constructor(count: number, init: PeerTransportInit, events: TransportEvents) {
    const connections = Array.from({ length: count }, (_unused, i) => {
      return new Promise<void>((connected) => {
        this.#all.push(new PeerTransport(init, this.#eventsOf(i, events, connected)));
      });
    });
    this.#connected = Promise.all(connections);
  }

  /** Opens the sockets of all, or of none. @throws Error where one cannot be bound */
  static async open(count: number, init: PeerTransportInit, events: TransportEvents): Promise<Transports> {
    const transports = new Transports(count, init, events);
    const opened = await Promise.allSettled(transports.#all.map((transport) => transport.open()));
    const failed = opened.find((result) => result.status === 'rejected');
    if (!failed) return transports;
    await Promise.allSettled(transports.#all.map((transport) => transport.close()));
    throw failed.reason;
  }

  at(index: number): PeerTransport | undefined {
    return this.#all[index];
  }

  /** Starts the handshakes. */
  connect({ transports: remotes, mLines }: Plan, { isOfferer, receivesRtp }: HandshakeOptions): void {
    this.#all.forEach((transport, i) => {
      const remote = remotes[i];
      if (remote) transport.connect(remote, { controlling: isOfferer || remote.iceLite, sctp: remoteSctp(mLines, i), receivesRtp });
    });
  }

  /** Resolves when media can flow on all of them. */
  async connected(): Promise<void> {
    await this.#connected;
  }

  /** Resolves when every candidate there will be has been found; bounded in time. */
  async gathered(): Promise<void> {
    await Promise.all(this.#all.map(({ ice }) => ice.gathered));
  }

  /** This side of each, of the newest ICE generation. */
  describe(setupOf: (index: number) => LocalTransport['setup']): LocalTransport[] {
    return this.#all.map((transport, i) => transport.describe(setupOf(i)));
  }

  /** Names the ICE generation. */
  get iceTag(): string {
    return this.#all.map(({ ice }) => ice.local.iceUfrag).join('.');
  }

  /** Monotonic ms of the last sign of life of the one that was silent longest. */
  get lastHeardMs(): number {
    return Math.min(...this.#all.map(({ ice }) => ice.lastHeardMs));
  }

  /** False while the client does not agree to be sent to (RFC 7675). */
  get mayBeSentTo(): boolean {
    return this.#all.every(({ ice }) => ice.failure === undefined);
  }

  get hasConsentExpired(): boolean {
    return this.#all.some(({ ice }) => ice.failure === 'consent-expired');
  }

  /** Of the first one. */
  get iceReport(): IceReport {
    return this.#all[0]?.ice.report ?? NO_ICE;
  }

  /** Types of the pair in use; undefined before there is one. */
  get icePath(): string | undefined {
    return this.#all[0]?.ice.selected;
  }

  /** As in `iceReport`. */
  get iceTroubles(): readonly string[] {
    return this.#all[0]?.ice.troubles ?? [];
  }

  /** Connectivity checks of the client that have come to the first one. */
  get checksReceived(): number {
    return this.#all[0]?.ice.checksReceived ?? 0;
  }

  /**
   * Begins an ICE restart: what was there stays in use until `continueRestart` has led to something that works.
   * @param gathers waits for all candidates
   * @throws MediaPeerError ICE_RESTART_REFUSED where another one was begun meanwhile
   */
  async beginRestart(gathers: boolean): Promise<void> {
    const restart = ++this.#restarts;
    const opened = await Promise.allSettled(this.#all.map(({ ice }) => ice.openRestart()));
    const failed = opened.find((result) => result.status === 'rejected');
    for (const result of opened) if (result.status === 'fulfilled') result.value(failed === undefined);
    if (failed) throw failed.reason;
    if (gathers) await this.gathered();
    if (restart !== this.#restarts) throw new MediaPeerError('ICE_RESTART_REFUSED', 'another ICE restart has replaced this one');
  }

  /** Gives up a restart that was begun: the client's half cannot be used, or will not come. What is in use stays. */
  cancelRestart(): void {
    for (const { ice } of this.#all) ice.cancelRestart();
  }

  /** The client's half of a restart, one for each. */
  continueRestart(remotes: readonly IceRemote[]): void {
    this.#all.forEach(({ ice }, i) => {
      const remote = remotes[i];
      if (remote) ice.connectRestart(remote);
    });
  }

  /** Says goodbye for the streams of each and releases everything. @returns what went wrong */
  async close(ssrcsOf: (index: number) => readonly number[]): Promise<unknown[]> {
    const closed = await Promise.allSettled(
      this.#all.map(async (transport, i) => {
        const ssrcs = ssrcsOf(i);
        if (ssrcs.length > 0) transport.sendRtcp(writeGoodbye(ssrcs));
        await transport.close();
      }),
    );
    return closed.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  }

  #eventsOf(index: number, events: TransportEvents, connected: () => void): PeerTransportEvents {
    return {
      rtp: (packet) => events.receiveRtp(packet, index),
      rtcp: (compound) => events.receiveRtcp(compound, index),
      channel: (channel) => events.takeChannel(channel),
      step: (step, facts) => events.step(step, facts),
      candidate: (candidate, ufrag) => {
        // One end for all of them: a client that was told of it waits for nothing more.
        if (candidate === undefined && this.#all.some(({ ice }) => ice.local.isGathering)) return;
        events.candidate(candidate, index, ufrag);
      },
      connected,
      ended: (reason) => events.ended(reason),
    };
  }
}
