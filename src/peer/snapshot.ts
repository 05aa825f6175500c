/** What a session tells about itself: values for statistics, in the words of the public contract. */
import type { Rendition, VideoCodec } from '../media/index.js';

export interface SessionIdentity {
  readonly sessionId: string;
  readonly clientId: string;
  readonly sourceId: string;
}

/** W3C RTCPeerConnectionState. */
export type ConnectionState = 'new' | 'connecting' | 'connected' | 'disconnected' | 'closed';

/** What one of the session's streams does. */
export interface StreamSnapshot {
  readonly packetsSent: number;
  readonly bytesSent: number;
  readonly packetsRepaired: number;
  /** As the viewer reports it, since the start. */
  readonly packetsLost: number;
  /** 0..1, as of the viewer's latest report. */
  readonly fractionLost: number;
  readonly jitterMs: number;
  /** Frames that this viewer lost because it did not keep up. */
  readonly framesDropped: number;
}

export interface VideoSnapshot extends StreamSnapshot {
  readonly rendition: Rendition;
  readonly codec: VideoCodec;
}

/** A session as it stands. */
export interface PeerSnapshot extends SessionIdentity {
  readonly role: 'viewer';
  readonly connectionState: ConnectionState;
  /** W3C RTCIceConnectionState. */
  readonly iceState: string;
  /** Unix seconds. */
  readonly createdAtS: number;
  readonly hasProcessedTrack: boolean;
  /** Sums of all streams. */
  readonly bytesSent: number;
  readonly packetsSent: number;
  readonly packetsLost: number;
  readonly packetsRepaired: number;
  readonly framesDropped: number;
  /** Messages on the data channel `detections`. */
  readonly detectionsSent: number;
  /** Messages that the viewer lost because it did not keep up. */
  readonly detectionsDropped: number;
  /** Renditions that flow, or would if the viewer had not paused. */
  readonly selected: readonly Rendition[];
  readonly isPaused: boolean;
  /** Undefined before it is known. */
  readonly roundTripMs: number | undefined;
  /** From the offer to the end of the handshake; undefined before. */
  readonly connectMs: number | undefined;
  /** In the order of the offer's m-lines. */
  readonly video: readonly VideoSnapshot[];
  readonly audio: readonly StreamSnapshot[];
}
