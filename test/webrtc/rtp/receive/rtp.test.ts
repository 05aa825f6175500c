import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RtpHeader, RtpPacket } from 'werift';
import { headerExtension, parseRtp } from '../../../../src/webrtc/rtp/receive/rtp.js';
import { seededRandom } from '../../../helpers/random.js';

const fixed = '8060fffe0000000a00000007';

test('a packet of another implementation is read: CSRCs, header extensions, padding', () => {
  const header = new RtpHeader({
    sequenceNumber: 65_534,
    timestamp: 4_294_967_295,
    ssrc: 0xdeadbeef,
    payloadType: 102,
    marker: true,
    csrc: [1, 2],
    extension: true,
    extensionProfile: 0xbede,
    extensions: [
      { id: 3, payload: Buffer.from([1, 2]) },
      { id: 14, payload: Buffer.from('mid-0') },
    ],
  });
  header.csrcLength = 2;
  const bytes = new RtpPacket(header, Buffer.from('payload')).serialize();
  const packet = parseRtp(bytes);
  assert.deepEqual(packet, {
    ssrc: 0xdeadbeef,
    payloadType: 102,
    sequenceNumber: 65_534,
    timestamp: 4_294_967_295,
    marker: true,
    payload: Buffer.from('payload'),
  });
  assert.deepEqual(headerExtension(bytes, 3), Buffer.from([1, 2]));
  assert.equal(headerExtension(bytes, 14)?.toString(), 'mid-0');
  assert.equal(headerExtension(bytes, 4), undefined);
});

test('padding is taken off, and a packet of padding alone is empty', () => {
  const padded = Buffer.from(`a0${fixed.slice(2)}aabb000003`, 'hex');
  assert.deepEqual(parseRtp(padded)?.payload, Buffer.from('aabb', 'hex'));
  assert.deepEqual(parseRtp(Buffer.from(`a0${fixed.slice(2)}00000003`.replace('00000003', '000003'), 'hex'))?.payload, Buffer.alloc(0));
  assert.equal(parseRtp(Buffer.from(`a0${fixed.slice(2)}aa00`, 'hex')), undefined, 'a padding of no bytes');
  assert.equal(parseRtp(Buffer.from(`a0${fixed.slice(2)}aa09`, 'hex')), undefined, 'more padding than payload');
  assert.equal(parseRtp(Buffer.from(`a0${fixed.slice(2)}`, 'hex')), undefined, 'nothing to hold the padding');
});

test('both forms of header extensions are read (RFC 8285)', () => {
  const packet = (hex: string) => Buffer.from(`90${fixed.slice(2)}${hex}`, 'hex');
  const oneByte = packet('bede0003' + '10aa' + '00' + '32010203' + '5042' + '000000');
  assert.deepEqual(
    [1, 3, 5, 2].map((id) => headerExtension(oneByte, id)?.toString('hex')),
    ['aa', '010203', '42', undefined],
  );
  const twoByte = packet('10050003' + '0100' + '0302abcd' + '00' + 'ff0101' + '0000');
  assert.deepEqual(
    [1, 3, 255, 2].map((id) => headerExtension(twoByte, id)?.toString('hex')),
    ['', 'abcd', '01', undefined],
  );
  assert.equal(headerExtension(packet('bede0001f0aa10bb'), 1), undefined, 'id 15 ends the reading');
  assert.equal(headerExtension(packet('bede00013faabbcc'), 3), undefined, 'longer than what holds it');
  assert.equal(headerExtension(packet('abcd000110aa0000'), 1), undefined, 'a form of its own');
});

test('what does not fit is not read', () => {
  for (const hex of [
    '',
    '80',
    fixed.slice(0, -2),
    `40${fixed.slice(2)}`,
    `8f${fixed.slice(2)}`,
    `90${fixed.slice(2)}`,
    `90${fixed.slice(2)}bede0001aa`,
  ])
    assert.equal(parseRtp(Buffer.from(hex, 'hex')), undefined, hex);
});

test('random bytes never throw', () => {
  const random = seededRandom(21);
  let read = 0;
  for (let round = 0; round < 30_000; round++) {
    const bytes = Buffer.from(Array.from({ length: Math.floor(random() * 60) }, () => Math.floor(random() * 256)));
    if (bytes.length > 0) bytes[0] = 0x80 | Math.floor(random() * 64);
    if (bytes.length > 15 && random() < 0.5)
      bytes.writeUInt32BE(
        random() < 0.5 ? 0xbede0002 : 0x10000002,
        12 + 4 * (bytes[0]! & 15) < bytes.length - 4 ? 12 + 4 * (bytes[0]! & 15) : 12,
      );
    if (!parseRtp(bytes)) continue;
    read++;
    for (let id = 1; id < 16; id++) headerExtension(bytes, id);
  }
  assert.ok(read > 1000);
});
