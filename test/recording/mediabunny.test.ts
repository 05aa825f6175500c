import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from 'mediabunny';
import { execFileSync } from 'node:child_process';
import { NutH265Parser, NUT_OUTPUT } from '../../src/ffmpeg/index.js';
import type { ClipFrame } from '../helpers/recorded-clips.js';
import { encodedClip } from '../helpers/publisher.js';
import { decodeWarnings, liveClip, openWriter, probePackets, writeAll } from '../helpers/recorded-clips.js';

let folder: string;
before(() => (folder = mkdtempSync(path.join(tmpdir(), 'sightline-mediabunny-'))));
after(() => rmSync(folder, { recursive: true, force: true }));

async function recorded(name: string, frames: readonly ClipFrame[], hasSound = false): Promise<string> {
  const { writer, finished, failed } = openWriter(path.join(folder, name), { hasSound });
  writeAll(writer, frames);
  await writer.close();
  assert.deepEqual(failed, []);
  return finished[0]!.file;
}

function h265Clip(): ClipFrame[] {
  const frames: ClipFrame[] = [];
  const parser = new NutH265Parser(({ data, keyframe }) =>
    frames.push({ kind: 'video', codec: 'h265', frame: { data, keyframe, mediaTimeMs: (frames.length * 1000) / 25 } }),
  );
  const encoder = [
    '-c:v',
    'libx265',
    '-preset',
    'ultrafast',
    '-x265-params',
    'log-level=error:bframes=0:keyint=25:pools=none:frame-threads=1',
  ];
  const pictures = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25:duration=2', '-pix_fmt', 'yuv420p'];
  parser.push(
    execFileSync('ffmpeg', ['-nostdin', '-v', 'error', ...pictures, ...encoder, ...NUT_OUTPUT, 'pipe:1'], { maxBuffer: 64 << 20 }),
  );
  return frames;
}

describe('a segment, as mediabunny reads it', () => {
  it('has every frame of both tracks at its time, and is not found fault with', async () => {
    const clip = liveClip();
    const input = new Input({ source: new BufferSource(readFileSync(await recorded('h264', clip, true))), formats: ALL_FORMATS });
    const [video, audio] = [await input.getPrimaryVideoTrack(), await input.getPrimaryAudioTrack()];
    assert.ok(video && audio);
    assert.deepEqual(
      [await video.getCodec(), await video.getDisplayWidth(), await video.getDisplayHeight(), await audio.getCodec()],
      ['avc', 320, 180, 'opus'],
    );
    assert.match((await video.getCodecParameterString()) ?? '', /^avc1\.64/);
    for (const [track, kind] of [
      [video, 'video'],
      [audio, 'audio'],
    ] as const) {
      const expected = clip.filter((each) => each.kind === kind);
      const times: number[] = [];
      for await (const { timestamp, type } of new EncodedPacketSink(track).packets()) {
        assert.equal(type === 'key', expected[times.length]!.frame.keyframe);
        times.push(timestamp * 1000);
      }
      assert.equal(times.length, expected.length);
      for (const [at, time] of times.entries())
        assert.ok(Math.abs(time - expected[at]!.frame.mediaTimeMs) < 0.02, `${kind} ${at}: ${time}`);
    }
  });

  it('is H.265 or VP8 where that was recorded', async () => {
    const vp8 = encodedClip({ codec: 'vp8' }).map((frame): ClipFrame => ({ kind: 'video', codec: 'vp8', frame }));
    for (const [name, frames, codec, string] of [
      ['h265', h265Clip(), 'hevc', /^h(vc|ev)1\.1\.6\.L\d+\.90/],
      ['vp8', vp8, 'vp8', /^vp0?8/],
    ] as const) {
      const file = await recorded(name, frames);
      assert.equal(decodeWarnings(file), '');
      assert.equal(probePackets(file).length, frames.length);
      const input = new Input({ source: new BufferSource(readFileSync(file)), formats: ALL_FORMATS });
      const track = await input.getPrimaryVideoTrack();
      assert.ok(track);
      assert.equal(await track.getCodec(), codec);
      assert.match((await track.getCodecParameterString()) ?? '', string);
      const times: number[] = [];
      for await (const { timestamp } of new EncodedPacketSink(track).packets()) times.push(timestamp);
      assert.equal(times.length, frames.length);
    }
  });
});
