/** What a publisher and its room say to each other; whoever receives media implements the one side. */
import type { EncodedFrame, EndReason, VideoCodec } from '../../media/index.js';
import type { RoomState } from '../source.js';

/** Somebody who begins to publish. */
export interface PublicationRequest {
  /** 1 to 64 of `[A-Za-z0-9._-]`. */
  readonly room: string;
  /** Whose publication it is. */
  readonly clientId: string;
  /** May take the room over where somebody publishes to it. */
  readonly takeover: boolean;
  /** Undefined: sound alone. */
  readonly video: VideoCodec | undefined;
  /** True where sound was negotiated. */
  readonly hasAudio: boolean;
  /** ms until it counts as gone, if nothing more is heard of it; 0: it is, and gives way to the next. */
  aliveForMs(): number;
  /** The room needs a keyframe. Merged by whoever receives: call it as often as needed. */
  requestKeyframe(): void;
  /** Viewers see a dead picture: asks the camera to reconnect. */
  requestReconnect(reason: string): void;
  /** The room is taken over, or closed; it takes nothing more of this publication. */
  end(reason: EndReason): void;
}

/** A room that somebody publishes to. After its end, what is handed in is ignored. */
export interface Publication {
  /** Complete frames in decoding order, without gaps; times in ms on a clock of the publication's own. */
  video(frame: EncodedFrame): void;
  /** One packet of Opus. */
  audio(frame: EncodedFrame): void;
  /** `left`: it is done. `lost`: it may come back within the grace time. Idempotent. */
  close(how: 'left' | 'lost'): void;
}

/** A room as its listeners see it. */
export interface RoomStatus {
  /** Id of the room. */
  readonly room: string;
  /** Whether somebody publishes. */
  readonly state: RoomState;
  /** Client id of who publishes, or of who may come back; undefined where the room is empty. */
  readonly publisherId: string | undefined;
}
