/** Writes the answer (RFC 3264, RFC 8829 §5.3) to a planned offer. Pure. */
import { randomBytes } from 'node:crypto';
import type { NegotiatedCodec, OfferedCodec } from './codecs.js';
import { codecsOf, offeredCodecs } from './codecs.js';
import type { MLinePlan, Plan } from './negotiate.js';
import { answeredExtensions } from './extension-uris.js';
import { MAX_DATA_MESSAGE_BYTES } from './parse.js';
import { writeSimulcast } from './simulcast.js';

/** This side's part of one transport. */
export interface LocalTransport {
  /** RFC 8839 §5.4. */
  readonly iceUfrag: string;
  /** RFC 8839 §5.4. */
  readonly icePassword: string;
  /** `sha-256 AB:CD:...` */
  readonly fingerprint: string;
  /** This side's DTLS role (RFC 8842 §5). */
  readonly setup: 'actpass' | 'active' | 'passive';
  /** `candidate:...` without `a=`. */
  readonly candidates: readonly string[];
  /** More candidates may follow (RFC 8838). */
  readonly isGathering: boolean;
}

/** What the answer says about one m-line that sends. */
export interface LocalStream {
  /** Of the media. */
  readonly ssrc: number;
  /** Undefined where retransmission was not negotiated. */
  readonly rtxSsrc: number | undefined;
  /** This side's name in RTCP (RFC 3550 §6.5.1); one for all streams, so that they are synchronized. */
  readonly cname: string;
  /** `<MediaStream id> <track id>`. */
  readonly msid: string;
}

/** What `o=` says: who described the session, and how often (RFC 8866 §5.2). */
export interface SdpOrigin {
  /** Of the description; it stays. */
  readonly sessionId: number;
  /** Grows with each description of the session. */
  readonly version: number;
}

/** A random id at its first version. */
export function newOrigin(): SdpOrigin {
  return { sessionId: randomBytes(6).readUIntBE(0, 6), version: 1 };
}

/** @param streams one for each m-line of the plan; undefined where nothing is sent. */
export function writeAnswer(
  plan: Plan,
  transports: readonly LocalTransport[],
  streams: readonly (LocalStream | undefined)[],
  origin = newOrigin(),
): string {
  const media = plan.mLines.map((mLine, i) =>
    writeMediaSection(mLine, mLine.transport === undefined ? undefined : transports[mLine.transport], streams[i]),
  );
  const bundles = plan.description.bundles
    .map((mids) => mids.filter((mid) => plan.mLines.some((mLine) => mLine.section.mid === mid && mLine.transport !== undefined)))
    .filter((mids) => mids.length > 0);
  const lines = [
    'v=0',
    `o=- ${origin.sessionId} ${origin.version} IN IP4 0.0.0.0`,
    's=-',
    't=0 0',
    ...bundles.map((mids) => `a=group:BUNDLE ${mids.join(' ')}`),
    ...(plan.description.attributes.has('extmap-allow-mixed') ? ['a=extmap-allow-mixed'] : []),
    'a=msid-semantic: WMS *',
    ...media.flat(),
  ];
  return `${lines.join('\r\n')}\r\n`;
}

function writeMediaSection(mLine: MLinePlan, transport: LocalTransport | undefined, stream: LocalStream | undefined): string[] {
  const { section } = mLine;
  const mid = section.mid === undefined ? [] : [`a=mid:${section.mid}`];
  if (!transport)
    return [
      `m=${section.kind} 0 ${section.protocol} ${section.formats.join(' ')}`,
      'c=IN IP4 0.0.0.0',
      ...mid,
      ...(isRtp(mLine) ? ['a=inactive'] : []),
    ];
  const common = ['c=IN IP4 0.0.0.0', ...mid, ...writeTransport(transport)];
  if (mLine.use === 'data') {
    return [
      `m=application 9 ${section.protocol} ${section.formats.join(' ')}`,
      ...common,
      ...(section.attributes.has('sctpmap') ? [`a=sctpmap:${mLine.sctpPort} webrtc-datachannel 65535`] : [`a=sctp-port:${mLine.sctpPort}`]),
      `a=max-message-size:${MAX_DATA_MESSAGE_BYTES}`,
    ];
  }
  const rtcp = [
    'a=rtcp:9 IN IP4 0.0.0.0',
    'a=rtcp-mux',
    'a=rtcp-mux-only',
    ...(section.attributes.has('rtcp-rsize') ? ['a=rtcp-rsize'] : []),
  ];
  if (mLine.use === 'none') {
    const placeholder = offeredCodecs(section)[0];
    const formats = placeholder ? String(placeholder.payloadType) : section.formats.join(' ');
    return [
      `m=${section.kind} 9 ${section.protocol} ${formats}`,
      ...common,
      'a=inactive',
      ...(isRtp(mLine) ? rtcp : []),
      ...(placeholder ? [rtpmap(placeholder)] : []),
    ];
  }
  const { codec } = mLine;
  const layers = mLine.use === 'receive' ? mLine.layers : [];
  const codecs = codecsOf(codec);
  const use = { use: mLine.use, feedback: codec.feedback, hasLayers: layers.length > 0 };
  const extensions = answeredExtensions(section, use).map(({ id, uri }) => `a=extmap:${id} ${uri}`);
  return [
    `m=${section.kind} 9 ${section.protocol} ${codecs.flatMap(payloadTypes).join(' ')}`,
    ...common,
    mLine.use === 'receive' ? 'a=recvonly' : 'a=sendonly',
    ...rtcp,
    ...extensions,
    ...codecs.flatMap(writeCodec),
    ...writeSimulcast(layers),
    ...(stream ? writeStream(stream) : []),
  ];
}

function isRtp(mLine: MLinePlan): boolean {
  return mLine.section.kind === 'audio' || mLine.section.kind === 'video';
}

function writeTransport(transport: LocalTransport): string[] {
  return [
    `a=ice-ufrag:${transport.iceUfrag}`,
    `a=ice-pwd:${transport.icePassword}`,
    ...transport.candidates.map((candidate) => `a=${candidate}`),
    ...(transport.isGathering ? ['a=ice-options:trickle'] : ['a=end-of-candidates']),
    `a=fingerprint:${transport.fingerprint}`,
    `a=setup:${transport.setup}`,
  ];
}

function payloadTypes({ offered, rtx }: NegotiatedCodec): number[] {
  return [offered, ...(rtx ? [rtx] : [])].map(({ payloadType }) => payloadType);
}

function writeCodec({ offered, rtx, feedback }: NegotiatedCodec): string[] {
  return [
    rtpmap(offered),
    ...feedback.map((value) => `a=rtcp-fb:${offered.payloadType} ${value}`),
    ...(offered.fmtp === undefined ? [] : [`a=fmtp:${offered.payloadType} ${offered.fmtp}`]),
    ...(rtx ? [rtpmap(rtx), `a=fmtp:${rtx.payloadType} apt=${offered.payloadType}`] : []),
  ];
}

function rtpmap(codec: OfferedCodec): string {
  return `a=rtpmap:${codec.payloadType} ${codec.name}/${codec.clockRateHz}${codec.channels === undefined ? '' : `/${codec.channels}`}`;
}

function writeStream({ ssrc, rtxSsrc, cname, msid }: LocalStream): string[] {
  return [
    `a=msid:${msid}`,
    ...(rtxSsrc === undefined ? [] : [`a=ssrc-group:FID ${ssrc} ${rtxSsrc}`]),
    `a=ssrc:${ssrc} cname:${cname}`,
    ...(rtxSsrc === undefined ? [] : [`a=ssrc:${rtxSsrc} cname:${cname}`]),
  ];
}
