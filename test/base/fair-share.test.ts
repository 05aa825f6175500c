import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { whoGivesWay } from '../../src/base/fair-share.js';

const seats = (...addresses: string[]) => addresses.map((address, index) => ({ address, name: `${address}${index}` }));
const anybody = (): number => 0;

describe('when all are taken', () => {
  it('the newest of the address that has most gives way to an address that has less', () => {
    assert.equal(whoGivesWay(seats('a', 'b', 'b', 'b', 'c'), 'd', anybody)?.name, 'b3');
    assert.equal(whoGivesWay(seats('b', 'b', 'b', 'a'), 'a', anybody)?.name, 'b2');
  });

  it('several addresses together keep nobody out', () => {
    assert.equal(whoGivesWay(seats('a', 'a', 'b', 'b'), 'c', anybody)?.name, 'b3');
    assert.equal(whoGivesWay(seats('a', 'a', 'a', 'b', 'b'), 'c', anybody)?.name, 'a2');
    assert.equal(whoGivesWay(seats('a', 'a', 'a', 'b', 'b'), 'c', ({ address }) => (address === 'a' ? undefined : 0))?.name, 'b4');
  });

  it('nobody gives way to that address itself, nor to one that would have more then', () => {
    assert.equal(whoGivesWay(seats('b', 'b', 'b', 'a'), 'b', anybody), undefined);
    assert.equal(whoGivesWay(seats('a', 'b', 'c'), 'd', anybody), undefined);
    assert.equal(whoGivesWay(seats('a', 'a', 'b'), 'b', anybody), undefined);
  });

  it('those of a higher rank go first, and those without one never', () => {
    const ranks: Readonly<Record<string, number | undefined>> = { b0: 1, b1: 0, b2: undefined };
    assert.equal(whoGivesWay(seats('b', 'b', 'b'), 'a', ({ name }) => ranks[name])?.name, 'b0');
    assert.equal(
      whoGivesWay(seats('b', 'b', 'b'), 'a', () => undefined),
      undefined,
    );
  });
});
