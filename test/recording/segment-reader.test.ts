import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { examineSegment, mendSegment, openSegmentReader, type RecordedFrame, type SegmentReader } from '../../src/recording/index.js';
import { eventually } from '../helpers/deadline.js';
import { makeFile } from '../helpers/file-feed.js';
import { decodeWarnings, liveClip, openWriter, probePackets, UTC_MS, writeAll } from '../helpers/recorded-clips.js';

const clip = liveClip({ seconds: 6 });
let folder: string;
/** Finished, 6 s, keyframes at 0, 2 and 4 s. */
let segment: string;

before(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'sightline-reader-'));
  const { writer, finished } = openWriter(folder);
  writeAll(writer, clip);
  await writer.close();
  segment = finished[0]!.file;
});
after(() => rmSync(folder, { recursive: true, force: true }));

let copies = 0;
function copy(bytes?: number): string {
  const file = path.join(folder, `${copies++}.mp4`);
  copyFileSync(segment, file);
  if (bytes !== undefined) truncateSync(file, bytes);
  return file;
}

async function collect(reader: SegmentReader, fromMs: number, signal?: AbortSignal): Promise<RecordedFrame[]> {
  const frames: RecordedFrame[] = [];
  for await (const frame of reader.frames(fromMs, signal)) frames.push(frame);
  return frames;
}

describe('openSegmentReader', () => {
  it('begins with the last keyframe at or before a time, sound from there too', async () => {
    const reader = await openSegmentReader(segment);
    for (const [fromMs, beginMs] of [
      [-5000, 0],
      [0, 0],
      [1999, 0],
      [2000, 2000],
      [3700, 2000],
      [99_000, 4000],
    ] as const) {
      const frames = await collect(reader, UTC_MS + fromMs);
      const first = frames[0]!;
      assert.deepEqual([first.kind, first.frame.keyframe, Math.round(first.wallMs - UTC_MS)], ['video', true, beginMs]);
      assert.ok(frames.every(({ wallMs }) => wallMs - UTC_MS > beginMs - 1));
      const expected = clip.filter(({ frame }) => frame.mediaTimeMs > beginMs - 0.5);
      assert.equal(frames.length, expected.length);
    }
    assert.deepEqual(
      (await reader.groups()).map(({ atMs }) => Math.round(atMs - UTC_MS)),
      [0, 2000, 4000],
    );
    await reader.close();
  });

  it('tells where each keyframe stands, and how large it is', async () => {
    const { groups } = await examineSegment(segment);
    for (const { offset, bytes, atMs } of groups) {
      assert.equal(readFileSync(segment).toString('latin1', offset + 4, offset + 8), 'prft');
      const keyframe = clip.find(({ kind, frame }) => kind === 'video' && Math.abs(frame.mediaTimeMs - (atMs - UTC_MS)) < 1)!;
      assert.equal(bytes, keyframe.frame.data.length);
    }
  });

  it('reads a segment that grows, up to what is whole', async () => {
    const { writer, begun, groups } = openWriter(path.join(folder, 'growing'));
    writeAll(writer, clip.slice(0, 100));
    await eventually(() => begun.length === 1, 2000, 'the first fragment');
    const reader = await openSegmentReader(begun[0]!.file);
    const before = await collect(reader, UTC_MS);
    assert.ok(before.length > 20 && before.length < 100, `${before.length} frames`);
    writeAll(writer, clip.slice(100));
    await eventually(() => groups.length === 3, 2000, 'the third keyframe');
    assert.equal((await reader.groups()).length, 3);
    assert.ok((await collect(reader, UTC_MS + 4100)).length > 0);
    await writer.close();
    assert.equal((await collect(reader, UTC_MS)).length, clip.length);
    await reader.close();
  });

  it('stops when it is told to', async () => {
    const reader = await openSegmentReader(segment);
    const stop = new AbortController();
    const got: RecordedFrame[] = [];
    for await (const frame of reader.frames(UTC_MS, stop.signal)) if (got.push(frame) === 5) stop.abort();
    assert.equal(got.length, 5);
    await reader.close();
  });

  it('says in words why a file cannot be played', async () => {
    const text = path.join(folder, 'text.mp4');
    writeFileSync(text, 'no video at all\n'.repeat(100));
    const foreign = makeFile(path.join(folder, 'foreign.mp4'), '-f', 'lavfi', '-i', 'testsrc2=duration=1', '-c:v', 'libx264');
    for (const [file, words] of [
      [path.join(folder, 'gone.mp4'), /it is not there any more/],
      [copy(0), /it is empty/],
      [copy(900), /beginning is damaged/],
      [copy(1300), /nothing in it is whole/],
      [text, /no segment of a recording/],
      [foreign, /nothing in it is whole|no segment/],
      [folder, /EISDIR/],
    ] as const) {
      await assert.rejects(openSegmentReader(file), (error: { code?: string; message?: string }) => {
        assert.equal(error.code, 'RECORDING_DAMAGED');
        assert.match(error.message ?? '', words);
        return true;
      });
    }
  });

  it('notices a file that was swapped for another', async () => {
    const { writer, finished } = openWriter(path.join(folder, 'other'), { sourceId: 'cam2' });
    writeAll(writer, clip.slice(0, 50));
    await writer.close();
    const expected = { sourceId: 'cam1', fromMs: UTC_MS };
    await assert.rejects(openSegmentReader(finished[0]!.file, expected), /it holds 'cam2' from 2026-11-30T22:05:00.123Z, not 'cam1'/);
    await assert.rejects(openSegmentReader(segment, { ...expected, fromMs: UTC_MS + 60_000 }), /replaced by another recording/);
    await (await openSegmentReader(segment, expected)).close();
  });

  it('passes over what is damaged in the middle, and loses no more than that', async () => {
    const file = copy();
    const { groups } = await examineSegment(file);
    const data = readFileSync(file);
    data.fill(0xff, groups[1]!.offset, groups[1]!.offset + 200);
    writeFileSync(file, data);
    const reader = await openSegmentReader(file);
    const frames = await collect(reader, UTC_MS);
    assert.ok(frames.length > clip.length - 60 && frames.length < clip.length, `${frames.length} of ${clip.length}`);
    assert.equal((await reader.groups()).length, 2);
    await reader.close();
    const mended = await mendSegment(file);
    assert.equal(mended?.bytes, data.length);
  });
});

describe('mendSegment', () => {
  it('cuts at the last whole fragment wherever a file is torn, and tells its length', async () => {
    const size = statSync(segment).size;
    const whole = await examineSegment(segment);
    const random = [0.11, 0.31, 0.5, 0.52, 0.777, 0.9, 0.999];
    for (const part of random) {
      const torn = copy(Math.floor(size * part));
      const mended = await mendSegment(torn);
      assert.ok(mended);
      assert.equal(statSync(torn).size, mended.bytes);
      assert.ok(mended.bytes <= size * part && mended.bytes > size * part - 60_000);
      assert.deepEqual([mended.fromMs, mended.sourceId, mended.run], [whole.fromMs, 'cam1', 7]);
      assert.equal(decodeWarnings(torn), '');
      const packets = probePackets(torn);
      const ends = packets.filter(({ stream }) => stream === 0).map(({ timeS, durationS }) => timeS + durationS);
      assert.ok(Math.abs(Math.max(...ends) * 1000 - (mended.toMs - mended.fromMs)) < 40, String(mended.toMs - mended.fromMs));
    }
  });

  it('changes nothing in a segment that is whole', async () => {
    const file = copy();
    const mended = await mendSegment(file);
    assert.ok(readFileSync(file).equals(readFileSync(segment)));
    assert.equal(mended?.groups.length, 3);
  });

  it('removes what nothing whole is in', async () => {
    for (const bytes of [0, 20, 900, 1300, 5000]) {
      const file = copy(bytes);
      assert.equal(await mendSegment(file), undefined);
      assert.equal(existsSync(file), false);
    }
  });

  it('leaves alone what has whole fragments behind a damaged beginning', async () => {
    const file = copy();
    const data = readFileSync(file);
    data.writeUInt32BE(0xffff, data.indexOf('moov') - 4);
    writeFileSync(file, data);
    await assert.rejects(mendSegment(file), { code: 'RECORDING_DAMAGED' });
    assert.ok(readFileSync(file).equals(data));
  });

  it('leaves alone what is none of ours', async () => {
    const file = path.join(folder, 'letter.mp4');
    writeFileSync(file, 'dear friend');
    await assert.rejects(mendSegment(file), /no segment of a recording/);
    assert.ok(existsSync(file));
  });

  it('takes a tail of zeros, which a failure of power leaves, for what it is', async () => {
    const file = copy();
    writeFileSync(file, Buffer.concat([readFileSync(file), Buffer.alloc(100_000)]));
    assert.equal((await mendSegment(file))?.bytes, statSync(segment).size);
    assert.equal(decodeWarnings(file), '');
  });
});
