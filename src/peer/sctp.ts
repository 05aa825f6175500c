/**
 * The SCTP association of data channels, hardened: the library lets a malformed message reject a promise that
 * nobody handles, trusts the client to keep to the window it is told, goes through all fragments of a stream for
 * each new one, sends again for ever where no retransmission is wanted (`maxRetransmits` 0), and gives up the oldest
 * message instead of the lost one.
 */
import { RTCSctpTransport, type RTCDtlsTransport } from 'werift';
import { MAX_DATA_MESSAGE_BYTES } from './sdp.js';
import { channelParameters, sctpAssociation, sctpChannels, type SctpInternals, type SctpSentChunk } from './werift-internals.js';

/** Received and not yet whole, in bytes. */
const WINDOW_BYTES = 4 * MAX_DATA_MESSAGE_BYTES;
/** Fragments of one stream that wait for the rest of their message: the window in full packets, several times. */
const MAX_FRAGMENTS = 1024;
/** Channels that a client may open. */
const MAX_CHANNELS = 32;

/** An association over `dtls`. What goes beyond the bounds is dropped unacknowledged, as if it had been lost. */
export function openSctp(dtls: RTCDtlsTransport, onDropped: (error: unknown) => void): RTCSctpTransport {
  const sctp = new RTCSctpTransport(5000, MAX_DATA_MESSAGE_BYTES);
  const channels = sctpChannels(sctp);
  const receiveMessage = channels.datachannelReceive;
  channels.datachannelReceive = async (streamId, protocolId, data) => {
    const isKnown = channels.dataChannels[streamId] !== undefined;
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
    if (bytes > 0 && bytes <= association.advertisedRwnd && fragments < MAX_FRAGMENTS) receiveDataChunk(chunk);
  };
  association.maybeAbandon = (chunk) => maybeAbandon(association, chunk);
  return sctp;
}

/** RFC 9260 §3.3.1: the last piece of its message. */
const LAST_FRAGMENT = 1;
/** The first piece of its message. */
const FIRST_FRAGMENT = 2;

/** Gives a message up whose piece was sent as often as it may be (RFC 3758 §3.5): all its pieces, sent or not. */
export function maybeAbandon({ sentQueue, outboundQueue }: Pick<SctpInternals, 'sentQueue' | 'outboundQueue'>, chunk: SctpSentChunk): boolean {
  if (chunk.abandoned) return true;
  if (chunk.maxRetransmits === undefined || chunk.sentCount <= chunk.maxRetransmits || chunk.acked) return false;
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
