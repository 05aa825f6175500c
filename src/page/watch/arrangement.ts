/** How a person wants the list, kept for the next time; what they search for is not. */
import { signal } from '@preact/signals';
import { keep, storage } from '../shared/storage.js';
import type { Arrangement, GroupBy, SortBy } from './arrange.js';

const KEY = 'sightline.list';
/** In the order in which they are offered. */
export const SORTS: readonly SortBy[] = ['listed', 'name', 'state'];
/** In the order in which they are offered. */
export const GROUPS: readonly GroupBy[] = ['none', 'state', 'prefix'];

/** What is wanted now. */
export const arrangement = signal<Arrangement>(recalled(storage()?.getItem(KEY) ?? null));

/** Changes some of it. */
export function want(changes: Partial<Arrangement>): void {
  arrangement.value = { ...arrangement.value, ...changes };
  const { sort, group } = arrangement.value;
  keep(KEY, `${sort},${group}`);
}

/** What is kept is anybody's to write. */
export function recalled(text: string | null): Arrangement {
  const [sort, group] = (text ?? '').split(',');
  return {
    search: '',
    sort: SORTS.find((each) => each === sort) ?? 'listed',
    group: GROUPS.find((each) => each === group) ?? 'none',
  };
}
