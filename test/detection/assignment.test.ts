import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assign, FORBIDDEN } from '../../src/detection/assignment.js';
import { seededRandom } from '../helpers/random.js';

describe('assign', () => {
  it('prefers the cheapest whole to the cheapest pair', () => {
    assert.deepEqual([...assign([1, 2, 2, 9], 2, 2)], [1, 0]);
  });

  it('leaves rows over where columns are fewer, and columns where rows are', () => {
    assert.deepEqual([...assign([5, 1, 3], 3, 1)], [-1, 0, -1]);
    assert.deepEqual([...assign([5, 1, 3], 1, 3)], [1]);
  });

  it('never pairs what is forbidden, though a row stays alone', () => {
    assert.deepEqual([...assign([FORBIDDEN, 1, FORBIDDEN, 2], 2, 2)], [1, -1]);
    assert.deepEqual([...assign([FORBIDDEN], 1, 1)], [-1]);
  });

  it('makes as many pairs as are allowed before it makes cheap ones', () => {
    assert.deepEqual([...assign([0, 50, 10, FORBIDDEN], 2, 2)], [1, 0]);
  });

  it('has nothing to say of nothing', () => {
    assert.deepEqual([assign([], 0, 0).length, assign([], 0, 3).length, ...assign([], 2, 0)], [0, 0, -1, -1]);
  });

  it('finds what trying every order finds', () => {
    const random = seededRandom(5);
    for (let round = 0; round < 200; round++) {
      const rows = 1 + Math.floor(random() * 5);
      const columns = rows + Math.floor(random() * 2);
      const costs = Array.from({ length: rows * columns }, () => Math.floor(random() * 20));
      const total = [...assign(costs, rows, columns)].reduce((sum, column, row) => sum + costs[row * columns + column]!, 0);
      assert.equal(total, cheapest(costs, columns, rows, 0, new Set()));
    }
  });
});

function cheapest(costs: readonly number[], columns: number, rows: number, row: number, taken: ReadonlySet<number>): number {
  if (row === rows) return 0;
  let best = Infinity;
  for (let column = 0; column < columns; column++) {
    if (!taken.has(column))
      best = Math.min(best, costs[row * columns + column]! + cheapest(costs, columns, rows, row + 1, new Set([...taken, column])));
  }
  return best;
}
