/** What a card says of a source: words, and the address of its snapshot. Knows no DOM. */
import { resolution } from '../shared/stats.js';
import { pathOf } from '../api/address.js';
import type { ListedSource } from '../api/sources.js';
import { words } from '../strings/index.js';

/** A text with the look it gets. */
export interface Note {
  /** CSS class. */
  readonly look: string;
  /** For a person. */
  readonly text: string;
}

/** Not a file: somebody's camera. */
export function isLive({ kind }: Pick<ListedSource, 'kind'>): boolean {
  return kind !== undefined && kind !== 'file';
}

/** A camera that has not answered yet is not connected to for its snapshot. */
export function hasSnapshot(video: Pick<ListedSource, 'playable' | 'kind' | 'state'>): boolean {
  return video.playable && (!isLive(video) || video.state === 'live');
}

/** The snapshot's path; it changes when the file does. */
export function snapshotPath(video: Pick<ListedSource, 'source' | 'size_bytes'>): string {
  const query = new URLSearchParams({ width: '480', size: String(video.size_bytes) });
  return `${pathOf('snapshot', `${video.source}.jpg`)}?${query.toString()}`;
}

/** What a card says in its corner. */
export function badge({ kind, playable, state }: Pick<ListedSource, 'kind' | 'playable' | 'state'>): Note {
  const { card } = words.value.watch;
  if (isLive({ ...(kind && { kind }) }) && state !== undefined)
    return state === 'live' ? { look: 'live', text: card.live } : { look: 'waiting', text: card.offline };
  return playable ? { look: 'file', text: card.file } : { look: 'waiting', text: card.notPlayable };
}

/** Why a source is as it is, in the server's words: trouble stands out. */
export function notes(video: Pick<ListedSource, 'kind' | 'playable' | 'state' | 'reason' | 'audio_reason'>): Note[] {
  const { card } = words.value.watch;
  const { playable, state, reason, audio_reason: silentBecause } = video;
  const isTrouble = !playable || (isLive(video) && state !== 'live');
  const why =
    reason ??
    (playable
      ? isLive(video)
        ? state === 'waiting'
          ? card.waiting
          : state === 'empty'
            ? card.empty
            : undefined
        : undefined
      : card.cannotBePlayed);
  return [
    ...(why === undefined ? [] : [{ look: isTrouble ? 'reason' : 'note', text: why }]),
    ...(silentBecause === undefined ? [] : [{ look: 'note', text: card.silent(silentBecause) }]),
  ];
}

/** Such as `1280 × 720 · 30 fps · 1:03 · sound`. */
export function facts(video: Pick<ListedSource, 'width' | 'height' | 'fps' | 'duration_s' | 'audio_codec'>): string {
  const { width, height, fps, duration_s: seconds, audio_codec: audio } = video;
  const known = [
    resolution(width, height),
    fps ? `${rate(fps)} fps` : undefined,
    seconds === null ? undefined : duration(seconds),
    audio ? words.value.watch.card.sound : undefined,
  ];
  return known.filter((fact) => fact !== undefined).join(' · ');
}

/** Whole numbers, but of slow sources two digits. */
function rate(fps: number): number {
  return fps < 5 ? Number(fps.toPrecision(2)) : Math.round(fps);
}

/** Such as `1:03` and `1:02:03`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value: number): string => String(value).padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
