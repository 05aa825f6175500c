import assert from 'node:assert/strict';
import { it } from 'node:test';
import { lengthText } from '../../../src/page/timeline/length-text.js';

it('lengths of time are told in tenths below ten seconds, and in fewer figures the longer they are', () => {
  assert.deepEqual([0.34, 1, 9.94, 9.96, 59.4, 98, 120, 3600, 5400.4, 7199].map(lengthText), [
    '0.3 seconds',
    '1 second',
    '9.9 seconds',
    '10 seconds',
    '59 seconds',
    '1 min 38 s',
    '2 min',
    '1 h',
    '1 h 30 min',
    '2 h',
  ]);
});
