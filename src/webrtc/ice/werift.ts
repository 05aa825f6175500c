/**
 * What this room uses of werift beyond its public types, proven on 0.25.2: werift does ICE, DTLS and SCTP, while
 * the sockets, the session descriptions and everything that carries media are ours. `assertWeriftShape` fails at
 * start when another version lacks one of the fields, instead of letting a session fail in a strange way.
 *
 * - `Connection` (ICE) gathers on sockets of its own, which crash the process on a bind error and answer anybody;
 *   so protocols are made here and registered the way its `getCandidatePromises` does. It also falls back to a
 *   public STUN server, hence `stunServer` is wiped.
 * - `checkComplete` is where a pair becomes nominated; `connect` notices up to 20 ms later.
 * - `RTCDtlsTransport.startSrtp` is left out: keys are taken with `extractSessionKeys`.
 */
import assert from 'node:assert/strict';
import {
  type Candidate,
  Connection,
  DtlsServer,
  RTCDtlsTransport,
  type RTCDataChannel,
  RTCIceGatherer,
  RTCIceTransport,
  RTCSctpTransport,
  StunProtocol,
  type CandidatePair,
  type Message,
} from 'werift';

/** The ICE agent's private side. */
export interface IceInternals {
  stunServer: unknown;
  nominated: CandidatePair | undefined;
  state: string;
  localUsername: string;
  localPassword: string;
  remoteUsername: string;
  generation: number;
  protocols: StunProtocol[];
  readonly checkList: CandidatePair[];
  localCandidatesStart: boolean;
  localCandidatesEnd: boolean;
  iceControlling: boolean;
  send(data: Buffer): Promise<void>;
  checkComplete(pair: CandidatePair): void;
  ensureProtocol(protocol: StunProtocol): void;
  pairLocalProtocol(protocol: StunProtocol): void;
  appendLocalCandidate(candidate: Candidate): void;
  setState(state: string): void;
}

/** What a StunProtocol needs of its socket. */
export interface StunSocket {
  readonly closed: boolean;
  readonly address: { readonly address: string; readonly port: number };
  /** 0: both. */
  readonly addressFamily: 0 | 4 | 6;
  send(data: Buffer, address: readonly [string, number]): Promise<void>;
  close(): Promise<void>;
}

/** A StunProtocol's private side. */
export interface StunProtocolInternals {
  transport: StunSocket;
  datagramReceived(data: Buffer, address: readonly [string, number]): void;
  readonly onRequestReceived: { execute(message: Message, address: readonly [string, number], data: Buffer): void };
}

/** A candidate pair's private side. */
export interface PairInternals {
  readonly requestTransactionIds: Set<string>;
}

/** A record as `encryptPacket` takes and changes it. */
export interface DtlsRecord {
  recordLayerHeader: {
    contentType: number;
    protocolVersion: { major: number; minor: number };
    epoch: number;
    sequenceNumber: number;
    contentLen: number;
  };
  fragment: Buffer;
}

/** A message of a handshake, put together from its fragments. */
export interface DtlsHandshakeMessage {
  readonly msg_type: number;
  readonly fragment: Buffer;
}

/** A part of such a message, or all of it. */
export interface DtlsHandshakeFragment extends DtlsHandshakeMessage {
  /** Of the message, in bytes. */
  readonly length: number;
  readonly message_seq: number;
  readonly fragment_offset: number;
  readonly fragment_length: number;
}

/** The DTLS association's private side. */
export interface DtlsInternals {
  /** Takes fragments, returns the messages that they make whole. */
  handleFragmentHandshake(fragments: readonly DtlsHandshakeFragment[]): DtlsHandshakeFragment[];
  /** Of a client. */
  connect?: () => Promise<void>;
  /** Called with what each datagram brings. */
  onHandleHandshakes(messages: readonly DtlsHandshakeMessage[]): Promise<void>;
  readonly dtls: { flight: number; epoch: number; version: { major: number; minor: number }; recordSequenceNumber: number };
  readonly cipher: { encryptPacket(record: DtlsRecord): DtlsRecord; decryptPacket(record: DtlsRecord): Buffer };
  readonly srtp: { srtpProfile?: number };
  extractSessionKeys(keyLength: number, saltLength: number): { localKey: Buffer; localSalt: Buffer; remoteKey: Buffer; remoteSalt: Buffer };
}

/** The data channel layer's private side. */
export interface SctpTransportInternals {
  readonly dataChannels: Readonly<Record<number, unknown>>;
  datachannelReceive: (streamId: number, protocolId: number, data: Buffer) => Promise<void>;
}

/** Says, or was received to say, up to where all was given up (RFC 3758 §3.2). */
export interface SctpForwardTsn {
  readonly cumulativeTsn: number;
  streams: (readonly [streamId: number, streamSeqNum: number])[];
}

/** A received acknowledgement (RFC 9260 §3.3.4). */
export interface SctpSack {
  readonly cumulativeTsn: number;
  /** First and last TSN of each block, counted from `cumulativeTsn`. */
  gaps: (readonly [start: number, end: number])[];
}

/** A received piece of a message. */
export interface SctpDataChunk {
  readonly tsn: number;
  readonly streamId: number;
  readonly userData: Buffer;
}

/** A piece of a message that is or was sent. */
export interface SctpSentChunk {
  readonly tsn: number;
  readonly flags: number;
  readonly streamId: number;
  readonly streamSeqNum: number;
  readonly maxRetransmits: number | undefined;
  sentCount: number;
  acked: boolean;
  abandoned: boolean;
  retransmit: boolean;
}

/** The SCTP association's private side. */
export interface SctpInternals {
  readonly port: number;
  /** Undefined before the association is started. */
  readonly remotePort: number | undefined;
  readonly localVerificationTag: number;
  readonly associationState: number;
  /** Of the next piece. */
  readonly localTsn: number;
  /** Streams whose reset the client is to be told of. */
  readonly reconfigQueue: readonly number[];
  /** Sent and not yet acknowledged, by TSN. */
  readonly sentQueue: SctpSentChunk[];
  /** Not yet sent, by TSN. */
  readonly outboundQueue: SctpSentChunk[];
  /** To be sent next. */
  forwardTsnChunk: SctpForwardTsn | undefined;
  /** After each acknowledgement, and when none came in time: takes what was given up from the queue, and has the client told. */
  updateAdvancedPeerAckPoint(): void;
  /** True where the piece is not to be sent again: its message is given up (RFC 3758 §3.5), or it has arrived. */
  maybeAbandon(chunk: SctpSentChunk): boolean;
  /** What is left of the window, in bytes. */
  advertisedRwnd: number;
  readonly inboundStreams: Readonly<Record<number, { readonly reassembly: readonly unknown[] }>>;
  /** Undefined before the handshake. */
  lastReceivedTsn: number | undefined;
  /** TSNs behind one that is missing. */
  readonly sackMisOrdered: Set<number>;
  readonly sackDuplicates: number[];
  readonly lastSackedTsn: number;
  handleData(data: Buffer): Promise<void>;
  receiveDataChunk(chunk: SctpDataChunk): void;
  receiveSackChunk(sack: SctpSack): Promise<void>;
  receiveForwardTsnChunk(chunk: SctpForwardTsn): void;
  markReceived(tsn: number): boolean;
  setState(state: number): void;
  /** Seconds: the retransmission timeout, and the round trip that it follows from (RFC 9260 §6.3.1). */
  rto: number;
  readonly srtt: number;
  readonly rttvar: number;
  updateRto(roundTripS: number): void;
}

export function iceInternals(connection: unknown): IceInternals {
  return connection as IceInternals;
}

export function stunInternals(protocol: StunProtocol): StunProtocolInternals {
  return protocol as unknown as StunProtocolInternals;
}

export function pairInternals(pair: CandidatePair): PairInternals {
  return pair as unknown as PairInternals;
}

export function sctpChannels(transport: RTCSctpTransport): SctpTransportInternals {
  return transport as unknown as SctpTransportInternals;
}

/** What a channel was opened with. */
export function channelParameters(channel: RTCDataChannel): {
  maxPacketLifeTime?: number | undefined;
  maxRetransmits?: number | undefined;
} {
  return (channel as unknown as { parameters: { maxPacketLifeTime?: number | undefined; maxRetransmits?: number | undefined } }).parameters;
}

/** There is one once the transport has its DTLS transport. */
export function sctpAssociation(transport: RTCSctpTransport): SctpInternals {
  return transport.sctp as unknown as SctpInternals;
}

export function dtlsInternals(association: unknown): DtlsInternals {
  return association as DtlsInternals;
}

/** @throws AssertionError naming what this version of werift lacks. */
export function assertWeriftShape(): void {
  const gatherer = new RTCIceGatherer({});
  const { connection } = gatherer;
  const dtls = new RTCDtlsTransport({}, new RTCIceTransport(gatherer), undefined, []);
  const sctp = new RTCSctpTransport(5000);
  sctp.setDtlsTransport(dtls);
  const used: [string, object, string[]][] = [
    [
      'Connection',
      connection,
      ['send', 'checkComplete', 'ensureProtocol', 'pairLocalProtocol', 'appendLocalCandidate', 'setState', 'connect'],
    ],
    ['StunProtocol', new StunProtocol(), ['datagramReceived']],
    ['RTCDtlsTransport', dtls, ['startSrtp']],
    ['RTCSctpTransport', sctp, ['datachannelReceive']],
    [
      'SCTP',
      sctp.sctp,
      [
        'handleData',
        'receiveDataChunk',
        'receiveSackChunk',
        'receiveForwardTsnChunk',
        'markReceived',
        'maybeAbandon',
        'updateAdvancedPeerAckPoint',
        'updateRto',
      ],
    ],
    ['DtlsSocket', DtlsServer.prototype, ['extractSessionKeys', 'handleFragmentHandshake']],
  ];
  for (const [name, object, methods] of used) {
    for (const method of methods)
      assert(typeof Reflect.get(object, method) === 'function', `this version of werift has no ${name}.${method}`);
  }
  for (const name of [
    'stunServer',
    'protocols',
    'checkList',
    'localCandidatesStart',
    'localCandidatesEnd',
    'localUsername',
    'remoteUsername',
  ]) {
    assert(name in connection, `this version of werift has no Connection.${name}`);
  }
  for (const name of [
    'port',
    'remotePort',
    'localVerificationTag',
    'associationState',
    'localTsn',
    'reconfigQueue',
    'sentQueue',
    'outboundQueue',
    'inboundStreams',
    'advertisedRwnd',
    'lastReceivedTsn',
    'sackMisOrdered',
    'sackDuplicates',
    'lastSackedTsn',
    'forwardTsnChunk',
    'rto',
    'srtt',
    'rttvar',
  ])
    assert(name in sctp.sctp, `this version of werift has no SCTP.${name}`);
  assert(connection instanceof Connection, 'the gatherer holds the ICE agent');
}
