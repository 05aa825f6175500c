/** Events for tests of the store. */
import type { StoredEvent } from '../../src/store/index.js';

/** An event of that id. */
export function eventAt(id: number, more: Partial<StoredEvent> = {}): StoredEvent {
  return { id, type: 'enter', sourceId: 'demo', atMs: 1000, stillId: undefined, data: { zone: 'gate', object_id: id }, ...more };
}
