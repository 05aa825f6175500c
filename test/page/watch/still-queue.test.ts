import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StillQueue } from '../../../src/page/watch/still-queue.js';

describe('the queue for snapshots', () => {
  it('lets two ask at a time, in the order in which they came, and none while it is held', () => {
    const queue = new StillQueue();
    const begun: number[] = [];
    const done: (() => void)[] = [];
    const give = [1, 2, 3, 4, 5].map((n) => queue.ask((end) => void (begun.push(n), done.push(end))));
    assert.deepEqual(begun, [1, 2]);
    done[0]?.();
    done[0]?.(); // an image that is loaded and then taken away ends its turn once
    assert.deepEqual(begun, [1, 2, 3]);
    queue.hold(true);
    give[3]?.();
    done[1]?.();
    done[2]?.();
    assert.deepEqual(begun, [1, 2, 3]);
    queue.hold(false);
    assert.deepEqual(begun, [1, 2, 3, 5], 'who gave up is passed over');
  });
});
