/**
 * werift's DTLS (RFC 6347): the handshake with its certificates, the records of data channels, and the keys that SRTP
 * takes from it (RFC 5764). It is carried by datagrams of ours, and its own SRTP stays off. The only file that knows how
 * werift holds all that; `assertDtlsShape` fails at start where another version lacks something of it.
 */
import {
  DtlsServer,
  RTCDtlsFingerprint,
  RTCDtlsParameters,
  RTCDtlsTransport,
  RTCIceGatherer,
  RTCIceTransport,
  type RTCCertificate,
} from 'werift';
import { assertShape } from '../ice/werift-shape.js';
import type { RemoteTransport } from '../sdp/parse.js';
import type { SrtpProfile } from './srtp-keys.js';

/** As in the W3C's RTCDtlsTransportState. */
export type DtlsState = 'new' | 'connecting' | 'connected' | 'closed' | 'failed';

/** What this server proves to be: one self-signed certificate (RFC 8827 §6.5). */
export interface DtlsCertificate {
  /** The value of `a=fingerprint` (RFC 8122 §5): a hash and its bytes. */
  readonly fingerprint: string;
  /** werift's own. */
  readonly certificate: RTCCertificate;
}

/** How the handshake is made. */
export interface WeriftDtlsInit {
  /** Who sends the first ClientHello. */
  readonly role: 'client' | 'server';
  /** This side's. */
  readonly certificate: DtlsCertificate;
  /** Of the other side's certificate, as its description announces it. */
  readonly fingerprints: RemoteTransport['fingerprints'];
  /** Preferred first. */
  readonly srtpProfiles: readonly SrtpProfile[];
}

/** What DTLS brings. */
export interface WeriftDtlsEvents {
  /** A datagram for the other side. */
  send(datagram: Buffer): void;
  /** The handshake went on, ended or failed. */
  state(state: DtlsState): void;
}

/** A record as `encryptPacket` takes and changes it. */
export interface DtlsRecord {
  /** RFC 6347 §4.1. */
  recordLayerHeader: {
    contentType: number;
    protocolVersion: { major: number; minor: number };
    epoch: number;
    sequenceNumber: number;
    contentLen: number;
  };
  /** What the record carries. */
  fragment: Buffer;
}

/** A message of a handshake, put together from its fragments. */
export interface DtlsHandshakeMessage {
  /** RFC 5246 §7.4. */
  readonly msg_type: number;
  /** The body of the message. */
  readonly fragment: Buffer;
}

/** A part of such a message, or all of it. */
export interface DtlsHandshakeFragment extends DtlsHandshakeMessage {
  /** Of the message, in bytes. */
  readonly length: number;
  /** RFC 6347 §4.2.2. */
  readonly message_seq: number;
  /** Where it belongs in its message, in bytes. */
  readonly fragment_offset: number;
  /** Its own length, in bytes. */
  readonly fragment_length: number;
}

/** One side of an association. */
export interface DtlsAssociation {
  /** Takes fragments, returns the messages that they make whole. */
  handleFragmentHandshake(fragments: readonly DtlsHandshakeFragment[]): DtlsHandshakeFragment[];
  /** Of a client. */
  connect?: () => Promise<void>;
  /** Called with what each datagram brings. */
  onHandleHandshakes(messages: readonly DtlsHandshakeMessage[]): Promise<void>;
  /** Where the handshake stands. */
  readonly dtls: { flight: number; epoch: number; version: { major: number; minor: number }; recordSequenceNumber: number };
  /** Protects records once keys are agreed on. */
  readonly cipher: { encryptPacket(record: DtlsRecord): DtlsRecord; decryptPacket(record: DtlsRecord): Buffer };
  /** The profile that was chosen (RFC 5764 §4.1.2). */
  readonly srtp: { srtpProfile?: number };
  /** Keys for SRTP (RFC 5764 §4.2); lengths in bytes. */
  extractSessionKeys(keyLength: number, saltLength: number): { localKey: Buffer; localSalt: Buffer; remoteKey: Buffer; remoteSalt: Buffer };
}

/** Makes the certificate, once for each process. */
export async function dtlsCertificate(): Promise<DtlsCertificate> {
  const certificate = await RTCDtlsTransport.SetupCertificate();
  const [fingerprint] = certificate.getFingerprints();
  return { fingerprint: fingerprint ? `${fingerprint.algorithm} ${fingerprint.value}` : '', certificate };
}

/** werift's DTLS of one transport. */
export class WeriftDtls {
  /** What SCTP is bound to. */
  readonly transport: RTCDtlsTransport;
  readonly #carrier = new RTCIceTransport(new RTCIceGatherer());

  constructor({ role, certificate, fingerprints, srtpProfiles }: WeriftDtlsInit, events: WeriftDtlsEvents) {
    this.#carrier.connection.send = (datagram) => {
      events.send(datagram);
      return Promise.resolve();
    };
    this.transport = new RTCDtlsTransport({}, this.#carrier, certificate.certificate, [...srtpProfiles]);
    this.transport.role = role;
    this.transport.setRemoteParams(
      new RTCDtlsParameters(
        fingerprints.map(({ algorithm, value }) => new RTCDtlsFingerprint(algorithm, value)),
        role === 'client' ? 'server' : 'client',
      ),
    );
    this.transport.startSrtp = () => undefined;
    this.transport.onStateChange.subscribe((state) => events.state(state));
  }

  get state(): DtlsState {
    return this.transport.state;
  }

  /** Undefined before `start`. */
  get association(): DtlsAssociation | undefined {
    return this.transport.dtls;
  }

  /**
   * The association is there as soon as it has been called, and takes datagrams. Resolves when the handshake is done and
   * the other side's certificate is the announced one.
   * @throws Error saying why the handshake failed
   */
  async start(): Promise<void> {
    await this.transport.start();
  }

  /** Reads a datagram of whole records. @throws Error where it is malformed */
  receive(datagram: Buffer): void {
    this.#carrier.connection.onData.execute(datagram);
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    await this.transport.stop();
  }
}

/** @throws AssertionError naming what this version of werift lacks. */
export function assertDtlsShape(): void {
  const carrier = new RTCIceTransport(new RTCIceGatherer());
  assertShape('Connection', carrier.connection, { methods: ['send'], fields: ['onData'] });
  assertShape('RTCDtlsTransport', new RTCDtlsTransport({}, carrier, undefined, []), {
    methods: ['start', 'startSrtp', 'stop'],
    fields: ['dtls', 'role', 'onStateChange'],
  });
  assertShape('DtlsSocket', DtlsServer.prototype, { methods: ['extractSessionKeys', 'handleFragmentHandshake'] });
}
