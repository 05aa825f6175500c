import assert from 'node:assert/strict';
import { test } from 'node:test';
import { h264Colour, h264Size, vp8Size } from '../../src/media/index.js';
import { seededRandom } from '../helpers/random.js';

/** As x264 writes them. */
const SPS: readonly (readonly [what: string, hex: string, widthPx: number, heightPx: number])[] = [
  ['High, cropped to 1080 lines', '67640028acd940780227e5c044000003000400000300c83c60c658', 1920, 1080],
  ['Main', '674d401feca02802dd80880000030008000003019078c18cb0', 1280, 720],
  ['Constrained Baseline, cropped', '6742c00cd901419f9f011000000300100000030320f142a480', 320, 180],
  ['High, cropped on both sides', '67640020acd94056061e6f011000000300100000030320f1831960', 1366, 768],
  ['High, interlaced', '6764001eacd940b424d8088000000300800000190f8a14cb', 720, 576],
  ['High, interlaced and cropped', '67640028acd94078044fde0220000003002000000643e2c5b2c0', 1920, 1080],
  ['High 4:4:4', '67f4001e919b281b07bc5f80880000030008000003019078b16cb0', 854, 480],
  ['High 4:2:2, cropped', '677a001ebcd940a42fe227c044000003000400000300c83c58b658', 642, 362],
  ['High with scaling matrices', '6764001eacd940a42fe224c044000003000400000300c83c58b658', 642, 362],
];

for (const [what, hex, widthPx, heightPx] of SPS) {
  test(`the size of H.264 is read from the SPS: ${what}`, () => assert.deepEqual(h264Size(Buffer.from(hex, 'hex')), { widthPx, heightPx }));
}

test('an SPS that ends too early has no size', () => {
  const sps = Buffer.from(SPS[0]![1], 'hex');
  for (let bytes = 0; bytes < 10; bytes++) assert.equal(h264Size(sps.subarray(0, bytes)), undefined, `${bytes} bytes`);
});

test('the colour of H.264 is read from the VUI, and unknown where there is none', () => {
  // x264 with `-colorspace`, `-color_primaries`, `-color_trc` of BT.709; of BT.601 with a pixel aspect ratio of its own.
  assert.deepEqual(h264Colour(Buffer.from('6742c00ad90426c05a808080a000000300200000030141e244c9', 'hex')), {
    primaries: 1,
    transfer: 1,
    matrix: 1,
  });
  assert.deepEqual(h264Colour(Buffer.from('6742c00ad90426ffc00940079a8303032000000300200000030141e244c9', 'hex')), {
    primaries: 6,
    transfer: 6,
    matrix: 6,
  });
  for (const [what, hex] of SPS) assert.equal(h264Colour(Buffer.from(hex, 'hex')), undefined, what);
});

test('the size of VP8 is read from the header of a keyframe, scaling left out', () => {
  assert.deepEqual(vp8Size(Buffer.from('f0cd009d012a82026a010007', 'hex')), { widthPx: 642, heightPx: 362 });
  assert.deepEqual(vp8Size(Buffer.from('f0cd009d012a82426ac10007', 'hex')), { widthPx: 642, heightPx: 362 });
  assert.equal(vp8Size(Buffer.from('f1cd009d012a82026a010007', 'hex')), undefined, 'an interframe');
  assert.equal(vp8Size(Buffer.from('f0cd009d012b82026a010007', 'hex')), undefined, 'a wrong start code');
  assert.equal(vp8Size(Buffer.from('f0cd009d012a8202', 'hex')), undefined, 'too short');
});

test('random bytes never throw, and a size that is read is credible', () => {
  const random = seededRandom(11);
  for (let round = 0; round < 20_000; round++) {
    const data = Buffer.from(Array.from({ length: Math.floor(random() * 40) }, () => Math.floor(random() ** 2 * 256)));
    h264Colour(data);
    for (const size of [h264Size(data), vp8Size(data)]) {
      if (size) assert.ok(size.widthPx > 0 && size.widthPx <= 16_384 && size.heightPx > 0 && size.heightPx <= 16_384);
    }
  }
});
