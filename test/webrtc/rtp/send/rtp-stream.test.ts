import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RtpPacket } from 'werift';
import { MAX_RTP_PAYLOAD_BYTES, Timeline, Track, type PacketizedFrame } from '../../../../src/media/index.js';
import type { OfferedCodec } from '../../../../src/webrtc/sdp/codecs.js';
import { headerExtension } from '../../../../src/webrtc/rtp/receive/rtp.js';
import { Pacer } from '../../../../src/webrtc/transport/pacer.js';
import { TransportCongestion } from '../../../../src/webrtc/transport/transport-congestion.js';
import type { PacketTransport, RtpPacket as SentPacket } from '../../../../src/webrtc/transport/packet-transport.js';
import { compactNtp, type ReceptionReport } from '../../../../src/webrtc/rtp/rtcp.js';
import { RtpStream, type RtpStreamInit } from '../../../../src/webrtc/rtp/send/rtp-stream.js';
import { FakeClock } from '../../../helpers/fake-clock.js';

const h264: OfferedCodec = {
  payloadType: 96,
  name: 'H264',
  clockRateHz: 90_000,
  channels: undefined,
  fmtp: undefined,
  feedback: new Set(),
};
const rtx: OfferedCodec = { ...h264, payloadType: 97, name: 'rtx' };

/** Keeps what is sent, parsed; headers are copied, since streams use them again. */
class RecordingTransport implements PacketTransport {
  pendingBytes = 0;
  readonly congestion: TransportCongestion;
  readonly sent: { rtp: RtpPacket; index: number; bytes: Buffer }[] = [];
  readonly rtcp: Buffer[] = [];

  constructor(clock: FakeClock) {
    this.congestion = new TransportCongestion(new Pacer(clock), () => clock.now());
  }

  sendRtp(packets: readonly SentPacket[]): void {
    this.congestion.leave(packets);
    this.repeatRtp(packets);
  }

  repeatRtp(packets: readonly SentPacket[]): void {
    for (const { header, payload, index } of packets) {
      const bytes = Buffer.concat([header, payload]);
      this.sent.push({ rtp: RtpPacket.deSerialize(bytes), index, bytes });
    }
  }

  sendRtcp(compound: Buffer): void {
    this.rtcp.push(compound);
  }

  sequenceNumbers(from = 0): number[] {
    return this.sent.slice(from).map(({ rtp }) => rtp.header.sequenceNumber);
  }
}

function makeStream(init: Partial<RtpStreamInit> = {}): { stream: RtpStream; transport: RecordingTransport; clock: FakeClock } {
  const clock = new FakeClock();
  const transport = new RecordingTransport(clock);
  const stream = new RtpStream({
    transport,
    clock,
    codec: { codec: 'h264', offered: h264, rtx: undefined, feedback: [] },
    ssrc: 0xfedcba98,
    rtxSsrc: undefined,
    cname: 'c',
    mid: undefined,
    ...init,
  });
  return { stream, transport, clock };
}

const noReport: ReceptionReport = {
  ssrc: 1,
  fractionLost: 0,
  packetsLost: 0,
  extendedHighestSequence: 1,
  jitterTicks: 0,
  lastSenderReport: 0,
  delaySinceLastSenderReport: 0,
};

function frame(payloads: number, rtpTimestamp = 3000, bytes = 1000): PacketizedFrame {
  const list = Array.from({ length: payloads }, (_, i) => Buffer.alloc(bytes, i + 1));
  return {
    codec: 'h264',
    payloads: list,
    rtpTimestamp,
    mediaTimeMs: 0,
    capturedAtMs: undefined,
    keyframe: true,
    sizeBytes: payloads * bytes,
  };
}

test('packets carry the ssrc, the payload type, consecutive numbers, one timestamp and the marker on the last', () => {
  const { stream, transport } = makeStream();
  stream.send(frame(3, 1000));
  stream.send(frame(1, 4000));
  const headers = transport.sent.map(({ rtp }) => rtp.header);
  assert.deepEqual(
    headers.map(({ ssrc, payloadType, marker }) => [ssrc, payloadType, marker]),
    [
      [0xfedcba98, 96, false],
      [0xfedcba98, 96, false],
      [0xfedcba98, 96, true],
      [0xfedcba98, 96, true],
    ],
  );
  const first = headers[0]?.sequenceNumber ?? 0;
  assert.deepEqual(transport.sequenceNumbers(), [first, first + 1, first + 2, first + 3]);
  assert.equal(((headers[3]?.timestamp ?? 0) - (headers[0]?.timestamp ?? 0)) >>> 0, 3000);
  assert.equal(headers[0]?.timestamp, stream.rtpTimestampOf(1000));
});

test('two viewers of one frame share its payload and neither its numbering nor its headers', () => {
  const a = makeStream({ ssrc: 1 });
  const b = makeStream({ ssrc: 2 });
  const shared = frame(2);
  const before = shared.payloads.map((payload) => Buffer.from(payload));
  a.stream.send(shared);
  b.stream.send(shared);
  assert.deepEqual(shared.payloads, before);
  assert.deepEqual(
    a.transport.sent.map(({ rtp }) => rtp.header.ssrc),
    [1, 1],
  );
  assert.deepEqual(
    b.transport.sent.map(({ rtp }) => rtp.header.ssrc),
    [2, 2],
  );
});

test('the MID extension is sent until the viewer reports the stream, and again in repairs of those packets', () => {
  const { stream, transport } = makeStream({ mid: { id: 9, value: 'video0' } });
  stream.send(frame(1));
  const [withMid] = transport.sent;
  assert.ok(withMid);
  assert.deepEqual(withMid.rtp.header.extensions, [{ id: 9, payload: Buffer.from('video0') }]);
  stream.receiveReport(noReport);
  stream.send(frame(1));
  assert.equal(transport.sent[1]?.rtp.header.extension, false);
  stream.repair([withMid.rtp.header.sequenceNumber]);
  assert.deepEqual(transport.sent[2], withMid);
});

test('a NACK is answered with the very packet, once in a round trip', async () => {
  const { stream, transport, clock } = makeStream();
  stream.send(frame(5));
  const lost = transport.sequenceNumbers()[2] ?? 0;
  stream.repair([lost]);
  stream.repair([lost]);
  assert.deepEqual(transport.sent.slice(5), [transport.sent[2]]);
  await clock.advance(25);
  stream.repair([lost]);
  assert.equal(transport.sent.length, 7);
  stream.receiveReport({ ...noReport, lastSenderReport: compactNtp(clock.wallClock() - 200) });
  assert.ok(Math.abs((stream.stats.roundTripMs ?? 0) - 200) < 1);
  await clock.advance(100);
  stream.repair([lost]);
  assert.equal(transport.sent.length, 7, 'the first repair may still be under way');
});

test('with RTX a repair has its own ssrc, payload type and numbers, and the lost number in front of the payload', () => {
  const { stream, transport } = makeStream({ codec: { codec: 'h264', offered: h264, rtx, feedback: [] }, rtxSsrc: 77 });
  stream.send(frame(3));
  const [, second, third] = transport.sent;
  stream.repair([second?.rtp.header.sequenceNumber ?? 0, third?.rtp.header.sequenceNumber ?? 0]);
  const [first, last] = transport.sent.slice(3);
  assert.ok(first && last);
  assert.deepEqual([first.rtp.header.ssrc, first.rtp.header.payloadType, first.rtp.header.marker], [77, 97, false]);
  assert.equal(first.rtp.payload.readUInt16BE(0), second?.rtp.header.sequenceNumber);
  assert.deepEqual(first.rtp.payload.subarray(2), second?.rtp.payload);
  assert.equal(last.rtp.header.sequenceNumber, first.rtp.header.sequenceNumber + 1);
  assert.equal(last.rtp.header.marker, true);
});

test('a replay of 1000 packets can be repaired as a whole, what is older cannot', async () => {
  const { stream, transport, clock } = makeStream();
  for (let i = 0; i < 1100; i++) stream.send(frame(1, i * 3000, 200));
  const all = transport.sequenceNumbers();
  stream.repair(all.slice(0, 50));
  assert.equal(transport.sent.length, 1100);
  assert.equal(stream.stats.packetsNotRepaired, 50);
  for (let from = 100; from < 1100; from += 400) {
    stream.repair(all.slice(from, from + 400));
    await clock.advance(2000);
  }
  assert.deepEqual(transport.sequenceNumbers(1100), all.slice(100));
});

test('a storm of NACKs costs at most half of what the stream itself sends', async () => {
  const { stream, transport, clock } = makeStream();
  for (let second = 0; second < 3; second++) {
    for (let i = 0; i < 1000; i++) stream.send(frame(1));
    await clock.advance(1000);
  }
  for (let i = 0; i < 1000; i++) stream.send(frame(1));
  const all = transport.sequenceNumbers(3000);
  for (let round = 0; round < 20; round++) {
    stream.repair(all);
    await clock.advance(25);
  }
  assert.equal(transport.sent.length - 4000, 500);
});

test('a Sender Report ties now to the timestamp of what is captured now', async () => {
  const { stream, transport, clock } = makeStream();
  const timeline = new Timeline();
  const track = new Track({ name: 't', codec: 'h264', timeline, clock });
  stream.sendReport(track);
  assert.equal(transport.rtcp.length, 0, 'nothing is captured yet');
  timeline.anchor(10_000, clock.wallClock());
  stream.send(frame(2, track.rtpTimestampAt(10_000)));
  await clock.advance(1500);
  stream.sendReport(track);
  const report = transport.rtcp[0] as Buffer;
  const sentTimestamp = transport.sent[0]?.rtp.header.timestamp ?? 0;
  assert.equal((report.readUInt32BE(16) - sentTimestamp) >>> 0, 1.5 * 90_000);
  assert.equal(report.readUInt32BE(8), Math.floor(clock.wallClock() / 1000) + 2_208_988_800);
  assert.deepEqual([report.readUInt32BE(20), report.readUInt32BE(24)], [2, 2000]);
});

test('a viewer that does not keep up loses frames up to the next keyframe, without a gap in its numbers; nobody else does', () => {
  const slow = makeStream({ ssrc: 1 });
  const fast = makeStream({ ssrc: 2 });
  const track = new Track({ name: 't', codec: 'h264', timeline: new Timeline(), clock: slow.clock });
  const write = (mediaTimeMs: number, keyframe: boolean): void =>
    track.write({ data: Buffer.from([0, 0, 0, 2, keyframe ? 0x65 : 0x41, 1]), mediaTimeMs, keyframe });
  write(0, true);
  const slowSubscription = track.subscribe(slow.stream);
  const fastSubscription = track.subscribe(fast.stream);
  slow.transport.pendingBytes = 2 * 1024 * 1024;
  for (let i = 1; i <= 5; i++) write(i * 33, false);
  slow.transport.pendingBytes = 0;
  for (let i = 6; i <= 8; i++) write(i * 33, false);
  write(300, true);
  assert.equal(slowSubscription.dropped, 8);
  assert.equal(fastSubscription.dropped, 0);
  assert.equal(slow.transport.sent.length, 2);
  assert.equal(fast.transport.sent.length, 10);
  const [first = 0, second] = slow.transport.sequenceNumbers();
  assert.equal(second, first + 1);
});

test('audio packets have no marker and cannot be asked for again', () => {
  const opus: OfferedCodec = { ...h264, payloadType: 111, name: 'opus', clockRateHz: 48_000, channels: '2' };
  const { stream, transport } = makeStream({ codec: { codec: 'opus', offered: opus, rtx: undefined, feedback: [] } });
  for (let i = 0; i < 3; i++) stream.send({ ...frame(1, i * 960, 80), codec: 'opus' });
  assert.deepEqual(
    transport.sent.map(({ rtp }) => rtp.header.marker),
    [false, false, false],
  );
  stream.repair(transport.sequenceNumbers().slice(0, 2));
  assert.equal(transport.sent.length, 3);
});

test('another codec has its own payload type on the same ssrc, numbers go on, and each packet is repaired in the one it was sent in', () => {
  const h265: OfferedCodec = { ...h264, payloadType: 98, name: 'H265' };
  const rtx = (payloadType: number): OfferedCodec => ({ ...h264, payloadType, name: 'rtx' });
  const beside = { codec: 'h264', offered: h264, rtx: rtx(103), feedback: [] } as const;
  const { stream, transport } = makeStream({
    codec: { codec: 'h265', offered: h265, rtx: rtx(97), feedback: [], beside },
    rtxSsrc: 0x12345678,
  });
  stream.send({ ...frame(1, 0), codec: 'h265' });
  stream.send(frame(1, 3000));
  stream.send({ ...frame(1, 6000), codec: 'h265' });
  const numbers = transport.sequenceNumbers();
  assert.deepEqual(
    numbers.map((number) => (number - (numbers[0] as number)) & 0xffff),
    [0, 1, 2],
  );
  stream.repair(numbers);
  assert.deepEqual(
    transport.sent.map(({ rtp }) => [rtp.header.payloadType, rtp.header.ssrc]),
    [
      ...[98, h264.payloadType, 98].map((payloadType) => [payloadType, 0xfedcba98]),
      ...[97, 103, 97].map((payloadType) => [payloadType, 0x12345678]),
    ],
  );
});

test('where the codec of a packet has no retransmission, the packet itself is sent again', () => {
  const rtx: OfferedCodec = { ...h264, payloadType: 97, name: 'rtx' };
  const beside = { codec: 'h264', offered: h264, rtx: undefined, feedback: [] } as const;
  const { stream, transport } = makeStream({
    codec: { codec: 'h265', offered: { ...h264, payloadType: 98 }, rtx, feedback: [], beside },
    rtxSsrc: 0x12345678,
  });
  stream.send(frame(1, 3000));
  stream.repair(transport.sequenceNumbers());
  const [first, again] = transport.sent;
  assert.deepEqual([again?.rtp.header.ssrc, again?.index], [first?.rtp.header.ssrc, first?.index]);
});

test('numbers wrap after 65535 while the index for encryption counts on', () => {
  const { stream, transport } = makeStream();
  for (let i = 0; i < 66_000; i++) stream.send(frame(1, i, 1));
  transport.sent.forEach(({ rtp, index }, i) => {
    assert.equal(rtp.header.sequenceNumber, index % 65_536);
    if (i > 0) assert.equal(index, (transport.sent[i - 1]?.index ?? 0) + 1);
  });
});

test('no packet is larger than 1200 bytes, whatever is negotiated, repairs included', async () => {
  for (const value of ['0', 'video0', 'x'.repeat(16)]) {
    const { stream, transport, clock } = makeStream({
      mid: { id: 9, value },
      playoutDelayId: 2,
      departureIds: { transportSequence: 3, sendTime: 4 },
      codec: { codec: 'h264', offered: h264, rtx, feedback: [] },
      rtxSsrc: 77,
    });
    stream.send(frame(1, 3000, MAX_RTP_PAYLOAD_BYTES));
    stream.receiveReport({ ...noReport, fractionLost: 0.2, packetsLost: 5 });
    stream.send(frame(1, 6000, MAX_RTP_PAYLOAD_BYTES));
    stream.repair(transport.sequenceNumbers());
    await clock.advance(0);
    assert.deepEqual(
      transport.sent.map(({ bytes }) => headerExtension(bytes, 9)?.toString()),
      [value, undefined, undefined, undefined],
    );
    assert.equal(transport.sent.length, 4);
    for (const { bytes } of transport.sent) assert.ok(bytes.length + 16 <= 1200, `${value}: ${bytes.length}`);
  }
});

test('every packet that leaves has the next number of its transport, and its time: repairs under another ssrc, too', async () => {
  const { stream, transport, clock } = makeStream({
    departureIds: { transportSequence: 3, sendTime: 4 },
    codec: { codec: 'h264', offered: h264, rtx, feedback: [] },
    rtxSsrc: 77,
  });
  stream.send(frame(2));
  await clock.advance(1500);
  stream.send(frame(1));
  stream.repair(transport.sequenceNumbers().slice(0, 2));
  const numbers = transport.sent.map(({ bytes }) => headerExtension(bytes, 3)?.readUInt16BE(0) ?? NaN);
  assert.deepEqual(
    numbers,
    numbers.map((_number, i) => (numbers[0] ?? 0) + i),
  );
  const times = transport.sent.map(({ bytes }) => headerExtension(bytes, 4)?.readUIntBE(0, 3));
  assert.deepEqual(times, [0, 0, 1.5 * 2 ** 18, 1.5 * 2 ** 18, 1.5 * 2 ** 18]);
});

test('a repair without an ssrc of its own is the very packet again: one index never stands for two contents', async () => {
  const { stream, transport, clock } = makeStream({
    mid: { id: 9, value: '0' },
    playoutDelayId: 2,
    departureIds: { transportSequence: 3, sendTime: 4 },
  });
  for (let i = 0; i < 50; i++) {
    stream.send(frame(3, i * 3000));
    await clock.advance(33);
    stream.repair(transport.sequenceNumbers().slice(-9));
    if (i === 20) stream.receiveReport({ ...noReport, fractionLost: 0.1 });
  }
  const contents = new Map<number, Buffer>();
  for (const { index, bytes } of transport.sent) {
    assert.deepEqual(bytes, contents.get(index) ?? bytes);
    contents.set(index, bytes);
  }
  assert.equal(contents.size, 150);
  assert.ok(transport.sent.length > 300, `${transport.sent.length} packets, repairs included`);
});

/** On a far path: what is sent waits for its turn. */
function makePaced(init: Partial<RtpStreamInit> = {}): { stream: RtpStream; transport: PacedTransport; clock: FakeClock } {
  const clock = new FakeClock();
  const transport = new PacedTransport(clock);
  transport.congestion.setPath(40);
  return { ...makeStream({ transport, clock, departureIds: { transportSequence: 3 }, ...init }), transport, clock };
}

class PacedTransport extends RecordingTransport {
  readonly pacing = this.congestion.pacing;
}

test('what waits is numbered when it leaves: frames that are dropped leave no gap, and the viewer is seen as slow', async () => {
  const { stream, transport, clock } = makePaced();
  stream.send(frame(400, 3000));
  stream.send(frame(40, 6000));
  await clock.advance(50);
  const left = transport.sent.length;
  assert.ok(left > 5 && left < 300, `${left} packets`);
  assert.equal(stream.pendingBytes, (440 - left) * 1000);
  assert.ok(stream.pendingBytes > (stream.maxPendingBytes ?? Infinity), 'a second of the pace is too much');
  assert.equal(stream.dropWaiting(), 2);
  assert.equal(stream.pendingBytes, 0);
  stream.send(frame(3, 9000));
  await clock.advance(100);
  const numbers = transport.sequenceNumbers();
  assert.equal(numbers.length, left + 3);
  numbers.forEach((number, i) => assert.equal(number, (numbers[0] ?? 0) + i));
  assert.deepEqual(
    transport.sent.slice(left).map(({ rtp }) => rtp.header.marker),
    [false, false, true],
  );
  transport.congestion.close();
});

test('frames leave in order with the timestamps that they had when they came, and the first one is told once it is through', async () => {
  let first = 0;
  const { stream, transport, clock } = makePaced({ onFirstFrame: () => first++ });
  stream.timestampOffset = 0;
  stream.send(frame(60, 3000));
  assert.equal(first, 0);
  stream.timestampOffset = 1_000_000;
  stream.send(frame(60, 6000));
  await clock.advance(2000);
  assert.equal(first, 1);
  assert.equal(transport.sent.length, 120);
  assert.deepEqual([...new Set(transport.sent.map(({ rtp }) => rtp.header.timestamp))], [3000, 1_006_000]);
  transport.congestion.close();
});

test('repairs leave before frames, as far as the network has room for them, and frames do not wait for the rest', async () => {
  const { stream, transport, clock } = makePaced();
  stream.send(frame(100));
  await clock.advance(1000);
  const all = transport.sequenceNumbers();
  assert.equal(all.length, 100);
  stream.send(frame(100, 6000));
  stream.repair(all.slice(0, 20));
  const before = transport.sent.length;
  await clock.advance(1000);
  const order = transport.sequenceNumbers(before);
  const isRepair = (number: number): boolean => all.includes(number);
  assert.deepEqual([order.slice(0, 2).every(isRepair), order.slice(0, 20).every(isRepair)], [true, false]);
  assert.deepEqual(order.filter(isRepair), all.slice(0, 20));
  assert.equal(stream.stats.packetsRepaired, 20);
  transport.congestion.close();
});

test('a probe repeats what was sent last where it has an ssrc for that and fits, else it is padding of that ssrc', () => {
  const { stream, transport } = makeStream({
    departureIds: { transportSequence: 3 },
    codec: { codec: 'h264', offered: h264, rtx, feedback: [] },
    rtxSsrc: 77,
  });
  assert.ok(stream.sendProbe({ bytes: 1000, maxPacketBytes: 1000 }) >= 1000, 'before anything was sent, too');
  for (const { rtp } of transport.sent.splice(0)) assert.deepEqual([rtp.header.ssrc, rtp.header.padding], [77, true]);
  stream.send(frame(4, 3000, 500));
  const sent = stream.sendProbe({ bytes: 2000, maxPacketBytes: 600 });
  assert.ok(sent >= 2000 && sent < 2600, `${sent}`);
  const probes = transport.sent.slice(4);
  assert.ok(probes.every(({ rtp }) => rtp.header.ssrc === 77 && rtp.header.payloadType === 97));
  assert.equal(probes[0]?.rtp.payload.readUInt16BE(0), transport.sequenceNumbers()[3]);
  stream.sendProbe({ bytes: 600, maxPacketBytes: 200 });
  const padded = transport.sent.slice(4 + probes.length);
  assert.ok(padded.length >= 3);
  for (const { rtp, bytes } of padded) {
    assert.deepEqual([rtp.header.ssrc, rtp.header.padding, rtp.payload.length], [77, true, 0]);
    assert.ok(bytes.length <= 230, `${bytes.length}`);
  }
  assert.equal(stream.stats.packetsSent, 4);
});

test('nothing is probed before media where nobody would acknowledge it, or no ssrc is for it', () => {
  const unacknowledged = makeStream({ codec: { codec: 'h264', offered: h264, rtx, feedback: [] }, rtxSsrc: 77 });
  const alone = makeStream({ departureIds: { transportSequence: 3 } });
  for (const { stream, transport } of [unacknowledged, alone])
    assert.deepEqual([stream.sendProbe({ bytes: 1000, maxPacketBytes: 200 }), transport.sent], [0, []]);
});

test('without RTX a probe is padding of the media after a marker: numbered like the rest, and not worth repeating', async () => {
  const { stream, transport, clock } = makePaced();
  stream.send(frame(200));
  assert.equal(stream.sendProbe({ bytes: 500, maxPacketBytes: 200 }), 0, 'in the middle of a frame');
  await clock.advance(2000);
  assert.ok(stream.sendProbe({ bytes: 500, maxPacketBytes: 200 }) >= 500);
  stream.send(frame(1, 6000));
  const tail = transport.sent.slice(200);
  assert.deepEqual(
    tail.map(({ rtp }) => rtp.header.padding),
    [true, true, true, false],
  );
  const numbers = transport.sequenceNumbers();
  numbers.forEach((number, i) => assert.equal(number, (numbers[0] ?? 0) + i));
  assert.ok(tail[0]?.rtp.header.timestamp === transport.sent[199]?.rtp.header.timestamp);
  const before = transport.sent.length;
  stream.repair([numbers[200] ?? 0, numbers[0] ?? 0]);
  await clock.advance(50);
  assert.deepEqual(
    transport.sent.slice(before).map(({ bytes }) => bytes),
    [transport.sent[0]?.bytes],
    'media is, and padding has taken its place from none',
  );
  transport.congestion.close();
});

test('the time of capture stands on the first packet of a frame, once a second, and at once where timestamps get another offset', async () => {
  const { stream, transport, clock } = makeStream({ captureTimeId: 7 });
  const capturedAtMs = Date.UTC(2026, 10, 30, 12, 0, 0, 250);
  for (let n = 0; n < 45; n++) {
    if (n === 40) stream.timestampOffset++;
    stream.send({ ...frame(2, n * 9000), capturedAtMs: capturedAtMs + 100 * n });
    await clock.advance(100);
  }
  const told = transport.sent.flatMap(({ rtp }, i) => {
    const value = rtp.header.extensions.find(({ id }) => id === 7)?.payload;
    return value ? [[i, (value.readUInt32BE(0) - 2_208_988_800) * 1000 + Math.round((value.readUInt32BE(4) * 1000) / 2 ** 32)]] : [];
  });
  assert.deepEqual(
    told,
    [0, 10, 20, 30, 40].map((n) => [2 * n, capturedAtMs + 100 * n]),
  );
});

test('no time of capture stands on frames that are replayed with other timestamps, nor where it was not negotiated', () => {
  const { stream, transport } = makeStream({ captureTimeId: 7 });
  stream.send(frame(1));
  const other = makeStream();
  other.stream.send({ ...frame(1), capturedAtMs: 1 });
  for (const { rtp } of [...transport.sent, ...other.transport.sent]) assert.deepEqual(rtp.header.extensions, []);
});
