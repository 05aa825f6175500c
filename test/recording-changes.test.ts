/** What becomes of a recording in the whole server when its source changes: a publisher that drops and comes back, a codec that becomes another. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { HttpCamera } from './helpers/cameras.js';
import { eventually } from './helpers/deadline.js';
import { noH265 } from './helpers/make-video.js';
import { publishClip } from './helpers/publish-clip.js';
import type { VideoCodec } from '../src/media/index.js';
import { TestServer } from './helpers/server.js';

interface Range {
  readonly from: number;
  readonly to: number;
}
interface Recorded {
  readonly ranges: readonly Range[];
  readonly gaps: readonly Range[];
  readonly segments: number;
}
interface Probed {
  readonly codec: string;
  /** Of its first packet of video. */
  readonly flags: string;
  readonly durationS: number;
}

const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-changes-'));
const recordDir = path.join(folder, 'recordings');
const sourcesFile = path.join(folder, 'sources.yml');
/** A frame, and what a publisher that is not of this clock may be ahead. */
const SLACK_S = 1;

/** All segments of a source as ffprobe sees them, oldest first. It has no word of complaint. */
function probed(sourceId: string): Probed[] {
  const files = readdirSync(path.join(recordDir, sourceId), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.mp4'));
  return files.sort().map((file) => {
    const args = ['-v', 'error', '-select_streams', 'v', '-show_entries', 'stream=codec_name:packet=pts_time,flags', '-of', 'json'];
    const text = execFileSync('ffprobe', [...args, path.join(recordDir, sourceId, file)], { encoding: 'utf8' });
    const { streams, packets } = JSON.parse(text) as {
      streams: { codec_name: string }[];
      packets: { pts_time: string; flags: string }[];
    };
    const [first, last] = [packets[0], packets.at(-1)];
    assert.ok(first && last, file);
    return { codec: streams[0]?.codec_name ?? '', flags: first.flags, durationS: Number(last.pts_time) - Number(first.pts_time) };
  });
}

describe('a recording whose source changes', { timeout: 240_000 }, () => {
  let server: TestServer;
  let camera: HttpCamera;
  const closers: (() => Promise<void> | void)[] = [() => rmSync(folder, { recursive: true, force: true })];

  before(async () => {
    camera = await HttpCamera.start('flv');
    closers.push(() => camera.switchOff());
    writeFileSync(sourcesFile, `sources:\n  - { name: yard, url: "${camera.url}" }\n`);
    server = await TestServer.start([], {
      SOURCES_FILE: sourcesFile,
      RECORD_DIR: recordDir,
      RECORD: 'gate,yard',
      RECORD_MIN_FREE: '0',
      STATE_DIR: path.join(folder, 'state'),
    });
    closers.push(() => server.close());
  });

  after(async () => {
    for (const close of closers.reverse()) await close();
  });

  const recorded = async (sourceId: string): Promise<Recorded> => {
    const { ranges = [], gaps = [], segments = 0 } = await server.get<Partial<Recorded>>(`/recordings/${sourceId}`);
    return { ranges, gaps, segments };
  };
  const untilIs = (sourceId: string, state: string): Promise<unknown> =>
    eventually(
      async () => (await server.get<{ state: string }>(`/sources/${sourceId}/recording`)).state === state,
      60_000,
      `a recording of ${sourceId} that is ${state}`,
    );
  /** The range that begins no earlier, once it is longer than a second. */
  const rangeFrom = (sourceId: string, fromS: number): Promise<Range> =>
    eventually(
      async () => (await recorded(sourceId)).ranges.find(({ from, to }) => from >= fromS && to - from > 1),
      60_000,
      `a second of ${sourceId}`,
    );
  /** Publishes to the room, until a second is recorded and it is gone again. */
  async function publishes(codec: VideoCodec): Promise<{ begunS: number; told: Range; endedS: number }> {
    const begunS = Date.now() / 1000;
    const stop = await publishClip(server.url, 'gate', undefined, codec);
    closers.push(stop);
    const told = await rangeFrom('gate', begunS - SLACK_S);
    await stop();
    const endedS = Date.now() / 1000;
    await untilIs('gate', 'waiting');
    return { begunS, told, endedS };
  }

  it('has a range for each time that a publisher was there, and a gap for the time in between', async () => {
    const times = [await publishes('h264'), await publishes('h264'), await publishes('vp8')];
    const { ranges, gaps, segments } = await recorded('gate');
    assert.deepEqual([ranges.length, segments], [3, 3], JSON.stringify(ranges));
    for (const [i, { begunS, told, endedS }] of times.entries()) {
      const { from, to } = ranges[i] as Range;
      assert.ok(from >= begunS - SLACK_S && to <= endedS + SLACK_S, `${JSON.stringify(ranges[i])} is not of ${begunS} to ${endedS}`);
      assert.ok(to >= told.to, 'nothing that was told is lost');
    }
    assert.deepEqual(
      gaps,
      ranges.slice(1).map(({ from }, i) => ({ from: ranges[i]?.to, to: from })),
    );
    const files = probed('gate');
    assert.deepEqual(
      files.map(({ codec }) => codec),
      ['h264', 'h264', 'vp8'],
    );
    for (const [i, { flags, durationS }] of files.entries()) {
      assert.match(flags, /^K/);
      const { from, to } = ranges[i] as Range;
      assert.ok(Math.abs(durationS - (to - from)) < 0.1, `${durationS} s in the file, ${to - from} s in the index`);
    }
  });

  it('has another segment for another codec, each as it came', { skip: noH265 }, async () => {
    await rangeFrom('yard', 0);
    const turns = [
      ['hevc', 'hevc'],
      ['flv', 'h264'],
    ] as const;
    for (const [stream, codec] of turns) {
      const beforeS = Date.now() / 1000;
      camera.stream = stream;
      camera.hangUp();
      await rangeFrom('yard', beforeS);
      // Only what is whole is certain to be on the disk.
      assert.equal(probed('yard').at(-1)?.codec, codec);
    }
    const files = probed('yard');
    assert.deepEqual(
      files.map(({ codec }) => codec).filter((codec, i, all) => codec !== all[i - 1]),
      ['h264', 'hevc', 'h264'],
    );
    for (const { flags } of files) assert.match(flags, /^K/);
    const { ranges } = await recorded('yard');
    for (const [i, { from }] of ranges.slice(1).entries()) assert.ok(from >= (ranges[i] as Range).to, 'ranges follow each other');
  });
});
