/** What is read of H.265, and how it travels (RFC 7798). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { h265Colour, lengthPrefixed, MAX_RTP_PAYLOAD_BYTES, readAnnexB, readH265Sps, type H265Sps } from '../../src/media/index.js';
import { packetize } from '../../src/media/packetizer.js';
import { seededRandom } from '../helpers/random.js';

/** Puts RTP payloads together again as a receiver does (RFC 7798 §4.4). */
function depacketize(payloads: readonly Buffer[]): Buffer[] {
  const nals: Buffer[] = [];
  let fragments: Buffer[] = [];
  for (const payload of payloads) {
    const type = (payload[0]! >> 1) & 0x3f;
    if (type === 48) {
      for (let at = 2; at < payload.length; at += 2 + payload.readUInt16BE(at))
        nals.push(payload.subarray(at + 2, at + 2 + payload.readUInt16BE(at)));
    } else if (type === 49) {
      const [isFirst, isLast] = [(payload[2]! & 0x80) !== 0, (payload[2]! & 0x40) !== 0];
      assert.ok(!(isFirst && isLast), 'a unit in one fragment is not allowed');
      if (isFirst) fragments = [Buffer.from([(payload[0]! & 0x81) | ((payload[2]! & 0x3f) << 1), payload[1]!])];
      fragments.push(payload.subarray(3));
      if (isLast) nals.push(Buffer.concat(fragments));
    } else nals.push(payload);
  }
  return nals;
}

describe('packets of H.265', () => {
  test('every NAL unit comes back after reassembly, in packets within the limit', () => {
    const random = seededRandom(7798);
    for (let round = 0; round < 300; round++) {
      const nals = Array.from({ length: 1 + Math.floor(random() * 6) }, () => {
        const nal = Buffer.alloc(3 + Math.floor(random() ** 3 * 9000), Math.floor(random() * 256));
        nal[0] = Math.floor(random() * 41) << 1;
        nal[1] = 1 + Math.floor(random() * 6);
        return nal;
      });
      const payloads = packetize('h265', lengthPrefixed(nals));
      assert.ok(payloads.every((payload) => payload.length <= MAX_RTP_PAYLOAD_BYTES));
      assert.deepEqual(depacketize(payloads), nals);
    }
  });

  test('units of all sizes around the limit are sent whole or in at least two fragments', () => {
    for (let bytes = MAX_RTP_PAYLOAD_BYTES - 6; bytes < MAX_RTP_PAYLOAD_BYTES + 6; bytes++) {
      const nal = Buffer.alloc(bytes, 7);
      nal.writeUInt16BE(0x0201, 0);
      const payloads = packetize('h265', lengthPrefixed([nal]));
      assert.equal(payloads.length, bytes > MAX_RTP_PAYLOAD_BYTES ? 2 : 1);
      assert.deepEqual(depacketize(payloads), [nal]);
    }
  });

  test('VPS, SPS and PPS travel together, with the lowest layer and temporal id', () => {
    const payloads = packetize('h265', lengthPrefixed(['400c01', '420b02', '440103'].map((hex) => Buffer.from(hex, 'hex'))));
    assert.deepEqual(
      payloads.map((payload) => payload.toString('hex')),
      ['6001' + '0003400c01' + '0003420b02' + '0003440103'],
    );
  });

  test('makes no packets of an access unit that claims more bytes than it has, and none of a unit without a header', () => {
    assert.deepEqual(packetize('h265', Buffer.concat([lengthPrefixed([Buffer.from([2, 1, 9])]), Buffer.from([0, 0, 1, 0, 9])])), []);
    assert.deepEqual(packetize('h265', lengthPrefixed([Buffer.from([2])])), []);
  });
});

/** As x265 writes them. */
const SPS: readonly (readonly [what: string, hex: string, expected: H265Sps])[] = [
  [
    'Main, cropped',
    '42010101600000030090000003000003003fa005020171f2e5ba4a4c2f016808000003000800000300f040',
    { widthPx: 640, heightPx: 360, profile: { profileId: 1, tierFlag: 0, levelId: 63 }, chromaFormat: 1, bitDepth: 8 },
  ],
  [
    'Main, cropped to 1080 lines',
    '420101016000000300900000030000030078a003c0801107cb96e92930bc05a020000003002000000303c1',
    { widthPx: 1920, heightPx: 1080, profile: { profileId: 1, tierFlag: 0, levelId: 120 }, chromaFormat: 1, bitDepth: 8 },
  ],
  [
    'Main 10 of the High tier',
    '420101222000000300900000030000030099a002b080301cdb65ba4a4c2f016808000003000800000300f040',
    { widthPx: 1366, heightPx: 768, profile: { profileId: 2, tierFlag: 1, levelId: 153 }, chromaFormat: 1, bitDepth: 10 },
  ],
  [
    '4:2:2',
    '4201010408000003009d0800000300003fb005220171c44f96e92930bc05a020000003002000000303c1',
    { widthPx: 642, heightPx: 362, profile: { profileId: 4, tierFlag: 0, levelId: 63 }, chromaFormat: 2, bitDepth: 8 },
  ],
  [
    '4:4:4',
    '4201010408000003009e0800000300005a9000d8403c38bf2dd25261780b4040000003004000000782',
    { widthPx: 854, heightPx: 480, profile: { profileId: 4, tierFlag: 0, levelId: 90 }, chromaFormat: 3, bitDepth: 8 },
  ],
  [
    'Main with temporal layers',
    '42010201600000030090000003000003005d0000a00280802d1659594acb24995e036a0a0c0a08000003000800000300f040',
    { widthPx: 1280, heightPx: 720, profile: { profileId: 1, tierFlag: 0, levelId: 93 }, chromaFormat: 1, bitDepth: 8 },
  ],
];

for (const [what, hex, expected] of SPS) {
  test(`an SPS of H.265 says what it is: ${what}`, () => assert.deepEqual(readH265Sps(Buffer.from(hex, 'hex')), expected));
}

test('an SPS that ends too early, or is anything else, says nothing, in bounded time', () => {
  const sps = Buffer.from(SPS[0]![1], 'hex');
  for (let bytes = 0; bytes < 18; bytes++) assert.equal(readH265Sps(sps.subarray(0, bytes)), undefined, `${bytes} bytes`);
  const random = seededRandom(5);
  for (let round = 0; round < 3000; round++) {
    const noise = Buffer.from(SPS[round % SPS.length]![1], 'hex');
    for (let i = 0; i <= random() * 6; i++) noise[2 + Math.floor(random() * (noise.length - 2))] = Math.floor(random() * 256);
    const read = readH265Sps(noise);
    assert.ok(!read || (read.widthPx > 0 && read.widthPx <= 16_384));
    h265Colour(noise);
  }
});

test('the colour of H.265 is read from the VUI behind whatever stands before it, and unknown where there is none', () => {
  // x265 with `colorprim`, `transfer` and `colormatrix` of BT.709; of BT.601 with temporal layers and overscan.
  const bt709 = '42010101600000030090000003000003005da00280802d165ba4a4c2f016a020202080000003008000000f04';
  assert.deepEqual(h265Colour(Buffer.from(bt709, 'hex')), { primaries: 1, transfer: 1, matrix: 1 });
  assert.deepEqual(h265Colour(Buffer.from(SPS[5]![1], 'hex')), { primaries: 5, transfer: 6, matrix: 5 });
  assert.equal(h265Colour(Buffer.from(SPS[0]![1], 'hex')), undefined);
  assert.deepEqual(h265Colour(spsWithEverything()), { primaries: 9, transfer: 1, matrix: 6 });
});

/** With scaling lists, PCM, sets of reference pictures of both kinds and long-term ones, as encoders of cameras have (§7.3.2.2). */
function spsWithEverything(): Buffer {
  const u = (bits: number, value: number): string => value.toString(2).padStart(bits, '0');
  const ue = (value: number): string => '0'.repeat((value + 1).toString(2).length - 1) + (value + 1).toString(2);
  const lists = [16, 64, 64, 64].flatMap((size, id) =>
    Array.from({ length: id === 3 ? 2 : 6 }, (_unused, matrix) =>
      matrix === 0 ? '0' + ue(0) : '1' + (id > 1 ? ue(3) : '') + ue(2).repeat(size),
    ),
  );
  const bits = [
    u(4, 0) + u(3, 0) + '1', // vps id, sub-layers, nesting
    u(2, 0) + '0' + u(5, 1) + u(32, 0) + u(48, 0) + u(8, 120), // profile_tier_level
    ue(0) + ue(1) + ue(1280) + ue(720) + '0', // id, chroma, size, no window
    ue(0) + ue(0) + ue(4), // bit depths, order bits
    '1' + ue(4) + ue(0) + ue(0), // sub-layer ordering
    ue(0) + ue(3) + ue(0) + ue(3) + ue(0) + ue(0),
    '1' + '1' + lists.join(''),
    '11', // amp, sao
    '1' + u(4, 7) + u(4, 7) + ue(0) + ue(1) + '0', // pcm
    ue(3), // three sets: one told, two predicted
    ue(2) + ue(1) + (ue(0) + '1').repeat(3),
    '1' + '0' + ue(0) + '1' + '01' + '00' + '1', // 3 of 4
    '1' + '1' + ue(5) + '1' + '1' + '01' + '01',
    '1' + ue(2) + (u(8, 77) + '1').repeat(2), // long-term
    '11', // temporal mvp, strong intra smoothing
    '1' + '0' + '0' + '1' + u(3, 5) + '0' + '1' + u(8, 9) + u(8, 1) + u(8, 6), // VUI with colours
    '1000',
  ].join('');
  const rbsp = Array.from({ length: Math.ceil(bits.length / 8) }, (_unused, i) => parseInt(bits.slice(8 * i, 8 * i + 8).padEnd(8, '0'), 2));
  // Emulation prevention (§7.4.2).
  const bytes = [0x42, 1];
  for (const byte of rbsp) {
    if (byte <= 3 && bytes.at(-1) === 0 && bytes.at(-2) === 0) bytes.push(3);
    bytes.push(byte);
  }
  return Buffer.from(bytes);
}

test('units of a byte stream are found behind start codes of three and four bytes, without the zeros between them', () => {
  const stream = Buffer.from('ff00000001400c01000001420b020000000000000144010300', 'hex');
  assert.deepEqual(
    readAnnexB(stream).map((unit) => unit.toString('hex')),
    ['400c01', '420b02', '440103'],
  );
  assert.deepEqual(readAnnexB(Buffer.from('400c01', 'hex')), []);
  assert.deepEqual(readAnnexB(Buffer.from('000001', 'hex')), []);
});
