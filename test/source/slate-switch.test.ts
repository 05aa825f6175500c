import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SlateSwitch } from '../../src/source/slate-switch.js';
import { FakeClock } from '../helpers/fake-clock.js';

function setUp() {
  const clock = new FakeClock();
  const slates: { isClosed: boolean; gone: () => void }[] = [];
  const slate = new SlateSwitch({
    clock,
    silentAfterMs: () => 2000,
    open: () => {
      let gone = (): void => undefined;
      const ended = new Promise<void>((resolve) => (gone = resolve));
      const opened = { isClosed: false, gone, close: () => ((opened.isClosed = true), ended) };
      slates.push(opened);
      return opened;
    },
  });
  return { clock, slates, slate };
}

describe('SlateSwitch', () => {
  it('shows a slate once nothing has come for 2 s, and hides it for good when it is closed', async () => {
    const { clock, slates, slate } = setUp();
    for (let i = 0; i < 20; i++) {
      slate.heard();
      await clock.advance(1000);
    }
    assert.equal(slates.length, 0);
    await clock.advance(1500);
    assert.equal(slates.length, 1);
    assert.equal(slate.hide(), true);
    assert.equal(slate.hide(), false);
    slate.show();
    assert.equal(slates.length, 2);
    let isOver = false;
    const closed = slate.close().then(() => (isOver = true));
    slate.show();
    assert.deepEqual([slates.length, slates.every(({ isClosed }) => isClosed), slate.shown, clock.pendingTimers], [2, true, undefined, 0]);
    slates[0]?.gone();
    await clock.advance(0);
    assert.equal(isOver, false, 'one of them holds processes still');
    slates[1]?.gone();
    await closed;
  });

  it('does not take a halt of this process for silence of the camera', () => {
    const clock = new FakeClock();
    let look = (): void => undefined;
    const slate = new SlateSwitch({
      clock: {
        now: () => clock.now(),
        wallClock: () => clock.wallClock(),
        after: () => ({ cancel: () => undefined }),
        every: (_periodMs, callback) => ((look = callback), { cancel: () => undefined }),
      },
      silentAfterMs: () => 2000,
      open: () => ({ close: () => Promise.resolve() }),
    });
    // Timers that were due meanwhile run once, before what came meanwhile is read.
    look();
    assert.equal(slate.shown, undefined);
    for (let i = 0; i < 8; i++) look();
    assert.ok(slate.shown);
  });
});
