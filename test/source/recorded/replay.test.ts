/** Ten thousand frames of real files: whatever is done meanwhile, what is told of a frame is what was seen in that very frame. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { silentLogger } from '../../../src/base/logger.js';
import { ResourceLedger } from '../../../src/base/resources.js';
import { Timeline, type EncodedFrame } from '../../../src/media/index.js';
import { Archive } from '../../../src/recording/archive.js';
import { openCheckedReader } from '../../../src/recording/checked-reader.js';
import { mendSegment, readDetectionsLog } from '../../../src/recording/index.js';
import { Keeps } from '../../../src/recording/keeps.js';
import { readSourceId, sourceFolder } from '../../../src/recording/layout.js';
import { Rebuild } from '../../../src/recording/rebuild.js';
import { Player } from '../../../src/source/recorded/player.js';
import { PlaybackStamps } from '../../../src/source/recorded/stamps.js';
import type { FrameUse, SeenFrame } from '../../../src/source/source.js';
import { EventStore } from '../../../src/store/index.js';
import { FakeClock } from '../../helpers/fake-clock.js';
import { numberOfBox } from '../../helpers/frame-number-model.js';
import { makeNumberedClip } from '../../helpers/numbered-clip.js';
import { seededRandom } from '../../helpers/random.js';
import { framesOfClip, makeRecording } from '../../helpers/recording.js';

const NOW = 1_700_000_000_000;
const FROM = NOW - 3_600_000;
const FPS = 30;
const CLIP_S = 20;
/** Of the first run, at 30 a second, with a gap; the second one lies over its end. */
const COUNT = 5_400;
const GAP = [2_400, 2_700] as const;
const SECOND_FROM = FROM + 170_000 + 11;
const SECOND_COUNT = 1_200;
const SEEKS = 60;
const PATIENCE_MS = 60_000;

interface Delivered {
  /** What the frame may be: few are coded alike. */
  readonly numbers: readonly number[];
  readonly mediaTimeMs: number;
  readonly isShown: boolean;
}

/** Tells a frame by its slice: what stands before that may have been put there. */
function sliceOf({ data }: EncodedFrame): string {
  let at = 0;
  for (let next = 4 + data.readUInt32BE(0); next < data.length; next += 4 + data.readUInt32BE(next)) at = next;
  return data.toString('latin1', at);
}

describe('a recording that is played', { timeout: 120_000 }, () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-replay-'));
  const clock = new FakeClock(NOW);
  const numbers = new Map<string, number[]>();
  let store: EventStore;
  let archive: Archive;

  before(async () => {
    const clip = path.join(folder, 'clip.mp4');
    await makeNumberedClip(clip, { widthPx: 320, seconds: CLIP_S, keyframeS: 2 });
    const frames = await framesOfClip(clip);
    for (const [number, frame] of frames.entries()) numbers.set(sliceOf(frame), [...(numbers.get(sliceOf(frame)) ?? []), number]);
    assert.ok(numbers.size > 0.95 * CLIP_S * FPS, 'nearly every frame is told from all others');
    const recordDir = path.join(folder, 'recordings');
    mkdirSync(recordDir);
    await makeRecording({ recordDir, sourceId: 'gate', frames, fromMs: FROM, count: COUNT, gaps: [GAP], cuts: [600, 660, 4_200] });
    await makeRecording({ recordDir, sourceId: 'gate', frames, fromMs: SECOND_FROM, count: SECOND_COUNT, run: 2 });
    const retention = { maxAgeMs: Infinity, maxBytes: Infinity };
    const ledger = new ResourceLedger();
    store = await EventStore.open({ stateDir: path.join(folder, 'state'), isChosen: true, retention, clock, logger: silentLogger, ledger });
    const index = store.recordings;
    archive = await Archive.open({
      index,
      folder: recordDir,
      clock,
      logger: silentLogger,
      openReader: (segment) => openCheckedReader(segment, () => assert.fail('each file is as the index has it')),
      readDetections: ({ file }, fromMs) => readDetectionsLog(file, fromMs),
    });
    const keeps = new Keeps({ index, folderOf: (sourceId) => sourceFolder(recordDir, sourceId), logger: silentLogger });
    const looking = { archive, index, keeps, folder: recordDir, sourceOf: readSourceId, mend: mendSegment, clock, logger: silentLogger };
    await new Rebuild(looking).lookAround(Date.now() + 60_000);
  });

  after(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function open(atMs: number) {
    const group = await archive.groupBefore('gate', atMs);
    assert.ok(group);
    const player = new Player({ archive, sourceId: 'gate', clock, logger: silentLogger, atMs, group });
    const delivered: Delivered[] = [];
    const seen: SeenFrame[] = [];
    let gaps = 0;
    player.onChange(({ state }) => (gaps += state === 'gap' ? 1 : 0));
    const output = {
      sink: {
        encodedVideo: (frame: EncodedFrame, { isShown = true }: FrameUse = {}) =>
          void delivered.push({ numbers: numbers.get(sliceOf(frame)) ?? [], mediaTimeMs: frame.mediaTimeMs, isShown }),
        picture: () => undefined,
        audio: () => undefined,
        seen: (frame: SeenFrame) => void seen.push(frame),
      },
      stamps: new PlaybackStamps(clock, new Timeline()),
      isSeenWanted: () => true,
      onFormat: () => assert.fail('the format does not change'),
    };
    player.attach(output);
    player.begin();
    return { player, delivered, seen, gaps: () => gaps, close: () => player.detach(output) };
  }

  type Playing = Awaited<ReturnType<typeof open>>;

  /** Until so many more frames came, or it ends. Files are read in real time, however fast the clock goes. */
  async function playOn({ player, delivered }: Playing, frames: number): Promise<void> {
    const untilMs = performance.now() + PATIENCE_MS;
    const count = delivered.length + frames;
    while (delivered.length < count && player.position.state !== 'end') {
      await clock.advance(15);
      assert.ok(performance.now() < untilMs, `${delivered.length} frames came, of ${count}`);
    }
  }

  async function passing(promise: Promise<void>): Promise<void> {
    let isOver = false;
    const untilMs = performance.now() + PATIENCE_MS;
    const over = promise.finally(() => (isOver = true));
    while (!isOver) {
      await clock.advance(5);
      assert.ok(performance.now() < untilMs, 'a step takes too long');
    }
    await over;
  }

  /** How many frames were judged; each error is a failure. */
  function judge({ delivered, seen }: Playing): number {
    const told = new Map(seen.map((each) => [each.mediaTimeMs, each]));
    for (const [i, { numbers: own, mediaTimeMs, isShown }] of delivered.entries()) {
      const objects = told.get(mediaTimeMs)?.objects;
      assert.equal(
        objects !== undefined,
        isShown,
        `frame ${own.join()} at ${mediaTimeMs}: those that are shown are told of, and no others`,
      );
      if (!objects) continue;
      assert.equal(objects.length, 1);
      const number = numberOfBox(objects[0]!.box, 640);
      assert.ok(own.includes(number ?? NaN), `the box says ${number}, and the frame is ${own.join()}`);
      // A client takes what is within a millisecond for the same frame.
      for (const near of [delivered[i - 1], delivered[i + 1]])
        assert.ok(!near || Math.abs(near.mediaTimeMs - mediaTimeMs) > 1, `${near?.numbers.join()} and ${number} cannot be told apart`);
    }
    return delivered.filter(({ isShown }) => isShown).length;
  }

  it('has its boxes on their frames through seeks, speeds, steps, gaps, borders of files and clocks that were set back: error 0', async () => {
    let judged = 0;
    for (const speed of [1, 2]) {
      const whole = await open(FROM);
      whole.player.setSpeed(speed);
      await playOn(whole, Infinity);
      assert.equal(whole.gaps(), 1);
      judged += judge(whole);
      whole.close();
    }
    const random = seededRandom(14);
    const jumping = await open(FROM + 1_000);
    for (let i = 0; i < SEEKS; i++) {
      const { player } = jumping;
      player.setSpeed([0.25, 0.5, 1, 1.5, 2, 4, 8][Math.floor(random() * 7)]!);
      player.resume();
      await player.seek(FROM + random() * 205_000);
      // Some are left before they have arrived.
      await playOn(jumping, Math.floor(random() * 120));
      if (i % 3 === 0) await passing(player.step(Math.floor(random() * 40) - 20));
    }
    judged += judge(jumping);
    jumping.close();
    assert.ok(judged >= 10_000, `${judged} frames`);
  });
});
