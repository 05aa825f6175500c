/** One at a time, the newest wish first. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MediaPeerError } from '../../src/base/errors.js';
import { NewestFirst } from '../../src/recording/newest-first.js';

/** Jobs that end when the test says so. */
function rig(maxWaiting = 10) {
  const queue = new NewestFirst<string, string>('pictures', maxWaiting);
  const begun: string[] = [];
  const ends = new Map<string, { resolve: (value: string) => void; reject: (error: Error) => void }>();
  const wish = (key: string): Promise<string> =>
    queue.wish(key, () => {
      begun.push(key);
      return new Promise((resolve, reject) => ends.set(key, { resolve, reject }));
    });
  const end = async (key: string): Promise<void> => {
    ends.get(key)?.resolve(key);
    await new Promise(setImmediate);
  };
  return { queue, begun, ends, wish, end };
}

describe('wishes', () => {
  it('run one at a time, the newest first', async () => {
    const { begun, wish, end } = rig();
    const results = ['a', 'b', 'c'].map(wish);
    await end('a');
    await end('c');
    await end('b');
    assert.deepEqual(begun, ['a', 'c', 'b']);
    assert.deepEqual(await Promise.all(results), ['a', 'b', 'c']);
  });

  it('are made once for all who wish for the same, and move ahead when they are wished for again', async () => {
    const { begun, wish, end } = rig();
    const first = wish('a');
    const again = wish('a');
    const waiting = [wish('b'), wish('c'), wish('b')];
    await end('a');
    await end('b');
    await end('c');
    assert.deepEqual(begun, ['a', 'b', 'c']);
    assert.deepEqual(await Promise.all([first, again, ...waiting]), ['a', 'a', 'b', 'c', 'b']);
  });

  it('give way to newer ones where too many wait', async () => {
    const { wish, end, begun } = rig(2);
    const running = wish('a');
    const oldest = wish('b');
    const others = [wish('c'), wish('d')];
    await assert.rejects(
      oldest,
      (error) => error instanceof MediaPeerError && error.code === 'CAPACITY_REACHED' && /pictures/.test(error.message),
    );
    for (const key of ['a', 'd', 'c']) await end(key);
    await Promise.all([running, ...others]);
    assert.deepEqual(begun, ['a', 'd', 'c']);
  });

  it('hold nobody up when one fails, and are not begun any more after the end', async () => {
    const { queue, wish, ends, begun } = rig();
    const [failing, next, last] = [wish('a'), wish('b'), wish('c')];
    ends.get('a')?.reject(new Error('broken'));
    await assert.rejects(failing, /broken/);
    await new Promise(setImmediate);
    assert.deepEqual(begun, ['a', 'c']);
    const closing = queue.close(new Error('closing'));
    await assert.rejects(next, /closing/);
    ends.get('c')?.resolve('c');
    await closing;
    assert.equal(await last, 'c');
  });
});
