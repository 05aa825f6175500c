import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { handshakeFragments } from '../../../src/webrtc/transport/dtls-fragments.js';
import { WeriftViewer } from '../../helpers/werift-viewer.js';
import { Rig } from '../rig.js';

const message = Buffer.from(Array.from({ length: 300 }, (_, i) => i & 0xff));
const part = (offset: number, bytes: number, { length = message.length, sequence = 1 } = {}) => ({
  msg_type: 11,
  length,
  message_seq: sequence,
  fragment_offset: offset,
  fragment_length: bytes,
  fragment: Buffer.from(message.subarray(offset, offset + bytes)),
});

describe('fragments of a DTLS handshake', () => {
  it('are put together in any order, repeated and overlapping', () => {
    const take = handshakeFragments();
    assert.equal(take(part(200, 100)), undefined);
    assert.equal(take(part(0, 120)), undefined);
    assert.equal(take(part(0, 120)), undefined);
    assert.deepEqual(take(part(100, 100))?.fragment, message);
  });

  it('that lie about their message cost no memory and give none', () => {
    const take = handshakeFragments();
    for (let sequence = 0; sequence < 1000; sequence++) {
      assert.equal(take(part(0, 10, { length: 0xffffff, sequence })), undefined);
      assert.equal(take({ ...part(0, 10, { length: 0xffffff, sequence }), fragment_offset: 0xffffff - 10 }), undefined);
      assert.equal(take(part(0, 0, { sequence })), undefined);
      assert.equal(take({ ...part(0, 10), fragment_offset: 295 }), undefined);
    }
    for (let sequence = 0; sequence < 1000; sequence++) take(part(0, 10, { sequence }));
    assert.equal(take(part(10, 290, { sequence: 999 })), undefined, 'only so many messages are kept open');
    assert.deepEqual(take(part(10, 290, { sequence: 3 }))?.fragment, message);
  });
});

it('half a DTLS record from a connected client leaves the session as it was', { timeout: 30_000 }, async () => {
  const rig = new Rig();
  const viewer = new WeriftViewer();
  await viewer.join(rig.accept());
  const { connection } = viewer.dtls.iceTransport;
  for (let bytes = 1; bytes < 20; bytes++) {
    const record = Buffer.alloc(bytes, 1);
    record[0] = 22;
    await connection.send(record);
    await new Promise(setImmediate);
  }
  rig.write(3);
  await viewer.until(() => viewer.packets.length >= 13, 5000, 'the picture to go on');
  await viewer.close();
  await rig.close();
});
