/** How loud the sound is: kept for the next time. Whether it is on is not: browsers refuse sound before somebody asks for it. */
import { signal } from '@preact/signals';
import { keep, storage } from '../shared/storage.js';

const KEY = 'sightline.volume';

/** [0, 1]. */
export const volume = signal(kept(storage()?.getItem(KEY) ?? null));

/** @param value [0, 1] */
export function setVolume(value: number): void {
  volume.value = value;
  keep(KEY, String(value));
}

/** What is kept is anybody's to write. */
export function kept(text: string | null): number {
  const value = Number(text ?? 1);
  return value >= 0 && value <= 1 ? value : 1;
}
