import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { levelsOf, type RungOption } from '../../../src/webrtc/congestion/levels.js';
import { shareOut, totalBps } from '../../../src/webrtc/congestion/share.js';

const LADDER: readonly RungOption[] = [
  { name: 'source', bitrateBps: 2_500_000, isRunning: true },
  { name: '540p', bitrateBps: 1_100_000, isRunning: false },
  { name: '360p', bitrateBps: 550_000, isRunning: false },
];

const levels = levelsOf({ id: 'a', rungs: LADDER, current: undefined, wish: 'auto' });

describe('levels of a stream', () => {
  it('are its rungs, then the keyframes of the lowest, then nothing', () => {
    assert.deepEqual(
      levels.map(({ rung, delivery, costBps }) => [rung, delivery, costBps]),
      [
        ['source', 'frames', 2_500_000],
        ['540p', 'frames', 1_100_000],
        ['360p', 'frames', 550_000],
        ['360p', 'keyframes', 110_000],
        ['360p', 'nothing', 0],
      ],
    );
  });

  it('are one alone where the viewer chose it, and all where it chose what there is not', () => {
    assert.deepEqual(
      levelsOf({ id: 'a', rungs: LADDER, current: undefined, wish: '540p' }).map(({ rung }) => rung),
      ['540p'],
    );
    assert.equal(levelsOf({ id: 'a', rungs: LADDER, current: undefined, wish: '1080p' }).length, 5);
  });

  it('cost more than those below them where their bitrate is not known', () => {
    const [best, second] = levelsOf({
      id: 'a',
      rungs: [
        { name: 'source', bitrateBps: undefined, isRunning: true },
        { name: '1080p', bitrateBps: 4_000_000, isRunning: true },
      ],
      current: undefined,
      wish: 'auto',
    });
    assert.deepEqual([best?.costBps, second?.costBps], [6_000_000, 4_000_000]);
  });
});

describe('a rate shared by several streams', () => {
  it('shows every tile of a wall on a narrow link, and gives a small one no more than it can use', () => {
    const lowest = { name: '180p', bitrateBps: 180_000, isRunning: true };
    const tile = (rungs: readonly RungOption[]) => levelsOf({ id: 'a', rungs, current: undefined, wish: 'auto' });
    const wall = [tile([...LADDER, lowest]), tile([lowest]), tile([lowest]), tile([lowest])];
    const sent = (budgetBps: number): unknown[] =>
      shareOut(wall, budgetBps).map((index, at) => (wall[at]?.[index]?.delivery === 'frames' ? wall[at][index].rung : 'none'));
    assert.deepEqual(sent(786_000), ['180p', '180p', '180p', '180p'], '1 Mbit/s');
    assert.deepEqual(sent(1_200_000), ['360p', '180p', '180p', '180p']);
    assert.deepEqual(sent(3_100_000), ['source', '180p', '180p', '180p']);
  });

  it('raises the one that has least first', () => {
    assert.deepEqual(shareOut([levels, levels], 2_300_000), [1, 1]);
    assert.deepEqual(shareOut([levels, levels], 1_700_000), [1, 2]);
    assert.deepEqual(shareOut([levels, levels], 3_700_000), [0, 1]);
    assert.equal(totalBps([levels, levels], [0, 1]), 3_600_000);
  });

  it('leaves nothing but sound where it carries no more', () => {
    assert.deepEqual(shareOut([levels, levels], 0), [4, 4]);
  });

  it('keeps what was chosen, whatever it takes', () => {
    const fixed = levelsOf({ id: 'b', rungs: LADDER, current: undefined, wish: 'source' });
    assert.deepEqual(shareOut([fixed, levels], 3_200_000), [0, 2]);
  });
});
