/** How viewers and publishers reach media. The application hands in an implementation; webrtc/ knows neither sources nor pipelines. */
import type { OpenedSource, Publication, PublicationRequest } from '../../media/index.js';

/** The one way from connections to sources, and back. */
export interface MediaGateway {
  /**
   * Finds a source and learns what it can be served as; a camera is connected on demand, which takes seconds at most.
   * @throws MediaPeerError SOURCE_NOT_FOUND, SOURCE_NOT_PLAYABLE, SOURCE_NOT_LIVE (with `retryAfterS`), SERVER_CLOSING
   */
  open(sourceId: string): Promise<OpenedSource>;
  /**
   * Opens the past of a source: what is opened can be moved in time (`playback`), and is for one viewer alone. Left out: nothing is recorded.
   * @param atMs where it begins, UTC in ms
   * @throws MediaPeerError RECORDING_NOT_FOUND, RECORDING_OUT_OF_RANGE, SERVER_CLOSING
   */
  openPast?(sourceId: string, atMs: number): Promise<OpenedSource>;
  /**
   * Begins to publish to a room; viewers of it see what is written.
   * @throws MediaPeerError ROOM_INVALID, ROOM_TAKEN (with `retryAfterS`), CAPACITY_REACHED, SERVER_CLOSING
   */
  publish(request: PublicationRequest): Publication;
}
