import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_RTP_PAYLOAD_BYTES } from '../../../src/media/index.js';
import { layOutExtensions, type HeaderExtension } from '../../../src/webrtc/rtp/header-extensions.js';
import { headerExtension } from '../../../src/webrtc/rtp/receive/rtp.js';

const playoutDelay: HeaderExtension = { id: 6, value: Buffer.from([1, 2, 3]) };
const captureTime: HeaderExtension = { id: 7, value: Buffer.alloc(8, 7) };
const midOf = (value: string): HeaderExtension => ({ id: 1, value: Buffer.from(value) });

/** A packet with these extensions, as the receiving side reads it. */
function packetWith(bytes: Buffer | undefined): Buffer {
  return Buffer.concat([Buffer.from([bytes ? 0x90 : 0x80]), Buffer.alloc(11), bytes ?? Buffer.alloc(0)]);
}

test('header extensions stand one after the other, padded to words', () => {
  const { bytes, places } = layOutExtensions({}, [midOf('0'), playoutDelay]);
  assert.deepEqual([...(bytes ?? [])], [0xbe, 0xde, 0, 2, 0x10, 0x30, 0x62, 1, 2, 3, 0, 0]);
  assert.equal(places, undefined);
});

test('where there is none, or none that the one-byte form holds, there is no block', () => {
  for (const extensions of [[], [midOf('x'.repeat(17))], [midOf('')]]) {
    assert.deepEqual(layOutExtensions({}, extensions), { bytes: undefined, places: undefined });
  }
});

test('what the transport fills stands at the same place in every packet, whatever follows', () => {
  for (const ids of [{ transportSequence: 3, sendTime: 4 }, { transportSequence: 3 }, { sendTime: 4 }]) {
    const found = [[], [midOf('video0')], [midOf('0'), playoutDelay, captureTime]].map((extensions) => {
      const { bytes, places } = layOutExtensions(ids, extensions);
      const packet = packetWith(bytes);
      if (places && places.sequenceAt > 0) packet.writeUInt16BE(0xabcd, places.sequenceAt);
      if (places && places.sendTimeAt > 0) packet.writeUIntBE(0x123456, places.sendTimeAt, 3);
      assert.deepEqual(headerExtension(packet, 3), 'transportSequence' in ids ? Buffer.from([0xab, 0xcd]) : undefined);
      assert.deepEqual(headerExtension(packet, 4), 'sendTime' in ids ? Buffer.from([0x12, 0x34, 0x56]) : undefined);
      for (const { id, value } of extensions) assert.deepEqual(headerExtension(packet, id), value);
      return places;
    });
    assert.deepEqual(found, [found[0], found[0], found[0]]);
  }
});

test('the largest payload stays within 1200 bytes with everything negotiated; what does not fit beside the rest is left out', () => {
  for (const length of [1, 8, 11, 12, 16]) {
    const mid = midOf('m'.repeat(length));
    const { bytes } = layOutExtensions({ transportSequence: 3, sendTime: 4 }, [playoutDelay, mid, captureTime]);
    const packet = packetWith(bytes);
    // The longest authentication tag is 16 bytes.
    assert.ok(packet.length + MAX_RTP_PAYLOAD_BYTES + 16 <= 1200, `${length}: ${packet.length}`);
    assert.deepEqual(headerExtension(packet, mid.id), mid.value, `a MID of ${length} bytes`);
    assert.deepEqual(headerExtension(packet, playoutDelay.id), playoutDelay.value);
    assert.deepEqual(headerExtension(packet, captureTime.id), length <= 11 ? captureTime.value : undefined);
  }
});
