/**
 * The SCTP association of data channels, hardened: the library goes on by whatever lengths, streams and TSNs the client
 * writes, lets a malformed message reject a promise that nobody handles, trusts the client to keep to the window it is
 * told, goes through all that waits for each piece that comes, answers without end a client that takes no answer, sends again for ever where no retransmission is wanted
 * (`maxRetransmits` 0), gives up the oldest message instead of the lost one, and says so only once.
 */
import { RTCSctpTransport, type RTCDtlsTransport } from 'werift';
import { firstChunk, SCTP_CHUNK, sctpFault } from './sctp-packets.js';
import { MAX_DATA_MESSAGE_BYTES } from '../sdp/parse.js';
import {
  channelParameters,
  sctpAssociation,
  sctpChannels,
  type SctpForwardTsn,
  type SctpInternals,
  type SctpSack,
  type SctpSentChunk,
} from '../ice/werift.js';

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
/**
 * Shortest wait before what was not acknowledged counts as lost, as Chromium has it: the whole second of RFC 9260 §16
 * makes a loss stand out as a second without boxes.
 */
const MIN_RTO_S = 0.4;
/** Channels that a client may open. */
const MAX_CHANNELS = 32;
/** Streams of the client that are remembered: each FORWARD TSN goes through all. Closed channels are forgotten. */
const MAX_STREAMS = 2 * MAX_CHANNELS;
/** The library's number of a state of an association (RFC 9260 §4). */
const ESTABLISHED = 4;
/** Opens channels (RFC 8832 §8.1). */
const DCEP = 50;

const acknowledgements = new WeakMap<RTCSctpTransport, Set<() => void>>();

/** Calls `listener` after each acknowledgement of the client. Call the returned function to stop listening. */
export function onAcknowledged(sctp: RTCSctpTransport, listener: () => void): () => void {
  const listeners = acknowledgements.get(sctp);
  listeners?.add(listener);
  return () => void listeners?.delete(listener);
}

/** Pieces of messages, of all channels, that the client has not acknowledged: each at most about 1200 bytes. */
export function unacknowledged(sctp: RTCSctpTransport): number {
  const { sentQueue, outboundQueue } = sctpAssociation(sctp);
  return sentQueue.length + outboundQueue.length;
}

/**
 * An association over `dtls`. What goes beyond the bounds is dropped unacknowledged, as if it had been lost; `onDropped`
 * is told why a packet or a message was.
 */
export function openSctp(dtls: RTCDtlsTransport, onDropped: (why: string) => void): RTCSctpTransport {
  const sctp = new RTCSctpTransport(5000, MAX_DATA_MESSAGE_BYTES);
  const channels = sctpChannels(sctp);
  const dropError = (error: unknown): void => onDropped(error instanceof Error ? error.message : String(error));
  const receiveMessage = channels.datachannelReceive;
  channels.datachannelReceive = async (streamId, protocolId, data) => {
    const isKnown = channels.dataChannels[streamId] !== undefined;
    // Each opening is answered, and answers that nobody acknowledges wait; so do resets of channels that were closed.
    const { outboundQueue, reconfigQueue } = sctpAssociation(sctp);
    if (protocolId === DCEP && (outboundQueue.length >= MAX_UNSENT || reconfigQueue.length >= MAX_CHANNELS)) return;
    if (isKnown || Object.keys(channels.dataChannels).length < MAX_CHANNELS)
      await receiveMessage(streamId, protocolId, data).catch(dropError);
  };
  // A lifetime is shorter than the second after which a lost piece is noticed: it is sent once again at most.
  sctp.onDataChannel.subscribe((channel) => {
    const parameters = channelParameters(channel);
    if (parameters.maxPacketLifeTime === undefined) return;
    parameters.maxPacketLifeTime = undefined;
    parameters.maxRetransmits = 1;
  });
  sctp.setDtlsTransport(dtls);
  const association = sctpAssociation(sctp);
  association.advertisedRwnd = WINDOW_BYTES;
  guardReceived(association, onDropped, dropError);
  const listeners = new Set<() => void>();
  acknowledgements.set(sctp, listeners);
  const receiveSackChunk = association.receiveSackChunk.bind(association);
  association.receiveSackChunk = async (sack) => {
    if (!isPossible(association, sack)) return;
    const received = receiveSackChunk(sack);
    for (const listener of listeners) listener();
    await received;
  };
  association.maybeAbandon = (chunk) => maybeAbandon(association, chunk);
  repeatForwardTsn(association);
  const updateRto = association.updateRto.bind(association);
  association.updateRto = (roundTripS) => {
    updateRto(roundTripS);
    association.rto = Math.max(MIN_RTO_S, Math.min(association.rto, association.srtt + 4 * association.rttvar));
  };
  return sctp;
}

/** Lets the association see what it can take without harm. */
function guardReceived(association: SctpInternals, onDropped: (why: string) => void, onError: (error: unknown) => void): void {
  const handleData = association.handleData.bind(association);
  association.handleData = async (packet) => {
    const { port, remotePort, localVerificationTag } = association;
    const fault =
      sctpFault(packet, { localPort: port, remotePort, verificationTag: localVerificationTag }) ?? untimely(association, packet);
    if (fault === undefined) await handleData(packet).catch(onError);
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
    // The library sorts their numbers as text.
    advance(association);
  };
}

/** Why a packet that can be read means nothing now; undefined where it does. */
function untimely({ associationState, lastReceivedTsn }: SctpInternals, packet: Buffer): string | undefined {
  const first = firstChunk(packet);
  // A second one is an old packet, and would begin the count of what was received anew.
  if (first === SCTP_CHUNK.init) return associationState === ESTABLISHED ? 'a second beginning' : undefined;
  const isBeginning = first === SCTP_CHUNK.initAck || first === SCTP_CHUNK.abort;
  return lastReceivedTsn === undefined && !isBeginning ? 'a packet before the handshake' : undefined;
}

/**
 * False for an acknowledgement of what was never sent (RFC 9260 §6.2.1). Every TSN of a gap block is gone through: those
 * that end beyond what was sent, or overlap, mean nothing and are taken out.
 */
function isPossible({ sentQueue, localTsn }: SctpInternals, sack: SctpSack): boolean {
  if (((sack.cumulativeTsn - localTsn) | 0) >= 0) return false;
  const sent = ((sentQueue.at(-1)?.tsn ?? sack.cumulativeTsn) - sack.cumulativeTsn) | 0;
  let reached = 0;
  sack.gaps = sack.gaps.filter(([start, end]) => {
    const isNext = start > reached && end >= start && end <= sent;
    if (isNext) reached = end;
    return isNext;
  });
  return true;
}

/**
 * Tells where all was given up until the client has heard it (RFC 3758 §3.5 C3): where the one packet that says so is
 * lost, the client acknowledges nothing behind the gap, and the association stands still.
 */
function repeatForwardTsn(association: SctpInternals): void {
  const advance = association.updateAdvancedPeerAckPoint.bind(association);
  let told: SctpForwardTsn | undefined;
  association.updateAdvancedPeerAckPoint = () => {
    if (told && ((told.cumulativeTsn - association.lastSackedTsn) | 0) <= 0) told = undefined;
    const waiting = association.forwardTsnChunk;
    advance();
    const next = association.forwardTsnChunk;
    if (next && next !== waiting) {
      // The newest number of a stream holds.
      if (told) next.streams = [...new Map([...told.streams, ...next.streams])];
      told = next;
    }
    association.forwardTsnChunk = told;
  };
}

/** Remembers a TSN (RFC 9260 §6.2); true for one that was here before. */
function markReceived(association: SctpInternals, tsn: number): boolean {
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
function advance(association: SctpInternals): void {
  let next = ((association.lastReceivedTsn ?? 0) + 1) >>> 0;
  for (; association.sackMisOrdered.delete(next); next = (next + 1) >>> 0) association.lastReceivedTsn = next;
}

/** RFC 9260 §3.3.1: the last piece of its message. */
const LAST_FRAGMENT = 1;
/** The first piece of its message. */
const FIRST_FRAGMENT = 2;

/** Gives a message up whose piece was sent as often as it may be (RFC 3758 §3.5): all its pieces, sent or not. */
export function maybeAbandon(
  { sentQueue, outboundQueue }: Pick<SctpInternals, 'sentQueue' | 'outboundQueue'>,
  chunk: SctpSentChunk,
): boolean {
  // What has arrived is not sent again: nobody would count it out of flight.
  if (chunk.abandoned || chunk.acked) return true;
  if (chunk.maxRetransmits === undefined || chunk.sentCount <= chunk.maxRetransmits) return false;
  const at = sentQueue.indexOf(chunk);
  let first = at;
  while (first > 0 && ((sentQueue[first] as SctpSentChunk).flags & FIRST_FRAGMENT) === 0) first--;
  let last = at;
  while (((sentQueue[last] as SctpSentChunk).flags & LAST_FRAGMENT) === 0) {
    if (last === sentQueue.length - 1) {
      // The rest has its TSNs already: it counts as sent, so that the point up to which all is given up can pass it.
      const next = outboundQueue.shift();
      if (!next) break;
      sentQueue.push(next);
    }
    last++;
  }
  for (const piece of sentQueue.slice(first, last + 1)) {
    piece.abandoned = true;
    piece.retransmit = false;
  }
  return true;
}
