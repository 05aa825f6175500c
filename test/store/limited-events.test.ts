import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EventFacts } from '../../src/store/index.js';
import { LimitedEvents } from '../../src/store/index.js';
import { FakeClock } from '../helpers/fake-clock.js';

describe('events that others decide on the number of', () => {
  it('are kept up to so many a minute of a type, and the next one says how many were not', async () => {
    const clock = new FakeClock();
    const kept: EventFacts[] = [];
    const events = new LimitedEvents({ add: (facts) => kept.push(facts), clock });
    for (let i = 0; i < 100_000; i++) events.add('refused', undefined, { i });
    assert.equal(kept.length, 30);
    events.add('viewer_joined', 'demo', {});
    assert.equal(kept.length, 31, 'another type has room of its own');
    await clock.advance(2000);
    events.add('refused', undefined, { i: -1 });
    assert.deepEqual(kept.at(-1), { type: 'refused', sourceId: undefined, atMs: clock.wallClock(), data: { i: -1, omitted: 99_970 } });
    events.add('refused', undefined, {});
    assert.equal(kept.length, 32, 'one every two seconds');
    await clock.advance(3_600_000);
    for (let i = 0; i < 100; i++) events.add('refused', undefined, {});
    assert.equal(kept.length, 62, 'an hour of silence saves up one minute');
    assert.deepEqual(kept[32]?.data, { omitted: 1 });
  });
});
