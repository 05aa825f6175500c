/** What a key of a track says: its name, and whether it is a lower quality. */
import { SOURCE_RUNG, type TrackKey, type VideoKey } from '../media/index.js';

/** A key as text: `raw/h264`, `raw/h264/360p`, `audio/opus`. */
export function keyName(key: TrackKey): string {
  if (key.kind === 'audio') return 'audio/opus';
  return isLower(key) ? `${key.rendition}/${key.codec}/${key.rung}` : `${key.rendition}/${key.codec}`;
}

/** Whether it is below the quality of the source. */
export function isLower(key: TrackKey): key is VideoKey & { readonly rung: string } {
  return key.kind === 'video' && key.rung !== undefined && key.rung !== SOURCE_RUNG;
}
