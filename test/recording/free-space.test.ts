import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { FreeSpace } from '../../src/recording/free-space.js';
import { FakeClock } from '../helpers/fake-clock.js';

let clock: FakeClock;
let free: number | undefined;
let told: boolean[];
let space: FreeSpace;

beforeEach(async () => {
  clock = new FakeClock();
  free = 5_000;
  told = [];
  space = new FreeSpace({ minFreeBytes: 1_000, freeBytes: () => Promise.resolve(free), clock, onChange: (isShort) => told.push(isShort) });
  await space.begin();
});

afterEach(() => {
  space.close();
  assert.equal(clock.pendingTimers, 0);
});

async function becomes(bytes: number | undefined): Promise<void> {
  free = bytes;
  await clock.advance(5_000);
}

describe('the space that recordings leave', () => {
  it('is watched: too little stops recording once, and a tenth more lets it go on', async () => {
    await becomes(1_000);
    assert.deepEqual(told, []);
    await becomes(999);
    await becomes(500);
    assert.deepEqual(told, [true]);
    await becomes(1_050);
    assert.equal(space.isShort, true);
    await becomes(1_100);
    assert.deepEqual(told, [true, false]);
  });

  it('is too little for a minute where the disk takes no more, whatever seems to be free', async () => {
    free = 50 << 20;
    space.refused();
    await becomes(50 << 20);
    assert.equal(space.isShort, true);
    await clock.advance(60_000);
    assert.deepEqual(told, [true, false]);
  });

  it('is enough again as soon as there is room on a disk that was seen to be full', async () => {
    const disk = { bytes: 0 };
    const small = new FreeSpace({
      ...{ minFreeBytes: 0, freeBytes: () => Promise.resolve(disk.bytes), clock },
      onChange: (isShort) => told.push(isShort),
    });
    await small.begin();
    small.refused();
    await clock.advance(120_000);
    assert.deepEqual(told, [true], 'it does not come and go while it is full');
    disk.bytes = 16 << 20;
    await clock.advance(5_000);
    assert.deepEqual(told, [true, false]);
    small.close();
  });

  it('is asked for once at a time, by a disk that does not answer', async () => {
    let asked = 0;
    const hanging = new FreeSpace({
      minFreeBytes: 1_000,
      freeBytes: () => {
        asked++;
        return new Promise(() => undefined);
      },
      clock,
      onChange: (isShort) => told.push(isShort),
    });
    void hanging.begin();
    await clock.advance(60_000);
    hanging.close();
    assert.equal(asked, 1);
  });

  it('is as it was where nobody can say', async () => {
    await becomes(10);
    await becomes(undefined);
    assert.equal(space.isShort, true);
  });
});
