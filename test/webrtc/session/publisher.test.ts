import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ChannelEvents, IncomingChannel, TextChannel } from '../../../src/webrtc/transport/data-channel.js';
import { Outages } from '../../../src/webrtc/session/outages.js';
import { writeSenderReport } from '../../../src/webrtc/rtp/rtcp.js';
import { FakeClock } from '../../helpers/fake-clock.js';
import { seededRandom } from '../../helpers/random.js';
import { FEEDBACK, PublisherFixture } from '../publisher-fixture.js';

describe('a publisher', () => {
  it('tells packets apart by MID, by a=ssrc and by payload type', () => {
    for (const [parts, options] of [
      [{ video: 'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n' }, { mid: 'v' }],
      [{ video: 'a=ssrc:10 cname:x\r\n' }, {}],
      [{}, {}],
    ] as const) {
      const fixture = new PublisherFixture(parts);
      fixture.frame(true, options);
      fixture.rtp(111, 20, Buffer.from([0x78, 1]));
      fixture.rtp(55, 30, Buffer.from([1, 2]));
      assert.equal(fixture.published, 'video! audio');
      assert.deepEqual(fixture.steps, ['first video packet', 'first keyframe', 'first audio packet']);
      fixture.close();
    }
  });

  it('is warned of B-frames once, and not of a clock that jumps', () => {
    const fixture = new PublisherFixture();
    fixture.frame(true);
    for (const timestamp of [90_000, 900_000, 30_000, 33_000, 36_000]) fixture.frame(false, { timestamp });
    assert.deepEqual(fixture.steps, ['first video packet', 'first keyframe']);
    for (let group = 0; group < 8; group++) {
      for (const offset of [9000, 3000, 6000]) fixture.frame(false, { timestamp: 39_000 + group * 9000 + offset });
    }
    assert.deepEqual(fixture.steps, ['first video packet', 'first keyframe', 'B-frames']);
    assert.match(fixture.lines.find(({ level }) => level === 'warn')?.message ?? '', /B-frames.*bframes=0/);
    fixture.close();
  });

  it('asks for a keyframe once however often the room asks: PLI, or FIR where the offer has nothing else', async () => {
    for (const [video, code] of [
      [FEEDBACK, '81ce'],
      ['a=rtcp-fb:96 ccm fir\r\n', '84ce'],
    ] as const) {
      const fixture = new PublisherFixture({ video });
      fixture.frame(true);
      for (let i = 0; i < 50; i++) fixture.gateway.publication?.requestKeyframe();
      assert.equal(fixture.requests(), 1);
      assert.equal(fixture.raw.at(-1)?.toString('hex', 0, 2), code);
      await fixture.clock.advance(400);
      fixture.frame(true, { timestamp: 36_000 });
      fixture.gateway.publication?.requestKeyframe();
      assert.equal(fixture.requests(), 1, 'not before 500 ms have passed');
      await fixture.clock.advance(150);
      assert.equal(fixture.requests(), 2);
      fixture.close();
    }
    const silent = new PublisherFixture();
    silent.frame(true);
    silent.gateway.publication?.requestKeyframe();
    assert.equal(silent.requests(), 0, 'nothing was negotiated');
    silent.close();
  });

  it('leaves frames out after a loss, asks for a keyframe, and goes on with it', async () => {
    const fixture = new PublisherFixture({ video: FEEDBACK });
    fixture.frame(true);
    fixture.frame(false, { timestamp: 3000, skip: 1 });
    fixture.frame(false, { timestamp: 6000 });
    assert.ok(fixture.rtcp.some(({ type }) => type === 'nack'));
    await fixture.clock.advance(1100);
    assert.equal(fixture.requests(), 1);
    fixture.frame(true, { timestamp: 9000 });
    fixture.frame(false, { timestamp: 12_000 });
    assert.equal(fixture.published, 'video! video! video');
    const received = fixture.publisher.snapshot().received;
    assert.deepEqual([received?.packetsLost, received?.framesLost, received?.framesReceived, received?.keyframesRequested], [1, 1, 3, 1]);
    fixture.close();
  });

  it('takes a repair from the stream of retransmissions (RFC 4588)', async () => {
    const fixture = new PublisherFixture({ video: FEEDBACK });
    fixture.frame(true);
    const slice = Buffer.alloc(20, 0x88);
    slice[0] = 0x41;
    fixture.rtp(96, 10, slice, { timestamp: 6000, sequenceNumber: 5 });
    await fixture.clock.advance(20);
    assert.deepEqual(
      fixture.rtcp.find(({ type }) => type === 'nack'),
      { type: 'nack', ssrc: 10, sequenceNumbers: [4] },
    );
    fixture.rtp(97, 11, Buffer.concat([Buffer.from([0, 4]), slice]), { timestamp: 3000, sequenceNumber: 900 });
    fixture.rtp(97, 11, Buffer.alloc(0), { timestamp: 3000, sequenceNumber: 901 });
    assert.equal(fixture.published, 'video! video video');
    assert.equal(fixture.publisher.snapshot().received?.packetsRepaired, 1);
    fixture.close();
  });

  it('reports each second what came, and refers to the Sender Report', async () => {
    const fixture = new PublisherFixture();
    fixture.frame(true);
    fixture.publisher.receiveRtcp(
      writeSenderReport({ ssrc: 10, wallClockMs: 1_700_000_000_000, rtpTimestamp: 0, packets: 3, octets: 3000 }),
      0,
    );
    await fixture.clock.advance(500);
    fixture.publisher.tick();
    const report = fixture.rtcp.find((message) => message.type === 'report');
    assert.ok(report?.type === 'report');
    assert.deepEqual(
      report.reports.map(({ ssrc, packetsLost, delaySinceLastSenderReport }) => [ssrc, packetsLost, delaySinceLastSenderReport]),
      [[10, 0, 32_768]],
    );
    assert.ok(report.reports[0]!.lastSenderReport > 0);
    fixture.close();
  });

  it('sends transport feedback ten times a second where it was negotiated, and REMB where only that was', async () => {
    const uri = 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01';
    const fixture = new PublisherFixture({ video: `a=rtcp-fb:96 transport-cc\r\na=rtcp-fb:96 goog-remb\r\na=extmap:3 ${uri}\r\n` });
    for (let i = 0; i < 10; i++) {
      const header = Buffer.from(`9060000${i}000000000000000abede000131000${i}00`, 'hex');
      fixture.publisher.receiveRtp(Buffer.concat([header, Buffer.from([0x41, 0x88])]), 0);
      await fixture.clock.advance(50);
    }
    assert.equal(fixture.raw.filter((packet) => packet.toString('hex', 0, 2) === '8fcd').length, 5);
    fixture.publisher.tick();
    assert.ok(!fixture.raw.some((packet) => packet.includes('REMB')));
    fixture.close();
    const remb = new PublisherFixture({ video: 'a=rtcp-fb:96 goog-remb\r\n' });
    remb.frame(true);
    remb.publisher.tick();
    assert.ok(remb.raw.some((packet) => packet.includes('REMB')));
    remb.close();
  });

  it('stays with one of two ssrcs, and takes the other one when that falls silent', async () => {
    const fixture = new PublisherFixture({ video: FEEDBACK });
    fixture.frame(true, { ssrc: 10 });
    fixture.frame(true, { ssrc: 12, timestamp: 5 });
    assert.equal(fixture.published, 'video!');
    await fixture.clock.advance(400);
    fixture.frame(false, { ssrc: 12, timestamp: 8000 });
    await fixture.clock.advance(200);
    fixture.frame(true, { ssrc: 12, timestamp: 9000 });
    assert.equal(fixture.published, 'video! video!');
    const [first, second] = fixture.gateway.published.map(({ frame }) => frame.mediaTimeMs);
    assert.ok(second! > first!);
    fixture.close();
  });

  it('is alive while it is heard', async () => {
    const fixture = new PublisherFixture();
    const isAlive = (): boolean => (fixture.gateway.publication?.aliveForMs() ?? 0) > 0;
    assert.ok(isAlive());
    await fixture.clock.advance(1900);
    assert.ok(isAlive());
    await fixture.clock.advance(200);
    assert.ok(!isAlive());
    fixture.rtp(111, 20, Buffer.from([0x78, 1]));
    assert.ok(isAlive());
    fixture.close();
  });

  it('tells the camera to reconnect on the channel commands and by its door', () => {
    const fixture = new PublisherFixture();
    const texts: string[] = [];
    let closed: ChannelEvents['closed'];
    const channel: TextChannel = {
      label: 'commands',
      bufferedBytes: 0,
      maxMessageBytes: 1000,
      piecesAhead: 0,
      send: (text) => texts.push(text) > 0,
      sendBinary: () => true,
      close: () => undefined,
    };
    const incoming: IncomingChannel = {
      label: 'commands',
      accept: (events) => {
        closed = events.closed?.bind(events);
        return channel;
      },
    };
    fixture.publisher.takeChannel({ label: 'other', accept: () => assert.fail('nobody knows it') });
    fixture.publisher.takeChannel(incoming);
    fixture.gateway.publication?.requestReconnect('frozen');
    assert.deepEqual(texts, ['{"command":"reconnect","reason":"frozen"}']);
    assert.deepEqual(fixture.commands, [{ command: 'reconnect', reason: 'frozen' }]);
    closed?.();
    fixture.gateway.publication?.requestReconnect('frozen');
    assert.equal(texts.length, 1);
    fixture.close();
  });

  it('ends when its room is taken over, and says whether it left or was lost', () => {
    for (const [reason, how] of [
      ['publisher-left', 'left'],
      ['publisher-replaced', 'left'],
      ['publisher-gone', 'lost'],
      ['ice-failed', 'lost'],
      ['keepalive-timeout', 'lost'],
    ] as const) {
      const fixture = new PublisherFixture();
      fixture.gateway.publication?.end('publisher-replaced');
      assert.deepEqual(fixture.ends, ['publisher-replaced']);
      fixture.publisher.close(reason);
      assert.equal(fixture.gateway.publicationClosed, how, reason);
      fixture.frame(true);
      assert.equal(fixture.published, '', 'nothing after the end');
      fixture.close();
    }
  });

  it('survives random packets and reports', async () => {
    const random = seededRandom(61);
    const fixture = new PublisherFixture({ video: `${FEEDBACK}a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid\r\n` });
    for (let i = 0; i < 20_000; i++) {
      const bytes = Buffer.from(Array.from({ length: Math.floor(random() * 60) }, () => Math.floor(random() * 256)));
      if (bytes.length > 8) {
        bytes[0] = 0x80 | Math.floor(random() * 64);
        if (random() < 0.7) bytes[1] = [96, 97, 111, 0x80 | 96][i % 4]!;
        if (random() < 0.8) bytes.writeUInt32BE(i % 3, 8 <= bytes.length - 4 ? 8 : 4);
      }
      fixture.publisher.receiveRtp(bytes, i % 50 === 0 ? 1 : 0);
      if (i % 3 === 0) fixture.publisher.receiveRtcp(bytes, 0);
      if (i % 100 === 0) await fixture.clock.advance(40);
    }
    fixture.publisher.tick();
    fixture.close();
  });

  it('leaves its outage to the one that replaces it, which begins before it is gone', async () => {
    const clock = new FakeClock();
    const outages = new Outages(clock);
    const silent = new PublisherFixture(undefined, clock, outages);
    for (let i = 0; i < 12; i++) {
      await clock.advance(1000);
      silent.publisher.tick();
    }
    assert.equal(silent.commands.length, 1, 'it was asked to reconnect');
    // The room ends the one before when it takes the next; its session closes it later.
    silent.gateway.publication?.end('publisher-replaced');
    const next = new PublisherFixture(undefined, clock, outages);
    assert.equal(next.publisher.snapshot().received?.silence?.requests, 1);
    silent.publisher.close('publisher-replaced');
    next.frame(true);
    await clock.advance(1000);
    next.publisher.tick();
    assert.deepEqual(next.publisher.snapshot().received?.silence, { failures: 0, requests: 0, recoveries: 1 });
    next.close();
    assert.equal(outages.take('gate'), undefined, 'all is well');
  });
});
