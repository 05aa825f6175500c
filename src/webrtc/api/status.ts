/** What a session tells about itself: values for statistics, in the words of the public contract. */
import type { PictureSize, Rendition, VideoCodec } from '../../media/index.js';

/** The names of a session. */
export interface SessionIdentity {
  /** Secret: whoever knows it owns the session. */
  readonly sessionId: string;
  /** Unique among the sessions that live. */
  readonly clientId: string;
  /** What is watched, or the room that is published to. */
  readonly sourceId: string;
}

/** W3C RTCPeerConnectionState. */
export type ConnectionState = 'new' | 'connecting' | 'connected' | 'disconnected' | 'closed';

/** What one of the session's streams does. */
export interface StreamStatus {
  /** Packets, without repairs. */
  readonly packetsSent: number;
  /** Bytes of their payloads. */
  readonly bytesSent: number;
  /** Packets that were sent once more because the viewer asked. */
  readonly packetsRepaired: number;
  /** As the viewer reports it, since the start. */
  readonly packetsLost: number;
  /** 0..1, as of the viewer's latest report. */
  readonly fractionLost: number;
  /** Interarrival jitter as the viewer reports it, in milliseconds. */
  readonly jitterMs: number;
  /** Frames that this viewer lost because it did not keep up. */
  readonly framesDropped: number;
}

/**
 * Why a stream is sent in its quality: it began so, the viewer asked for it, the network was full, it has room, it may have
 * room (tried where its client tells too little), or the source has other qualities than before.
 */
export type QualityReason = 'start' | 'wish' | 'congestion' | 'room' | 'trial' | 'ladder';

/** In which quality a stream is sent. */
export interface QualityStatus {
  /** Name of the rung that flows; `keyframes`: only those of the lowest; `sound`: no picture. While nothing flows, the last one; undefined before the first. */
  readonly quality: string | undefined;
  /** How often that changed. */
  readonly switches: number;
  /** Why it is that; undefined before the first. */
  readonly switchReason: QualityReason | undefined;
}

/** In which quality a session is sent, and what its network carries. */
export interface SessionQuality extends QualityStatus {
  /** Bits a second, as far as is known; undefined before anything is. */
  readonly estimateBps: number | undefined;
  /** How long packets wait in the network, ms; undefined where nothing is known of it. */
  readonly queueMs: number | undefined;
}

/** One stream of video. */
interface VideoStatus extends StreamStatus, QualityStatus {
  /** Of its m-line (RFC 5888); undefined where that has none. */
  readonly mid: string | undefined;
  /** What is shown; undefined: nothing. */
  readonly sourceId: string | undefined;
  /** What is sent. */
  readonly rendition: Rendition;
  /** No quality is taller, by its shorter side in pixels; undefined: no limit. */
  readonly maxHeightPx: number | undefined;
  /** `h264` or `vp8`. */
  readonly codec: VideoCodec;
}

/** What was done about a publisher's frames that did not come. */
export interface SilenceStatus {
  /** Checks that found silence, since the last frame. */
  readonly failures: number;
  /** Requests to reconnect, since the last frame. */
  readonly requests: number;
  /** Outages that are over. */
  readonly recoveries: number;
}

/** One of the encodings that a publisher sends at once (simulcast). */
interface LayerStatus {
  /** As the publisher names it (RFC 8851). */
  readonly rid: string;
  /** Of the newest keyframe; undefined before it. */
  readonly size: PictureSize | undefined;
  /** Frames a second, of the last second; 0 where it does not come. */
  readonly fps: number;
  /** Payload bits a second, of the last second. */
  readonly bitrateBps: number;
  /** Missing when last looked. */
  readonly packetsLost: number;
  /** Requests for a keyframe. */
  readonly keyframesRequested: number;
}

/** What a publisher's media does. */
export interface ReceivedStatus {
  /** Bytes of their payloads. */
  readonly bytesReceived: number;
  /** Packets, repairs included. */
  readonly packetsReceived: number;
  /** Missing when last looked: never came, not even after it was asked for again. */
  readonly packetsLost: number;
  /** Came after a NACK. */
  readonly packetsRepaired: number;
  /** Requests for packets (NACK). */
  readonly nacksSent: number;
  /** Requests for a keyframe (PLI or FIR). */
  readonly keyframesRequested: number;
  /** Frames of video, in all layers. */
  readonly framesReceived: number;
  /** Given up because a packet of theirs never came. */
  readonly framesLost: number;
  /** Frames a second, of the last second; of several layers the most. */
  readonly fps: number;
  /** Interarrival jitter (RFC 3550 §6.4.1), in milliseconds. */
  readonly jitterMs: number;
  /** Undefined before the first frame. */
  readonly videoCodec: VideoCodec | undefined;
  /** Its encodings, as it lists them; empty where it sends one. */
  readonly layers: readonly LayerStatus[];
  /** Where frames have stopped; left out while they come. */
  readonly silence?: SilenceStatus;
}

/** What a session's media does: the part that depends on who sends. */
export interface SideStatus {
  /** True where the processed rendition is sent. */
  readonly hasProcessedTrack: boolean;
  /** Sums of all streams. */
  readonly bytesSent: number;
  /** Packets of all streams, without repairs. */
  readonly packetsSent: number;
  /** As the viewer reports it, over all streams. */
  readonly packetsLost: number;
  /** Over all streams. */
  readonly packetsRepaired: number;
  /** Frames that a slow viewer did not get. */
  readonly framesDropped: number;
  /** Messages on the data channel `detections`. */
  readonly detectionsSent: number;
  /** Messages that the viewer lost because it did not keep up. */
  readonly detectionsDropped: number;
  /** Pictures on the data channel `video`. */
  readonly snapshotsSent?: number;
  /** Pictures that newer ones replaced because the viewer did not keep up. */
  readonly snapshotsDropped?: number;
  /** Unix seconds of the newest message on `commands`; undefined before the first. */
  readonly lastActivityS?: number | undefined;
  /** Renditions that flow, or would if the viewer had not paused. */
  readonly selected: readonly Rendition[];
  /** True while the viewer has paused. */
  readonly isPaused: boolean;
  /** M-lines show sources of their own. Default false. */
  readonly isWall?: boolean;
  /** Undefined before it is known. */
  readonly roundTripMs: number | undefined;
  /** Of viewers alone: of the first video that flows, with the switches of all. */
  readonly quality?: SessionQuality | undefined;
  /** In the order of the offer's m-lines. */
  readonly video: readonly VideoStatus[];
  /** One for each stream of sound. */
  readonly audio: readonly StreamStatus[];
  /** Of publishers alone. */
  readonly received?: ReceivedStatus | undefined;
}

/** What is measured of one stream. */
type MeasuredStream = Pick<StreamStatus, 'packetsSent' | 'bytesSent' | 'packetsRepaired' | 'packetsLost' | 'framesDropped'>;

/** Of what a session's media does, what is measured of all sessions again and again: it has to cost little. */
export interface MeasuredSide extends Pick<
  SideStatus,
  'detectionsSent' | 'detectionsDropped' | 'snapshotsSent' | 'snapshotsDropped' | 'roundTripMs' | 'received'
> {
  /** As `SideStatus.quality`. */
  readonly quality?: Pick<SessionQuality, 'queueMs'> | undefined;
  /** In the order of the offer's m-lines. */
  readonly video: readonly (MeasuredStream & Pick<VideoStatus, 'sourceId' | 'rendition' | 'quality'>)[];
  /** One for each stream of sound. */
  readonly audio: readonly MeasuredStream[];
}

/** Of a session, what is measured of all of them again and again. */
export interface MeasuredSession extends SessionIdentity, MeasuredSide, Pick<SessionStatus, 'role' | 'connectionState' | 'createdAtS'> {}

/** Of a session whose client has not agreed yet. */
export const EMPTY_SIDE: SideStatus = {
  hasProcessedTrack: false,
  bytesSent: 0,
  packetsSent: 0,
  packetsLost: 0,
  packetsRepaired: 0,
  framesDropped: 0,
  detectionsSent: 0,
  detectionsDropped: 0,
  selected: [],
  isPaused: false,
  roundTripMs: undefined,
  video: [],
  audio: [],
};

/** A session as it stands. */
export interface SessionStatus extends SessionIdentity, SideStatus {
  /** What the client does. */
  readonly role: 'viewer' | 'publisher';
  /** In the words of the W3C's RTCPeerConnectionState; a session that fails is closed. */
  readonly connectionState: ConnectionState;
  /** W3C RTCIceConnectionState. */
  readonly iceState: string;
  /** Unix seconds. */
  readonly createdAtS: number;
  /** From the offer to the end of the handshake; undefined before. */
  readonly connectMs: number | undefined;
  /** Types of the ICE candidates in use, of the server and of the client: `host/prflx`; undefined before there are any. */
  readonly icePath: string | undefined;
  /** What went wrong with STUN and TURN servers, in words. */
  readonly iceTroubles: readonly string[];
}
