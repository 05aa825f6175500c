/** RTP header extensions as m-lines negotiate them (RFC 8285 §5): their names, and their ids in one m-line. Pure. */
import { attributeValues, type MediaSection } from './parse.js';

/** RFC 9143 §14. */
export const MID_EXTENSION_URI = 'urn:ietf:params:rtp-hdrext:sdes:mid';
/** Which of an m-line's encodings a packet is of (RFC 8852 §4.2). */
export const RID_EXTENSION_URI = 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id';
/** Which encoding a packet repairs (RFC 8852 §4.3). */
export const REPAIRED_RID_EXTENSION_URI = 'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id';
/** Numbers all packets of a transport, so that the receiver can tell which came, and when (draft-holmer-rmcat-transport-wide-cc-extensions-01 §2). */
export const TRANSPORT_CC_EXTENSION_URI = 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01';
/** When a packet left, 24 bits with 18 behind the point of a second: receivers that estimate the bitrate themselves (REMB) need it. */
export const SEND_TIME_EXTENSION_URI = 'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time';
/** When a frame was captured, by the clock of the Sender Reports: 64 bits of NTP time, and 64 more where that clock is another's. */
export const CAPTURE_TIME_EXTENSION_URI = 'http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time';
/** The playout-delay header extension of WebRTC: minimum and maximum in units of 10 ms, 12 bits each. */
export const PLAYOUT_DELAY_EXTENSION_URI = 'http://www.webrtc.org/experiments/rtp-hdrext/playout-delay';

/** A header extension of an m-line. */
export interface NegotiatedExtension {
  /** 1 to 14. */
  readonly id: number;
  /** Its name. */
  readonly uri: string;
}

/** How an m-line is used. */
export interface MLineUse {
  /** What is sent on it; `receive` where the other side sends. */
  readonly use: 'video' | 'audio' | 'receive';
  /** Feedback that is answered. */
  readonly feedback: readonly string[];
  /** True where several encodings of one video come on it. Default false. */
  readonly hasLayers?: boolean;
}

/** What packets of an m-line carry, under the ids of its offer. */
export function answeredExtensions(section: MediaSection, { use, feedback, hasLayers = false }: MLineUse): NegotiatedExtension[] {
  const uris = [
    ...(section.mid === undefined ? [] : [MID_EXTENSION_URI]),
    ...(hasLayers ? [RID_EXTENSION_URI, REPAIRED_RID_EXTENSION_URI] : []),
    // Numbers that nobody tells of are not sent.
    ...(feedback.includes('transport-cc') ? [TRANSPORT_CC_EXTENSION_URI] : []),
    ...(use !== 'receive' || feedback.includes('goog-remb') ? [SEND_TIME_EXTENSION_URI] : []),
    CAPTURE_TIME_EXTENSION_URI,
    ...(use === 'video' ? [PLAYOUT_DELAY_EXTENSION_URI] : []),
  ];
  return uris.flatMap((uri) => {
    const id = extensionId(section, uri);
    return id === undefined ? [] : [{ id, uri }];
  });
}

/** The id of a header extension in an m-line (RFC 8285 §5), for the one-byte form; undefined where it is not offered. */
export function extensionId(section: MediaSection, uri: string): number | undefined {
  for (const line of attributeValues(section.attributes, 'extmap')) {
    const [id, offeredUri] = line.split(/\s+/);
    const value = Number(id?.split('/')[0]);
    if (offeredUri === uri && Number.isInteger(value) && value >= 1 && value <= 14) return value;
  }
  return undefined;
}
