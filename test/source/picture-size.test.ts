import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lengthPrefixed, type EncodedFrame } from '../../src/media/index.js';
import { pictureSize } from '../../src/source/index.js';
import { seededRandom } from '../helpers/random.js';
import { encodedClip } from '../helpers/publisher.js';

describe('the size of pictures', () => {
  for (const codec of ['h264', 'vp8'] as const) {
    for (const [widthPx, heightPx] of [
      [320, 180],
      [180, 320],
      [642, 362],
      [1920, 1080],
      [64, 64],
    ] as const) {
      it(`is read from ${codec} keyframes of ${widthPx}x${heightPx}`, () => {
        const [keyframe, delta] = encodedClip({ codec, size: `${widthPx}x${heightPx}`, seconds: 1, fps: 5 });
        assert.deepEqual(pictureSize(codec, keyframe as EncodedFrame), { widthPx, heightPx });
        assert.equal(pictureSize(codec, delta as EncodedFrame), undefined);
      });
    }
  }

  it('is read from parameter sets of High profile with scaling lists and cropping', () => {
    // x264, 1920x1080, High; and the same with flat scaling lists written out.
    const high = Buffer.from('67640028acd940780227e5c044000003000400000300f03c60c658', 'hex');
    assert.deepEqual(pictureSize('h264', { data: lengthPrefixed([high]), mediaTimeMs: 0, keyframe: true }), {
      widthPx: 1920,
      heightPx: 1080,
    });
  });

  it('is not known of what is damaged, and nothing throws', () => {
    const random = seededRandom(3);
    for (const codec of ['h264', 'vp8'] as const) {
      const [keyframe] = encodedClip({ codec });
      for (let i = 0; i < 2000; i++) {
        const data = Buffer.from((keyframe as EncodedFrame).data.subarray(0, 1 + Math.floor(random() * 60)));
        for (let n = 0; n < 4; n++) data[Math.floor(random() * data.length)] = Math.floor(random() * 256);
        const size = pictureSize(codec, { data, mediaTimeMs: 0, keyframe: true });
        assert.ok(size === undefined || (size.widthPx > 0 && size.heightPx > 0));
      }
    }
    assert.equal(pictureSize('h264', { data: Buffer.alloc(0), mediaTimeMs: 0, keyframe: true }), undefined);
    assert.equal(pictureSize('vp8', { data: Buffer.alloc(9), mediaTimeMs: 0, keyframe: true }), undefined);
  });
});
