import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Repairs } from '../../../../src/webrtc/rtp/send/repairs.js';
import { SentHistory } from '../../../../src/webrtc/rtp/send/sent-history.js';
import type { RtpPacket } from '../../../../src/webrtc/transport/packet-transport.js';
import { FakeClock } from '../../../helpers/fake-clock.js';

function makeRepairs(): { readonly repairs: Repairs; readonly clock: FakeClock; readonly repeated: number[] } {
  const clock = new FakeClock();
  const history = new SentHistory(64);
  const repeated: number[] = [];
  const transport = {
    pendingBytes: 0,
    sendRtp: () => undefined,
    sendRtcp: () => undefined,
    repeatRtp: (packets: readonly RtpPacket[]) => void repeated.push(...packets.map(({ index }) => index)),
  };
  for (let index = 0; index < 64; index++) history.take(index, Buffer.alloc(1000), { bytes: undefined, places: undefined });
  return { repairs: new Repairs({ history, rtx: undefined, transport, clock }), clock, repeated };
}

test('a packet that waits for its turn is sent once, however often and for how long it is asked for', async () => {
  const { repairs, clock, repeated } = makeRepairs();
  for (let n = 0; n < 10; n++) {
    repairs.request([1, 2, 3], 40);
    await clock.advance(50);
  }
  assert.equal(repairs.waitingBytes, 3000);
  repairs.send(Infinity);
  assert.deepEqual(repeated, [1, 2, 3]);
  repairs.request([1], 40);
  assert.equal(repairs.waitingBytes, 0, 'the repair is on its way');
  await clock.advance(50);
  repairs.request([1], 40);
  repairs.send(Infinity);
  assert.deepEqual(repeated, [1, 2, 3, 1]);
});

test('what was given up while it waited may be asked for again', () => {
  const { repairs, repeated } = makeRepairs();
  repairs.request([1], 40);
  repairs.clear();
  repairs.request([1], 40);
  repairs.send(Infinity);
  assert.deepEqual(repeated, [1]);
});
