/**
 * One transport of a session: ICE, DTLS over it, and SRTP and data channels over that. Carries RTP and RTCP as
 * bytes; what they mean is the streams' business.
 */
import type { Logger } from '../../base/logger.js';
import type { EndReason } from '../../media/index.js';
import type { IceOptions } from '../ice/gathering.js';
import { TokenBucket } from '../../base/token-bucket.js';
import { RoundTrips } from '../ice/round-trips.js';
import { IceSession } from '../ice/session.js';
import type { LocalTransport } from '../sdp/answer.js';
import type { RemoteTransport } from '../sdp/parse.js';
import { setupFor, type RemoteSctp } from '../sdp/remote-transport.js';
import type { IncomingChannel } from './data-channel.js';
import { Dtls, type SrtpKeys } from './dtls.js';
import { asksForHello, isHelloAgain } from './dtls-records.js';
import type { Pacer } from './pacer.js';
import type { PacketTransport, Pacing, RtpPacket } from './packet-transport.js';
import { Sctp } from './sctp.js';
import { Srtp } from './srtp.js';
import { TransportCongestion } from './transport-congestion.js';
import type { DtlsCertificate } from './werift-dtls.js';

const HELLO = 'hello';

/** What a transport is opened with. */
export interface PeerTransportInit {
  /** Where it listens, and which STUN and TURN servers it asks. */
  readonly ice: IceOptions;
  /** The server's own, whose fingerprint the description tells. */
  readonly certificate: DtlsCertificate;
  /** Of all transports. */
  readonly pacer: Pacer;
  readonly logger: Logger;
}

/** What a transport tells its owner, from `open` to `close`. */
export interface PeerTransportEvents {
  /** A decrypted RTP packet of the peer. */
  rtp(packet: Buffer): void;
  /** A decrypted compound RTCP packet of the peer. */
  rtcp(compound: Buffer): void;
  /** A channel that the peer opened; it can be sent on. To be accepted at once, or never. */
  channel(channel: IncomingChannel): void;
  /** As the event of `IceSession`. */
  candidate(candidate: string | undefined, ufrag: string): void;
  /** Something happened that a session's record notes. */
  step(step: string, facts?: Readonly<Record<string, unknown>>): void;
  /** Media can flow. Once. */
  connected(): void;
  /** The other side is gone, or the transport failed. Once. */
  ended(reason: EndReason): void;
}

/** What was agreed on for the transport. */
export interface ConnectOptions {
  /** True where this side made the offer (RFC 8445 §6.1.1). */
  readonly controlling: boolean;
  /** Undefined where no data channels were negotiated on this transport. */
  readonly sctp: RemoteSctp | undefined;
  /** True where the client sends media. Default false: its RTP is not even decrypted. */
  readonly receivesRtp?: boolean;
}

/** RTCP that is read: a wall of 16 m-lines that all lose packets asks 50 times a second for each. More would cost others their time. */
const RTCP_ALLOWANCE = { perSecond: 1000, burst: 2000 };

/** One transport of a session. */
export class PeerTransport implements PacketTransport {
  readonly ice: IceSession;
  /** What is known of the network, and what is sent under that. */
  readonly congestion: TransportCongestion;
  readonly #init: PeerTransportInit;
  readonly #events: PeerTransportEvents;
  /** Of `connect`, until DTLS has brought the keys. */
  #options: ConnectOptions | undefined;
  #dtls: Dtls | undefined;
  #sctp: Sctp | undefined;
  #srtp: Srtp | undefined;
  /** The first question of the handshake is answered at once, before anything is computed. */
  readonly #hellos = new RoundTrips();
  readonly #rtcpAllowance: TokenBucket;
  /** Packets and messages that no client of good will sends. */
  #dropped = 0;
  readonly #droppedSteps = new Set<string>();
  #isEnded = false;
  #isClosed = false;

  /** Nothing is held before `open`. */
  constructor(init: PeerTransportInit, events: PeerTransportEvents) {
    this.#init = init;
    this.#events = events;
    this.#rtcpAllowance = new TokenBucket(init.ice.clock, RTCP_ALLOWANCE);
    this.congestion = new TransportCongestion(
      init.pacer,
      () => init.ice.clock.now(),
      () => this.ice,
    );
    this.ice = new IceSession(init.ice, init.logger, {
      data: (data) => this.#receive(data),
      candidate: (candidate, ufrag) => events.candidate(candidate, ufrag),
      step: (step) => this.#step(step),
      nominated: () => {
        this.#pathChanged();
        this.#startDtls();
      },
      moved: () => this.#pathChanged(),
      failed: () => {
        if (!this.#srtp) this.#end('ice-failed');
      },
      checkedPath: ({ id, roundTripMs }) => this.congestion.receiveAnswer(id, roundTripMs),
    });
  }

  /** Binds the sockets, once; `connect` starts the handshake. @throws Error where no socket can be bound. */
  async open(): Promise<void> {
    await this.ice.open();
  }

  /** This side as a description tells it: of the newest ICE generation, with the candidates found so far. */
  describe(setup: LocalTransport['setup']): LocalTransport {
    return { ...this.ice.local, fingerprint: this.#init.certificate.fingerprint, setup };
  }

  /** Of the latest consent check; undefined before there was one. */
  get roundTripMs(): number | undefined {
    return this.ice.roundTripMs;
  }

  get pacing(): Pacing {
    return this.congestion.pacing;
  }

  get pendingBytes(): number {
    return this.ice.pendingBytes;
  }

  /** Undefined before the handshake is done. */
  get dtlsReport(): { readonly role: string; readonly srtpProfile: string } | undefined {
    return this.#dtls && this.#srtp && { role: this.#dtls.role, srtpProfile: this.#srtp.profile };
  }

  /** Starts the handshake with the other side. Once. */
  connect(remote: RemoteTransport, options: ConnectOptions): void {
    const { certificate, logger } = this.#init;
    this.#options = options;
    // As the server we need not wait before the first flight and choose the cheaper SRTP profile.
    const role = setupFor(remote) === 'active' ? 'client' : 'server';
    this.#dtls = new Dtls(
      { role, certificate, fingerprints: remote.fingerprints, logger },
      {
        send: (datagram) => {
          if (asksForHello(datagram)) this.#hellos.asked(HELLO);
          this.ice.send(datagram);
        },
        connected: (keys) => this.#connected(keys),
        left: () => this.#end('viewer-left'),
        failed: (why) => {
          this.#events.step('dtls failed', { why });
          this.#end('dtls-failed');
        },
        dropped: (why) => this.#drop('dtls datagram dropped', why),
      },
    );
    if (options.sctp) {
      this.#sctp = new Sctp(
        this.#dtls.carrier,
        { ...options.sctp, logger },
        {
          channel: (channel) => this.#events.channel(channel),
          left: () => this.#end('viewer-left'),
          dropped: (why) => this.#drop('sctp packet dropped', why),
        },
      );
    }
    this.ice.connect(remote, { controlling: options.controlling });
    if (this.ice.isNominated) this.#startDtls();
  }

  sendRtp(packets: readonly RtpPacket[]): void {
    if (!this.#srtp || this.#isClosed) return;
    this.congestion.leave(packets);
    this.#srtp.protectAll(packets, this.#sendSlab);
  }

  repeatRtp(packets: readonly RtpPacket[]): void {
    if (!this.#srtp || this.#isClosed) return;
    this.congestion.repeat(packets);
    this.#srtp.protectAll(packets, this.#sendSlab);
  }

  sendRtcp(compound: Buffer): void {
    if (this.#srtp) this.ice.send(this.#srtp.protectRtcp(compound));
  }

  /** Says goodbye (SCTP ABORT, DTLS close_notify) and releases everything. Idempotent. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.congestion.close();
    if (this.#dropped > 0) this.#init.logger.info({ dropped: this.#dropped }, 'the client sent malformed packets');
    try {
      await this.#sctp?.stop();
      await this.#dtls?.close();
    } finally {
      await this.ice.close();
    }
  }

  /** One for the transport: none is made for each frame. */
  readonly #sendSlab = (slab: Buffer, ends: readonly number[], done: () => void): void => this.ice.sendAll(slab, ends, done);

  #step(step: string, facts?: Readonly<Record<string, unknown>>): void {
    if (!this.#isClosed) this.#events.step(step, facts);
  }

  #end(reason: EndReason): void {
    if (this.#isEnded || this.#isClosed) return;
    this.#isEnded = true;
    this.#events.ended(reason);
  }

  /** Counts; the first of its kind is remembered, or a client that sends nothing else would fill the log. */
  #drop(step: string, why: string): void {
    this.#dropped++;
    if (this.#droppedSteps.has(step) || this.#isClosed) return;
    this.#droppedSteps.add(step);
    this.#init.logger.debug({ why }, step);
    this.#step(step, { why });
  }

  /** The first path is told of once the handshake has measured it, too. */
  #pathChanged(): void {
    if (this.#srtp) this.congestion.setPath(this.ice.networkRoundTripMs);
  }

  #startDtls(): void {
    if (!this.#dtls || this.#isClosed) return;
    this.#dtls.start();
  }

  #connected(keys: SrtpKeys): void {
    if (this.#isClosed) return;
    this.#srtp = new Srtp(keys);
    this.congestion.setPath(smallest(this.ice.networkRoundTripMs, this.#hellos.smallestMs));
    const { dtlsReport } = this;
    this.#init.logger.debug({ srtpProfile: dtlsReport?.srtpProfile }, 'dtls connected');
    this.#step('dtls connected', dtlsReport);
    if (this.#sctp && this.#options?.sctp) {
      this.#sctp.start(this.#options.sctp.port).catch((error: unknown) => this.#init.logger.debug({ err: error }, 'sctp not started'));
    }
    this.#events.connected();
  }

  /** Tells DTLS, SRTP and SRTCP apart (RFC 7983 §7, RFC 5761 §4). */
  #receive(data: Buffer): void {
    const first = data[0] ?? 0;
    if (first >= 20 && first <= 63) {
      if (isHelloAgain(data)) this.#hellos.answered(HELLO);
      this.#dtls?.receive(data);
    } else if (first >= 128 && first <= 191 && this.#srtp) this.#receiveSrtp(data, this.#srtp);
  }

  #receiveSrtp(data: Buffer, srtp: Srtp): void {
    if (isRtcp(data)) {
      const compound = srtp.unprotectRtcp(data);
      if (compound && this.#rtcpAllowance.take()) this.#events.rtcp(compound);
    } else if (this.#options?.receivesRtp === true) {
      const packet = srtp.unprotectRtp(data);
      if (packet) this.#events.rtp(packet);
    }
  }
}

function isRtcp(data: Buffer): boolean {
  const type = data[1] ?? 0;
  return type >= 192 && type <= 223;
}

function smallest(...values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
