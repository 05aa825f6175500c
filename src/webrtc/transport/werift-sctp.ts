/**
 * werift's SCTP (RFC 9260) and its data channels (RFC 8831, RFC 8832). What this server uses beyond the public types
 * is named here, and hardened in the files beside. The only file that knows how werift holds all that;
 * `assertSctpShape` fails at start where another version lacks something of it.
 */
import { RTCDtlsTransport, RTCIceGatherer, RTCIceTransport, RTCSctpTransport, type RTCDataChannel } from 'werift';
import { assertShape } from '../ice/werift-shape.js';
import type { WeriftDtls } from './werift-dtls.js';

/** A channel of either side. */
export type SctpChannel = RTCDataChannel;

/** The channels of an association. */
export interface SctpChannels {
  /** By the numbers of their streams. */
  readonly dataChannels: Readonly<Record<number, unknown>>;
  /** Takes one message of a stream. */
  datachannelReceive: (streamId: number, protocolId: number, data: Buffer) => Promise<void>;
}

/** Says, or was received to say, up to where all was given up (RFC 3758 §3.2). */
export interface SctpForwardTsn {
  /** RFC 3758 §3.2: nothing up to here comes any more. */
  readonly cumulativeTsn: number;
  /** Ordered streams that messages were given up of. */
  streams: (readonly [streamId: number, streamSeqNum: number])[];
}

/** A received acknowledgement (RFC 9260 §3.3.4). */
export interface SctpSack {
  /** RFC 9260 §3.3.4: all up to here has arrived. */
  readonly cumulativeTsn: number;
  /** First and last TSN of each block, counted from `cumulativeTsn`. */
  gaps: (readonly [start: number, end: number])[];
}

/** A received piece of a message. */
interface SctpDataChunk {
  /** RFC 9260 §3.3.1. */
  readonly tsn: number;
  /** RFC 9260 §3.3.1. */
  readonly streamId: number;
  /** A message, or a piece of one. */
  readonly userData: Buffer;
}

/** A piece of a message that is or was sent. */
export interface SctpSentChunk {
  /** RFC 9260 §3.3.1. */
  readonly tsn: number;
  /** RFC 9260 §3.3.1: beginning, end and unordered. */
  readonly flags: number;
  /** RFC 9260 §3.3.1. */
  readonly streamId: number;
  /** RFC 9260 §3.3.1. */
  readonly streamSeqNum: number;
  /** After so many it is given up (RFC 7496 §3.2); undefined: never. */
  readonly maxRetransmits: number | undefined;
  /** How often it was sent. */
  sentCount: number;
  /** The peer has it. */
  acked: boolean;
  /** It was given up. */
  abandoned: boolean;
  /** It is sent again next. */
  retransmit: boolean;
}

/** An association: werift's `SCTP`. */
export interface SctpAssociation {
  /** This side's port. */
  readonly port: number;
  /** Undefined before the association is started. */
  readonly remotePort: number | undefined;
  /** What packets to this side have to carry (RFC 9260 §8.5). */
  readonly localVerificationTag: number;
  /** werift's number of a state of RFC 9260 §4. */
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
  /** What is held of each stream of the peer. */
  readonly inboundStreams: Readonly<Record<number, { readonly reassembly: readonly unknown[] }>>;
  /** Undefined before the handshake. */
  lastReceivedTsn: number | undefined;
  /** TSNs behind one that is missing. */
  readonly sackMisOrdered: Set<number>;
  /** TSNs that came once more, to be told in the next SACK. */
  readonly sackDuplicates: number[];
  /** The newest TSN that the peer has acknowledged. */
  readonly lastSackedTsn: number;
  /** Takes one SCTP packet. */
  handleData(data: Buffer): Promise<void>;
  /** Takes one DATA chunk. */
  receiveDataChunk(chunk: SctpDataChunk): void;
  /** Takes one SACK chunk. */
  receiveSackChunk(sack: SctpSack): Promise<void>;
  /** Takes one FORWARD TSN chunk. */
  receiveForwardTsnChunk(chunk: SctpForwardTsn): void;
  /** Notes a TSN; true where it had come before. */
  markReceived(tsn: number): boolean;
  /** Changes the state of the association. */
  setState(state: number): void;
  /** Seconds: the retransmission timeout, and the round trip that it follows from (RFC 9260 §6.3.1). */
  rto: number;
  /** Smoothed round trip, in seconds (RFC 9260 §6.3.1). */
  readonly srtt: number;
  /** Its variation, in seconds. */
  readonly rttvar: number;
  /** Takes one measured round trip, in seconds. */
  updateRto(roundTripS: number): void;
}

/** An association that is bound to DTLS, and its channels. */
export interface WeriftSctp {
  /** werift's transport. */
  readonly transport: RTCSctpTransport;
  /** What it does with packets. */
  readonly association: SctpAssociation;
  /** What it does with messages. */
  readonly channels: SctpChannels;
}

/** What is changed before the association is there. */
export interface WeriftSctpInit {
  /** Largest message in bytes that this side announces. */
  readonly maxMessageBytes: number;
  /** Changes what werift calls with each message. */
  readonly guardMessages: (channels: SctpChannels, association: () => SctpAssociation) => void;
}

/** The port of every association over DTLS (RFC 8841 §5). */
const SCTP_PORT = 5000;

/** An association over DTLS; `transport.start` begins it. */
export function openWeriftSctp(dtls: WeriftDtls, { maxMessageBytes, guardMessages }: WeriftSctpInit): WeriftSctp {
  const transport = new RTCSctpTransport(SCTP_PORT, maxMessageBytes);
  const channels = transport as unknown as SctpChannels;
  const association = (): SctpAssociation => transport.sctp as unknown as SctpAssociation;
  guardMessages(channels, association);
  transport.setDtlsTransport(dtls.transport);
  return { transport, association: association(), channels };
}

/** What a channel was opened with; it can be changed while nothing was sent. */
export function channelParameters(channel: SctpChannel): { maxPacketLifeTime?: number | undefined; maxRetransmits?: number | undefined } {
  return (channel as unknown as { parameters: { maxPacketLifeTime?: number | undefined; maxRetransmits?: number | undefined } }).parameters;
}

/** @throws AssertionError naming what this version of werift lacks. */
export function assertSctpShape(): void {
  const transport = new RTCSctpTransport(SCTP_PORT);
  transport.setDtlsTransport(new RTCDtlsTransport({}, new RTCIceTransport(new RTCIceGatherer()), undefined, []));
  assertShape('RTCSctpTransport', transport, {
    methods: ['datachannelReceive', 'start', 'stop'],
    fields: ['dataChannels', 'onDataChannel'],
  });
  assertShape('SCTP', transport.sctp, {
    methods: [
      'handleData',
      'receiveDataChunk',
      'receiveSackChunk',
      'receiveForwardTsnChunk',
      'markReceived',
      'maybeAbandon',
      'updateAdvancedPeerAckPoint',
      'updateRto',
    ],
    fields: [
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
    ],
  });
}
