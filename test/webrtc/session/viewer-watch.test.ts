import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ViewerWatch } from '../../../src/webrtc/session/viewer-watch.js';
import { type StreamProgress } from '../../../src/webrtc/rtp/send/stream-progress.js';
import { FakeClock } from '../../helpers/fake-clock.js';
import { recordingLogger, type LogLine } from '../rig.js';

function open({ canRestart = true } = {}) {
  const clock = new FakeClock();
  const lines: LogLine[] = [];
  const events: [string, number][] = [];
  const note = (event: string): void => void events.push([event, clock.now() / 1000]);
  const watch = new ViewerWatch({
    clock,
    logger: recordingLogger(lines),
    requestKeyframes: () => note('keyframe'),
    restartIce: () => {
      note('ice-restart');
      return canRestart;
    },
    onStuck: () => note('close'),
  });
  const seconds = async (count: number, next: () => StreamProgress[]): Promise<void> => {
    for (let i = 0; i < count; i++) {
      await clock.advance(1000);
      watch.tick(next());
    }
  };
  return { clock, watch, lines, events, seconds };
}

/** A stream whose numbers a test moves. */
function makeStream(ssrc = 1) {
  const numbers = { ssrc, packetsSent: 0, nacks: 0, highestReported: undefined as number | undefined };
  return {
    numbers,
    now: (): StreamProgress => ({ ...numbers }),
    send: (): StreamProgress => {
      numbers.packetsSent += 100;
      return { ...numbers };
    },
    sendAndReport: (): StreamProgress => {
      numbers.highestReported = numbers.packetsSent;
      numbers.packetsSent += 100;
      return { ...numbers };
    },
  };
}

describe('the watch over a viewer', () => {
  it('does nothing while reports make progress', async () => {
    const { events, seconds } = open();
    const stream = makeStream();
    await seconds(600, () => [stream.sendAndReport()]);
    assert.deepEqual(events, []);
  });

  it('sends a keyframe after 10 s without progress, restarts ICE after 15 s and ends the session after 25 s', async () => {
    const { events, seconds } = open();
    const stream = makeStream();
    await seconds(10, () => [stream.sendAndReport()]);
    await seconds(60, () => [stream.send()]);
    assert.deepEqual(events, [
      ['keyframe', 20],
      ['ice-restart', 25],
      ['close', 35],
    ]);
  });

  it('ends the session also where ICE cannot be restarted', async () => {
    const { events, seconds } = open({ canRestart: false });
    const stream = makeStream();
    await seconds(2, () => [stream.sendAndReport()]);
    await seconds(30, () => [stream.send()]);
    assert.deepEqual(events.at(-1), ['close', 27]);
  });

  it('begins anew when progress returns at any stage', async () => {
    const { events, lines, seconds } = open();
    const stream = makeStream();
    await seconds(2, () => [stream.sendAndReport()]);
    await seconds(20, () => [stream.send()]);
    await seconds(1, () => [stream.sendAndReport()]);
    assert.equal(lines.at(-1)?.message, 'viewer makes progress again');
    await seconds(9, () => [stream.send()]);
    assert.deepEqual(
      events.map(([event]) => event),
      ['keyframe', 'ice-restart'],
    );
  });

  it('never ends a viewer that sends no reports at all', async () => {
    const { events, seconds } = open();
    const stream = makeStream();
    await seconds(600, () => [stream.send()]);
    assert.deepEqual(events, [['keyframe', 10]]);
  });

  it('takes NACKs for progress', async () => {
    const { events, seconds } = open();
    const stream = makeStream();
    await seconds(2, () => [stream.sendAndReport()]);
    await seconds(300, () => {
      stream.numbers.nacks++;
      return [stream.send()];
    });
    assert.deepEqual(events, []);
  });

  it('counts no time in which nothing was sent: a source that stalls, a pause, a stream that is not selected', async () => {
    const { events, seconds } = open();
    const stream = makeStream();
    await seconds(2, () => [stream.sendAndReport()]);
    await seconds(9, () => [stream.send()]);
    await seconds(300, () => [stream.now()]);
    await seconds(300, () => []);
    assert.deepEqual(events, []);
  });

  it('counts no time in which the connection was away', async () => {
    const { clock, events, watch, seconds } = open();
    const stream = makeStream();
    await seconds(2, () => [stream.sendAndReport()]);
    await seconds(9, () => [stream.send()]);
    await clock.advance(20_000);
    watch.tick([stream.send()]);
    await seconds(9, () => [stream.send()]);
    assert.deepEqual(events, []);
  });

  it('takes progress of any stream for that of the viewer', async () => {
    const { events, seconds } = open();
    const [video, audio] = [makeStream(1), makeStream(2)];
    await seconds(2, () => [video.sendAndReport(), audio.sendAndReport()]);
    await seconds(100, () => [video.send(), audio.sendAndReport()]);
    assert.deepEqual(events, []);
  });
});
