/** Server-Sent Events over a real store, with events added at every moment. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Listeners } from '../../src/base/listeners.js';
import { silentLogger } from '../../src/base/logger.js';
import { EventStream, type EventStreamInit } from '../../src/http/event-stream.js';
import type { StoredEvent } from '../../src/store/index.js';
import { FakeClock } from '../helpers/fake-clock.js';
import { eventAt } from '../store/events-rig.js';

function rig(held: number, more: Partial<EventStreamInit> = {}) {
  const events = Array.from({ length: held }, (_, i) => eventAt(i + 1));
  const added = new Listeners<StoredEvent>(silentLogger, 'events');
  const clock = new FakeClock();
  let queries = 0;
  const closed: true[] = [];
  const add = (): void => {
    events.push(eventAt(events.length + 1));
    added.tell(events.at(-1) as StoredEvent);
  };
  const stream = new EventStream({
    clock,
    afterId: 0,
    filter: {},
    wants: () => true,
    query: async ({ afterId = 0, limit }) => {
      queries++;
      const page = events.filter(({ id }) => id > afterId).slice(0, limit);
      // Something happens while the answer is on its way.
      await Promise.resolve();
      if (queries < 5) add();
      return page;
    },
    onAdded: (listener) => added.add(listener),
    pendingBytes: () => 0,
    onClosed: () => closed.push(true),
    ...more,
  });
  return { stream, add, clock, events, closed };
}

/** Reads until so many events are there; their ids. */
async function read(stream: EventStream, count: number): Promise<number[]> {
  const ids: number[] = [];
  let text = '';
  for await (const chunk of stream) {
    text += String(chunk);
    for (const [, id] of text.matchAll(/^id: (\d+)$/gm)) ids.push(Number(id));
    text = text.slice(text.lastIndexOf('\n') + 1);
    if (ids.length >= count) break;
  }
  return ids;
}

describe('a stream of events', () => {
  it('asks the store for what its reader wants alone', async () => {
    const asked: unknown[] = [];
    const { stream } = rig(0, {
      afterId: 7,
      filter: { types: ['cross'], sourceIds: ['demo'] },
      query: (query) => {
        asked.push(query);
        return Promise.resolve([eventAt(8)]);
      },
    });
    assert.deepEqual(await read(stream, 1), [8]);
    assert.deepEqual(asked, [{ types: ['cross'], sourceIds: ['demo'], afterId: 7, limit: 500 }]);
    stream.destroy();
  });

  it('gives what was held and what happens meanwhile, each once and in order', async () => {
    const { stream, add, events, closed, clock } = rig(1700, { afterId: 100 });
    const reading = read(stream, 1610);
    for (let i = 0; i < 20; i++) {
      await new Promise(setImmediate);
      add();
    }
    const ids = await reading;
    assert.deepEqual(
      ids,
      events.slice(100, 100 + ids.length).map(({ id }) => id),
    );
    assert.ok(ids.length >= 1610);
    assert.deepEqual([closed.length, clock.pendingTimers], [1, 0], 'a reader that leaves leaves nothing');
  });

  it('begins with what happens now where nothing was seen before', async () => {
    const { stream, add } = rig(10, { afterId: undefined });
    add();
    assert.deepEqual(await read(stream, 1), [11]);
  });

  it('ends a reader that does not keep up, and not before', async () => {
    const { stream, add, closed } = rig(0, { afterId: undefined });
    for (let i = 0; i < 500; i++) add();
    assert.deepEqual(closed, []);
    for (let i = 0; i < 3000; i++) add();
    assert.deepEqual(closed, [true]);
    let text = '';
    for await (const chunk of stream) text += String(chunk);
    assert.match(text, /event: end\ndata: \{"reason":"too-slow"\}\n\n$/);
  });

  it('keeps a quiet connection open', async () => {
    const { stream, clock } = rig(0, { afterId: undefined });
    await clock.advance(31_000);
    assert.equal(String(stream.read()).match(/^: still here$/gm)?.length, 2);
    stream.end('over');
    assert.equal(clock.pendingTimers, 0);
  });
});
