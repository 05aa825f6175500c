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

/** An association: werift's `SCTP`. */
export interface SctpAssociation {
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

/** An association that is bound to DTLS, and its channels. */
export interface WeriftSctp {
  readonly transport: RTCSctpTransport;
  readonly association: SctpAssociation;
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
