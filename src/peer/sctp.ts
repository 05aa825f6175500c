/**
 * The SCTP association of data channels, hardened: the library lets a malformed message reject a promise that
 * nobody handles, trusts the client to keep to the window it is told, goes through all that waits for each piece that
 * comes, answers without end a client that takes no answer, sends again for ever where no retransmission is wanted
 * (`maxRetransmits` 0), gives up the oldest message instead of the lost one, and says so only once.
 */
import { RTCSctpTransport, type RTCDtlsTransport } from 'werift';
import { MAX_DATA_MESSAGE_BYTES } from './sdp.js';
import { channelParameters, sctpAssociation, sctpChannels, type SctpForwardTsn, type SctpInternals, type SctpSentChunk } from './werift-internals.js';

/** Received and not yet whole, in bytes. */
const WINDOW_BYTES = 4 * MAX_DATA_MESSAGE_BYTES;
/** Fragments of one stream that wait for the rest of their message: the window in full packets, several times. */
const MAX_FRAGMENTS = 1024;
/** Pieces that are remembered behind one that is lost: the window in full packets. */
const MAX_MISORDERED = 256;
/** Pieces that wait to be sent before no more channels are opened: all that the channels let wait is less. */
const MAX_UNSENT = 256;
/**
 * Shortest wait before what was not acknowledged counts as lost, as Chromium has it: the whole second of RFC 9260 §16
 * makes a loss stand out as a second without boxes.
 */
const MIN_RTO_S = 0.4;
/** Channels that a client may open. */
const MAX_CHANNELS = 32;
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

/** An association over `dtls`. What goes beyond the bounds is dropped unacknowledged, as if it had been lost. */
export function openSctp(dtls: RTCDtlsTransport, onDropped: (error: unknown) => void): RTCSctpTransport {
  const sctp = new RTCSctpTransport(5000, MAX_DATA_MESSAGE_BYTES);
  const channels = sctpChannels(sctp);
  const receiveMessage = channels.datachannelReceive;
  channels.datachannelReceive = async (streamId, protocolId, data) => {
    const isKnown = channels.dataChannels[streamId] !== undefined;
    // Each opening is answered, and answers that nobody acknowledges wait.
    if (protocolId === DCEP && sctpAssociation(sctp).outboundQueue.length >= MAX_UNSENT) return;
    if (isKnown || Object.keys(channels.dataChannels).length < MAX_CHANNELS) await receiveMessage(streamId, protocolId, data).catch(onDropped);
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
  const handleData = association.handleData.bind(association);
  association.handleData = (data) => handleData(data).catch(onDropped);
  const receiveDataChunk = association.receiveDataChunk.bind(association);
  association.receiveDataChunk = (chunk) => {
    const bytes = chunk.userData.length;
    const fragments = association.inboundStreams[chunk.streamId]?.reassembly.length ?? 0;
    // A chunk without data is a protocol violation (RFC 9260 §6.2), and would cost no window.
    const { sackMisOrdered, lastReceivedTsn = 0 } = association;
    const isExpected = sackMisOrdered.size < MAX_MISORDERED || chunk.tsn === (lastReceivedTsn + 1) >>> 0;
    if (bytes > 0 && bytes <= association.advertisedRwnd && fragments < MAX_FRAGMENTS && isExpected) receiveDataChunk(chunk);
  };
  association.markReceived = (tsn) => markReceived(association, tsn);
  const receiveSackChunk = association.receiveSackChunk.bind(association);
  const listeners = new Set<() => void>();
  acknowledgements.set(sctp, listeners);
  association.receiveSackChunk = (sack) => {
    // Every TSN of a gap block is gone through: those of blocks that end beyond what was sent mean nothing.
    const sent = ((association.sentQueue.at(-1)?.tsn ?? sack.cumulativeTsn) - sack.cumulativeTsn) | 0;
    sack.gaps = sack.gaps.filter(([, end]) => end <= sent);
    const received = receiveSackChunk(sack);
    for (const listener of listeners) listener();
    return received;
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
  let next = ((lastReceivedTsn ?? 0) + 1) >>> 0;
  for (; sackMisOrdered.delete(next); next = (next + 1) >>> 0) association.lastReceivedTsn = next;
  return false;
}

/** RFC 9260 §3.3.1: the last piece of its message. */
const LAST_FRAGMENT = 1;
/** The first piece of its message. */
const FIRST_FRAGMENT = 2;

/** Gives a message up whose piece was sent as often as it may be (RFC 3758 §3.5): all its pieces, sent or not. */
export function maybeAbandon({ sentQueue, outboundQueue }: Pick<SctpInternals, 'sentQueue' | 'outboundQueue'>, chunk: SctpSentChunk): boolean {
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
