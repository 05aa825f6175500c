/** Why a tile is dark, and when pictures are larger than they need be. Pure. */
import type { TileState } from '/sightline.js';
import type { ListedSource } from '../api/sources.js';
import { explain } from '../shared/explain.js';
import type { Words } from '../strings/index.js';
import type { Size } from './layout.js';

/** What a tile says instead of, or over, its picture; undefined: nothing. */
export interface TileNotice {
  /** One short line. */
  readonly title: string;
  /** Why; may be empty. */
  readonly text: string;
}

/** What is known of a tile. */
export interface TileFacts {
  /** Of the connection; undefined while the tile is not asked for. */
  readonly state: TileState | undefined;
  /** As the server lists its source; undefined: it does not. */
  readonly listed: ListedSource | undefined;
  /** The list has been read. */
  readonly isListRead: boolean;
  /** Whether its element plays. */
  readonly isPlaying: boolean;
}

/** Undefined where there is a picture, and nothing to say. */
export function noticeOf({ state, listed, isListRead, isPlaying }: TileFacts, words: Words['wall']): TileNotice | undefined {
  if (isListRead && !listed) return { title: words.gone, text: words.goneText };
  if (listed && !listed.playable) return { title: words.notPlayable, text: listed.reason ?? '' };
  if (!state || state.phase === 'empty') return isPlaying ? undefined : { title: words.connecting, text: '' };
  if (state.phase === 'ended' || state.phase === 'refused') return { title: words.dark(state.phase), text: reasonOf(state, listed, words) };
  if (state.quality?.quality === 'sound') return { title: words.noRoomForPicture, text: words.narrow };
  if (isPlaying) return undefined;
  return { title: words.connecting, text: listed?.state === 'waiting' ? (listed.reason ?? '') : '' };
}

/** What the server knows of the source says more than how the session ended. */
function reasonOf({ reason }: TileState, listed: ListedSource | undefined, words: Words['wall']): string {
  if (listed?.state !== undefined && listed.state !== 'live' && listed.reason !== undefined) return sentence(listed.reason);
  if (!reason) return '';
  const known = words.ends[reason.code];
  if (known !== undefined) return known;
  const { title, text } = explain(reason);
  return text === '' ? title : text;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}

/** Larger than this times what was asked for is no rounding. */
const TOO_LARGE = 1.25;

/**
 * Whether a tile gets a larger picture than it asked for because the server encodes no smaller one at the moment.
 * @param picture as it is; undefined: there is none yet
 */
export function lacksRung(maxHeight: number | undefined, picture: Size | undefined, listed: ListedSource | undefined): boolean {
  if (maxHeight === undefined || !picture || !listed?.qualities) return false;
  if (Math.min(picture.width, picture.height) <= maxHeight * TOO_LARGE) return false;
  const fitting = listed.qualities.filter(({ width, height }) => width !== null && height !== null && Math.min(width, height) <= maxHeight);
  return fitting.length > 0 && fitting.every(({ available, running }) => !available && !running);
}
