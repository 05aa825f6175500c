/** The beginning of an MP4 that is sent while it is made. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ClipHead } from '../../src/recording/clip-head.js';

function box(type: string, ...content: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + content.reduce((sum, { length }) => sum + length, 0));
  head.write(type, 4);
  return Buffer.concat([head, ...content]);
}
const uint32 = (...values: readonly number[]): Buffer =>
  Buffer.concat(values.map((value) => Buffer.from([value >>> 24, value >>> 16, value >>> 8, value])));
const FTYP = box('ftyp', Buffer.from('iso5'));
const MVHD = box('mvhd', uint32(0, 0, 0, 1000, 0, 0));
const TREX = box('trex', uint32(0, 1));
const trak = (duration: number): Buffer =>
  box('trak', box('tkhd', uint32(7)), box('mdia', box('mdhd', uint32(0, 0, 0, 90_000, duration, 0))));
const HEAD = Buffer.concat([FTYP, box('moov', MVHD, trak(0), trak(0), box('mvex', TREX))]);
const REST = box('moof', Buffer.from('rest'));
const MEHD = box('mehd', uint32(0, 12_500));
const TOLD = Buffer.concat([
  FTYP,
  box('moov', box('mvhd', uint32(0, 0, 0, 1000, 12_500, 0)), trak(1_125_000), trak(1_125_000), box('mvex', MEHD, TREX)),
]);

describe('the head of a clip', () => {
  it('tells how long the clip is going to be, in whatever pieces it comes', () => {
    const whole = Buffer.concat([HEAD, REST]);
    for (let cut = 0; cut <= whole.length; cut++) {
      const head = new ClipHead(12_500);
      const out = Buffer.concat([head.push(Buffer.from(whole.subarray(0, cut))), head.push(Buffer.from(whole.subarray(cut)))]);
      assert.deepEqual(out, Buffer.concat([TOLD, REST]), `cut at ${cut}`);
    }
  });

  it('leaves alone what it does not know', () => {
    for (const bytes of [Buffer.concat([FTYP, box('moov', MVHD)]), uint32(0, 0, 0, 0), Buffer.concat([FTYP, box('moov', uint32(3, 7))])])
      assert.deepEqual(new ClipHead(1000).push(Buffer.from(bytes)), bytes);
    assert.deepEqual(new ClipHead(0).push(Buffer.from(HEAD)), HEAD);
  });

  it('holds nothing back for ever', () => {
    const head = new ClipHead(1000);
    const endless = Buffer.concat([uint32(0x7fffffff), Buffer.from('free'), Buffer.alloc(1 << 20)]);
    assert.equal(head.push(endless).length, endless.length);
  });
});
