import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  GenericNack,
  PictureLossIndication,
  ReceiverEstimatedMaxBitrate,
  RtcpPacketConverter,
  RtcpPayloadSpecificFeedback,
  RtcpRrPacket,
  RtcpTransportLayerFeedback,
  TransportWideCC,
} from 'werift';
import { writeFir, writeNack, writePli, writeReceiverReport, writeRemb } from '../../../../src/webrtc/rtp/receive/feedback-packets.js';
import { ReceptionStatistics } from '../../../../src/webrtc/rtp/receive/reception-statistics.js';
import { TransportFeedback } from '../../../../src/webrtc/rtp/receive/transport-feedback.js';
import { parseRtcp } from '../../../../src/webrtc/rtp/rtcp.js';
import { seededRandom } from '../../../helpers/random.js';

const read = (packet: Buffer) => RtcpPacketConverter.deSerialize(packet)[0];

describe('feedback packets', () => {
  it('are what another implementation reads: NACK over a wrap, PLI, FIR, REMB', () => {
    const lost = [65_530, 65_531, 65_535, 0, 10, 40, 57];
    const nack = read(writeNack(1, 7, lost));
    assert.ok(nack instanceof RtcpTransportLayerFeedback && nack.feedback instanceof GenericNack);
    assert.deepEqual(
      nack.feedback.lost.map((sequenceNumber) => sequenceNumber & 0xffff),
      lost,
    );
    assert.deepEqual(parseRtcp(writeNack(1, 7, lost)), [{ type: 'nack', ssrc: 7, sequenceNumbers: lost }]);
    const pli = read(writePli(1, 7));
    assert.ok(pli instanceof RtcpPayloadSpecificFeedback && pli.feedback instanceof PictureLossIndication && pli.feedback.mediaSsrc === 7);
    assert.equal(writeFir(1, 7, 258).toString('hex'), '84ce0004' + '00000001' + '00000000' + '00000007' + '02000000');
    assert.deepEqual(parseRtcp(writeFir(1, 7, 258)), [{ type: 'keyframe-request', ssrc: 7 }]);
    const remb = read(writeRemb(1, [7, 8], 2_500_000));
    assert.ok(remb instanceof RtcpPayloadSpecificFeedback && remb.feedback instanceof ReceiverEstimatedMaxBitrate);
    assert.ok(Math.abs(Number(remb.feedback.bitrate) - 2_500_000) < 32);
    assert.deepEqual(remb.feedback.ssrcFeedbacks, [7, 8]);
  });

  it('report negative and large losses within their fields', () => {
    const block = {
      ssrc: 7,
      fractionLost: 1,
      packetsLost: 2 ** 30,
      highestSequence: 2 ** 32 + 70_000,
      jitterTicks: 900,
      lastSenderReport: 0x12345678,
      delaySinceLastSenderReport: 65_536,
    };
    const report = read(writeReceiverReport(1, [block, { ...block, packetsLost: -(2 ** 30) }]));
    assert.ok(report instanceof RtcpRrPacket);
    assert.deepEqual(
      [
        report.reports[0]?.fractionLost,
        report.reports[0]?.packetsLost,
        report.reports[0]?.highestSequence,
        report.reports[0]?.lsr,
        report.reports[0]?.dlsr,
      ],
      [255, 0x7fffff, 70_000, 0x12345678, 65_536],
    );
  });
});

describe('reception statistics', () => {
  it('tell the share lost since the last report, the sum, the wraps and the delay since the Sender Report', () => {
    const statistics = new ReceptionStatistics(90_000);
    assert.equal(statistics.report(7, 0), undefined);
    for (let i = 0; i < 100; i++) if (i % 4 !== 3 || i > 90) statistics.count((65_500 + i) & 0xffff, i * 3000, i * 33.333);
    statistics.senderReport(0xabcd, 3400);
    const first = statistics.report(7, 3500);
    assert.deepEqual(
      { ...first, fractionLost: undefined },
      {
        ssrc: 7,
        fractionLost: undefined,
        packetsLost: 22,
        highestSequence: 65_599,
        jitterTicks: first?.jitterTicks,
        lastSenderReport: 0xabcd,
        delaySinceLastSenderReport: 6554,
      },
    );
    assert.equal(first?.fractionLost, 0.22);
    assert.ok(first.jitterTicks <= 10, `${first.jitterTicks}`);
    for (let i = 100; i < 110; i++) statistics.count((65_500 + i) & 0xffff, i * 3000, i * 33.333);
    for (let i = 0; i < 3; i++) statistics.count((65_500 + 109) & 0xffff, 109 * 3000, 3700);
    assert.deepEqual(
      [statistics.report(7, 3800)?.fractionLost, statistics.report(7, 3800)?.packetsLost],
      [0, 19],
      'duplicates count as received (RFC 3550 A.3)',
    );
  });

  it('tell the jitter of packets that come 20 ms late every second time', () => {
    const statistics = new ReceptionStatistics(90_000);
    for (let i = 0; i < 500; i++) statistics.count(i, i * 3000, i * 33.333 + (i % 2) * 20);
    assert.ok(Math.abs(statistics.jitterMs - 20) < 0.5, `${statistics.jitterMs}`);
  });
});

/** Times of arrival by sequence number, read by the letter of the draft (§3.1). */
function readTransportFeedback(packet: Buffer): Map<number, number> {
  assert.equal(packet.length, 4 * (packet.readUInt16BE(2) + 1));
  assert.deepEqual([packet[0], packet[1]], [0x8f, 205]);
  const count = packet.readUInt16BE(14);
  const statuses: number[] = [];
  let at = 20;
  while (statuses.length < count) {
    const chunk = packet.readUInt16BE(at);
    at += 2;
    if (chunk < 0x8000) for (let i = 0; i < (chunk & 0x1fff); i++) statuses.push(chunk >> 13);
    else if ((chunk & 0x4000) !== 0) for (let i = 0; i < 7; i++) statuses.push((chunk >> (12 - 2 * i)) & 3);
    else for (let i = 0; i < 14; i++) statuses.push((chunk >> (13 - i)) & 1);
  }
  const arrivals = new Map<number, number>();
  let atMs = packet.readIntBE(16, 3) * 64;
  statuses.slice(0, count).forEach((status, i) => {
    if (status === 0) return;
    atMs += (status === 1 ? packet.readUInt8(at) : packet.readInt16BE(at)) / 4;
    at += status;
    arrivals.set((packet.readUInt16BE(12) + i) & 0xffff, atMs);
  });
  assert.ok(packet.length - at < 4, 'nothing but padding is left');
  return arrivals;
}

describe('transport feedback', () => {
  it('tells of every packet and when it came, whatever is lost, reordered and delayed', () => {
    const random = seededRandom(31);
    const feedback = new TransportFeedback(1);
    const arrivals = new Map<number, number>();
    const told = new Map<number, number>();
    let nowMs = 1_000_000;
    const take = (): void => {
      for (const packet of feedback.take(7))
        for (const [sequenceNumber, atMs] of readTransportFeedback(packet)) told.set(sequenceNumber, atMs);
    };
    const pending: number[] = [];
    for (let i = 0; i < 6000; i++) {
      nowMs += random() < 0.002 ? 12_000 * random() : 3 * random();
      if (random() < 0.1) pending.push(i);
      else if (random() > 0.05) {
        arrivals.set(i & 0xffff, nowMs);
        feedback.arrived(i & 0xffff, nowMs);
      }
      if (pending.length > 0 && random() < 0.3) {
        const late = pending.shift()!;
        arrivals.set(late & 0xffff, nowMs);
        feedback.arrived(late & 0xffff, nowMs);
      }
      if (i % 40 === 39) take();
    }
    take();
    assert.equal(told.size, arrivals.size);
    for (const [sequenceNumber, atMs] of arrivals)
      assert.ok(Math.abs((told.get(sequenceNumber) ?? 0) - atMs) <= 0.3, `${sequenceNumber}: ${told.get(sequenceNumber)} for ${atMs}`);
  });

  it('follows the wrap, begins anew behind a long gap, and is silent where nothing came', () => {
    const feedback = new TransportFeedback(1);
    assert.deepEqual(feedback.take(7), []);
    for (const sequenceNumber of [65_534, 65_535, 1]) feedback.arrived(sequenceNumber, 10);
    const [first] = feedback.take(7);
    assert.deepEqual([first?.readUInt16BE(12), first?.readUInt16BE(14)], [65_534, 4]);
    assert.deepEqual(feedback.take(7), []);
    feedback.arrived(20_000, 20);
    const [second, ...others] = feedback.take(7);
    assert.deepEqual([second?.readUInt16BE(12), second?.readUInt16BE(14), others.length], [20_000, 1, 0]);
    assert.equal(second?.readUInt8(19), 1, 'counts its packets');
    for (let i = 1; i <= 10; i++) feedback.arrived(20_000 + i, 20 + i);
    const [third] = feedback.take(7);
    const message = third && read(third);
    assert.ok(message instanceof RtcpTransportLayerFeedback && message.feedback instanceof TransportWideCC);
    assert.deepEqual([message.feedback.baseSequenceNumber, message.feedback.recvDeltas.length], [20_001, 10], 'to another implementation');
  });
});
