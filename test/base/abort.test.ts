import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import { whenAborted } from '../../src/base/abort.js';

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
