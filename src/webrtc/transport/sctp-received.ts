/**
 * What an SCTP association takes from the client, bounded. By itself werift goes on by whatever lengths, streams and TSNs
 * the client writes, lets a malformed message reject a promise that nobody handles, trusts the client to keep to the
 * window it is told, goes through all that waits for each piece that comes, and answers without end a client that takes
 * no answer.
 */
import { messageOf } from '../../base/errors.js';
import { MAX_DATA_MESSAGE_BYTES } from '../sdp/parse.js';
import { firstChunk, SCTP_CHUNK, sctpFault } from './sctp-packets.js';
import type { SctpAssociation, SctpChannels } from './werift-sctp.js';

/** Received and not yet whole, in bytes. */
const WINDOW_BYTES = 4 * MAX_DATA_MESSAGE_BYTES;
/** Fragments of one stream that wait for the rest of their message: the window in full packets, several times. */
const MAX_FRAGMENTS = 1024;
/** Pieces that are remembered behind one that is lost: the window in full packets. */
const MAX_MISORDERED = 256;
/** How far behind it such a piece may be: acknowledgements count in 16 bits. */
const MAX_TSN_DISTANCE = 0xffff;
/** Pieces that wait to be sent before no more channels are opened: all that the channels let wait is less. */
const MAX_UNSENT = 256;
/** Channels that a client may open. */
const MAX_CHANNELS = 32;
/** Streams of the client that are remembered: each FORWARD TSN goes through all. Closed channels are forgotten. */
const MAX_STREAMS = 2 * MAX_CHANNELS;
/** werift's number of a state of an association (RFC 9260 §4). */
const ESTABLISHED = 4;
/** Opens channels (RFC 8832 §8.1). */
const DCEP = 50;

/** Is told why a packet or a message was dropped. */
export type OnDropped = (why: string) => void;

/** Bounds the channels, and what is answered to who opens them. Before the association is there. */
export function guardMessages(channels: SctpChannels, association: () => SctpAssociation, onDropped: OnDropped): void {
  const receiveMessage = channels.datachannelReceive;
  channels.datachannelReceive = async (streamId, protocolId, data) => {
    const isKnown = channels.dataChannels[streamId] !== undefined;
    // Each opening is answered, and answers that nobody acknowledges wait; so do resets of channels that were closed.
    const { outboundQueue, reconfigQueue } = association();
    if (protocolId === DCEP && (outboundQueue.length >= MAX_UNSENT || reconfigQueue.length >= MAX_CHANNELS)) return;
    if (!isKnown && Object.keys(channels.dataChannels).length >= MAX_CHANNELS) return;
    await receiveMessage(streamId, protocolId, data).catch((error: unknown) => onDropped(messageOf(error)));
  };
}

/** Lets the association see what it can take without harm. What goes beyond is dropped unacknowledged, as if it had been lost. */
export function guardReceived(association: SctpAssociation, onDropped: OnDropped): void {
  association.advertisedRwnd = WINDOW_BYTES;
  const handleData = association.handleData.bind(association);
  association.handleData = async (packet) => {
    const { port, remotePort, localVerificationTag } = association;
    const fault =
      sctpFault(packet, { localPort: port, remotePort, verificationTag: localVerificationTag }) ?? untimely(association, packet);
    if (fault === undefined) await handleData(packet).catch((error: unknown) => onDropped(messageOf(error)));
    else onDropped(fault);
  };
  const isRoomFor = (streamId: number): boolean =>
    association.inboundStreams[streamId] !== undefined || Object.keys(association.inboundStreams).length < MAX_STREAMS;
  const receiveDataChunk = association.receiveDataChunk.bind(association);
  association.receiveDataChunk = (chunk) => {
    const { sackMisOrdered, lastReceivedTsn = 0 } = association;
    const fragments = association.inboundStreams[chunk.streamId]?.reassembly.length ?? 0;
    const distance = (chunk.tsn - lastReceivedTsn) | 0;
    const isExpected = distance === 1 || (sackMisOrdered.size < MAX_MISORDERED && distance <= MAX_TSN_DISTANCE);
    if (chunk.userData.length <= association.advertisedRwnd && fragments < MAX_FRAGMENTS && isExpected && isRoomFor(chunk.streamId))
      receiveDataChunk(chunk);
  };
  association.markReceived = (tsn) => markReceived(association, tsn);
  const receiveForwardTsnChunk = association.receiveForwardTsnChunk.bind(association);
  association.receiveForwardTsnChunk = (chunk) => {
    let free = MAX_STREAMS - Object.keys(association.inboundStreams).length;
    chunk.streams = [...new Map(chunk.streams)].filter(([streamId]) => association.inboundStreams[streamId] !== undefined || free-- > 0);
    receiveForwardTsnChunk(chunk);
    // werift sorts their numbers as text.
    advance(association);
  };
}

/** Why a packet that can be read means nothing now; undefined where it does. */
function untimely({ associationState, lastReceivedTsn }: SctpAssociation, packet: Buffer): string | undefined {
  const first = firstChunk(packet);
  // A second one is an old packet, and would begin the count of what was received again.
  if (first === SCTP_CHUNK.init) return associationState === ESTABLISHED ? 'a second beginning' : undefined;
  const isBeginning = first === SCTP_CHUNK.initAck || first === SCTP_CHUNK.abort;
  return lastReceivedTsn === undefined && !isBeginning ? 'a packet before the handshake' : undefined;
}

/** Remembers a TSN (RFC 9260 §6.2); true for one that was here before. */
function markReceived(association: SctpAssociation, tsn: number): boolean {
  const { sackMisOrdered, sackDuplicates, lastReceivedTsn } = association;
  if (sackMisOrdered.has(tsn) || (lastReceivedTsn !== undefined && ((tsn - lastReceivedTsn) | 0) <= 0)) {
    sackDuplicates.push(tsn);
    return true;
  }
  sackMisOrdered.add(tsn);
  advance(association);
  return false;
}

/** Moves the point up to which all was received over what is remembered behind it. */
function advance(association: SctpAssociation): void {
  let next = ((association.lastReceivedTsn ?? 0) + 1) >>> 0;
  for (; association.sackMisOrdered.delete(next); next = (next + 1) >>> 0) association.lastReceivedTsn = next;
}
