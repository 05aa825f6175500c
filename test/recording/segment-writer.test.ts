import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readBoxHeader } from '../../src/media/fmp4/boxes.js';
import { listSegments, openSegmentReader, readSourceId, type RecordedFrame } from '../../src/recording/index.js';
import { eventually } from '../helpers/deadline.js';
import { encodedClip } from '../helpers/publisher.js';
import {
  decodeWarnings,
  liveClip,
  nameOf,
  openWriter,
  probePackets,
  repeated,
  UTC_MS,
  writeAll,
  type ClipFrame,
} from '../helpers/recorded-clips.js';

let recordDir: string;
before(() => (recordDir = mkdtempSync(path.join(tmpdir(), 'sightline-segments-'))));
after(() => rmSync(recordDir, { recursive: true, force: true }));

let count = 0;
const newFolder = (): string => path.join(recordDir, String(count++));
const clip = liveClip();
const timesOf = (frames: readonly ClipFrame[], kind: string): number[] =>
  frames.filter((each) => each.kind === kind).map(({ frame }) => frame.mediaTimeMs);

async function readAll(file: string, fromMs = -Infinity): Promise<RecordedFrame[]> {
  const reader = await openSegmentReader(file);
  try {
    const frames: RecordedFrame[] = [];
    for await (const frame of reader.frames(fromMs)) frames.push(frame);
    return frames;
  } finally {
    await reader.close();
  }
}

describe('SegmentWriter', () => {
  it('writes what other players read without a word, and every frame comes back as it was', async () => {
    const { writer, begun, finished, failed, groups } = openWriter(newFolder());
    writeAll(writer, clip);
    await writer.close();
    assert.deepEqual(failed, []);
    assert.equal(begun.length, 1);
    const [segment] = finished;
    assert.ok(segment);
    assert.equal(nameOf(segment.file), '2026-11-30/22-05-00.123Z.mp4');
    assert.equal(decodeWarnings(segment.file), '');
    const packets = probePackets(segment.file);
    assert.equal(packets.filter(({ stream }) => stream === 0).length, 120);
    assert.equal(packets.filter(({ stream }) => stream === 1).length, timesOf(clip, 'audio').length);
    assert.equal(segment.bytes, statSync(segment.file).size);
    assert.deepEqual([segment.fromMs, segment.isOpen, segment.run], [UTC_MS, false, 7]);
    assert.equal(segment.format.video?.codecs.slice(0, 7), 'avc1.64');
    assert.deepEqual(
      groups.map(({ atMs }) => atMs - UTC_MS),
      [0, 2000],
    );
    const read = await readAll(segment.file);
    for (const kind of ['video', 'audio'] as const) {
      const [was, is] = [clip.filter((each) => each.kind === kind), read.filter((each) => each.kind === kind)];
      assert.equal(is.length, was.length);
      for (const [at, { frame, wallMs }] of is.entries()) {
        const expected = was[at]!.frame;
        assert.ok(frame.data.equals(expected.data), `${kind} frame ${at}`);
        assert.equal(frame.keyframe, expected.keyframe);
        assert.ok(Math.abs(frame.mediaTimeMs - expected.mediaTimeMs) < 0.02, `${frame.mediaTimeMs} is not ${expected.mediaTimeMs}`);
        assert.ok(Math.abs(wallMs - UTC_MS - expected.mediaTimeMs) < 0.02);
      }
    }
  });

  it('begins a fragment with any frame, none longer than half a second, and tells the length at the end', async () => {
    const { writer, finished } = openWriter(newFolder());
    writeAll(writer, liveClip({ seconds: 6, gopSeconds: 6 }));
    await writer.close();
    const file = readFileSync(finished[0]!.file);
    const types: string[] = [];
    for (let at = 0; at < file.length;) {
      const header = readBoxHeader(file, at)!;
      types.push(header.type);
      at += header.bytes;
    }
    assert.deepEqual(types.slice(0, 3), ['ftyp', 'moov', 'uuid']);
    const fragments = types.filter((type) => type === 'moof').length;
    assert.ok(fragments >= 12 && fragments <= 14, `${fragments} fragments`);
    assert.ok(Math.abs(finished[0]!.toMs - UTC_MS - 6000) < 30, String(finished[0]!.toMs - UTC_MS));
  });

  it('begins a segment at the first keyframe after a minute, without losing sound that comes late', async () => {
    const { writer, finished, failed } = openWriter(newFolder());
    const long = repeated(clip, 31, 4000);
    // Sound comes 150 ms later than the picture it belongs to.
    const byArrival = [...long].sort((a, b) => arrivalOf(a) - arrivalOf(b));
    writeAll(writer, byArrival);
    await writer.close();
    assert.deepEqual(failed, []);
    assert.deepEqual(
      finished.map(({ fromMs }) => fromMs - UTC_MS),
      [0, 60_000, 120_000],
    );
    const read = (await Promise.all(finished.map(({ file }) => readAll(file)))).flat();
    const wallTimes = (kind: string): number[] =>
      read.filter((each) => each.kind === kind).map(({ wallMs }) => Math.round(wallMs - UTC_MS));
    assert.deepEqual(wallTimes('video'), timesOf(long, 'video').map(Math.round));
    assert.deepEqual(wallTimes('audio'), timesOf(long, 'audio').map(Math.round));
    for (const { file } of finished) assert.equal(decodeWarnings(file), '');
  });

  it('begins a segment where size or codec change', async () => {
    const { writer, finished } = openWriter(newFolder());
    const large = liveClip({ seconds: 2, size: '640x360', hasSound: false });
    const vp8 = encodedClip({ codec: 'vp8', seconds: 2 });
    const at = (ms: number, frames: readonly ClipFrame[]): ClipFrame[] =>
      frames.map((each) => ({ ...each, frame: { ...each.frame, mediaTimeMs: each.frame.mediaTimeMs + ms } }));
    writeAll(writer, clip);
    writeAll(writer, at(4000, large));
    writeAll(
      writer,
      at(
        6000,
        vp8.map((frame) => ({ kind: 'video', codec: 'vp8', frame })),
      ),
    );
    await writer.close();
    assert.deepEqual(
      finished.map(({ format: { video } }) => [video?.codec, video?.widthPx, video?.heightPx]),
      [
        ['h264', 320, 180],
        ['h264', 640, 360],
        ['vp8', 320, 180],
      ],
    );
    for (const { file } of finished) {
      assert.equal(decodeWarnings(file), '');
      assert.ok(probePackets(file).length > 0);
    }
  });

  it('writes what waits when nothing follows, so that little is lost', async () => {
    const { writer, clock, begun } = openWriter(newFolder());
    writeAll(writer, clip.slice(0, 10));
    await clock.advance(650);
    await eventually(() => begun.length === 1, 2000, 'the first fragment');
    assert.equal((await readAll(begun[0]!.file)).length, 10);
    await writer.close();
    assert.equal(clock.pendingTimers, 0);
  });

  it('drops frames before the first keyframe and such as step back, and counts them', async () => {
    const { writer, finished } = openWriter(newFolder());
    const video = clip.filter(({ kind }) => kind === 'video');
    writeAll(writer, video.slice(1, 4));
    writeAll(writer, video.slice(60, 70));
    writeAll(writer, video.slice(61, 62));
    writer.write('video', { data: Buffer.from([0, 0, 0, 9, 1]), keyframe: false, mediaTimeMs: 9000 }, 'h264');
    await writer.close();
    assert.equal(writer.dropped, 5);
    assert.equal(finished[0]?.fromMs, UTC_MS + 2000);
    assert.equal(probePackets(finished[0].file).length, 10);
  });

  it('ends a segment with what is whole when the disk is full, says so, and goes on when there is room', async () => {
    let room = 60_000;
    const { writer, clock, finished, failed } = openWriter(newFolder(), {
      openFile: async (file, flags, mode) => {
        const handle = await open(file, flags, mode);
        const write: typeof handle.write = (async (data: Buffer, at: number, bytes: number, position: number) => {
          const fits = Math.min(bytes, room);
          if (fits === 0) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
          room -= fits;
          return handle.write(data, at, fits, position);
        }) as never;
        return { write, truncate: (bytes) => handle.truncate(bytes), datasync: () => handle.datasync(), close: () => handle.close() };
      },
    });
    writeAll(writer, clip);
    await eventually(() => failed.length > 0, 5000, 'a failure');
    assert.equal(failed[0]?.code, 'ENOSPC');
    const { segment } = failed[0];
    assert.ok(segment && !segment.isOpen);
    await writer.cut();
    assert.equal(segment.bytes, statSync(segment.file).size);
    assert.equal(decodeWarnings(segment.file), '');
    assert.ok(probePackets(segment.file).length >= 15);
    room = Infinity;
    const later = repeated(clip, 2, 4000).map((each) => ({
      ...each,
      frame: { ...each.frame, mediaTimeMs: each.frame.mediaTimeMs + 20_000 },
    }));
    writeAll(writer, later.slice(0, 100));
    assert.equal(finished.length, 0);
    await clock.advance(10_000);
    writeAll(writer, later.slice(100));
    await writer.close();
    assert.equal(failed.length, 1);
    assert.equal(finished.length, 1);
  });

  it('holds a bounded part of what a disk that hangs does not take, says so, and begins nothing until it does', async () => {
    let opened = 0;
    let answer = (): void => undefined;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    const { writer, clock, begun, failed } = openWriter(newFolder(), {
      openFile: async (...file) => {
        opened++;
        await answered;
        return open(...file);
      },
    });
    const sei = Buffer.alloc(4 + (1 << 20), 1);
    sei.writeUInt32BE(1 << 20);
    sei[4] = 0x06;
    const large = liveClip()
      .filter(({ kind }) => kind === 'video')
      .map((each) => ({ ...each, frame: { ...each.frame, data: Buffer.concat([each.frame.data, sei]) } }));
    writeAll(writer, large.slice(0, 20));
    await eventually(() => opened > 0, 5000, 'the first write');
    writeAll(writer, large.slice(20, 60));
    assert.deepEqual(
      failed.map(({ code, segment }) => [code, segment]),
      [['EBUSY', undefined]],
    );
    await clock.advance(20_000);
    writeAll(writer, large.slice(60));
    assert.deepEqual(failed.slice(1), [], 'nothing is begun meanwhile');
    answer();
    await writer.close();
    assert.equal(begun.length, 0, 'what was said to have failed is not told of later');
  });

  it('says which source a folder is of, and lists its segments', async () => {
    const recordDir = newFolder();
    const { writer, finished, folder } = openWriter(recordDir, { sourceId: '../yard/cam 1' });
    writeAll(writer, clip);
    await writer.close();
    assert.equal(path.dirname(folder), recordDir);
    assert.equal(path.basename(folder), '%2E.%2Fyard%2Fcam%201');
    assert.equal(await readSourceId(folder), '../yard/cam 1');
    assert.deepEqual(
      await listSegments(folder),
      finished.map(({ file }) => file),
    );
  });

  it('makes the folder anew where it is gone, with whose it is, and says so', async () => {
    let lost = 0;
    const { writer, folder, finished, failed } = openWriter(newFolder(), { onFolderLost: () => lost++ });
    const half = clip.length / 2;
    writeAll(writer, clip.slice(0, half));
    await writer.cut();
    assert.equal(lost, 0);
    rmSync(folder, { recursive: true });
    writeAll(writer, clip.slice(half));
    await writer.close();
    assert.deepEqual([lost, failed], [1, []]);
    assert.equal(await readSourceId(folder), 'cam1');
    assert.deepEqual(await listSegments(folder), [finished[1]?.file]);
  });

  it('says that nothing is written where keyframes cannot be read, and forgets that when they can', async () => {
    const { writer, failed, finished } = openWriter(newFolder());
    const mute = { data: Buffer.from([0, 0, 0, 2, 0x65, 0x88]), keyframe: true };
    for (let n = 0; n < 5; n++) writer.write('video', { ...mute, mediaTimeMs: n * 10 }, 'h264');
    assert.match(writer.trouble ?? '', /keyframes of 'cam1' \(h264\) have no parameter sets/);
    assert.deepEqual(
      failed.map(({ code, segment }) => [code, segment]),
      [['EILSEQ', undefined]],
    );
    assert.equal(writer.dropped, 5);
    writeAll(writer, repeated(clip, 1, 4000));
    await writer.close();
    assert.equal(writer.trouble, undefined);
    assert.equal(finished.length, 1);
  });

  it('gives a segment another name where there is one of that name', async () => {
    const recordDir = newFolder();
    const [first, second] = [openWriter(recordDir), openWriter(recordDir)];
    for (const { writer } of [first, second]) {
      writeAll(writer, clip);
      await writer.close();
    }
    assert.equal(nameOf(second.finished[0]!.file), '2026-11-30/22-05-00.123Z-2.mp4');
    assert.equal((await listSegments(first.folder)).length, 2);
  });
});

function arrivalOf({ kind, frame }: ClipFrame): number {
  return frame.mediaTimeMs + (kind === 'audio' ? 150 : 0);
}
