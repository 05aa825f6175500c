/** Writes the offer that a viewer of a room gets (RFC 8829 §5.2): everything this server can send, bundled. Pure. */
import { h264Profile, h265Fmtp, type H265Profile, type Rendition } from '../../media/index.js';
import { type LocalStream, type LocalTransport, type SdpOrigin } from './answer.js';
import {
  CAPTURE_TIME_EXTENSION_URI,
  MID_EXTENSION_URI,
  PLAYOUT_DELAY_EXTENSION_URI,
  SEND_TIME_EXTENSION_URI,
  TRANSPORT_CC_EXTENSION_URI,
} from './extension-uris.js';
import { MAX_DATA_MESSAGE_BYTES } from './parse.js';

/** An m-line of video. */
interface OfferedVideo {
  readonly kind: 'video';
  readonly rendition: Rendition;
  readonly local: LocalStream;
  /** `profile-level-id` of H.264 that is handed on as it comes. Left out: it is encoded here. */
  readonly h264?: string | undefined;
  /** H.265 that is handed on as it comes. */
  readonly h265?: H265Profile | undefined;
}

/** One m-line of an offer of this server; its mid is its index. */
export type OfferedMLine = OfferedVideo | { readonly kind: 'audio'; readonly local: LocalStream } | { readonly kind: 'application' };

const MID_EXTENSION_ID = 1;
const PLAYOUT_DELAY_EXTENSION_ID = 2;
const TRANSPORT_CC_EXTENSION_ID = 3;
const SEND_TIME_EXTENSION_ID = 4;
const CAPTURE_TIME_EXTENSION_ID = 5;
/** What is asked of every viewer: RFC 4585 §4.2, RFC 5104 §7.1, and what tells how much its network carries. */
const VIDEO_FEEDBACK = ['nack', 'nack pli', 'ccm fir', 'transport-cc', 'goog-remb'];
/** Payload types, each with that of its retransmissions (RFC 4588 §8). */
const H264 = { payloadType: 102, rtx: 103, name: 'H264', fmtp: h264Fmtp('42e01f') };
const H264_AS_IT_COMES = { payloadType: 104, rtx: 105, name: 'H264' };
const H265_AS_IT_COMES = { payloadType: 98, rtx: 99, name: 'H265' };
const VP8 = { payloadType: 96, rtx: 97, name: 'VP8', fmtp: undefined };
const OPUS_PAYLOAD_TYPE = 111;

/** The offer as SDP, all m-lines bundled on one transport. */
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
    return [
      'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
      ...common,
      'a=sctp-port:5000',
      `a=max-message-size:${MAX_DATA_MESSAGE_BYTES}`,
    ];
  }
  const rtp = [
    'a=sendonly',
    'a=rtcp:9 IN IP4 0.0.0.0',
    'a=rtcp-mux',
    'a=rtcp-mux-only',
    'a=rtcp-rsize',
    `a=extmap:${MID_EXTENSION_ID} ${MID_EXTENSION_URI}`,
    `a=extmap:${TRANSPORT_CC_EXTENSION_ID} ${TRANSPORT_CC_EXTENSION_URI}`,
    `a=extmap:${SEND_TIME_EXTENSION_ID} ${SEND_TIME_EXTENSION_URI}`,
    `a=extmap:${CAPTURE_TIME_EXTENSION_ID} ${CAPTURE_TIME_EXTENSION_URI}`,
  ];
  const { ssrc, rtxSsrc, cname, msid } = mLine.local;
  const names = [
    `a=msid:${msid}`,
    ...(rtxSsrc === undefined ? [] : [`a=ssrc-group:FID ${ssrc} ${rtxSsrc}`]),
    `a=ssrc:${ssrc} cname:${cname}`,
    ...(rtxSsrc === undefined ? [] : [`a=ssrc:${rtxSsrc} cname:${cname}`]),
  ];
  if (mLine.kind === 'audio') {
    return [
      `m=audio 9 UDP/TLS/RTP/SAVPF ${OPUS_PAYLOAD_TYPE}`,
      ...common,
      ...rtp,
      `a=rtpmap:${OPUS_PAYLOAD_TYPE} opus/48000/2`,
      `a=rtcp-fb:${OPUS_PAYLOAD_TYPE} transport-cc`,
      `a=fmtp:${OPUS_PAYLOAD_TYPE} minptime=10;useinbandfec=1`,
      ...names,
    ];
  }
  const codecs = videoCodecs(mLine);
  const payloadTypes = codecs.flatMap(({ payloadType, rtx }) => [payloadType, rtx]);
  return [
    `m=video 9 UDP/TLS/RTP/SAVPF ${payloadTypes.join(' ')}`,
    ...common,
    ...rtp,
    `a=extmap:${PLAYOUT_DELAY_EXTENSION_ID} ${PLAYOUT_DELAY_EXTENSION_URI}`,
    ...codecs.flatMap(writeCodec),
    ...names,
  ];
}

/** What is handed on as it comes first; Constrained Baseline beside it, since some take High under that name alone. */
function videoCodecs({ h264, h265 }: OfferedVideo): (typeof H264 | typeof VP8)[] {
  const profile = h264 === undefined ? undefined : h264Profile(h264);
  const isOwn = profile === undefined || profile.name === 'constrained-baseline' || profile.name === 'baseline';
  const asItComes = h265 ? [{ ...H265_AS_IT_COMES, fmtp: h265Fmtp(h265) }] : [];
  return [...asItComes, ...(isOwn || h264 === undefined ? [] : [{ ...H264_AS_IT_COMES, fmtp: h264Fmtp(h264) }]), H264, VP8];
}

function h264Fmtp(profileLevelId: string): string {
  return `level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=${profileLevelId}`;
}

function writeCodec({ payloadType, rtx, name, fmtp }: typeof H264 | typeof VP8): string[] {
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
