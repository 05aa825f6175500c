/** Depacketizers by codec: H.264 by RFC 6184, VP8 by RFC 7741, Opus by RFC 7587. */
import { strict as assert } from 'node:assert';
import type { Depacketizer } from './depacketizer.js';
import type { Codec } from './encoded-frame.js';
import { H264Depacketizer } from './h264-depacketizer.js';
import { Vp8Depacketizer } from './vp8-depacketizer.js';

/** @param parameterSets the `sprop-parameter-sets` of H.264 (RFC 6184 §8.1), where the publisher tells them in its description. */
export function createDepacketizer(codec: Codec, parameterSets?: string): Depacketizer {
  switch (codec) {
    case 'h264':
      return new H264Depacketizer(parameterSets);
    case 'vp8':
      return new Vp8Depacketizer();
    case 'opus':
      return opusDepacketizer;
    case 'h265':
      assert.fail('H.265 is handed on, but no publisher is asked for it');
  }
}

/** One payload is one packet of Opus (RFC 7587 §4.2), and each can be decoded. */
const opusDepacketizer: Depacketizer = {
  size: undefined,
  beginsFrame: () => true,
  beginsKeyframe: () => true,
  assemble: ([data, ...others]) => (data && others.length === 0 ? { data, keyframe: true } : 'damaged'),
};
