import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Lanes, type LaneKeys } from '../../src/base/lanes.js';

/** Lanes whose tasks end when a test says so. */
class Road {
  readonly lanes = new Lanes<string>();
  readonly begun: string[] = [];
  readonly #ends = new Map<string, (error?: Error) => void>();

  add(name: string, keys: LaneKeys<string>): Promise<void> {
    return this.lanes.run(keys, async () => {
      this.begun.push(name);
      await new Promise<void>((resolve, reject) => this.#ends.set(name, (error) => (error ? reject(error) : resolve())));
    });
  }

  async end(name: string, error?: Error): Promise<void> {
    this.#ends.get(name)?.(error);
    await settled();
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('tasks in lanes', () => {
  it('run side by side where they change different things, else one after the other', async () => {
    const road = new Road();
    const all = [road.add('a1', ['a']), road.add('b1', ['b']), road.add('a2', ['a']), road.add('ab', ['a', 'b']), road.add('c1', ['c'])];
    await settled();
    assert.deepEqual(road.begun, ['a1', 'b1', 'c1']);
    await road.end('b1');
    assert.deepEqual(road.begun, ['a1', 'b1', 'c1'], 'one of two things waits for both');
    await road.end('a1');
    assert.deepEqual(road.begun.slice(3), ['a2']);
    await road.end('a2');
    assert.deepEqual(road.begun.slice(3), ['a2', 'ab']);
    for (const name of ['ab', 'c1']) await road.end(name);
    await Promise.all(all);
    assert.equal(road.lanes.size, 0);
  });

  it('wait for one that changes everything, which waits for all before it', async () => {
    const road = new Road();
    const all = [road.add('a', ['a']), road.add('all', 'all'), road.add('b', ['b']), road.add('none', [])];
    await settled();
    assert.deepEqual(road.begun, ['a']);
    await road.end('a');
    assert.deepEqual(road.begun, ['a', 'all']);
    await road.end('all');
    assert.deepEqual(road.begun, ['a', 'all', 'b', 'none']);
    for (const name of ['b', 'none']) await road.end(name);
    await Promise.all(all);
  });

  it('go on where one fails, which is told', async () => {
    const road = new Road();
    const failing = assert.rejects(road.add('a1', ['a']), /broken/);
    const next = road.add('a2', ['a']);
    await settled();
    await road.end('a1', new Error('broken'));
    await failing;
    assert.deepEqual(road.begun, ['a1', 'a2']);
    await road.end('a2');
    await next;
    assert.equal(road.lanes.size, 0);
  });

  it('tell what a task throws at once', async () => {
    const lanes = new Lanes<string>();
    await assert.rejects(
      lanes.run('all', () => {
        throw new Error('at once');
      }),
      /at once/,
    );
    assert.equal(await lanes.run(['a'], () => 7), 7);
  });
});
