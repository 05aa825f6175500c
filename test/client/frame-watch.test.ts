import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FrameWatch } from '../../src/client/frame-watch.js';

/** Looks once a second; what was due, with its second. */
function look(
  seconds: number,
  framesAt: (s: number) => number,
  wordsAt: (s: number) => { reports: number; packetsSent: number } | undefined,
): string[] {
  const watch = new FrameWatch();
  const due: string[] = [];
  for (let s = 0; s <= seconds; s++) {
    const found = watch.look(framesAt(s), s * 1000, wordsAt(s));
    if (found !== undefined && found !== 'arrived') due.push(`${found} ${s}`);
  }
  return due;
}

describe('FrameWatch', () => {
  it('takes a connection without frames for dead after a while', () => {
    assert.deepEqual(
      look(
        13,
        (s) => (s === 0 ? 0 : 1),
        () => undefined,
      ),
      ['keyframe 6', 'restart 9', 'reconnect 13'],
    );
  });

  it('leaves a source alone that sends a frame in 12 s, and whose server says so', () => {
    assert.deepEqual(
      look(
        120,
        (s) => Math.floor(s / 12),
        (s) => ({ reports: s, packetsSent: 4 * Math.floor(s / 12) }),
      ),
      [],
    );
  });

  it('is not calmed by a server that sends what does not arrive, nor by one that says nothing any more', () => {
    assert.deepEqual(
      look(
        13,
        (s) => (s === 0 ? 0 : 1),
        (s) => ({ reports: s, packetsSent: 30 * s }),
      ),
      ['keyframe 6', 'restart 9', 'reconnect 13'],
    );
    assert.deepEqual(
      look(
        13,
        (s) => (s === 0 ? 0 : 1),
        () => ({ reports: 5, packetsSent: 30 }),
      ),
      ['keyframe 6', 'restart 9', 'reconnect 13'],
    );
  });

  it('does not believe for ever that there is nothing to send', () => {
    const due = look(
      80,
      (s) => (s === 0 ? 0 : 1),
      (s) => ({ reports: s, packetsSent: 30 }),
    );
    assert.deepEqual(due, ['keyframe 65', 'restart 68', 'reconnect 72']);
  });
});
