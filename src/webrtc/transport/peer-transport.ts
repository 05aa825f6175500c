/**
 * One transport of a session: ICE, DTLS over it, and SRTP and data channels over that. Carries RTP and RTCP as
 * bytes; what they mean is the streams' business. The interface `PacketTransport` is what a faster way of sending
 * replaces.
 */
import {
  RTCDtlsFingerprint,
  RTCDtlsParameters,
  RTCDtlsTransport,
  RTCIceGatherer,
  RTCIceTransport,
  type RTCCertificate,
  type RTCSctpTransport,
} from 'werift';
import type { EndReason } from '../../media/index.js';
import type { Logger } from '../../base/logger.js';
import type { LocalTransport } from '../sdp/answer.js';
import { DataChannel, type TextChannel } from './data-channel.js';
import { putHandshakeInOrder } from './dtls-handshake.js';
import { closeNotify, isAdmitted, isGoodbye, readRecords, stopHandshake } from './dtls-records.js';
import { IceSession } from '../ice/session.js';
import type { IceOptions } from '../ice/agent.js';
import type { RemoteTransport } from '../sdp/parse.js';
import { setupFor, type RemoteSctp } from '../sdp/remote-transport.js';
import { packetSlabs } from './packet-slabs.js';
import { openSctp } from './sctp.js';
import { SrtcpReceiver } from './srtcp-receiver.js';
import {
  saltBytes,
  SRTP_AEAD_AES_128_GCM,
  SRTP_AES128_CM_HMAC_SHA1_80,
  srtpOverheadBytes,
  type SrtpMasterKey,
  type SrtpProfile,
} from './srtp-keys.js';
import { SrtpReceiver } from './srtp-receiver.js';
import { SrtpSender } from './srtp-sender.js';
import { dtlsInternals, iceInternals } from '../ice/werift.js';

/** One RTP packet of one viewer: its own header over payload bytes that all viewers share. */
export interface RtpPacket {
  /** 12 bytes and the extensions. */
  readonly header: Buffer;
  readonly payload: Buffer;
  /** Rollover counter × 2^16 + sequence number (RFC 3711 §3.3.1). */
  readonly index: number;
}

/** Where a client's packets go. */
export interface PacketTransport {
  /** Bytes handed to the network stack and not taken by it yet: the measure of a slow viewer. */
  readonly pendingBytes: number;
  /** Protects and sends the packets of one frame in order. Never waits, never throws; dropped when not connected. */
  sendRtp(packets: readonly RtpPacket[]): void;
  /** Of the network, as last measured; undefined before. */
  readonly roundTripMs?: number | undefined;
  /** Protects and sends one compound RTCP packet. */
  sendRtcp(compound: Buffer): void;
}

export interface PeerTransportInit {
  readonly ice: IceOptions;
  readonly certificate: RTCCertificate;
  readonly logger: Logger;
}

export interface ConnectOptions {
  /** True where this side made the offer (RFC 8445 §6.1.1). */
  readonly controlling: boolean;
  /** Undefined where no data channels were negotiated on this transport. */
  readonly sctp: RemoteSctp | undefined;
  /** True where the client sends media. Default false: its RTP is not even decrypted. */
  readonly receivesRtp?: boolean;
}

/** Datagrams that may come before a pair is nominated: a client's first flight and its repetitions. */
const MAX_EARLY_DATAGRAMS = 8;

export class PeerTransport implements PacketTransport {
  /** Decrypted compound packets from the peer. */
  onRtcp: (compound: Buffer) => void = () => undefined;
  /** Decrypted RTP packets from the peer. */
  onRtp: (packet: Buffer) => void = () => undefined;
  /** A channel that the peer opened; it can be sent on. */
  onDataChannel: (channel: TextChannel) => void = () => undefined;
  /** Something happened that a session's record notes. */
  onStep: (step: string, facts?: Readonly<Record<string, unknown>>) => void = () => undefined;
  /** Resolves when media can flow. */
  readonly connected: Promise<void>;
  /** Resolves when the other side is gone or the transport failed; never on `close`. */
  readonly ended: Promise<EndReason>;
  readonly ice: IceSession;
  readonly #init: PeerTransportInit;
  /** What DTLS is bound to: it outlives the ICE agents. */
  readonly #carrier: RTCIceTransport;
  readonly #early: Buffer[] = [];
  #dtls: RTCDtlsTransport | undefined;
  #sctp: RTCSctpTransport | undefined;
  #connectOptions: ConnectOptions | undefined;
  #srtp:
    | { readonly sender: SrtpSender; readonly receiver: SrtcpReceiver; readonly rtpReceiver: SrtpReceiver; readonly overheadBytes: number }
    | undefined;
  #srtpProfile: string | undefined;
  #resolveConnected: () => void = () => undefined;
  #end: (reason: EndReason) => void = () => undefined;
  /** Packets and messages that no client of good will sends. */
  #dropped = 0;
  readonly #droppedSteps = new Set<string>();
  #isClosed = false;

  private constructor(init: PeerTransportInit, ice: IceSession) {
    this.#init = init;
    this.ice = ice;
    this.connected = new Promise((resolve) => (this.#resolveConnected = resolve));
    this.ended = new Promise((resolve) => (this.#end = resolve));
    this.#carrier = new RTCIceTransport(new RTCIceGatherer());
    iceInternals(this.#carrier.connection).send = (data) => {
      this.ice.send(data);
      return Promise.resolve();
    };
    ice.onData = (data) => this.#receive(data);
    ice.onStep = (step) => {
      if (!this.#isClosed) this.onStep(step);
    };
    ice.onNominated = () => this.#startDtls();
    ice.onFailed = () => {
      if (!this.#isClosed && !this.#srtp) this.#end('ice-failed');
    };
  }

  /** Opens the sockets; `connect` starts the handshake. @throws Error where no socket can be bound. */
  static async open(init: PeerTransportInit): Promise<PeerTransport> {
    return new PeerTransport(init, await IceSession.open(init.ice, init.logger));
  }

  /** This side as a description tells it: of the newest ICE generation, with the candidates found so far. */
  describe(setup: LocalTransport['setup']): LocalTransport {
    return { ...this.ice.local, fingerprint: fingerprintOf(this.#init.certificate), setup };
  }

  /** Of the latest consent check; undefined before there was one. */
  get roundTripMs(): number | undefined {
    return this.ice.roundTripMs;
  }

  get pendingBytes(): number {
    return this.ice.pendingBytes;
  }

  /** Undefined before the handshake is done. */
  get dtlsReport(): { readonly role: string; readonly srtpProfile: string } | undefined {
    return this.#srtpProfile === undefined ? undefined : { role: this.#dtls?.role ?? 'auto', srtpProfile: this.#srtpProfile };
  }

  /** Starts the handshake with the other side. */
  connect(remote: RemoteTransport, options: ConnectOptions): void {
    this.#connectOptions = options;
    this.#dtls = this.#makeDtls(remote);
    this.#sctp = options.sctp && this.#makeSctp(this.#dtls, options.sctp.maxMessageBytes);
    this.ice.connect(remote, { controlling: options.controlling });
    if (this.ice.isNominated) this.#startDtls();
  }

  sendRtp(packets: readonly RtpPacket[]): void {
    const srtp = this.#srtp;
    if (!srtp || this.#isClosed) return;
    let slab = packetSlabs.take();
    let ends: number[] = [];
    let offset = 0;
    for (const packet of packets) {
      if (offset + packet.header.length + packet.payload.length + srtp.overheadBytes > slab.length) {
        this.#sendSlab(slab, ends);
        slab = packetSlabs.take();
        ends = [];
        offset = 0;
      }
      offset += srtp.sender.protectRtp(packet.header, packet.payload, packet.index, slab, offset);
      ends.push(offset);
    }
    this.#sendSlab(slab, ends);
  }

  sendRtcp(compound: Buffer): void {
    if (this.#srtp) this.ice.send(this.#srtp.sender.protectRtcp(compound));
  }

  /** Says goodbye (SCTP ABORT, DTLS close_notify) and gives everything back. Idempotent. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#dropped > 0) this.#init.logger.info({ dropped: this.#dropped }, 'the client sent malformed packets');
    try {
      await this.#sayGoodbye();
    } finally {
      await this.ice.close();
    }
  }

  async #sayGoodbye(): Promise<void> {
    await this.#sctp?.stop();
    if (this.#dtls?.dtls) {
      if (this.#srtp && this.#dtls.state === 'connected') this.ice.send(closeNotify(this.#dtls.dtls));
      stopHandshake(this.#dtls.dtls);
    }
    // Datagrams of this turn leave before the sockets go.
    await new Promise(setImmediate);
    await this.#dtls?.stop();
  }

  #sendSlab(slab: Buffer, ends: readonly number[]): void {
    this.ice.sendAll(slab, ends, () => packetSlabs.giveBack(slab));
  }

  #makeDtls(remote: RemoteTransport): RTCDtlsTransport {
    const { certificate, logger } = this.#init;
    const dtls = new RTCDtlsTransport({}, this.#carrier, certificate, [SRTP_AEAD_AES_128_GCM, SRTP_AES128_CM_HMAC_SHA1_80]);
    // As the server we need not wait before the first flight and choose the cheaper SRTP profile.
    dtls.role = setupFor(remote) === 'active' ? 'client' : 'server';
    dtls.setRemoteParams(
      new RTCDtlsParameters(
        remote.fingerprints.map(({ algorithm, value }) => new RTCDtlsFingerprint(algorithm, value)),
        dtls.role === 'client' ? 'server' : 'client',
      ),
    );
    dtls.startSrtp = () => undefined;
    dtls.onStateChange.subscribe((state) => {
      logger.debug({ dtlsState: state }, 'dtls state');
      if (state === 'closed') this.#end('viewer-left');
      if (state === 'failed') this.#end('dtls-failed');
    });
    return dtls;
  }

  #makeSctp(dtls: RTCDtlsTransport, maxMessageBytes: number): RTCSctpTransport {
    const sctp = openSctp(dtls, (why) => this.#drop('sctp packet dropped', why));
    sctp.sctp.stateChanged.closed.subscribe(() => this.#end('viewer-left'));
    sctp.onDataChannel.subscribe((channel) => {
      // It is open, and its opening acknowledged, when this turn has ended.
      setImmediate(() => {
        if (!this.#isClosed && channel.readyState === 'open') this.onDataChannel(new DataChannel(channel, sctp, maxMessageBytes));
      });
    });
    return sctp;
  }

  /** Counts; the first of its kind is remembered, or a client that sends nothing else would fill the log. */
  #drop(step: string, why: string): void {
    this.#dropped++;
    if (this.#droppedSteps.has(step) || this.#isClosed) return;
    this.#droppedSteps.add(step);
    this.#init.logger.debug({ why }, step);
    this.onStep(step, { why });
  }

  #startDtls(): void {
    if (!this.#dtls || this.#isClosed || this.#dtls.state !== 'new') return;
    this.#init.logger.debug({}, 'ice pair nominated');
    // The association listens as soon as `start` has been called; what came before is handed over then.
    this.#dtls.start().then(
      () => this.#finishHandshake(),
      (error: unknown) => {
        if (!this.#isClosed) this.#init.logger.debug({ err: error }, 'dtls handshake failed');
        this.onStep('dtls failed', { why: error instanceof Error ? error.message : String(error) });
        this.#end('dtls-failed');
      },
    );
    if (this.#dtls.dtls) putHandshakeInOrder(this.#dtls.dtls);
    for (const data of this.#early.splice(0)) this.#receive(data);
  }

  #finishHandshake(): void {
    if (this.#isClosed || !this.#dtls?.dtls) return;
    const dtls = dtlsInternals(this.#dtls.dtls);
    const profile = dtls.srtp.srtpProfile;
    if (profile !== SRTP_AEAD_AES_128_GCM && profile !== SRTP_AES128_CM_HMAC_SHA1_80) return this.#end('dtls-failed');
    const keys = dtls.extractSessionKeys(16, saltBytes(profile));
    const remote: SrtpMasterKey = { profile, key: keys.remoteKey, salt: keys.remoteSalt };
    this.#srtp = {
      sender: new SrtpSender({ profile, key: keys.localKey, salt: keys.localSalt }),
      receiver: new SrtcpReceiver(remote),
      rtpReceiver: new SrtpReceiver(remote),
      overheadBytes: srtpOverheadBytes(profile),
    };
    this.#srtpProfile = profileName(profile);
    this.#init.logger.debug({ srtpProfile: this.#srtpProfile }, 'dtls connected');
    this.onStep('dtls connected', { role: this.#dtls.role, srtpProfile: this.#srtpProfile });
    const sctp = this.#connectOptions?.sctp;
    if (this.#sctp && sctp) {
      this.#sctp.start(sctp.port).catch((error: unknown) => this.#init.logger.debug({ err: error }, 'sctp not started'));
    }
    this.#resolveConnected();
  }

  /** Tells DTLS, SRTP and SRTCP apart (RFC 7983 §7, RFC 5761 §4). */
  #receive(data: Buffer): void {
    const first = data[0] ?? 0;
    if (first >= 20 && first <= 63) this.#receiveDtls(data);
    else if (first >= 128 && first <= 191 && this.#srtp) this.#receiveSrtp(data, this.#srtp);
  }

  #receiveSrtp(data: Buffer, { receiver, rtpReceiver }: { readonly receiver: SrtcpReceiver; readonly rtpReceiver: SrtpReceiver }): void {
    if (isRtcp(data)) {
      const compound = receiver.unprotect(data);
      if (compound) this.onRtcp(compound);
    } else if (this.#connectOptions?.receivesRtp === true) {
      const packet = rtpReceiver.unprotect(data);
      if (packet) this.onRtp(packet);
    }
  }

  #receiveDtls(data: Buffer): void {
    if (!this.#dtls || this.#dtls.state === 'new') {
      if (this.#early.length < MAX_EARLY_DATAGRAMS) this.#early.push(Buffer.from(data));
      return;
    }
    const { dtls } = this.#dtls;
    const records = readRecords(data);
    if (dtls && records.some((record) => isGoodbye(dtls, record))) return this.#end('viewer-left');
    const admitted = records.filter((record) => isAdmitted(record, this.#srtp !== undefined));
    if (admitted.length === 0) return;
    try {
      this.#carrier.connection.onData.execute(
        admitted.length === 1 ? (admitted[0] as { bytes: Buffer }).bytes : Buffer.concat(admitted.map(({ bytes }) => bytes)),
      );
    } catch (error) {
      this.#drop('dtls datagram dropped', error instanceof Error ? error.message : String(error));
    }
  }
}

const fingerprints = new WeakMap<RTCCertificate, string>();

/** Read once: taking it parses the certificate. */
function fingerprintOf(certificate: RTCCertificate): string {
  const known = fingerprints.get(certificate);
  if (known !== undefined) return known;
  const fingerprint = certificate.getFingerprints().map(({ algorithm, value }) => `${algorithm} ${value}`)[0] ?? '';
  fingerprints.set(certificate, fingerprint);
  return fingerprint;
}

function isRtcp(data: Buffer): boolean {
  const type = data[1] ?? 0;
  return type >= 192 && type <= 223;
}

function profileName(profile: SrtpProfile): string {
  return profile === SRTP_AEAD_AES_128_GCM ? 'AEAD_AES_128_GCM' : 'AES_CM_128_HMAC_SHA1_80';
}
