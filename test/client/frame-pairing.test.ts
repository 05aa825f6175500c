import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FramePairing, type FrameBoxes } from '../../src/client/index.js';
import { ticksBetween } from '../../src/client/message-timeline.js';
import { messageAt, person } from './messages.js';

/** Of 30 frames a second. */
const FRAME = 3000;

describe('pairing of frames and messages', () => {
  const left = (boxes: FrameBoxes): number | undefined => boxes.objects[0]?.box[0];

  it('gives a frame the boxes of its own message as they are', () => {
    const pairing = new FramePairing();
    pairing.add(messageAt(90_000, [person(50)]), 0);
    const boxes = pairing.present(90_000, 5);
    assert.deepEqual([boxes.kind, boxes.visibility, left(boxes)], ['paired', 1, 50]);
  });

  it('takes a message within 90 ticks for that of the frame, the nearest of several, and none further away', () => {
    for (const [off, kind] of [
      [-90, 'paired'],
      [90, 'paired'],
      [-91, 'moved'],
      [91, 'none'],
    ] as const) {
      const pairing = new FramePairing();
      pairing.add(messageAt(90_000 + off), 0);
      assert.equal(pairing.present(90_000, 5).kind, kind, `${off} ticks away`);
    }
    const pairing = new FramePairing();
    for (const [rtp, x] of [
      [89_920, 1],
      [90_010, 2],
      [90_080, 3],
    ] as const)
      pairing.add(messageAt(rtp, [person(x)]), 0);
    assert.equal(left(pairing.present(90_000, 5)), 2);
  });

  it('holds across the wrap of the 32-bit timestamp', () => {
    assert.deepEqual([ticksBetween(0xffff_fff0, 16), ticksBetween(16, 0xffff_fff0)], [32, -32]);
    const pairing = new FramePairing();
    pairing.add(messageAt(-40, [person(50)]), 0);
    assert.deepEqual(left(pairing.present(20, 5)), 50);
    assert.equal(left(pairing.present(FRAME, 38)), 50 + (100 * (FRAME + 40)) / 90_000);
    assert.deepEqual(pairing.counts, { frames: 2, withMessage: 1, paired: 1, moved: 1, outdated: 0, late: 0, messages: 1, lost: 0 });
  });

  it('moves the boxes of an earlier message by their velocity, tells when they are late, and lets them fade', () => {
    const pairing = new FramePairing();
    pairing.add(messageAt(0, [person(0)]), 0);
    const at = (seconds: number): [string, number | undefined, number, number] => {
      const boxes = pairing.present(seconds * 90_000, seconds * 1000);
      return [boxes.kind, left(boxes), boxes.visibility, boxes.ageS];
    };
    assert.deepEqual([0.1, 0.5, 0.75, 1.75, 3].map(at), [
      ['moved', 10, 1, 0.1],
      ['moved', 50, 1, 0.5],
      ['outdated', 75, 0.9, 0.75],
      // A velocity is believed for a second.
      ['outdated', 100, 0.5, 1.75],
      ['none', undefined, 0, 0],
    ]);
    assert.equal(pairing.counts.outdated, 2);
  });

  it('draws something on every frame where all messages come long after their frames', () => {
    const pairing = new FramePairing();
    const kinds: string[] = [];
    for (let frame = 0; frame < 90; frame++) {
      // A message for every sixth frame, 900 ms late.
      if (frame >= 27 && frame % 6 === 3) pairing.add(messageAt((frame - 27) * FRAME, [person(frame)]), frame * 33);
      kinds.push(pairing.present(frame * FRAME, frame * 33).kind);
    }
    assert.deepEqual(
      [kinds.filter((kind) => kind === 'none').length, kinds.slice(27).filter((kind) => kind === 'outdated').length],
      [27, 63],
    );
  });

  it('puts boxes between two messages that are both there on the way from one to the other', () => {
    const pairing = new FramePairing();
    pairing.add(messageAt(0, [person(0), person(500, { object_id: 2 })]), 0);
    pairing.add(messageAt(2 * FRAME, [person(30)]), 1);
    const boxes = pairing.present(FRAME, 5);
    assert.equal(boxes.kind, 'moved');
    assert.deepEqual(
      boxes.objects.map(({ box }) => Math.round(box[0])),
      [15, 503],
    );
  });

  it('knows messages in any order', () => {
    const pairing = new FramePairing();
    for (const rtp of [2 * FRAME, 0, FRAME]) pairing.add(messageAt(rtp, [person(rtp)]), 0);
    assert.deepEqual(
      [0, FRAME, 2 * FRAME].map((rtp) => left(pairing.present(rtp, 5))),
      [0, FRAME, 2 * FRAME],
    );
    assert.equal(pairing.newest?.rtp_timestamp.raw, 2 * FRAME);
  });

  it('counts a message that comes after its frame as late, and as paired where the frame is still on the screen', () => {
    const pairing = new FramePairing();
    pairing.add(messageAt(0), 0);
    pairing.present(0, 0);
    pairing.present(FRAME, 33);
    const onScreen = pairing.add(messageAt(FRAME), 43);
    assert.deepEqual([onScreen.isOnScreen, Math.round(onScreen.latenessMs ?? NaN)], [true, 10]);
    pairing.present(2 * FRAME, 67);
    pairing.present(3 * FRAME, 100);
    const gone = pairing.add(messageAt(2 * FRAME), 110);
    assert.deepEqual([gone.isOnScreen, Math.round(gone.latenessMs ?? NaN)], [false, 43]);
    assert.deepEqual(pairing.counts, { frames: 4, withMessage: 3, paired: 2, moved: 2, outdated: 0, late: 2, messages: 3, lost: 0 });
  });

  it('tells how long before its frame a message came, and nothing while playback stands', () => {
    const pairing = new FramePairing();
    pairing.present(0, 0);
    assert.equal(pairing.add(messageAt(9000), 40).latenessMs, -60);
    assert.equal(pairing.add(messageAt(FRAME), 40).latenessMs, 0, 'not presented yet is not late');
    assert.equal(pairing.add(messageAt(12_000), 1000).latenessMs, undefined);
  });

  it('starts over when messages of another timeline come', () => {
    const pairing = new FramePairing();
    pairing.add(messageAt(900_000_000), 0);
    pairing.add(messageAt(0, [person(7)]), 10);
    assert.equal(left(pairing.present(0, 20)), 7);
    assert.equal(pairing.present(900_000_000, 30).kind, 'none');
  });

  it('keeps the newest message of a viewer that has no raw track', () => {
    const pairing = new FramePairing();
    pairing.add(messageAt(undefined, [person(3)], { dropped: 4 }), 0);
    assert.equal(pairing.newest?.objects[0]?.box[0], 3);
    assert.deepEqual([pairing.counts.lost, pairing.present(0, 0).kind], [4, 'none']);
  });

  it('remembers an object centre by centre for a second', () => {
    const pairing = new FramePairing();
    for (let i = 0; i <= 50; i++) pairing.add(messageAt(i * FRAME, i === 50 ? [] : [person(i)]), i);
    const trail = pairing.trail(1, 50 * FRAME);
    assert.deepEqual([trail.length, trail[0], trail.at(-1)], [30, [30, 30], [59, 30]]);
    assert.deepEqual(pairing.trail(9, 50 * FRAME), []);
  });
});
