import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lengthPrefixed, MAX_RTP_PAYLOAD_BYTES, NalType } from '../../src/media/index.js';
import { packetize } from '../../src/media/packetizer.js';
import { seededRandom } from '../helpers/random.js';

/** Puts RTP payloads together again as a receiver does (RFC 6184 §5.6-5.8). */
function depacketizeH264(payloads: readonly Buffer[]): Buffer[] {
  const nals: Buffer[] = [];
  let fragments: Buffer[] = [];
  for (const payload of payloads) {
    const type = payload[0]! & 0x1f;
    if (type === NalType.stapA) {
      for (let offset = 1; offset < payload.length;) {
        const length = payload.readUInt16BE(offset);
        nals.push(payload.subarray(offset + 2, offset + 2 + length));
        offset += 2 + length;
      }
    } else if (type === NalType.fuA) {
      if (payload[1]! & 0x80) fragments = [Buffer.from([(payload[0]! & 0xe0) | (payload[1]! & 0x1f)])];
      fragments.push(payload.subarray(2));
      if (payload[1]! & 0x40) nals.push(Buffer.concat(fragments));
    } else nals.push(payload);
  }
  return nals;
}

describe('packetize', () => {
  it('gives back every NAL unit of an access unit after reassembly, in packets within the limit', () => {
    const random = seededRandom(1);
    for (let round = 0; round < 200; round++) {
      const nals = Array.from({ length: 1 + Math.floor(random() * 6) }, () => {
        const nal = Buffer.alloc(1 + Math.floor(random() ** 3 * 9000), Math.floor(random() * 256));
        nal[0] = 0x60 | (1 + Math.floor(random() * 12));
        return nal;
      });
      const payloads = packetize('h264', lengthPrefixed(nals));
      assert.ok(payloads.every((payload) => payload.length <= MAX_RTP_PAYLOAD_BYTES));
      assert.deepEqual(depacketizeH264(payloads), nals);
    }
  });

  it('sends SPS and PPS in one STAP-A with the highest NRI', () => {
    const payloads = packetize('h264', lengthPrefixed([Buffer.from([0x27, 1, 2]), Buffer.from([0x68, 3])]));
    assert.equal(payloads.length, 1);
    assert.equal(payloads[0]![0], 0x60 | NalType.stapA);
  });

  it('makes no packets of an access unit that claims more bytes than it has', () => {
    const damaged = Buffer.concat([lengthPrefixed([Buffer.from([0x65, 1])]), Buffer.from([0, 0, 1, 0, 9])]);
    assert.deepEqual(packetize('h264', damaged), []);
  });

  it('marks the first packet of a VP8 frame and keeps all its bytes', () => {
    const frame = Buffer.from(Array.from({ length: 5000 }, (_, i) => i & 0xff));
    const payloads = packetize('vp8', frame);
    assert.deepEqual(
      payloads.map((payload) => payload[0]),
      [0x10, 0, 0, 0, 0],
    );
    assert.ok(payloads.every((payload) => payload.length <= MAX_RTP_PAYLOAD_BYTES));
    assert.deepEqual(Buffer.concat(payloads.map((payload) => payload.subarray(1))), frame);
  });
});
