/** Who says that the server cannot be reached: one voice at a time. */
import { computed, signal } from '@preact/signals';
import { sourceList } from '../api/sources.js';
import { words } from '../strings/index.js';

/** A notice over the video says what is wrong: nobody else does. */
export const isSaidElsewhere = signal(false);

/** One line; empty where nothing is wrong, or it is said elsewhere. */
export const serverTrouble = computed(() => {
  const { trouble } = sourceList.known.value;
  const isRefused = trouble?.status === 401 || trouble?.status === 403;
  return !trouble || isRefused || isSaidElsewhere.value ? '' : words.value.shell.unreachable;
});
