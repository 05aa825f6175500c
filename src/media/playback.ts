/** How whoever watches the past moves in it: what both sides of the gateway speak about the playback of a recording. */

/** `gap`: it goes on behind a stretch of which nothing was recorded. `end`: nothing more was recorded. */
export type PlaybackState = 'playing' | 'paused' | 'gap' | 'end';

/** Where a playback is. */
export interface PlaybackPosition {
  /** When the frame that is shown was captured, UTC in ms. */
  readonly atMs: number;
  /** Of that frame on the timeline of the playback, in ms; undefined before the first frame. */
  readonly mediaTimeMs: number | undefined;
  /** How much faster than it happened: 0.25 to 8. */
  readonly speed: number;
  /** What it does. */
  readonly state: PlaybackState;
  /** The model that looks at it now; undefined: what was seen then is shown. */
  readonly model?: string | undefined;
  /** Of a gap: why there is nothing, where it is known, in words. */
  readonly notice?: string | undefined;
}

/** The slowest and the fastest playback. */
export const PLAYBACK_SPEEDS = { min: 0.25, max: 8 } as const;
/** Frames that one step may take. */
export const MAX_PLAYBACK_STEP = 300;

/** Moves one playback. */
export interface PlaybackControl {
  /** Where it is now. */
  readonly position: PlaybackPosition;
  /** Plays on from its first frame, at which it waits for the viewer to be connected. Idempotent. */
  begin(): void;
  /** Shows the frame of that time; where there is none, the next one. @throws MediaPeerError RECORDING_NOT_FOUND, RECORDING_OUT_OF_RANGE; then nothing has changed */
  seek(atMs: number): Promise<void>;
  /** @param speed 0.25 to 8; above 2, `raw` shows keyframes alone */
  setSpeed(speed: number): void;
  /** Holds the frame that is shown. */
  pause(): void;
  /** Goes on from there. */
  resume(): void;
  /** Pauses and shows another frame. @param frames so many later; negative: earlier. Fewer where there are not so many */
  step(frames: number): Promise<void>;
  /**
   * Has objects looked for again in what is played, or (undefined) shows those that were seen then. Ends where nothing of the playback is sent any more.
   * @param model its name
   * @throws MediaPeerError MODEL_NOT_FOUND, MODEL_INVALID, CAPACITY_REACHED, COMMAND_UNSUPPORTED where nothing of it is sent; then nothing has changed
   */
  redetect(model: string | undefined): Promise<void>;
  /** Calls the listener at each change that is not only the next frame. Call the returned function to stop. */
  onChange(listener: (position: PlaybackPosition) => void): () => void;
  /** Calls the listener whenever the present, or the end of what was recorded, is reached. Call the returned function to stop. */
  onCaughtUp(listener: () => void): () => void;
}
