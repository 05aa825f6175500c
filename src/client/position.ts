/** What a server says of where a viewer is in time. */

/** What the playback of a recording does. `live`: it is the present. `gap`: it goes on behind a stretch of which nothing was recorded. `end`: nothing more was recorded. */
export type PositionState = 'playing' | 'paused' | 'gap' | 'live' | 'end' | (string & {});

/** Where a viewer is in time. */
export interface Position {
  /** When the frame that is shown was captured, Unix seconds. */
  readonly at: number;
  /** Of that frame, as `requestVideoFrameCallback` tells it; undefined where there is none. */
  readonly rtpTimestamp: number | undefined;
  /** How much faster than it happened. */
  readonly speed: number;
  /** What it does. */
  readonly state: PositionState;
  /** The model that looks at it now; undefined: what was seen then is shown. */
  readonly model?: string;
  /** Of a gap: why there is nothing; of `live`: why the past could not go on. Where it is known. */
  readonly notice?: string;
}

/** The position that a message tells; undefined where it is none. */
export function parsePosition(message: Readonly<Record<string, unknown>>): Position | undefined {
  const { type, at, rtp_timestamp: rtpTimestamp, speed, state, model, notice } = message;
  if (type !== 'position' || typeof at !== 'number' || typeof state !== 'string') return undefined;
  return {
    at,
    rtpTimestamp: typeof rtpTimestamp === 'number' ? rtpTimestamp : undefined,
    speed: typeof speed === 'number' ? speed : 1,
    state,
    ...(typeof model === 'string' && { model }),
    ...(typeof notice === 'string' && { notice }),
  };
}
