import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CaptureClock } from '../../../../src/webrtc/rtp/receive/capture-clock.js';
import type { StreamClock } from '../../../../src/webrtc/rtp/receive/stream-clock.js';
import { seededRandom } from '../../../helpers/random.js';

/** A sender whose two streams have RTP clocks of their own, and a network with a delay for each. */
class Sender {
  readonly clock = new CaptureClock();
  readonly audio: StreamClock = this.clock.addStream(48_000, true);
  readonly video: StreamClock = this.clock.addStream(90_000, false);
  ntpOffsetMs = 3_000_000_000_000;

  constructor(
    readonly delays: { audio: number; video: number },
    readonly start = { audio: 4_294_900_000, video: 4_294_950_000 },
    readonly ppm = 0,
  ) {}

  timestamp(kind: 'audio' | 'video', capturedMs: number): number {
    return Math.round(this.start[kind] + capturedMs * (1 + this.ppm / 1e6) * (kind === 'audio' ? 48 : 90)) >>> 0;
  }

  /** The media time of what is captured now. */
  send(kind: 'audio' | 'video', capturedMs: number, jitterMs = 0): number {
    const timestamp = this.timestamp(kind, capturedMs);
    this[kind].arrived(timestamp, 500_000 + capturedMs + this.delays[kind] + jitterMs);
    return this[kind].mediaTimeMs(timestamp) ?? NaN;
  }

  report(kind: 'audio' | 'video', capturedMs: number): void {
    this[kind].senderReport(this.ntpOffsetMs + capturedMs, this.timestamp(kind, capturedMs));
  }
}

describe('the capture clock', () => {
  it('goes on at once where a stream alone jumps back further than pictures are reordered, whatever a frame has of packets', () => {
    for (const jumpMs of [1_500, 4_000, 10_000, 100_000, 3_600_000]) {
      for (const packets of [1, 8]) {
        const video = new CaptureClock().addStream(90_000, false);
        const random = seededRandom(5);
        let newestMs: number | undefined;
        for (let frame = 0; frame < 400; frame++) {
          const capturedMs = frame * 40;
          const timestamp = Math.round((4_000_000 + capturedMs - (frame < 150 ? 0 : jumpMs)) * 90) >>> 0;
          const atMs = 500_000 + capturedMs + 45 + 15 * random();
          for (let i = 0; i < packets; i++) video.arrived(timestamp, atMs + i * 0.2);
          const mediaTimeMs = video.mediaTimeMs(timestamp) ?? NaN;
          const stepMs = mediaTimeMs - (newestMs ?? mediaTimeMs - 40);
          assert.ok(stepMs > 15 && stepMs < 80, `${stepMs} ms from frame ${frame - 1} to the next, jump ${jumpMs}, ${packets} packets`);
          newestMs = mediaTimeMs;
        }
        assert.ok(Math.abs((newestMs ?? 0) - (500_000 + 399 * 40 + 45)) < 40);
      }
    }
  });

  it('brings audio and video together after Sender Reports, without a step larger than a frame, over wraps of both', () => {
    for (const delays of [
      { audio: 20, video: 420 },
      { audio: 300, video: 10 },
      { audio: 0, video: 0 },
    ]) {
      const sender = new Sender(delays);
      const last = { audio: -Infinity, video: -Infinity };
      for (let ms = 0; ms < 20_000; ms += 20) {
        const audio = sender.send('audio', ms);
        if (last.audio > -Infinity) assert.ok(Math.abs(audio - last.audio - 20) < 0.2, 'audio is not moved');
        last.audio = audio;
        if (ms % 40 === 0) {
          const video = sender.send('video', ms);
          if (last.video > -Infinity) assert.ok(video > last.video && video - last.video < 80, `${video - last.video}`);
          last.video = video;
          if (ms > 8000) assert.ok(Math.abs(video - audio) < 5, `${ms} ms: ${video - audio} ms apart with ${JSON.stringify(delays)}`);
        }
        if (ms === 1000) sender.report('video', ms);
        if (ms === 2000 || ms === 7000) sender.report('audio', ms);
      }
    }
  });

  it('begins at the time of arrival, and stays with its first packets where no report comes', () => {
    const sender = new Sender({ audio: 30, video: 50 });
    assert.ok(Math.abs(sender.send('video', 0) - 500_050) < 0.01);
    assert.ok(Math.abs(sender.send('audio', 0) - 500_030) < 0.1);
    assert.ok(Math.abs(sender.send('video', 1000, 200) - 501_050) < 0.01, 'a late packet moves nothing');
  });

  it('does not tear audio and video apart when the wall clock of the sender is set', () => {
    const sender = new Sender({ audio: 10, video: 60 });
    for (let ms = 0; ms < 60_000; ms += 20) {
      const audio = sender.send('audio', ms);
      const video = ms % 40 === 0 ? sender.send('video', ms) : undefined;
      if (ms === 20_000) sender.ntpOffsetMs -= 700;
      if (ms % 5000 === 0) sender.report('audio', ms);
      if (ms % 1000 === 500) sender.report('video', ms);
      if (video !== undefined && ms > 10_000) assert.ok(Math.abs(video - audio) < 5, `${ms} ms: ${video - audio}`);
    }
  });

  it('does not believe reports of two clocks', () => {
    const sender = new Sender({ audio: 10, video: 60 });
    sender.send('audio', 0);
    sender.send('video', 0);
    sender.report('audio', 0);
    sender.ntpOffsetMs += 60_000;
    sender.video.senderReport(sender.ntpOffsetMs, sender.timestamp('video', 0));
    for (let ms = 40; ms < 5000; ms += 40) assert.ok(Math.abs(sender.send('video', ms) - 500_060 - ms) < 0.1);
  });

  it('follows this machine while the clock of the sender drifts', () => {
    const random = seededRandom(51);
    const sender = new Sender({ audio: 10, video: 40 }, undefined, 200);
    let last = 0;
    const hourMs = 3_600_000;
    for (let ms = 0; ms <= hourMs; ms += 100) {
      sender.send('audio', ms, 10 * random());
      last = sender.send('video', ms, 10 * random());
    }
    assert.ok(Math.abs(last - 500_040 - hourMs) < 30, `${last - 500_040 - hourMs} ms off`);
  });

  it('never steps back: neither where timestamps do, nor where an encoder begins anew, nor with another ssrc', () => {
    const sender = new Sender({ audio: 0, video: 0 });
    const times: number[] = [];
    const send = (timestamp: number, nowMs: number): void => {
      sender.video.arrived(timestamp, nowMs);
      times.push(sender.video.mediaTimeMs(timestamp) ?? NaN);
    };
    for (const [i, timestamp] of [1000, 10_000, 7000, 4000, 19_000].entries()) send(timestamp, 100 * i);
    send(3_000_000_000, 500);
    send(3_000_003_000, 533);
    send(5000, 566);
    sender.video.restart();
    send(77, 600);
    send(3077, 633);
    for (const [i, time] of times.entries()) if (i > 0) assert.ok(time > times[i - 1]!, times.join());
    assert.ok(Math.abs(times.at(-1)! - 633) < 40, times.join());
  });
});
