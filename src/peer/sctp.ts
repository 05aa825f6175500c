/**
 * The SCTP association of data channels, hardened: the library lets a malformed message reject a promise that
 * nobody handles, trusts the client to keep to the window it is told, and goes through all fragments of a stream
 * for each new one.
 */
import { RTCSctpTransport, type RTCDtlsTransport } from 'werift';
import { MAX_DATA_MESSAGE_BYTES } from './answer.js';
import { sctpAssociation, sctpChannels } from './werift-internals.js';

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
  return sctp;
}
