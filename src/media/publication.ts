/** What a publisher and its room say to each other: whoever receives media writes frames, whoever has the room asks for keyframes. */
import type { EncodedFrame, VideoCodec } from './encoded-frame.js';
import type { EndReason } from './end-reason.js';

/** Somebody who begins to publish. */
export interface PublicationRequest {
  /** 1 to 64 of `[A-Za-z0-9._-]`, not dots alone. */
  readonly room: string;
  /** Whose publication it is. */
  readonly clientId: string;
  /** May take the room over where somebody publishes to it. */
  readonly takeover: boolean;
  /** Undefined: sound alone. */
  readonly video: VideoCodec | undefined;
  /** Names of the encodings of the video that are sent at once (simulcast), as the publisher lists them; left out or empty: it is one. */
  readonly layers?: readonly string[];
  /** True where sound was negotiated. */
  readonly hasAudio: boolean;
  /** Milliseconds until it counts as gone, if nothing more is heard of it; 0: it is, and gives way to the next. */
  aliveForMs(): number;
  /** Milliseconds since a packet of that layer came. Left out: nobody asks, since there is one. */
  silentForMs?(layer: string): number;
  /** The room needs a keyframe of that layer. Merged by whoever receives: call it as often as needed. @param layer left out: of the one encoding */
  requestKeyframe(layer?: string): void;
  /** Viewers see no progress: asks the camera to reconnect. */
  requestReconnect(reason: string): void;
  /** The room is taken over, or closed; it takes nothing more of this publication. */
  end(reason: EndReason): void;
}

/** A room that somebody publishes to. After its end, what is handed in is ignored. */
export interface Publication {
  /**
   * Complete frames in decoding order, without gaps: after a loss the next one is a keyframe. Media times of both
   * kinds are on one clock of this publication, in ms: when the frame was captured; its origin is arbitrary. A frame has
   * the same time in all layers.
   * @param layer one of the request's `layers`; left out where it has none
   */
  video(frame: EncodedFrame, layer?: string): void;
  /** A frame of that layer came that nobody can decode before its next keyframe, which is asked for where it is needed. */
  keyframeNeeded(layer: string): void;
  /** One packet of Opus, on the same clock. */
  audio(frame: EncodedFrame): void;
  /** `left`: the publisher ended its session. `lost`: it may come back within the grace time. Idempotent. */
  close(how: 'left' | 'lost'): void;
}
