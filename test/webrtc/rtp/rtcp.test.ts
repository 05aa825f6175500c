import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  GenericNack,
  PictureLossIndication,
  RtcpPacketConverter,
  RtcpPayloadSpecificFeedback,
  RtcpReceiverInfo,
  RtcpRrPacket,
  RtcpSourceDescriptionPacket,
  RtcpSrPacket,
  RtcpTransportLayerFeedback,
} from 'werift';
import { compactNtp, parseRtcp, writeGoodbye, writeSenderReport, writeSourceDescription } from '../../../src/webrtc/rtp/rtcp.js';

test('a compound packet of another implementation is read: report, NACK and PLI', () => {
  const report = new RtcpReceiverInfo({
    ssrc: 7,
    fractionLost: 64,
    packetsLost: 300,
    highestSequence: 70_000,
    jitter: 900,
    lsr: 0x12345678,
    dlsr: 65_536,
  });
  const compound = Buffer.concat([
    new RtcpRrPacket({ ssrc: 1, reports: [report] }).serialize(),
    new RtcpTransportLayerFeedback({
      feedback: new GenericNack({ senderSsrc: 1, mediaSourceSsrc: 7, lost: [65_535, 0, 1, 100] }),
    }).serialize(),
    new RtcpPayloadSpecificFeedback({ feedback: new PictureLossIndication({ senderSsrc: 1, mediaSsrc: 7 }) }).serialize(),
  ]);
  assert.deepEqual(parseRtcp(compound), [
    {
      type: 'report',
      reports: [
        {
          ssrc: 7,
          fractionLost: 0.25,
          packetsLost: 300,
          extendedHighestSequence: 70_000,
          jitterTicks: 900,
          lastSenderReport: 0x12345678,
          delaySinceLastSenderReport: 65_536,
        },
      ],
    },
    { type: 'nack', ssrc: 7, sequenceNumbers: [65_535, 0, 1, 100] },
    { type: 'keyframe-request', ssrc: 7 },
  ]);
});

test('a FIR asks for a keyframe of each source it names', () => {
  const fir = Buffer.from('84ce0006' + '00000001' + '00000000' + '00000007' + '01000000' + '00000008' + '02000000', 'hex');
  assert.deepEqual(parseRtcp(fir), [
    { type: 'keyframe-request', ssrc: 7 },
    { type: 'keyframe-request', ssrc: 8 },
  ]);
});

test('malformed packets end the reading and nothing else', () => {
  const good = new RtcpPayloadSpecificFeedback({ feedback: new PictureLossIndication({ senderSsrc: 1, mediaSsrc: 7 }) }).serialize();
  for (const tail of ['', '00', '81c9', '81c9ffff', '00000000', 'ffffffffffffffff', '9fc90001', '9fcd000100000001', '83ce000000']) {
    assert.deepEqual(parseRtcp(Buffer.concat([good, Buffer.from(tail, 'hex')]))[0], { type: 'keyframe-request', ssrc: 7 }, tail);
  }
});

test('Sender Report, SDES and BYE are what another implementation reads', () => {
  const wallClockMs = 1_700_000_000_250;
  const report = { ssrc: 9, wallClockMs, rtpTimestamp: 2 ** 32 + 5, packets: 3, octets: 2 ** 32 + 7 };
  const [sr, sdes] = RtcpPacketConverter.deSerialize(Buffer.concat([writeSenderReport(report), writeSourceDescription(9, 'cname-1')]));
  assert.ok(sr instanceof RtcpSrPacket && sdes instanceof RtcpSourceDescriptionPacket);
  assert.equal(sr.ssrc, 9);
  assert.equal(sr.senderInfo.rtpTimestamp, 5);
  assert.equal(sr.senderInfo.packetCount, 3);
  assert.equal(sr.senderInfo.octetCount, 7);
  assert.equal(Number(sr.senderInfo.ntpTimestamp >> 32n), 1_700_000_000 + 2_208_988_800);
  assert.equal(Number(sr.senderInfo.ntpTimestamp & 0xffffffffn), 2 ** 30);
  assert.equal(sdes.chunks[0]?.items[0]?.text, 'cname-1');
  assert.equal(compactNtp(wallClockMs), Number((sr.senderInfo.ntpTimestamp >> 16n) & 0xffffffffn));
  const nextEraS = 2 ** 32 - 2_208_988_800;
  assert.equal(writeSenderReport({ ...report, wallClockMs: (nextEraS + 5) * 1000 }).readUInt32BE(8), 5, 'the NTP era of 2036');
  assert.deepEqual(parseRtcp(writeGoodbye([9, 10])), [
    { type: 'report', reports: [] },
    { type: 'bye', ssrcs: [9, 10] },
  ]);
});
