import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { whoGivesWay } from '../../src/base/fair-share.js';

const seats = (...addresses: string[]) => addresses.map((address, index) => ({ address, name: `${address}${index}` }));
const anybody = (): number => 0;

describe('when all are taken', () => {
  it('the newest of the address that has more than half gives way to another address', () => {
    assert.equal(whoGivesWay(seats('a', 'b', 'b', 'b', 'c'), 5, 'd', anybody)?.name, 'b3');
    assert.equal(whoGivesWay(seats('b', 'b', 'b', 'a'), 4, 'a', anybody)?.name, 'b2');
  });

  it('nobody gives way to that address itself, nor where none has more than half', () => {
    assert.equal(whoGivesWay(seats('b', 'b', 'b', 'a'), 4, 'b', anybody), undefined);
    assert.equal(whoGivesWay(seats('a', 'a', 'b', 'b'), 4, 'c', anybody), undefined);
  });

  it('those of a higher rank go first, and those without one never', () => {
    const ranks: Readonly<Record<string, number | undefined>> = { b0: 1, b1: 0, b2: undefined };
    assert.equal(whoGivesWay(seats('b', 'b', 'b'), 3, 'a', ({ name }) => ranks[name])?.name, 'b0');
    assert.equal(
      whoGivesWay(seats('b', 'b', 'b'), 3, 'a', () => undefined),
      undefined,
    );
  });
});
