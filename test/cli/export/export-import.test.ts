import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { FrameDetections } from '../../../src/media/index.js';
import {
  examineSegment,
  listSegments,
  openSegmentReader,
  readDetectionsLog,
  sidecarFiles,
  sourceFolder,
  type RecordedDetections,
} from '../../../src/recording/index.js';
import { writeVideo } from '../../../src/cli/export/write-video.js';
import { projectRoot } from '../../helpers/assets.js';
import {
  decodeWarnings,
  liveClip,
  openWriter,
  probePackets,
  repeated,
  UTC_MS,
  writeAll,
  type ClipFrame,
} from '../../helpers/recorded-clips.js';

let folder: string;
let recordDir: string;
/** 130 s of cam1 in three segments, with something seen ten times a second; then another size. */
const clip = liveClip();
const long = repeated(clip, 32, 4000);
const seen = Array.from({ length: 1280 }, (_, at): FrameDetections => {
  const mediaTimeMs = long.filter(({ kind }) => kind === 'video')[at * 3]!.frame.mediaTimeMs;
  const box = [at / 7, 20, 30.123_456, 40] as const;
  const objects = [{ box, classId: 2, label: 'car', score: 0.9, objectId: 1 + (at % 3), velocity: [1 / 3, 0] as const, isObserved: true }];
  return { sourceId: 'cam1', frame: at * 3, mediaTimeMs, widthPx: 320, heightPx: 180, inferenceMs: 5, objects, scene: undefined };
});

before(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'sightline-export-'));
  recordDir = path.join(folder, 'recordings');
  const { writer, failed } = openWriter(recordDir);
  let next = 0;
  for (const { kind, frame, codec } of long) {
    writer.write(kind, frame, codec);
    while (seen[next] && seen[next]!.mediaTimeMs <= frame.mediaTimeMs) writer.writeDetections(seen[next++]!);
  }
  const large = liveClip({ seconds: 2, size: '640x360', hasSound: false });
  writeAll(
    writer,
    large.map((each): ClipFrame => ({ ...each, frame: { ...each.frame, mediaTimeMs: each.frame.mediaTimeMs + 128_000 } })),
  );
  await writer.close();
  assert.deepEqual(failed, []);
});
after(() => rmSync(folder, { recursive: true, force: true }));

function run(...args: string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [path.join(projectRoot, 'dist/src/main.js'), ...args],
      { cwd: folder, timeout: 120_000 },
      (error, out, err) => resolve({ code: error ? Number(error.code) : 0, out, err }),
    );
  });
}

const inFolder = (name: string): string => path.join(folder, name);

async function recordedOf(sourceId: string): Promise<{ frames: string[]; seen: RecordedDetections[] }> {
  const [frames, all]: [string[], RecordedDetections[]] = [[], []];
  for (const file of await listSegments(sourceFolder(recordDir, sourceId))) {
    const reader = await openSegmentReader(file);
    for await (const { kind, frame, wallMs } of reader.frames(-Infinity))
      frames.push(`${kind} ${wallMs.toFixed(0)} ${createHash('sha256').update(frame.data).digest('hex')}`);
    await reader.close();
    for await (const each of readDetectionsLog(file)) all.push(each);
  }
  return { frames, seen: all };
}

/** Without a gap each. */
async function rangesOf(sourceId: string): Promise<number[][]> {
  const ranges: number[][] = [];
  for (const file of await listSegments(sourceFolder(recordDir, sourceId))) {
    const [fromMs, toMs] = await examineSegment(file).then((each) => [Math.round(each.fromMs), Math.round(each.toMs)] as const);
    const last = ranges.at(-1);
    if (last && fromMs - last[1]! <= 1000) last[1] = toMs;
    else ranges.push([fromMs, toMs]);
  }
  return ranges;
}

describe('sightline export', () => {
  it('writes all of it as MP4 and JSON Lines, a further file where the picture changes, and import brings it back', async () => {
    const { code, out, err } = await run('export', 'cam1', 'all.mp4', '--record-dir', recordDir);
    assert.deepEqual([code, err], [0, '']);
    assert.match(
      out,
      /^all\.mp4: 3840 pictures, 128\.0 s from 2026-11-30T22:05:00Z; 1280 of them with what was seen, in all\.jsonl\nall-2\.mp4: 60 pictures/,
    );
    assert.equal(decodeWarnings(inFolder('all.mp4')), '');
    assert.equal(probePackets(inFolder('all.mp4')).length, long.length);
    const lines = readFileSync(inFolder('all.jsonl'), 'utf8').trim().split('\n');
    assert.equal(lines.length, 1280);
    const line = JSON.parse(lines[100]!) as Record<string, unknown>;
    assert.deepEqual([line['video_frame'], line['video_time_s'], line['source']], [300, 10, 'cam1']);

    const imported = await run('import', 'copy/of cam1', 'all.mp4', 'all-2.mp4', '--record-dir', recordDir);
    assert.deepEqual([imported.code, imported.err], [0, '']);
    assert.match(imported.out, /^all\.mp4: 3840 pictures in 3 segments of 'copy\/of cam1'/);
    const [was, is] = [await recordedOf('cam1'), await recordedOf('copy/of cam1')];
    assert.deepEqual([...is.frames].sort(), [...was.frames].sort());
    assert.equal(is.seen.length, 1280);
    for (const [at, { detections, wallMs }] of is.seen.entries()) {
      assert.deepEqual(detections, { ...seen[at], sourceId: 'copy/of cam1' });
      assert.ok(Math.abs(wallMs - was.seen[at]!.wallMs) < 0.01);
    }
    const again = await run('import', 'copy/of cam1', 'all.mp4', '--record-dir', recordDir);
    assert.equal(again.code, 1);
    assert.match(again.err, /something is recorded of 'copy\/of cam1' from .* already/);
  });

  it('cuts at the keyframe before, and ends where it is told to', async () => {
    const times = ['--from', '2026-11-30T22:05:59Z', '--to', String(UTC_MS / 1000 + 63)];
    const { code, err } = await run('export', 'cam1', 'part.mp4', '--record-dir', recordDir, '--format', 'none', ...times);
    assert.deepEqual([code, err], [0, '']);
    const { fromMs, toMs } = await examineSegment(inFolder('part.mp4'));
    assert.deepEqual([fromMs - UTC_MS, Math.round((toMs - UTC_MS) / 100)], [58_000, 630]);
    assert.equal(decodeWarnings(inFolder('part.mp4')), '');
    assert.equal(existsSync(inFolder('part.jsonl')), false);
  });

  it('writes COCO and MOT, whose frames are those of the video', async () => {
    for (const format of ['coco', 'mot']) {
      const { code, err } = await run('export', 'cam1', `${format}.mp4`, '--record-dir', recordDir, '--format', format);
      assert.deepEqual([code, err], [0, '']);
    }
    const coco = JSON.parse(readFileSync(inFolder('coco.coco.json'), 'utf8')) as Record<string, Record<string, unknown>[]>;
    assert.deepEqual([coco['images']!.length, coco['annotations']!.length], [1280, 1280]);
    assert.deepEqual(coco['categories'], [{ id: 3, name: 'car' }]);
    const { image_id, category_id, bbox, track_id } = coco['annotations']![7]!;
    assert.deepEqual([image_id, category_id, bbox, track_id], [22, 3, [1, 20, 30.12, 40], 2]);
    assert.ok(coco['images']!.some(({ id, frame_id }) => id === 22 && frame_id === 21));
    const mot = readFileSync(inFolder('mot.mot.txt'), 'utf8').trim().split('\n');
    assert.equal(mot.length, 1280);
    assert.equal(mot[7], '22,2,2,21,30.12,40,0.9,3,-1,-1');
  });

  it('exports while the recording goes on, without the rest of what is being written', async () => {
    const { writer, folder: live } = openWriter(recordDir, { sourceId: 'live' });
    writeAll(writer, clip.slice(0, 200));
    await writer.drained();
    const { code, err, out } = await run('export', 'live', 'live.mp4', '--record-dir', recordDir);
    assert.deepEqual([code, err], [0, '']);
    assert.match(out, /live\.mp4: \d+ pictures/);
    assert.ok(probePackets(inFolder('live.mp4')).length > 100);
    await writer.close();
    assert.equal((await listSegments(live)).length, 1);
  });

  it('leaves out a segment that is damaged, and says so', async () => {
    const { writer, folder: spoilt } = openWriter(recordDir, { sourceId: 'spoilt' });
    writeAll(writer, long);
    await writer.close();
    writeFileSync((await listSegments(spoilt))[1]!, 'nothing');
    const { code, out } = await run('export', 'spoilt', 'spoilt.mp4', '--record-dir', recordDir);
    assert.equal(code, 0);
    assert.match(out, /left out: .*no segment of a recording/);
    assert.equal(probePackets(inFolder('spoilt.mp4')).filter(({ stream }) => stream === 0).length, 3840 - 1800);
  });

  it('goes on where a segment is removed meanwhile', async () => {
    const { writer, folder: leaving } = openWriter(recordDir, { sourceId: 'leaving' });
    writeAll(writer, long);
    await writer.close();
    const part = await Promise.all((await listSegments(leaving)).map(async (file) => ({ ...(await examineSegment(file)), file })));
    rmSync(part[0]!.file);
    const said: string[] = [];
    const output = { file: inFolder('leaving.mp4'), scratch: inFolder('leaving.mp4') };
    const options = { sourceId: 'leaving', fromMs: undefined, toMs: undefined };
    const { signal } = new AbortController();
    const video = await writeVideo({ part, options, output, onDamaged: (why) => void said.push(why), signal });
    assert.equal(video?.wallTimes.count, 3840 - 1800);
    assert.match(said.join(), /it is not there any more/);
    rmSync(output.file);
  });

  it('takes no frames of times that no calendar has', async () => {
    const { writer, folder: odd } = openWriter(recordDir, { sourceId: 'odd' });
    writeAll(writer, clip);
    await writer.close();
    const [file] = await listSegments(odd);
    const data = readFileSync(file!);
    let at = 0;
    for (let n = 0; n < 5; n++) at = data.indexOf('tfdt', at + 4);
    data.fill(0xff, at + 8, at + 16);
    writeFileSync(file!, data);
    assert.match(
      (await run('export', 'odd', 'odd.mp4', '--record-dir', recordDir, '--format', 'none')).out,
      /^odd\.mp4: 106 pictures, 4\.0 s/,
    );
    const imported = await run('import', 'odd too', path.relative(folder, file!), '--record-dir', recordDir);
    assert.match(imported.out, /106 pictures in 1 segments of 'odd too'/, imported.err);
  });

  it('brings gaps back as gaps', async () => {
    const { writer } = openWriter(recordDir, { sourceId: 'gaps' });
    const shifted = (byMs: number): ClipFrame[] =>
      clip.map((each) => ({ ...each, frame: { ...each.frame, mediaTimeMs: each.frame.mediaTimeMs + byMs } }));
    for (const atMs of [0, 14_000, 90_000]) {
      writeAll(writer, shifted(atMs));
      for (const { frame } of shifted(atMs).filter(({ kind }) => kind === 'video'))
        writer.writeDetections({ ...seen[0]!, mediaTimeMs: frame.mediaTimeMs });
      await writer.cut();
    }
    await writer.close();
    assert.equal((await run('export', 'gaps', 'gaps.mp4', '--record-dir', recordDir)).code, 0);
    assert.equal((await run('import', 'gaps too', 'gaps.mp4', '--record-dir', recordDir)).code, 0);
    const [was, is] = [await recordedOf('gaps'), await recordedOf('gaps too')];
    assert.deepEqual(is.frames, was.frames);
    assert.equal(is.seen.length, 360);
    assert.deepEqual(await rangesOf('gaps too'), await rangesOf('gaps'));
    assert.equal((await rangesOf('gaps')).length, 3);
  });

  it('goes through one run after the other where the clock was set back', async () => {
    for (const [run, backMs] of [
      [7, 0],
      [8, 90_000],
    ] as const) {
      const { writer } = openWriter(recordDir, {
        sourceId: 'clocks',
        placeOf: (mediaTimeMs) => ({ run, wallMs: UTC_MS + mediaTimeMs - backMs }),
      });
      writeAll(writer, long);
      await writer.close();
    }
    const { code, out } = await run('export', 'clocks', 'clocks.mp4', '--record-dir', recordDir, '--format', 'none');
    assert.equal(code, 0);
    assert.deepEqual(out.match(/^clocks.*: 3840 pictures/gm), ['clocks.mp4: 3840 pictures', 'clocks-2.mp4: 3840 pictures']);
  });

  it('gives each object of COCO and MOT a number of its own, and each label', async () => {
    const { writer } = openWriter(recordDir, { sourceId: 'models' });
    writeAll(writer, clip);
    // A detector that begins anew counts its objects anew, and another model numbers its classes otherwise.
    const look = (mediaTimeMs: number, label: string): FrameDetections => ({
      ...seen[0]!,
      mediaTimeMs,
      objects: [{ ...seen[0]!.objects[0]!, label }],
    });
    writer.writeDetections(look(0, 'car'));
    writer.writeDetections(look(1000, 'car'));
    await writer.close();
    const later = openWriter(recordDir, { sourceId: 'models', placeOf: (ms) => ({ run: 8, wallMs: UTC_MS + 4000 + ms }) });
    writeAll(later.writer, clip);
    later.writer.writeDetections(look(0, 'boat'));
    await later.writer.close();
    for (const format of ['coco', 'mot'])
      assert.equal((await run('export', 'models', `models-${format}.mp4`, '--record-dir', recordDir, '--format', format)).code, 0);
    const coco = JSON.parse(readFileSync(inFolder('models-coco.coco.json'), 'utf8')) as Record<string, Record<string, unknown>[]>;
    assert.deepEqual(
      coco['annotations']!.map((each) => [each['category_id'], each['track_id']]),
      [
        [3, 1],
        [3, 1],
        [4, 2],
      ],
    );
    assert.deepEqual(coco['categories'], [
      { id: 3, name: 'car' },
      { id: 4, name: 'boat' },
    ]);
    const mot = readFileSync(inFolder('models-mot.mot.txt'), 'utf8').trim().split('\n');
    assert.deepEqual(
      mot.map((line) => line.split(',')).map((fields) => [fields[0], fields[1], fields[7]]),
      [
        ['1', '1', '3'],
        ['31', '1', '3'],
        ['121', '2', '4'],
      ],
    );
  });

  it('says in words what cannot be done, and leaves nothing behind', async () => {
    const before = readdirSync(folder);
    for (const [args, code, words] of [
      [['export', 'cam1'], 2, /name a source and the \.mp4 file/],
      [['export', 'cam1', 'x.mkv'], 2, /is not an \.mp4 file/],
      [['export', 'cam1', 'x.mp4', '--formt', 'coco'], 2, /did you mean --format\?/],
      [['export', 'cam1', 'x.mp4', '--format', 'voc'], 2, /none of jsonl, coco, mot, none/],
      [['export', 'cam1', 'x.mp4', '--from', 'noon'], 2, /neither a time such as/],
      [['export', 'cam1', 'x.mp4', '--from', '1764540300', '--to', '1764540200'], 2, /--to must be later/],
      [['export', 'cam9', 'x.mp4', '--record-dir', recordDir], 1, /nothing is recorded of 'cam9' .*there is: cam1/],
      [['export', 'cam1', 'x.mp4', '--record-dir', inFolder('none')], 1, /there are no recordings in/],
      [
        ['export', 'cam1', 'x.mp4', '--record-dir', recordDir, '--from', '2026-12-01T00:00:00Z'],
        1,
        /nothing is recorded of 'cam1' then; there is 2026-11-30T22:05:00Z to 2026-11-30T22:07:10Z/,
      ],
      [['export', 'cam1', 'all.mp4', '--record-dir', recordDir], 1, /all\.mp4 is there already; --overwrite replaces it/],
      [['import', 'all.mp4'], 2, /name a source and the \.mp4 files/],
      [['import', 'all.mp4', 'all.mp4'], 2, /expected to be a source/],
      [['import', 'new', 'gone.mp4', '--record-dir', recordDir], 1, /gone\.mp4 cannot be played: it is not there/],
      [
        ['import', 'new', path.join(projectRoot, 'upload/demo.mp4'), '--record-dir', recordDir],
        1,
        /no segment of a recording|nothing in it is whole/,
      ],
      [['import', 'new', 'all.mp4', '--detections', 'gone.jsonl', '--record-dir', recordDir], 1, /gone\.jsonl cannot be read/],
    ] as const) {
      const ended = await run(...args);
      assert.deepEqual([ended.code, ended.out], [code, ''], `${args.join(' ')}: ${ended.err}`);
      assert.match(ended.err, words);
    }
    assert.deepEqual(readdirSync(folder), before);
    const made = sourceFolder(recordDir, 'new');
    assert.deepEqual(existsSync(made) ? await listSegments(made) : [], []);
  });

  it('imports a video without what was seen, and lines that are none are counted', async () => {
    copyFileSync(inFolder('all-2.mp4'), inFolder('alone.mp4'));
    const alone = await run('import', 'alone', 'alone.mp4', '--record-dir', recordDir);
    assert.match(alone.out, /60 pictures in 1 segments of 'alone'.*; 0 with what was seen\n$/);
    writeFileSync(inFolder('alone.jsonl'), 'x\n{}\n');
    const spoilt = await run('import', 'alone2', 'alone.mp4', '--record-dir', recordDir);
    assert.match(spoilt.out, /2 lines of alone\.jsonl are none that export writes/);
    const whole = readFileSync(inFolder('alone.mp4'));
    writeFileSync(inFolder('torn.mp4'), whole.subarray(0, whole.length - 1000));
    writeFileSync(inFolder('torn.jsonl'), 'x'.repeat(6 << 20));
    const torn = await run('import', 'torn', 'torn.mp4', '--record-dir', recordDir);
    assert.match(torn.out, /1 lines of torn\.jsonl are none that export writes; the file is torn: \d+ bytes at its end cannot be read/);
    const [file] = await listSegments(sourceFolder(recordDir, 'alone2'));
    assert.equal(existsSync(sidecarFiles(file!).finished), false);
  });
});
