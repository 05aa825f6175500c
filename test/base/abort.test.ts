import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import { unlessAborted, whenAborted } from '../../src/base/abort.js';

describe('whenAborted', () => {
  it('calls once, when the signal is aborted or at once where it is', () => {
    const calls: string[] = [];
    const controller = new AbortController();
    whenAborted(controller.signal, () => calls.push('early'));
    assert.equal(calls.length, 0);
    controller.abort();
    controller.abort();
    whenAborted(controller.signal, () => calls.push('late'));
    assert.deepEqual(calls, ['early', 'late']);
  });

  it('leaves nothing at a signal that is not wanted any more, and does nothing without one', () => {
    const { signal } = new AbortController();
    whenAborted(signal, () => assert.fail())();
    assert.equal(getEventListeners(signal, 'abort').length, 0);
    whenAborted(undefined, () => assert.fail())();
  });
});

describe('unlessAborted', () => {
  it('gives what the promise gives, and leaves nothing at the signal', async () => {
    const { signal } = new AbortController();
    assert.equal(await unlessAborted(Promise.resolve(1), signal), 1);
    await assert.rejects(unlessAborted(Promise.reject(new Error('its own')), signal), /its own/);
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });

  it('gives the reason of the signal once that is aborted, and lets the promise end as it likes', async () => {
    const controller = new AbortController();
    let fail = (_error: Error): void => undefined;
    const waiting = unlessAborted(new Promise((_resolve, reject) => (fail = reject)), controller.signal);
    controller.abort(new Error('enough'));
    await assert.rejects(waiting, /enough/);
    fail(new Error('nobody hears of this'));
    await assert.rejects(unlessAborted(new Promise(() => undefined), controller.signal), /enough/);
  });
});
