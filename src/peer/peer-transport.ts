/**
 * One transport of a session: ICE, DTLS over it, and SRTP and data channels over that. Carries RTP and RTCP as
 * bytes; what they mean is the streams' business. The interface `PacketTransport` is what a faster way of sending
 * replaces.
 */
import { RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport, type RTCCertificate, type RTCSctpTransport } from 'werift';
import type { EndReason } from '../media/index.js';
import type { Logger } from '../logger.js';
import type { LocalTransport } from './answer.js';
import { DataChannel, type TextChannel } from './data-channel.js';
import { closeNotify, isGoodbye, isPlainAlert, isPlainClientHello, stopHandshake } from './dtls-records.js';
import { IceEndpoint, type IceOptions, type IceState } from './ice-endpoint.js';
import type { RemoteTransport } from './sdp.js';
import { packetSlabs } from './packet-slabs.js';
import { openSctp } from './sctp.js';
import { saltBytes, SRTP_AEAD_AES_128_GCM, SRTP_AES128_CM_HMAC_SHA1_80, srtpOverheadBytes, SrtcpReceiver, SrtpSender, type SrtpProfile } from './srtp.js';
import { dtlsInternals } from './werift-internals.js';

/** One RTP packet of one viewer: its own header over payload bytes that all viewers share. */
export interface RtpPacket {
  /** 12 bytes and the extensions. */
  readonly header: Buffer;
  readonly payload: Buffer;
  /** Rollover counter × 2^16 + sequence number (RFC 3711 §3.3.1). */
  readonly index: number;
}

/** Where a viewer's packets go. */
export interface PacketTransport {
  /** Bytes handed to the network stack and not taken by it yet: the measure of a slow viewer. */
  readonly pendingBytes: number;
  /** Protects and sends the packets of one frame in order. Never waits, never throws; dropped when not connected. */
  sendRtp(packets: readonly RtpPacket[]): void;
  /** Protects and sends one compound RTCP packet. */
  sendRtcp(compound: Buffer): void;
}

export interface PeerTransportInit {
  readonly ice: IceOptions;
  readonly certificate: RTCCertificate;
  readonly remote: RemoteTransport;
  /** The other side of the data channels; undefined where the offer has none on this transport. */
  readonly sctp: { readonly port: number; readonly maxMessageBytes: number } | undefined;
  readonly logger: Logger;
}

/** Datagrams that may come before a pair is nominated: a client's first flight and its repetitions. */
const MAX_EARLY_DATAGRAMS = 8;

export class PeerTransport implements PacketTransport {
  /** Decrypted compound packets from the peer. */
  onRtcp: (compound: Buffer) => void = () => undefined;
  /** A channel that the peer opened; it can be sent on. */
  onDataChannel: (channel: TextChannel) => void = () => undefined;
  /** Resolves when media can flow. */
  readonly connected: Promise<void>;
  /** Resolves when the other side is gone or the transport failed; never on `close`. */
  readonly ended: Promise<EndReason>;
  readonly local: LocalTransport;
  readonly #ice: IceEndpoint;
  readonly #dtls: RTCDtlsTransport;
  readonly #sctp: RTCSctpTransport | undefined;
  readonly #init: PeerTransportInit;
  readonly #early: Buffer[] = [];
  #srtp: { readonly sender: SrtpSender; readonly receiver: SrtcpReceiver; readonly overheadBytes: number } | undefined;
  #resolveConnected: () => void = () => undefined;
  #end: (reason: EndReason) => void = () => undefined;
  #isClosed = false;

  private constructor(init: PeerTransportInit, ice: IceEndpoint) {
    this.#init = init;
    this.#ice = ice;
    this.connected = new Promise((resolve) => (this.#resolveConnected = resolve));
    this.ended = new Promise((resolve) => (this.#end = resolve));
    this.#dtls = this.#makeDtls();
    this.#sctp = init.sctp && this.#makeSctp(init.sctp.maxMessageBytes);
    this.local = {
      iceUfrag: ice.localUfrag,
      icePassword: ice.localPassword,
      fingerprint: fingerprintOf(init.certificate),
      setup: this.#dtls.role === 'client' ? 'active' : 'passive',
      candidates: ice.candidates,
    };
    ice.onData = (data) => this.#receive(data);
    ice.onFailed = () => this.#end('ice-failed');
    ice.onNominated = () => this.#startDtls();
  }

  /** Opens the sockets; `connect` starts the handshake. @throws Error where no socket can be bound. */
  static async open(init: PeerTransportInit): Promise<PeerTransport> {
    const ice = await IceEndpoint.open(init.ice);
    await ice.gathered;
    return new PeerTransport(init, ice);
  }

  get iceState(): IceState {
    return this.#ice.state;
  }

  /** Monotonic ms of the last sign of life. */
  get lastHeardMs(): number {
    return this.#ice.lastHeardMs;
  }

  /** Of the latest consent check; undefined before there was one. */
  get roundTripMs(): number | undefined {
    return this.#ice.roundTripMs;
  }

  get pendingBytes(): number {
    return this.#ice.pendingBytes;
  }

  connect(): void {
    // The offerer controls, unless it is a lite agent (RFC 8445 §6.1.1).
    this.#ice.connect(this.#init.remote, { controlling: this.#init.remote.iceLite });
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
    if (this.#srtp) this.#ice.send(this.#srtp.sender.protectRtcp(compound));
  }

  /** Says goodbye (SCTP ABORT, DTLS close_notify) and gives everything back. Idempotent. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#sctp?.stop();
    if (this.#dtls.dtls) {
      if (this.#srtp && this.#dtls.state === 'connected') this.#ice.send(closeNotify(this.#dtls.dtls));
      stopHandshake(this.#dtls.dtls);
    }
    // Datagrams of this turn leave before the sockets go.
    await new Promise(setImmediate);
    await this.#dtls.stop();
    await this.#ice.close();
  }

  #sendSlab(slab: Buffer, ends: readonly number[]): void {
    this.#ice.sendAll(slab, ends, () => packetSlabs.giveBack(slab));
  }

  #makeDtls(): RTCDtlsTransport {
    const { certificate, remote, logger } = this.#init;
    const dtls = new RTCDtlsTransport({}, this.#ice.transport, certificate, [SRTP_AEAD_AES_128_GCM, SRTP_AES128_CM_HMAC_SHA1_80]);
    // As the server we need not wait before the first flight and choose the cheaper SRTP profile.
    dtls.role = remote.setup === 'passive' ? 'client' : 'server';
    dtls.setRemoteParams(new RTCDtlsParameters(remote.fingerprints.map(({ algorithm, value }) => new RTCDtlsFingerprint(algorithm, value)), dtls.role === 'client' ? 'server' : 'client'));
    dtls.startSrtp = () => undefined;
    dtls.onStateChange.subscribe((state) => {
      logger.debug({ dtlsState: state }, 'dtls state');
      if (state === 'closed') this.#end('viewer-left');
      if (state === 'failed') this.#end('dtls-failed');
    });
    return dtls;
  }

  #makeSctp(maxMessageBytes: number): RTCSctpTransport {
    const sctp = openSctp(this.#dtls, (error) => this.#init.logger.debug({ error }, 'data channel message dropped'));
    sctp.sctp.stateChanged.closed.subscribe(() => this.#end('viewer-left'));
    sctp.onDataChannel.subscribe((channel) => {
      // It is open, and its opening acknowledged, when this turn has ended.
      setImmediate(() => {
        if (!this.#isClosed && channel.readyState === 'open') this.onDataChannel(new DataChannel(channel, maxMessageBytes));
      });
    });
    return sctp;
  }

  #startDtls(): void {
    if (this.#isClosed) return;
    this.#init.logger.debug({}, 'ice pair nominated');
    // The association listens as soon as `start` has been called; what came before is handed over then.
    this.#dtls.start().then(
      () => this.#finishHandshake(),
      (error: unknown) => {
        if (!this.#isClosed) this.#init.logger.debug({ error }, 'dtls handshake failed');
        this.#end('dtls-failed');
      },
    );
    for (const data of this.#early.splice(0)) this.#receive(data);
  }

  #finishHandshake(): void {
    if (this.#isClosed || !this.#dtls.dtls) return;
    const dtls = dtlsInternals(this.#dtls.dtls);
    const profile = dtls.srtp.srtpProfile;
    if (profile !== SRTP_AEAD_AES_128_GCM && profile !== SRTP_AES128_CM_HMAC_SHA1_80) return this.#end('dtls-failed');
    const keys = dtls.extractSessionKeys(16, saltBytes(profile));
    this.#srtp = {
      sender: new SrtpSender({ profile, key: keys.localKey, salt: keys.localSalt }),
      receiver: new SrtcpReceiver({ profile, key: keys.remoteKey, salt: keys.remoteSalt }),
      overheadBytes: srtpOverheadBytes(profile),
    };
    this.#init.logger.debug({ srtpProfile: profileName(profile) }, 'dtls connected');
    if (this.#sctp && this.#init.sctp) {
      this.#sctp.start(this.#init.sctp.port).catch((error: unknown) => this.#init.logger.debug({ error }, 'sctp not started'));
    }
    this.#resolveConnected();
  }

  /** Tells DTLS, SRTP and SRTCP apart (RFC 7983 §7, RFC 5761 §4). */
  #receive(data: Buffer): void {
    const first = data[0] ?? 0;
    if (first >= 20 && first <= 63) this.#receiveDtls(data);
    else if (first >= 128 && first <= 191 && this.#srtp && isRtcp(data)) {
      const compound = this.#srtp.receiver.unprotect(data);
      if (compound) this.onRtcp(compound);
    }
  }

  #receiveDtls(data: Buffer): void {
    if (this.#dtls.state === 'new') {
      if (this.#early.length < MAX_EARLY_DATAGRAMS) this.#early.push(Buffer.from(data));
      return;
    }
    // Once connected only authenticated records may end or restart the association (RFC 6347 §4.1.2.7).
    if (this.#srtp && (isPlainAlert(data) || isPlainClientHello(data))) return;
    if (this.#dtls.dtls && isGoodbye(this.#dtls.dtls, data)) return this.#end('viewer-left');
    this.#ice.transport.connection.onData.execute(data);
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
