import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { FrameDetections, TrackedObject } from '../../src/media/index.js';
import { mendSegment, readDetectionsLog, sidecarFiles, type RecordedDetections } from '../../src/recording/index.js';
import { eventually } from '../helpers/deadline.js';
import { seededRandom } from '../helpers/random.js';
import { liveClip, openWriter, repeated, UTC_MS, writeAll } from '../helpers/recorded-clips.js';

const clip = liveClip();
let folder: string;
before(() => (folder = mkdtempSync(path.join(tmpdir(), 'sightline-seen-'))));
after(() => rmSync(folder, { recursive: true, force: true }));

const random = seededRandom(5);
function objectOf(objectId: number): TrackedObject {
  const isCar = objectId % 2 === 0;
  return {
    box: [random() * 320, random() * 180, random() * 50, random() * 40],
    classId: isCar ? 2 : 0,
    label: isCar ? 'car' : 'person',
    score: Math.fround(random()),
    objectId,
    velocity: [random() * 10 - 5, random() * 10 - 5],
    isObserved: random() > 0.3,
  };
}

function seenAt(mediaTimeMs: number, hasScene = true): FrameDetections {
  const objects = [objectOf(1), objectOf(2), objectOf(3)];
  return {
    ...{
      sourceId: 'cam1',
      frame: Math.round(mediaTimeMs / 33.3),
      mediaTimeMs,
      widthPx: 320,
      heightPx: 180,
      inferenceMs: random() * 20,
      objects,
    },
    scene: hasScene
      ? {
          zones: [{ id: 'dock', objectIds: [1, 2], byLabel: { car: 1, person: 1 } }],
          lines: [{ id: 'gate', in: 3, out: 1, inByLabel: { car: 3 }, outByLabel: { person: 1 } }],
          events: [
            {
              type: 'leave',
              id: 'dock',
              objectId: 3,
              label: 'person',
              classId: 0,
              score: 0.1 + 0.2,
              position: [1 / 3, 2 / 3],
              dwellMs: 1234.567,
            },
            { type: 'cross', id: 'gate', direction: 'in', objectId: 2, label: 'car', classId: 2, score: 0.5, position: [10, 20] },
          ],
        }
      : undefined,
  };
}

async function readAll(file: string): Promise<RecordedDetections[]> {
  const read: RecordedDetections[] = [];
  for await (const each of readDetectionsLog(file)) read.push(each);
  return read;
}

describe('detections beside a segment', () => {
  it('come back exactly, with the scene, whether the segment is being written or finished', async () => {
    const { writer, begun, finished, clock } = openWriter(path.join(folder, 'exact'));
    const seen = clip.filter(({ kind }) => kind === 'video').map(({ frame }, at) => seenAt(frame.mediaTimeMs, at % 2 === 0));
    writeAll(writer, clip.slice(0, 150));
    for (const each of seen.slice(0, 40)) writer.writeDetections(each);
    await clock.advance(700);
    await eventually(() => begun.length === 1, 2000, 'the first fragment');
    const { file } = begun[0]!;
    await eventually(async () => (await readAll(file)).length === 40, 2000, 'what was seen so far');
    writeAll(writer, clip.slice(150));
    for (const each of seen.slice(40)) writer.writeDetections(each);
    await writer.close();
    const read = await readAll(finished[0]!.file);
    assert.deepEqual(
      read.map(({ detections }) => detections),
      seen,
    );
    assert.deepEqual(
      read.map(({ wallMs }) => wallMs),
      seen.map(({ mediaTimeMs }) => UTC_MS + mediaTimeMs),
    );
    const later: RecordedDetections[] = [];
    for await (const each of readDetectionsLog(file, UTC_MS + 2_000)) later.push(each);
    assert.deepEqual(
      later,
      read.filter(({ wallMs }) => wallMs >= UTC_MS + 2_000),
      'from a time on',
    );
    const { open, finished: compressed } = sidecarFiles(file);
    assert.deepEqual([existsSync(open), existsSync(compressed)], [false, true]);
  });

  it('lie beside the segment of their frame, also when they come after its end', async () => {
    const { writer, finished, clock } = openWriter(path.join(folder, 'late'));
    const long = repeated(clip, 16, 4000);
    writeAll(writer, long);
    for (const mediaTimeMs of [59_966, 60_000, 30_000, 61_000]) writer.writeDetections(seenAt(mediaTimeMs));
    await eventually(() => finished.length === 0 || finished.length === 1, 1000, 'the first segment');
    await clock.advance(1000);
    writer.writeDetections(seenAt(59_000));
    await clock.advance(10_000);
    // Nobody waits any longer for what was seen so long ago.
    writer.writeDetections(seenAt(58_000));
    await writer.close();
    const times = async (at: number): Promise<number[]> =>
      (await readAll(finished[at]!.file)).map(({ detections }) => detections.mediaTimeMs);
    assert.deepEqual(await times(0), [59_966, 30_000, 59_000]);
    assert.deepEqual(await times(1), [60_000, 61_000]);
    assert.equal(clock.pendingTimers, 0);
  });

  it('are read up to where a file is torn, and without lines that are none', async () => {
    const { writer, finished } = openWriter(path.join(folder, 'torn'));
    writeAll(writer, clip);
    for (let i = 0; i < 100; i++) writer.writeDetections(seenAt(i * 33));
    await writer.close();
    const { file } = finished[0]!;
    const { open, finished: compressed } = sidecarFiles(file);
    const whole = await readAll(file);
    truncateSync(compressed, Math.floor(statSync(compressed).size / 2));
    const torn = await readAll(file);
    assert.ok(torn.length > 0 && torn.length < 100, `${torn.length} lines`);
    assert.deepEqual(torn, whole.slice(0, torn.length));
    rmSync(compressed);
    assert.deepEqual(await readAll(file), []);
    const lines = ['{"wall_time_ms":5', 'null', '[]', '{"wall_time_ms":"x"}', '\u0000\u0001', '{"wall_time_ms":1,"source":"a","frame":1}'];
    const good = `{"wall_time_ms":1,"source":"a","frame":1,"media_time_ms":2,"width":3,"height":4,"inference_ms":5,"objects":[]}`;
    writeFileSync(open, [...lines, good, good.slice(0, 50)].join('\n'));
    assert.deepEqual(await readAll(file), [
      {
        wallMs: 1,
        detections: { sourceId: 'a', frame: 1, mediaTimeMs: 2, widthPx: 3, heightPx: 4, inferenceMs: 5, objects: [], scene: undefined },
      },
    ]);
  });

  it('are compressed when a segment is made whole that nobody finished', async () => {
    const { writer, begun, clock } = openWriter(path.join(folder, 'mended'));
    writeAll(writer, clip);
    for (let i = 0; i < 100; i++) writer.writeDetections(seenAt(i * 33));
    await clock.advance(700);
    await eventually(() => begun.length === 1, 2000, 'the first fragment');
    const { file } = begun[0]!;
    await eventually(async () => (await readAll(file)).length === 100, 2000, 'the lines');
    await mendSegment(file);
    assert.equal((await readAll(file)).length, 100);
    assert.equal(existsSync(sidecarFiles(file).open), false);
    await writer.close();
  });

  it('are small beside the picture', async () => {
    const { writer, finished } = openWriter(path.join(folder, 'small'));
    const hd = liveClip({ size: '1280x720', hasSound: false });
    writeAll(writer, repeated(hd, 5, 4000));
    // Twice the rate that detectors are run at, four objects each time.
    for (let i = 0; i < 600; i++) writer.writeDetections(seenAt((i * 1000) / 30, false));
    await writer.close();
    const { file } = finished[0]!;
    const [video, seen] = [statSync(file).size, statSync(sidecarFiles(file).finished).size];
    assert.ok(seen < video / 10, `${seen} bytes beside ${video}`);
  });
});
