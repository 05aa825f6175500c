import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { NumberedFrame, ReceivedMessage } from '../../helpers/chromium.js';
import { pair } from '../../../scripts/bench/frame-exact-pairing.js';

const START = 2 ** 32 - 9000;

function frame(number: number, more: Partial<NumberedFrame> = {}): NumberedFrame {
  const now = (number * 1000) / 30;
  return {
    now,
    displayAt: now,
    rtpTimestamp: (START + number * 3000) % 2 ** 32,
    number,
    isLate: false,
    presentedFrames: number + 1,
    ...more,
  };
}

/** The message of a picture, which says `number` in its box. */
function message(picture: number, number = picture, ticks = 0): ReceivedMessage {
  const box = [16 + 4 * (number % 64), 116 + 4 * Math.floor(number / 64), 320, 160];
  const raw = (START + picture * 3000 + ticks) % 2 ** 32;
  return {
    now: (picture * 1000) / 30 + 5,
    text: JSON.stringify({ rtp_timestamp: { raw }, width: 640, objects: [{ box, observed: true }] }),
  };
}

const numbers = [0, 1, 2, 3, 4, 5, 6, 7];

describe('the judge of frame-exact boxes', () => {
  it('pairs every picture with its own message, across a wrap of the timestamps', () => {
    const judged = pair(
      numbers.map((number) => frame(number)),
      numbers.map((number) => message(number, number, 30)),
      'raw',
    );
    assert.deepEqual([judged.shown, judged.withMessage, judged.paired, judged.maxErrorFrames, judged.maxOffsetTicks], [8, 8, 8, 0, 30]);
    assert.ok(judged.latenessMs.every((ms) => Math.abs(ms - 5) < 1e-6));
  });

  it('sees a box that belongs to the next picture', () => {
    const judged = pair(
      numbers.map((number) => frame(number)),
      numbers.map((number) => message(number, number + 1)),
      'raw',
    );
    assert.equal(judged.maxErrorFrames, 1);
    assert.equal(judged.faults.length, 8);
  });

  it('sees a message whose timestamp is not that of its picture', () => {
    const judged = pair(
      numbers.map((number) => frame(number)),
      numbers.map((number) => message(number, number, 91)),
      'raw',
    );
    assert.deepEqual([judged.withMessage, judged.paired], [8, 0]);
  });

  it('asks nothing of pictures that were not looked at', () => {
    const judged = pair(
      numbers.map((number) => frame(number)),
      [message(2), message(5)],
      'raw',
    );
    assert.deepEqual([judged.shown, judged.withMessage, judged.paired, judged.maxErrorFrames], [8, 2, 2, 0]);
  });

  it('counts callbacks that did not come and numbers that cannot be read', () => {
    const judged = pair([frame(0), frame(3, { isLate: true }), frame(4, { number: null })], [], 'raw');
    assert.deepEqual([judged.missedCallbacks, judged.lateCallbacks, judged.unreadable], [2, 1, 1]);
  });
});
