import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import type { EncodedFrame, RecordingLease } from '../../src/media/index.js';
import { eventually } from '../helpers/deadline.js';
import { PipelineRig, type RigOptions } from '../helpers/pipeline-rig.js';
import { FakePublisher, type FakePublisherOptions } from '../helpers/publisher.js';

let rig: PipelineRig;
let closers: (() => void)[] = [];

interface Taken {
  readonly lease: RecordingLease;
  readonly video: EncodedFrame[];
  readonly audio: EncodedFrame[];
}

async function record(sourceId: string): Promise<Taken> {
  const [video, audio]: [EncodedFrame[], EncodedFrame[]] = [[], []];
  const source = await rig.pipelines.open(sourceId);
  const lease = source.openRecording({ video: (frame) => void video.push(frame), audio: (frame) => void audio.push(frame) });
  closers.push(() => lease.release());
  return { lease, video, audio };
}

function publish(options: Partial<FakePublisherOptions> = {}): FakePublisher {
  const publisher = new FakePublisher(rig.rooms, { room: 'gate', codec: 'h264', ...options });
  closers.push(() => publisher.stop());
  return publisher.start();
}

async function open(videos: Parameters<typeof PipelineRig.open>[0] = [], options: RigOptions = {}): Promise<void> {
  rig = await PipelineRig.open(videos, options);
}

const more = (taken: readonly EncodedFrame[], count: number): Promise<unknown> => {
  const end = taken.length + count;
  return eventually(() => taken.length >= end, 10_000, `${count} frames`);
};

describe('what is recorded of a source', () => {
  afterEach(async () => {
    for (const close of closers.reverse()) close();
    closers = [];
    await rig.close();
  });

  for (const codec of ['h264', 'vp8'] as const) {
    it(`is ${codec} as the publisher sends it, byte by byte, with its sound, without a process`, async () => {
      await open();
      const publisher = publish({ codec, hasAudio: true });
      const { lease, video, audio } = await record('gate');
      await more(video, 40);
      await more(audio, 10);
      assert.deepEqual([lease.codec, lease.isTranscoded(), lease.isOutdated()], [codec, false, false]);
      assert.equal(rig.deps.ledger.snapshot().child_processes, 0);
      const begin = publisher.sent.length - video.length;
      assert.equal(video[0]?.keyframe, true);
      video.forEach(({ data }, i) => assert.deepEqual(data, publisher.sent[begin + i]?.data, `frame ${i}`));
    });
  }

  it('begins with the group that is open, also where others watch already', async () => {
    await open();
    publish();
    const first = await record('gate');
    await more(first.video, 10);
    const late = await record('gate');
    assert.equal(late.video[0]?.keyframe, true);
    assert.deepEqual(late.video, first.video.slice(-late.video.length));
    late.lease.release();
    const { length } = late.video;
    await more(first.video, 5);
    assert.equal(late.video.length, length, 'a lease that is given back takes nothing');
  });

  it('is encoded where it cannot be copied, and says so', async () => {
    await open(['b-frames.mp4']);
    const { lease, video, audio } = await record('b-frames');
    await more(video, 10);
    await more(audio, 10);
    assert.deepEqual([lease.codec, lease.isTranscoded()], ['h264', true]);
    assert.equal(video[0]?.keyframe, true);
  });

  it('has nobody as a viewer', async () => {
    await open();
    publish();
    const { video } = await record('gate');
    await more(video, 3);
    assert.deepEqual(
      rig.pipelines.activity()[0]?.renditions.map(({ viewers }) => viewers),
      [0, 0],
    );
  });

  it('tells stand-ins for a publisher that is away apart from what it sends', async () => {
    await open();
    const publisher = publish();
    const { lease, video } = await record('gate');
    await more(video, 10);
    publisher.stop();
    const isStandIn = ({ mediaTimeMs }: EncodedFrame): boolean => lease.isStandIn(mediaTimeMs);
    await eventually(() => video.some(isStandIn), 15_000, 'the slate');
    const from = video.findIndex(isStandIn);
    assert.ok(from >= 10 && video.slice(from).every(isStandIn));
    publisher.start();
    await eventually(() => !isStandIn(video.at(-1) as EncodedFrame), 15_000, 'the publisher');
    assert.equal(video[video.findLastIndex(isStandIn) + 1]?.keyframe, true);
  });
});
