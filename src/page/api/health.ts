/** What the server says of itself. */
import { computed } from '@preact/signals';
import { Polled } from './polled.js';

/** What the page reads of `GET /health`. */
export interface Health {
  /** Whether there is a detector. */
  readonly detector_loaded?: boolean;
}

const PERIOD_MS = 4_000;

/** Asked every few seconds while somebody holds it. */
export const health = new Polled<Health>('/health', PERIOD_MS);

/** Whether the server has a detector; true until it says that it has none. */
export const detectorLoaded = computed(() => {
  const { value, trouble } = health.known.value;
  // A degraded server answers with 503 and still says what it has.
  const { detector_loaded: isLoaded } = (trouble?.body ?? value ?? {}) as Health;
  return isLoaded !== false;
});
