/** What a viewer may turn to after it has joined. The application hands in an implementation; webrtc/ knows no tokens. */
import type { MediaPeerError } from '../../base/errors.js';

/** The rights of one viewer; they may change while it watches. */
export interface ViewerRights {
  /** Whether it may be sent a source. */
  mayWatch(sourceId: string): Promise<boolean>;
  /** Whether it may be sent what was recorded of a source. */
  mayPlayBack(sourceId: string): Promise<boolean>;
  /** Whether it may be told what is detected in a source. */
  mayHaveData(sourceId: string): boolean;
  /** The client shows another token before the one that it has expires. @throws MediaPeerError UNAUTHORIZED, FORBIDDEN, TOO_MANY_REQUESTS */
  renew(token: string): Promise<void>;
  /** An error as it may read it: without the names of sources that it may not watch. */
  readable(error: MediaPeerError): Promise<MediaPeerError>;
}

/** Everything. */
export const ALL_RIGHTS: ViewerRights = {
  mayWatch: () => Promise.resolve(true),
  mayPlayBack: () => Promise.resolve(true),
  mayHaveData: () => true,
  renew: () => Promise.resolve(),
  readable: (error) => Promise.resolve(error),
};
