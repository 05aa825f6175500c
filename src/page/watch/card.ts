/** What a card says of a source: words, and the address of its snapshot. Knows no DOM. */
import { resolution } from '../shared/stats.js';
import type { ListedVideo } from './listing.js';

/** A text with the look it gets. */
export interface Note {
  /** CSS classes. */
  readonly className: string;
  /** For a person. */
  readonly textContent: string;
}

const LIVE_BADGES: Readonly<Record<string, Note>> = {
  live: { className: 'tag live', textContent: 'Live' },
  waiting: { className: 'tag waiting', textContent: 'Waiting for camera' },
  empty: { className: 'tag waiting', textContent: 'No camera yet' },
};

/** Not a file: somebody's camera. */
export function isLive({ kind }: Pick<ListedVideo, 'kind'>): boolean {
  return kind !== undefined && kind !== 'file';
}

/** A camera that has not answered yet is not connected to for its snapshot. */
export function hasSnapshot(video: Pick<ListedVideo, 'playable' | 'kind' | 'state'>): boolean {
  return video.playable && (!isLive(video) || video.state === 'live');
}

/** The snapshot's address; it changes when the file does. */
export function snapshotUrl(video: Pick<ListedVideo, 'source' | 'size_bytes'>): string {
  const query = new URLSearchParams({ width: '480', size: String(video.size_bytes) });
  return `/snapshot/${encodeURIComponent(video.source)}.jpg?${query.toString()}`;
}

/** What a card says in its corner. */
export function badge({ kind, playable, delivery, state }: Pick<ListedVideo, 'kind' | 'playable' | 'delivery' | 'state'>): Note {
  // A camera that the server connects to is there or fails; nobody has to bring it.
  if (kind === 'pull' && state === 'empty') return { className: 'tag waiting', textContent: 'Not connected' };
  const ofCamera = isLive({ ...(kind && { kind }) }) && state !== undefined ? LIVE_BADGES[state] : undefined;
  if (ofCamera) return ofCamera;
  return playable ? { className: `tag ${delivery}`, textContent: delivery } : { className: 'tag waiting', textContent: 'Cannot be played' };
}

/** Why a source is as it is, in the server's words: trouble stands out. */
export function notes(video: Pick<ListedVideo, 'kind' | 'playable' | 'state' | 'reason' | 'audio_reason'>): Note[] {
  const { playable, state, reason, audio_reason: silentBecause } = video;
  const isTrouble = !playable || (isLive(video) && state !== 'live');
  const why = reason ?? (playable ? undefined : 'it cannot be played');
  return [
    ...(why === undefined ? [] : [{ className: isTrouble ? 'reason' : 'note', textContent: why }]),
    ...(silentBecause === undefined ? [] : [{ className: 'note', textContent: `no sound: ${silentBecause}` }]),
  ];
}

/** Such as `1280 × 720 · 30 fps · 1:03 · sound`. */
export function facts(video: Pick<ListedVideo, 'width' | 'height' | 'fps' | 'duration_s' | 'audio_codec'>): string {
  const { width, height, fps, duration_s: seconds, audio_codec: audio } = video;
  const known = [
    resolution(width, height),
    fps ? `${rate(fps)} fps` : undefined,
    seconds === null ? undefined : duration(seconds),
    audio ? 'sound' : undefined,
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
