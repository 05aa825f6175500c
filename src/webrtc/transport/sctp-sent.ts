/**
 * What an SCTP association has sent and the client acknowledges or never does. By itself werift goes through whatever is
 * acknowledged, sends again forever where no retransmission is wanted (`maxRetransmits` 0), gives up the oldest message
 * instead of the lost one, and says so only once.
 */
import {
  channelParameters,
  type SctpAssociation,
  type SctpChannel,
  type SctpForwardTsn,
  type SctpSack,
  type SctpSentChunk,
} from './werift-sctp.js';

/**
 * Shortest wait before what was not acknowledged counts as lost, as Chromium has it: the whole second of RFC 9260 §16
 * makes a loss stand out as a second without boxes.
 */
const MIN_RTO_S = 0.4;
/** RFC 9260 §3.3.1: the last piece of its message. */
const LAST_FRAGMENT = 1;
/** The first piece of its message. */
const FIRST_FRAGMENT = 2;

/** Passes over impossible acknowledgements, and calls `onAcknowledged` after each of the others. */
export function guardAcknowledged(association: SctpAssociation, onAcknowledged: () => void): void {
  const receiveSackChunk = association.receiveSackChunk.bind(association);
  association.receiveSackChunk = async (sack) => {
    if (!isPossible(association, sack)) return;
    const received = receiveSackChunk(sack);
    onAcknowledged();
    await received;
  };
}

/** A lifetime is shorter than the time after which a lost piece is noticed: it is sent once again at most. */
export function limitRepetitions(channel: SctpChannel): void {
  const parameters = channelParameters(channel);
  if (parameters.maxPacketLifeTime === undefined) return;
  parameters.maxPacketLifeTime = undefined;
  parameters.maxRetransmits = 1;
}

/** Sends again, or gives up, what is lost: as soon as Chromium does, and message by message. */
export function recoverLosses(association: SctpAssociation): void {
  association.maybeAbandon = (chunk) => maybeAbandon(association, chunk);
  repeatForwardTsn(association);
  const updateRto = association.updateRto.bind(association);
  association.updateRto = (roundTripS) => {
    updateRto(roundTripS);
    association.rto = Math.max(MIN_RTO_S, Math.min(association.rto, association.srtt + 4 * association.rttvar));
  };
}

/**
 * False for an acknowledgement of what was never sent (RFC 9260 §6.2.1). Every TSN of a gap block is gone through: those
 * that end beyond what was sent, or overlap, mean nothing and are taken out.
 */
function isPossible({ sentQueue, localTsn }: SctpAssociation, sack: SctpSack): boolean {
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
function repeatForwardTsn(association: SctpAssociation): void {
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

/** Gives a message up whose piece was sent as often as it may be (RFC 3758 §3.5): all its pieces, sent or not. */
function maybeAbandon({ sentQueue, outboundQueue }: Pick<SctpAssociation, 'sentQueue' | 'outboundQueue'>, chunk: SctpSentChunk): boolean {
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
