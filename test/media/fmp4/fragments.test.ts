import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  FragmentWriter,
  lengthPrefixed,
  readFragmentHead,
  readInitialization,
  readSample,
  videoConfig,
  type EncodedFrame,
  type FragmentHead,
} from '../../../src/media/index.js';
import { opusSamples } from '../../../src/media/fmp4/opus-duration.js';
import { fromNtp, toNtp } from '../../../src/media/fmp4/ntp.js';
import { seededRandom } from '../../helpers/random.js';
import { liveClip } from '../../helpers/recorded-clips.js';

const clip = liveClip({ seconds: 1 });
const anchorMs = Date.UTC(2026, 10, 30, 22, 5, 0, 123) + 0.25;
const provenance = { sourceId: 'küche/1', run: 3, isTranscoded: true };

function newWriter(): FragmentWriter {
  const video = videoConfig('h264', clip.find(({ kind }) => kind === 'video')!.frame.data)!;
  return new FragmentWriter({ video, hasSound: true, startMs: 0, anchorMs, provenance });
}

function written(): { readonly initialization: Buffer; readonly fragment: Buffer } {
  const writer = newWriter();
  for (const { kind, frame } of clip) writer.add(kind, frame);
  return { initialization: writer.initialization(), fragment: writer.take()!.data };
}

const headOf = (fragment: Buffer): FragmentHead => {
  const head = readFragmentHead(fragment);
  assert.ok(head !== undefined && head !== 'short');
  return head;
};

describe('fragmented MP4', () => {
  it('gives back what was written', () => {
    const { initialization, fragment } = written();
    const read = readInitialization(initialization);
    assert.ok(read);
    assert.deepEqual(read.provenance, provenance);
    assert.deepEqual([read.video?.widthPx, read.video?.heightPx, read.hasSound, read.bytes], [320, 180, true, initialization.length]);
    const head = headOf(fragment);
    assert.equal(head.bytes, fragment.length);
    assert.ok(Math.abs(head.anchorMs - anchorMs) < 0.001, `${head.anchorMs}`);
    for (const kind of ['video', 'audio'] as const) {
      const was = clip.filter((each) => each.kind === kind);
      const got: EncodedFrame[] = head.samples.filter((each) => each.kind === kind).map((sample) => readSample(fragment, sample, read));
      assert.deepEqual(
        got.map(({ data, keyframe }) => [data.toString('hex'), keyframe]),
        was.map(({ frame: { data, keyframe } }) => [data.toString('hex'), keyframe]),
      );
      for (const [at, { mediaTimeMs }] of got.entries()) assert.ok(Math.abs(mediaTimeMs - was[at]!.frame.mediaTimeMs) < 0.011);
    }
  });

  it('asks for more bytes at every length of a head that is torn, and never reads beyond', () => {
    const { initialization, fragment } = written();
    const { samples } = headOf(fragment);
    const headBytes = samples[0]!.offset;
    for (let bytes = 0; bytes < headBytes; bytes++) {
      const read = readFragmentHead(fragment.subarray(0, bytes));
      assert.ok(read === 'short' || (bytes > headBytes - 16 && read !== undefined), `${bytes} of ${headBytes} bytes`);
    }
    for (let bytes = 0; bytes < initialization.length; bytes++) {
      const read = readInitialization(initialization.subarray(0, bytes));
      // All that it says is there once the box of tracks is; what follows says where the file is from.
      assert.ok(read === undefined || read.bytes <= bytes, `${bytes} bytes`);
    }
  });

  it('believes no length and no count: damaged bytes are refused, or read within bounds', () => {
    const { initialization, fragment } = written();
    const headBytes = headOf(fragment).samples[0]!.offset;
    const random = seededRandom(14);
    let refused = 0;
    for (let round = 0; round < 3000; round++) {
      const data = Buffer.from(fragment);
      for (let i = 0; i <= round % 4; i++) data[Math.floor(random() * headBytes)] = Math.floor(random() * 256);
      const head = readFragmentHead(data);
      if (head === undefined || head === 'short') {
        refused++;
        continue;
      }
      for (const { offset, bytes, mediaTimeMs } of head.samples) {
        assert.ok(offset >= 0 && bytes >= 0 && offset + bytes <= head.bytes && !Number.isNaN(mediaTimeMs));
      }
      const beginning = Buffer.from(initialization);
      beginning[Math.floor(random() * beginning.length)] = Math.floor(random() * 256);
      const read = readInitialization(beginning);
      assert.ok(read === undefined || read.bytes <= beginning.length);
    }
    assert.ok(refused > 500, `${refused} refused`);
  });

  it('takes no time that no file goes on for', () => {
    const { fragment } = written();
    for (const [seconds, isTaken] of [
      [86_400n, true],
      [2n ** 52n / 90_000n, false],
      [2n ** 64n / 90_000n, false],
    ] as const) {
      const data = Buffer.from(fragment);
      for (let at = data.indexOf('tfdt'); at >= 0; at = data.indexOf('tfdt', at + 4)) data.writeBigUInt64BE(seconds * 90_000n, at + 8);
      assert.equal(typeof readFragmentHead(data) === 'object', isTaken, `${seconds} s`);
    }
  });

  it('refuses what is no file of this kind', () => {
    const random = seededRandom(3);
    for (let round = 0; round < 2000; round++) {
      const noise = Buffer.from(Array.from({ length: Math.floor(random() * 300) }, () => Math.floor(random() * 256)));
      assert.equal(readInitialization(noise), undefined);
      const head = readFragmentHead(noise);
      assert.ok(head === undefined || (head === 'short' && noise.length < 64));
    }
    assert.equal(readInitialization(Buffer.alloc(0)), undefined);
  });

  it('takes no frame that steps back, none without a track, and none that is no access unit', () => {
    const writer = newWriter();
    const frame = (mediaTimeMs: number, data = lengthPrefixed([Buffer.from([0x41, 1])])): EncodedFrame => ({
      data,
      mediaTimeMs,
      keyframe: false,
    });
    assert.equal(writer.add('video', frame(100)), true);
    assert.equal(writer.add('video', frame(100)), false);
    assert.equal(writer.add('video', frame(66)), false);
    assert.equal(writer.add('video', frame(133, Buffer.from([0, 0, 0, 9, 1]))), false);
    assert.equal(writer.add('audio', frame(133, Buffer.alloc(0))), false);
    const silent = new FragmentWriter({ video: undefined, hasSound: true, startMs: 0, anchorMs, provenance: undefined });
    assert.equal(silent.add('video', frame(0)), false);
    assert.equal(silent.take(), undefined);
  });

  it('says how long a picture is shown by the one that follows, or by the ones before', () => {
    const durations = (nextVideoMs?: number): number[] => {
      const writer = newWriter();
      for (const { frame } of clip.filter(({ kind }) => kind === 'video').slice(0, 3)) writer.add('video', frame);
      return headOf(writer.take(nextVideoMs)!.data).samples.map(({ durationMs }) => Math.round(durationMs));
    };
    assert.deepEqual(durations(), [33, 33, 33]);
    assert.deepEqual(durations(200), [33, 33, 133]);
  });

  it('reads the length of an Opus packet from its first bytes', () => {
    const cases: readonly (readonly [number[], number])[] = [
      [[0xfc], 960],
      [[0x00], 480],
      [[0x18], 2880],
      [[0xe0], 120],
      [[0xfd], 1920],
      [[0xff, 0x03], 2880],
      [[0x1b, 0x3f], 5760],
      [[], 960],
    ];
    for (const [bytes, samples] of cases) assert.equal(opusSamples(Buffer.from(bytes)), samples, Buffer.from(bytes).toString('hex'));
  });

  it('keeps Unix time to a microsecond, also after 2036', () => {
    for (const unixMs of [0, anchorMs, 1_999_999_999_999.999, Date.UTC(2037, 5, 1) + 0.5]) {
      assert.ok(Math.abs(fromNtp(...toNtp(unixMs)) - unixMs) < 0.001, String(unixMs));
    }
  });
});
