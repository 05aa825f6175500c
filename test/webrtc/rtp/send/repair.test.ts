import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../../helpers/deadline.js';
import { WeriftViewer } from '../../../helpers/werift-viewer.js';
import { Rig } from '../../rig.js';

/** Park and Miller's minimal standard: the same losses in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

/** Frame by frame: a burst beyond a socket's buffer would be lost in the kernel. */
async function writePaced(rig: Rig, frames: number): Promise<void> {
  for (let i = 0; i < frames; i++) {
    rig.write();
    for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
  }
}

test('of two viewers the one that loses packets is repaired under its own ssrc, the other is not touched', async () => {
  const rig = new Rig();
  const random = seeded(7);
  const lost = new Set<number>();
  let isLossy = true;
  const lossy = new WeriftViewer({
    lose: (packet) => {
      if (!isLossy || random() > 0.1) return false;
      lost.add(packet.readUInt16BE(2));
      return true;
    },
  });
  const other = new WeriftViewer();
  const ssrcs = [lossy, other].map(async (viewer) => WeriftViewer.ssrcs((await viewer.join(rig.accept())).sdp)[0] ?? 0);
  const [lossySsrc = 0, otherSsrc = 0] = await Promise.all(ssrcs);
  assert.notEqual(lossySsrc, otherSsrc);
  await writePaced(rig, 40);
  await other.until(() => other.packets.length >= 40 * 3, 3000, 'all frames at the other viewer');
  await eventually(() => lossy.packets.length + lost.size >= other.packets.length, 3000, 'the lossy viewer to be through');
  isLossy = false;
  assert.ok(lost.size > 4, 'the seed loses packets');
  const before = { lossy: lossy.packets.length, other: other.packets.length };
  await lossy.sendNack(lossySsrc, [...lost]);
  await lossy.until(() => lossy.packets.length >= before.lossy + lost.size, 3000, 'the repairs');
  const repairs = lossy.packets.slice(before.lossy);
  assert.deepEqual(new Set(repairs.map(({ header }) => header.sequenceNumber)), lost);
  assert.ok(repairs.every(({ header }) => header.ssrc === lossySsrc));
  assert.equal(other.packets.length, before.other);
  assert.ok(other.packets.every(({ header }) => header.ssrc === otherSsrc));
  const received = new Set(lossy.packets.map(({ header }) => header.sequenceNumber));
  assert.equal(received.size, other.packets.length, 'nothing is missing');
  const [bytesOfLossy, bytesOfOther] = [lossy, other].map(
    (viewer) => new Set(viewer.packets.map(({ payload }) => payload.toString('base64'))),
  );
  assert.deepEqual(bytesOfLossy, bytesOfOther);
  await Promise.all([lossy.close(), other.close()]);
  await rig.close();
});

test('with RTX the repairs come under the announced second ssrc', async () => {
  const rig = new Rig();
  const viewer = new WeriftViewer({ rtx: true });
  const { sdp } = await viewer.join(rig.accept());
  const [ssrc = 0, rtxSsrc = 0] = WeriftViewer.ssrcs(sdp);
  await viewer.until(() => viewer.packets.length >= 4, 2000, 'the picture');
  const wanted = viewer.packets[1]?.header.sequenceNumber ?? 0;
  await viewer.sendNack(ssrc, [wanted]);
  await viewer.until(() => viewer.packets.some(({ header }) => header.ssrc === rtxSsrc), 2000, 'the repair');
  const repair = viewer.packets.find(({ header }) => header.ssrc === rtxSsrc);
  assert.ok(repair);
  assert.equal(repair.header.payloadType, 103);
  assert.equal(repair.payload.readUInt16BE(0), wanted);
  await viewer.close();
  await rig.close();
});

test('a werift receiver that asks by itself is left without a gap', async () => {
  const rig = new Rig();
  const random = seeded(11);
  const lost = new Set<number>();
  let isLossy = true;
  const viewer = new WeriftViewer({
    nack: true,
    lose: (packet) => {
      const sequenceNumber = packet.readUInt16BE(2);
      if (viewer.packets.length === 0 || !isLossy || lost.has(sequenceNumber) || random() > 0.05) return false; // a receiver cannot miss what was before the first
      lost.add(sequenceNumber);
      return true;
    },
  });
  await viewer.join(rig.accept());
  await writePaced(rig, 60);
  isLossy = false;
  await writePaced(rig, 2); // shows the receiver what it lost at the end
  assert.ok(lost.size > 4, 'the seed loses packets');
  const received = (): Set<number> => new Set(viewer.packets.map(({ header }) => header.sequenceNumber));
  await viewer.until(() => [...lost].every((sequenceNumber) => received().has(sequenceNumber)), 5000, 'every lost packet to be repaired');
  assert.equal(received().size, 4 + 62 * 3);
  await viewer.close();
  await rig.close();
});

test('a PLI brings a keyframe: of the producer where it makes them, else a replay to this viewer alone', async () => {
  let requests = 0;
  const encoder = new Rig({ source: { onKeyframeRequest: () => ++requests > 0 } });
  const watcher = new WeriftViewer();
  const { sdp } = await watcher.join(encoder.accept());
  const before = requests;
  await watcher.sendPli(WeriftViewer.ssrcs(sdp)[0] ?? 0);
  await eventually(() => requests > before || undefined, 2000, 'the request').catch(() => undefined);
  await watcher.close();
  await encoder.close();

  const file = new Rig();
  const [asking, other] = [new WeriftViewer(), new WeriftViewer()];
  const { sdp: answer } = await asking.join(file.accept());
  await other.join(file.accept());
  file.write(3);
  await asking.until(() => asking.packets.length >= 13, 2000, 'the frames');
  await other.until(() => other.packets.length >= 13, 2000, 'the frames at the other viewer');
  const timestamps = asking.packets.map(({ header }) => header.timestamp);
  await eventually(
    async () => {
      await asking.sendPli(WeriftViewer.ssrcs(answer)[0] ?? 0);
      return asking.packets.length >= 26;
    },
    3000,
    'the replay',
  );
  assert.equal(other.packets.length, 13);
  const replayed = asking.packets.slice(13).map(({ header }) => header.timestamp);
  assert.ok(
    replayed.every((timestamp) => ((timestamp - (timestamps.at(-1) ?? 0)) | 0) > 0),
    'timestamps never step back',
  );
  await Promise.all([asking.close(), other.close()]);
  await file.close();
});

test('Sender Reports come right after connecting and map now to the capture time', async () => {
  const rig = new Rig();
  const viewer = new WeriftViewer();
  await viewer.join(rig.accept());
  await viewer.until(() => viewer.reports.length >= 1 && viewer.packets.length >= 4, 1000, 'the first report');
  await viewer.until(() => viewer.reports.length >= 2, 3000, 'the second report');
  // Media time 0 was captured when the rig was made; its frame is the first packet.
  const zero = viewer.packets[0]?.header.timestamp ?? 0;
  const originMs = Date.now() - (rig.gateway.timeline.mediaTimeAt(Date.now()) ?? 0);
  for (const { senderInfo } of viewer.reports) {
    const wallClockMs =
      Number(senderInfo.ntpTimestamp >> 32n) * 1000 - 2_208_988_800_000 + (Number(senderInfo.ntpTimestamp & 0xffffffffn) * 1000) / 2 ** 32;
    const captureMs = ((senderInfo.rtpTimestamp - zero) >>> 0) / 90;
    assert.ok(Math.abs(captureMs - (wallClockMs - originMs)) < 3, `${captureMs} is not ${wallClockMs - originMs}`);
  }
  await viewer.close();
  await rig.close();
});
