/** Writes the offer that a viewer of a room gets (RFC 8829 §5.2): everything this server can send, bundled. Pure. */
import type { Rendition } from '../media/index.js';
import { MID_EXTENSION_URI, type LocalStream, type LocalTransport, type SdpOrigin } from './answer.js';
import { PLAYOUT_DELAY_EXTENSION_URI } from './playout-delay.js';
import { MAX_DATA_MESSAGE_BYTES } from './sdp.js';

/** One m-line of an offer of this server; its mid is its index. */
export type OfferedMLine =
  | { readonly kind: 'video'; readonly rendition: Rendition; readonly local: LocalStream }
  | { readonly kind: 'audio'; readonly local: LocalStream }
  | { readonly kind: 'application' };

const MID_EXTENSION_ID = 1;
const PLAYOUT_DELAY_EXTENSION_ID = 2;
/** What is asked of every viewer: RFC 4585 §4.2, RFC 5104 §7.1. */
const VIDEO_FEEDBACK = ['nack', 'nack pli', 'ccm fir'];
/** Payload types, each with that of its retransmissions (RFC 4588 §8). */
const VIDEO_CODECS = [
  { payloadType: 102, rtx: 103, name: 'H264', fmtp: 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f' },
  { payloadType: 96, rtx: 97, name: 'VP8', fmtp: undefined },
] as const;
const OPUS_PAYLOAD_TYPE = 111;

export function writeOffer(mLines: readonly OfferedMLine[], transport: LocalTransport, origin: SdpOrigin): string {
  const lines = [
    'v=0',
    `o=- ${origin.sessionId} ${origin.version} IN IP4 0.0.0.0`,
    's=-',
    't=0 0',
    `a=group:BUNDLE ${mLines.map((_mLine, mid) => mid).join(' ')}`,
    'a=msid-semantic: WMS *',
    ...mLines.flatMap((mLine, mid) => writeMLine(mLine, mid, transport)),
  ];
  return `${lines.join('\r\n')}\r\n`;
}

function writeMLine(mLine: OfferedMLine, mid: number, transport: LocalTransport): string[] {
  const common = ['c=IN IP4 0.0.0.0', `a=mid:${mid}`, ...writeIce(transport, mid === 0)];
  if (mLine.kind === 'application') {
    return ['m=application 9 UDP/DTLS/SCTP webrtc-datachannel', ...common, 'a=sctp-port:5000', `a=max-message-size:${MAX_DATA_MESSAGE_BYTES}`];
  }
  const rtp = ['a=sendonly', 'a=rtcp:9 IN IP4 0.0.0.0', 'a=rtcp-mux', 'a=rtcp-mux-only', 'a=rtcp-rsize', `a=extmap:${MID_EXTENSION_ID} ${MID_EXTENSION_URI}`];
  const { ssrc, rtxSsrc, cname, msid } = mLine.local;
  const names = [
    `a=msid:${msid}`,
    ...(rtxSsrc === undefined ? [] : [`a=ssrc-group:FID ${ssrc} ${rtxSsrc}`]),
    `a=ssrc:${ssrc} cname:${cname}`,
    ...(rtxSsrc === undefined ? [] : [`a=ssrc:${rtxSsrc} cname:${cname}`]),
  ];
  if (mLine.kind === 'audio') {
    return [`m=audio 9 UDP/TLS/RTP/SAVPF ${OPUS_PAYLOAD_TYPE}`, ...common, ...rtp, `a=rtpmap:${OPUS_PAYLOAD_TYPE} opus/48000/2`, `a=fmtp:${OPUS_PAYLOAD_TYPE} minptime=10;useinbandfec=1`, ...names];
  }
  const payloadTypes = VIDEO_CODECS.flatMap(({ payloadType, rtx }) => [payloadType, rtx]);
  return [`m=video 9 UDP/TLS/RTP/SAVPF ${payloadTypes.join(' ')}`, ...common, ...rtp, `a=extmap:${PLAYOUT_DELAY_EXTENSION_ID} ${PLAYOUT_DELAY_EXTENSION_URI}`, ...VIDEO_CODECS.flatMap(writeCodec), ...names];
}

function writeCodec({ payloadType, rtx, name, fmtp }: (typeof VIDEO_CODECS)[number]): string[] {
  return [
    `a=rtpmap:${payloadType} ${name}/90000`,
    ...VIDEO_FEEDBACK.map((feedback) => `a=rtcp-fb:${payloadType} ${feedback}`),
    ...(fmtp === undefined ? [] : [`a=fmtp:${payloadType} ${fmtp}`]),
    `a=rtpmap:${rtx} rtx/90000`,
    `a=fmtp:${rtx} apt=${payloadType}`,
  ];
}

/** Candidates stand in the m-line that the others are bundled with (RFC 9143 §7.2.1). */
function writeIce(transport: LocalTransport, isTagged: boolean): string[] {
  return [
    `a=ice-ufrag:${transport.iceUfrag}`,
    `a=ice-pwd:${transport.icePassword}`,
    'a=ice-options:trickle',
    ...(isTagged ? transport.candidates.map((candidate) => `a=${candidate}`) : []),
    ...(isTagged && !transport.isGathering ? ['a=end-of-candidates'] : []),
    `a=fingerprint:${transport.fingerprint}`,
    `a=setup:${transport.setup}`,
  ];
}
