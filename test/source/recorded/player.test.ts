import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLogger } from '../../../src/base/logger.js';
import { Timeline, type EncodedFrame, type PlaybackPosition } from '../../../src/media/index.js';
import { Player } from '../../../src/source/recorded/player.js';
import { PlaybackStamps } from '../../../src/source/recorded/stamps.js';
import type { FrameUse, SeenFrame } from '../../../src/source/source.js';
import { FakeArchive, numberOf, objectIn, type FakeSegment } from '../../helpers/fake-archive.js';
import { FakeClock } from '../../helpers/fake-clock.js';

const NOW = 1_700_000_000_000;
const BEGIN = NOW - 600_000;

interface Got {
  readonly number: number;
  readonly mediaTimeMs: number;
  readonly use: FrameUse;
  /** When it came. */
  readonly nowMs: number;
}

function play(segments: readonly FakeSegment[], atMs: number) {
  const clock = new FakeClock(NOW);
  const archive = new FakeArchive('street', segments);
  const player = new Player({ archive, sourceId: 'street', clock, logger: silentLogger, atMs, group: archive.groupAt(atMs) });
  const video: Got[] = [];
  const audio: EncodedFrame[] = [];
  const seen: SeenFrame[] = [];
  const told: PlaybackPosition[] = [];
  let caughtUp = 0;
  let formats = 0;
  player.onChange((position) => told.push(position));
  player.onCaughtUp(() => caughtUp++);
  const output = {
    sink: {
      encodedVideo: (frame: EncodedFrame, use: FrameUse = {}) =>
        void video.push({ number: numberOf(frame.data), mediaTimeMs: frame.mediaTimeMs, use, nowMs: clock.now() }),
      picture: () => undefined,
      audio: (frame: EncodedFrame) => void audio.push(frame),
      seen: (frame: SeenFrame) => void seen.push(frame),
    },
    stamps: new PlaybackStamps(clock, new Timeline()),
    isSeenWanted: () => true,
    onFormat: () => formats++,
  };
  player.attach(output);
  return {
    clock,
    archive,
    player,
    video,
    audio,
    seen,
    told,
    output,
    /** Those that are shown. */
    shown: () => video.filter(({ use }) => use.isShown !== false),
    caughtUp: () => caughtUp,
    formats: () => formats,
    close: () => player.detach(output),
  };
}

/** Its viewer is connected, and has had the time to show the first frame. */
async function begin({ clock, player, shown }: Pick<ReturnType<typeof play>, 'clock' | 'player' | 'shown'>): Promise<void> {
  player.begin();
  const count = shown().length;
  for (let i = 0; i < 50 && shown().length === count; i++) await clock.advance(10);
  assert.ok(shown().length > count, 'it goes on');
}

/** Reading takes turns of the event loop, and no time. */
async function settle(clock: FakeClock): Promise<void> {
  for (let i = 0; i < 30; i++) await clock.advance(0);
}

const MINUTE: FakeSegment = { fromMs: BEGIN, frames: 1800, gop: 60, seenEvery: 2, hasSound: true };
const at = (frame: number): number => BEGIN + (frame * 1000) / 30;

describe('a playback', () => {
  it('shows the frame of the time that it begins at, and waits there for its viewer', async () => {
    const { clock, shown, video, player, close } = play([MINUTE], at(100) + 10);
    await clock.advance(2_000);
    assert.deepEqual(
      shown().map(({ number }) => number),
      [100],
    );
    assert.deepEqual(
      video.map(({ number }) => number),
      Array.from({ length: 41 }, (_, i) => 60 + i),
      'from the keyframe before it',
    );
    await begin({ clock, player, shown });
    await clock.advance(1_000);
    assert.ok(Math.abs(shown().length - 32) <= 1, `${shown().length} frames in a second`);
    close();
  });

  it('squeezes what leads to a frame in before it: time ascends, and no frame that is only led over pairs with a message', async () => {
    const { clock, video, seen, player, close } = play([MINUTE], at(119));
    await settle(clock);
    player.begin();
    await clock.advance(500);
    await player.seek(at(659));
    await clock.advance(500);
    const times = video.map(({ mediaTimeMs }) => Math.round(mediaTimeMs * 90));
    assert.ok(
      times.every((time, i) => i === 0 || time > times[i - 1]!),
      'RTP time steps back or stands',
    );
    for (const message of seen) {
      const near = video.filter(({ mediaTimeMs }) => Math.abs(mediaTimeMs - message.mediaTimeMs) <= 1);
      assert.equal(near.length, 1);
      assert.ok(Math.abs(near[0]!.number - message.objects[0]!.box[0]) < 0.01, 'the boxes are of that frame');
    }
    const target = video.find(({ number }) => number === 659)!;
    const begun = video.find(({ number }) => number === 600)!;
    assert.ok(target.mediaTimeMs - begun.mediaTimeMs < 80, 'two seconds are led over in no time');
    close();
  });

  it('keeps pace: every frame up to twice as fast, keyframes alone above', async () => {
    for (const [speed, frames] of [
      [0.25, 7.5],
      [0.5, 15],
      [2, 60],
    ] as const) {
      const { clock, shown, player, close } = play([MINUTE], at(0));
      player.setSpeed(speed);
      await settle(clock);
      await begin({ clock, player, shown });
      const before = shown().length;
      await clock.advance(1_000);
      assert.ok(Math.abs(shown().length - before - frames) <= 2, `${shown().length - before} at ${speed}`);
      close();
    }
    const { clock, video, player, close } = play([MINUTE], at(0));
    await settle(clock);
    player.setSpeed(8);
    player.begin();
    await clock.advance(2_000);
    const sent = video.filter(({ use }) => use.isSent !== false).map(({ number }) => number);
    assert.ok(sent.length >= 8 && sent.every((number) => number % 60 === 0), `sent: ${sent.join(' ')}`);
    const drawn = video.filter(({ use }) => use.isShown !== false).length;
    assert.ok(drawn > 50 && drawn < 90, `${drawn} frames are drawn in 2 s`);
    // Back at a pace at which every frame is sent, they follow a keyframe.
    const count = video.length;
    player.setSpeed(1);
    await clock.advance(200);
    assert.equal(video[count]!.number % 60, 0);
    close();
  });

  it('is heard at its own pace alone', async () => {
    const { clock, audio, player, shown, close } = play([MINUTE], at(0));
    await settle(clock);
    await begin({ clock, player, shown });
    await clock.advance(1_000);
    assert.ok(audio.length >= 29);
    player.setSpeed(2);
    const before = audio.length;
    await clock.advance(1_000);
    assert.equal(audio.length, before);
    player.setSpeed(1);
    await clock.advance(1_000);
    assert.ok(audio.length >= before + 25);
    const times = audio.map(({ mediaTimeMs }) => mediaTimeMs);
    assert.ok(times.every((time, i) => i === 0 || time > times[i - 1]!));
    close();
  });

  it('holds its position, and goes on from there', async () => {
    const { clock, shown, player, told, close } = play([MINUTE], at(0));
    await settle(clock);
    player.begin();
    await clock.advance(1_000);
    player.pause();
    const { atMs } = player.position;
    const count = shown().length;
    await clock.advance(60_000);
    assert.equal(shown().length, count);
    assert.equal(player.position.atMs, atMs);
    player.resume();
    await clock.advance(100);
    const [last, next] = shown().slice(count - 1);
    assert.equal(next!.number, last!.number + 1);
    assert.deepEqual(
      told.map(({ state }) => state),
      ['playing', 'paused', 'playing'],
    );
    close();
  });

  it('steps by frames, forward and back over keyframes', async () => {
    const { clock, shown, player, told, close } = play([MINUTE], at(200));
    await settle(clock);
    const stepTo = async (frames: number): Promise<number> => {
      await player.step(frames);
      await settle(clock);
      return shown().at(-1)!.number;
    };
    assert.equal(await stepTo(1), 201);
    assert.equal(await stepTo(10), 211);
    assert.equal(await stepTo(-1), 210);
    assert.equal(await stepTo(-31), 179);
    assert.equal(await stepTo(-120), 59);
    assert.equal(await stepTo(-300), 0, 'as many as there are');
    assert.equal(told.at(-1)!.state, 'paused');
    assert.equal(told.at(-1)!.atMs, at(0));
    close();
  });

  it('passes over gaps and says so', async () => {
    const { clock, shown, player, told, close } = play(
      [
        { fromMs: BEGIN, frames: 60, seenEvery: 1 },
        { fromMs: BEGIN + 30_000, frames: 90, first: 1000, seenEvery: 1 },
      ],
      at(30),
    );
    await settle(clock);
    player.begin();
    await clock.advance(2_500);
    const numbers = shown().map(({ number }) => number);
    assert.equal(numbers[numbers.indexOf(1000) - 1], 59, 'the first frame behind the gap follows the last before it');
    const states = told.map(({ state }) => state);
    assert.deepEqual(states.slice(0, 3), ['playing', 'gap', 'playing']);
    assert.equal(told[1]!.atMs, BEGIN + 30_000);
    // A time in the gap: what comes next is shown.
    await player.seek(BEGIN + 10_000);
    await settle(clock);
    assert.equal(player.position.atMs, BEGIN + 30_000);
    close();
  });

  it('crosses the border of segments without a step', async () => {
    const { clock, shown, player, told, close } = play(
      [
        { fromMs: BEGIN, frames: 60 },
        { fromMs: at(60), frames: 60, first: 60 },
      ],
      at(50),
    );
    await settle(clock);
    await begin({ clock, player, shown });
    await clock.advance(1_000);
    const frames = shown().slice(1);
    assert.ok(frames.length > 25);
    for (const [i, { number, mediaTimeMs }] of frames.slice(1).entries()) {
      assert.equal(number, frames[i]!.number + 1);
      assert.ok(Math.abs(mediaTimeMs - frames[i]!.mediaTimeMs - 1000 / 30) < 5, `${mediaTimeMs - frames[i]!.mediaTimeMs} ms`);
    }
    assert.ok(told.every(({ state }) => state === 'playing'));
    close();
  });

  it('passes over what cannot be read, and says why', async () => {
    const { clock, shown, player, told, archive, close } = play(
      [
        { fromMs: BEGIN, frames: 60, damage: 45 },
        { fromMs: at(60), frames: 60, first: 60, damage: 'gone' },
        { fromMs: at(120), frames: 60, first: 120 },
      ],
      at(0),
    );
    await settle(clock);
    player.begin();
    await clock.advance(4_000);
    const numbers = shown().map(({ number }) => number);
    assert.equal(numbers[numbers.indexOf(44) + 1], 120);
    assert.ok(told.some(({ state, notice }) => state === 'gap' && notice?.includes('gone')));
    close();
    await settle(clock);
    assert.equal(archive.opened, 0, 'no segment stays open');
    assert.equal(archive.listeners, 0);
    assert.equal(clock.pendingTimers, 0);
  });

  it('goes on behind a file that was cut, and shows nothing twice', async () => {
    const { clock, shown, player, told, close } = play(
      [
        { fromMs: BEGIN, frames: 300, cutTo: 45 },
        { fromMs: at(300), frames: 60, first: 300 },
      ],
      at(0),
    );
    await settle(clock);
    player.begin();
    await clock.advance(3_000);
    const numbers = shown().map(({ number }) => number);
    assert.deepEqual(numbers.slice(43, 46), [43, 44, 300]);
    assert.ok(
      numbers.every((number, i) => i === 0 || number === numbers[i - 1]! + 1 || number === 300),
      `time steps back: ${numbers.join(' ')}`,
    );
    assert.equal(told.filter(({ state }) => state === 'gap').length, 1, 'it is said once');
    assert.ok(told.some(({ notice }) => notice?.includes('was cut')));
    close();
  });

  it('goes on in its own run where the clock was set back, with what was seen in that', async () => {
    // The clock was set back by 2.5 s: frames from 1000 on were captured later, at times that were recorded before.
    const { clock, shown, seen, player, close } = play(
      [
        { fromMs: BEGIN, frames: 90, seenEvery: 1, run: 1 },
        { fromMs: at(90), frames: 90, first: 90, seenEvery: 1, run: 1 },
        { fromMs: at(75) - 3, frames: 240, first: 1000, seenEvery: 1, run: 2 },
      ],
      at(30),
    );
    await settle(clock);
    await begin({ clock, player, shown });
    await clock.advance(2_500);
    const numbers = shown().map(({ number }) => number);
    assert.ok(numbers.includes(100), numbers.join(' '));
    assert.ok(
      numbers.every((number, i) => i === 0 || number === numbers[i - 1]! + 1),
      `it leaves its run: ${numbers.join(' ')}`,
    );
    await player.seek(at(200));
    await settle(clock);
    await clock.advance(1_000);
    await player.seek(at(119));
    await settle(clock);
    await clock.advance(1_000);
    assert.ok(
      shown().some(({ number }) => number > 1100),
      shown()
        .map(({ number }) => number)
        .join(' '),
    );
    assert.ok(seen.length > 120, `${seen.length}`);
    for (const { mediaTimeMs, objects } of seen) {
      const frame = shown().find((each) => each.mediaTimeMs === mediaTimeMs)!;
      assert.equal(objects[0]?.box[0], frame.number, 'the boxes are of that frame');
    }
    close();
  });

  it('plays what was recorded before the clock was set back, though it lies in the future', async () => {
    const { clock, shown, player, caughtUp, close } = play([{ fromMs: NOW + 60_000, frames: 300 }], NOW + 62_000);
    await settle(clock);
    player.begin();
    await clock.advance(2_000);
    assert.ok(shown().length > 50, `${shown().length} frames`);
    assert.equal(caughtUp(), 0);
    await player.seek(NOW + 61_000);
    await settle(clock);
    assert.equal(player.position.atMs, NOW + 61_000);
    await clock.advance(20_000);
    assert.equal(player.position.state, 'end');
    assert.equal(caughtUp(), 1);
    close();
  });

  it('steps over the border of files at every speed', async () => {
    const { clock, archive, shown, player, close } = play(
      [
        { fromMs: BEGIN, frames: 60 },
        { fromMs: at(60), frames: 60, first: 60 },
      ],
      at(58),
    );
    await settle(clock);
    player.setSpeed(4);
    for (const number of [59, 60, 61]) {
      await player.step(1);
      await settle(clock);
      assert.equal(shown().at(-1)!.number, number);
    }
    await player.step(-61);
    await settle(clock);
    assert.equal(shown().at(-1)!.number, 0);
    await player.step(0);
    assert.equal(player.position.state, 'paused');
    close();
    await settle(clock);
    assert.equal(archive.opened, 0, 'no file stays open');
  });

  it('hands over to whoever opens it again where the format changes', async () => {
    const { clock, shown, player, output, formats, close } = play(
      [
        { fromMs: BEGIN, frames: 60 },
        { fromMs: at(60), frames: 60, first: 60, widthPx: 320 },
      ],
      at(30),
    );
    await settle(clock);
    player.begin();
    await clock.advance(2_000);
    assert.equal(shown().at(-1)!.number, 59);
    assert.equal(formats(), 1);
    assert.equal(player.format.video?.widthPx, 320);
    player.attach(output);
    await settle(clock);
    await clock.advance(500);
    assert.ok(shown().at(-1)!.number > 60);
    close();
  });

  it('tells that it has caught up: with what is recorded now, and at its end', async () => {
    const growing = play([{ fromMs: NOW - 3_000, frames: 60, isOpen: true }], NOW - 3_000);
    await settle(growing.clock);
    growing.player.begin();
    growing.player.setSpeed(2);
    for (let i = 0; i < 8; i++) {
      growing.archive.grow(15);
      await growing.clock.advance(500);
    }
    assert.equal(growing.caughtUp(), 1, 'near the present');
    growing.close();

    const ended = play([{ fromMs: BEGIN, frames: 60 }], at(30));
    await settle(ended.clock);
    ended.player.begin();
    await ended.clock.advance(3_000);
    assert.equal(ended.caughtUp(), 1);
    assert.equal(ended.player.position.state, 'end');
    assert.equal(ended.shown().at(-1)!.number, 59, 'to its last frame');
    ended.close();
  });

  it('follows what is being recorded at a distance', async () => {
    const { clock, archive, shown, player, told, caughtUp, close } = play(
      [{ fromMs: NOW - 20_000, frames: 570, isOpen: true, gop: 60 }],
      NOW - 10_000,
    );
    await settle(clock);
    player.begin();
    for (let i = 0; i < 60; i++) {
      archive.grow(15);
      await clock.advance(500);
    }
    const numbers = shown().map(({ number }) => number);
    assert.ok(
      numbers.every((number, i) => i === 0 || number === numbers[i - 1]! + 1),
      'no frame twice, none missing',
    );
    assert.ok(numbers.length > 880, `${numbers.length}`);
    assert.equal(caughtUp(), 0);
    assert.ok(told.every(({ state }) => state === 'playing'));
    close();
  });

  it('refuses times that there are none of, and stays where it is', async () => {
    const { clock, player, close } = play([MINUTE], at(100));
    await settle(clock);
    await assert.rejects(player.seek(NOW + 60_000), { code: 'RECORDING_OUT_OF_RANGE' });
    await assert.rejects(player.seek(BEGIN - 1_000), { code: 'RECORDING_OUT_OF_RANGE' });
    assert.equal(player.position.atMs, at(100));
    close();
  });

  it('tells of a frame that stands what is in it, whether a detector looked at it or not', async () => {
    const { clock, player, seen, shown, close } = play([MINUTE], at(101));
    await settle(clock);
    const last = seen.at(-1)!;
    assert.deepEqual(last.objects[0]!.box.map(Math.round), objectIn(101).box);
    assert.deepEqual(last.message?.objects, last.objects);
    assert.equal(last.message.wallMs, at(101));
    // Running, only what was looked at is told of, and the objects of every frame are known.
    await begin({ clock, player, shown });
    await clock.advance(1_000);
    const running = seen.slice(seen.indexOf(last) + 1);
    assert.ok(running.length > 25);
    const told = running.filter(({ message }) => message);
    assert.ok(told.length >= running.length / 2 - 1 && told.every(({ message }) => message!.frame % 2 === 0));
    close();
  });
});
