import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DelayControl, LONGEST_DELAY_MS } from '../../../src/page/overlay/delay-control.js';

describe('the delay of the video', () => {
  /** Feeds 15 messages a second for some seconds; the lateness may depend on the target. */
  const run = (control: DelayControl, seconds: number, lateness: (targetMs: number) => number, from = 0, bufferMs = 0): void => {
    for (let i = 0; i < seconds * 15; i++) control.sample(lateness(control.targetMs), (from + i / 15) * 1000, bufferMs);
  };

  it('stays the choice of the browser while messages come in time, or a few of them late', () => {
    const control = new DelayControl();
    run(control, 20, () => -5);
    let i = 0;
    run(control, 20, () => (i++ % 40 === 0 ? 30 : -5), 20);
    assert.equal(control.targetMs, 0);
  });

  it('does not follow what is late while decoder and detector start', () => {
    const control = new DelayControl();
    run(control, 2, () => 500);
    run(control, 10, () => -5, 2);
    assert.equal(control.targetMs, 0);
  });

  it('rises by what is missing, on top of what the browser holds by itself', () => {
    const control = new DelayControl();
    run(control, 4.5, () => 45, 0, 20);
    assert.equal(control.targetMs, 75);
  });

  it('rises at once for a slow model, and bit by bit for a burst of late messages', () => {
    const slow = new DelayControl();
    run(slow, 4.5, () => 200);
    assert.equal(slow.targetMs, 210);
    const burst = new DelayControl();
    let i = 0;
    run(burst, 4.5, () => (i++ % 3 === 0 ? 200 : -5));
    assert.equal(burst.targetMs, 70);
  });

  it('ends where messages come in time, and never beyond its limit', () => {
    const control = new DelayControl();
    run(control, 30, (targetMs) => 120 - targetMs);
    assert.ok(control.targetMs >= 120 && control.targetMs <= 150, `${control.targetMs} ms`);
    const hopeless = new DelayControl();
    run(hopeless, 60, () => 400);
    assert.equal(hopeless.targetMs, LONGEST_DELAY_MS);
  });

  it('falls again, bit by bit, when messages come long before their frames', () => {
    const control = new DelayControl();
    run(control, 30, (targetMs) => 200 - targetMs);
    const high = control.targetMs;
    run(control, 7, (targetMs) => -targetMs, 40);
    assert.ok(control.targetMs < high && control.targetMs >= high - 60, `${high} to ${control.targetMs} ms`);
    run(control, 200, (targetMs) => -targetMs, 50);
    assert.ok(control.targetMs <= 45, `${control.targetMs} ms`);
  });

  it('does not rise at once again for what came while a change was settling', () => {
    const control = new DelayControl();
    run(control, 4.5, () => 50);
    const first = control.targetMs;
    run(control, 1, () => 50, 4.5);
    assert.ok(first > 0);
    assert.equal(control.targetMs, first);
  });
});
