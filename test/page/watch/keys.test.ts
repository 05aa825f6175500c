import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { actionOf, KEYS } from '../../../src/page/watch/keys.js';

const press = (key: string, target = 'body', isChord = false): string | undefined => actionOf({ key, target, isChord });

describe('keys of the watch view', () => {
  it('are one for each thing, also where caps lock is on', () => {
    assert.equal(new Set(KEYS.map(([key]) => key)).size, KEYS.length);
    assert.deepEqual(
      ['f', 'M', '3', ' ', 'ArrowLeft', '?'].map((key) => press(key)),
      ['fullScreen', 'mute', 'overlay', 'toggle', 'back', 'help'],
    );
    assert.deepEqual(
      ['x', 'F5', 'Enter', 'Escape'].map((key) => press(key)),
      [undefined, undefined, undefined, undefined],
    );
  });

  it('are left to the browser, to what is typed into, and to what needs them itself', () => {
    assert.equal(press('f', 'body', true), undefined);
    for (const target of ['input:text', 'input:password', 'textarea', 'select']) assert.equal(press('m', target), undefined, target);
    assert.equal(press(' ', 'button'), undefined);
    assert.equal(press('m', 'button'), 'mute');
    assert.equal(press('ArrowRight', 'input:radio'), undefined);
    assert.equal(press('ArrowRight', 'a'), 'forward');
  });
});
