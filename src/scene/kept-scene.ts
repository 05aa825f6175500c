/** What a source's zones and lines have counted, as it outlives the server. */
import type { LineState, SceneEvent, ZoneState } from '../media/index.js';

/** The counts of one source. */
export interface KeptScene {
  /** Size of the frames that were counted in: zones in pixels are other zones in frames of another size. */
  readonly picture: { readonly widthPx: number; readonly heightPx: number };
  /** Unix milliseconds of the last frame that was looked at. */
  readonly updatedAtMs: number | undefined;
  /** One that has changed since counts from zero. */
  readonly lines: readonly { readonly identity: string; readonly state: LineState; readonly sinceMs: number }[];
  /** One that has changed since is empty. */
  readonly zones: readonly { readonly identity: string; readonly state: ZoneState }[];
  /** How those who were inside leave: the numbering of objects starts again with the server, so nobody is known to be still there. */
  readonly leaves: readonly SceneEvent[];
}

/** What `JSON.stringify` made of it; undefined where it is none. */
export function readKeptScene(text: string | undefined): KeptScene | undefined {
  if (text === undefined) return undefined;
  try {
    const kept = JSON.parse(text) as Partial<KeptScene> | null;
    return kept?.picture && Array.isArray(kept.lines) && Array.isArray(kept.zones) && Array.isArray(kept.leaves)
      ? (kept as KeptScene)
      : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
