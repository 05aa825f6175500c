/** Names of the RTP header extensions that are negotiated (RFC 8285 §5). */

/** RFC 9143 §14. */
export const MID_EXTENSION_URI = 'urn:ietf:params:rtp-hdrext:sdes:mid';
/** Which of an m-line's encodings a packet is of (RFC 8852 §4.2). */
export const RID_EXTENSION_URI = 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id';
/** Which encoding a packet repairs (RFC 8852 §4.3). */
export const REPAIRED_RID_EXTENSION_URI = 'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id';
/** Numbers all packets of a transport, so that the receiver can tell which came, and when (draft-holmer-rmcat-transport-wide-cc-extensions-01 §2). */
export const TRANSPORT_CC_EXTENSION_URI = 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01';
/** The playout-delay header extension of WebRTC: minimum and maximum in units of 10 ms, 12 bits each. */
export const PLAYOUT_DELAY_EXTENSION_URI = 'http://www.webrtc.org/experiments/rtp-hdrext/playout-delay';
