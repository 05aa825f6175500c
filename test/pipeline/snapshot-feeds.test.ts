import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import sharp from 'sharp';
import type { Snapshot, SnapshotLease } from '../../src/media/index.js';
import { eventually } from '../helpers/deadline.js';
import { FixedDetector, PipelineRig, type RigOptions } from '../helpers/pipeline-rig.js';

const thing = (): FixedDetector => new FixedDetector([{ label: 'thing', classId: 0, score: 0.9, box: [100, 60, 120, 80] }]);

let rig: PipelineRig;

async function openRig(video: 'copyable.mp4' | 'grey.mp4', options: RigOptions): Promise<void> {
  rig = await PipelineRig.open([video], options);
}

async function read(
  sourceId: string,
  maxBytes = 65_536,
): Promise<{ readonly lease: SnapshotLease; readonly snapshots: Snapshot[]; more(count: number): Promise<void>; leave(): void }> {
  const lease = (await rig.pipelines.open(sourceId)).openSnapshots(maxBytes);
  const snapshots: Snapshot[] = [];
  const stop = lease.subscribe((snapshot) => void snapshots.push(snapshot));
  return {
    lease,
    snapshots,
    more: async (count) => {
      const wanted = snapshots.length + count;
      await eventually(() => snapshots.length >= wanted, 15_000, `${count} more pictures`);
    },
    leave: () => {
      stop();
      lease.release();
    },
  };
}

describe('the pictures of a source as JPEGs', () => {
  afterEach(() => rig.close());

  it('are encoded once for all readers, numbered as the detections are, and end with the last reader', async () => {
    await openRig('copyable.mp4', { detector: thing() });
    const detections = (await rig.pipelines.open('copyable')).openDetections();
    const numbers = new Map<number, number>();
    const stopReading = detections.feed.subscribe(({ frame, mediaTimeMs }) => void numbers.set(mediaTimeMs, frame));
    const readers = await Promise.all([read('copyable'), read('copyable')]);
    for (const reader of readers) await reader.more(6);
    const [first, second] = readers.map(({ snapshots }) => snapshots);
    const shared = first?.filter(({ jpeg }) => second?.some((other) => other.jpeg === jpeg)) ?? [];
    assert.ok(shared.length >= 5, 'one buffer for both');
    for (const [i, still] of (first ?? []).entries()) {
      const { format, width, height } = await sharp(still.jpeg).metadata();
      assert.deepEqual([format, width, height], ['jpeg', still.widthPx, still.heightPx]);
      const earlier = first?.[i - 1];
      assert.ok(!earlier || (still.frame > earlier.frame && still.mediaTimeMs > earlier.mediaTimeMs));
      const seen = numbers.get(still.mediaTimeMs);
      if (seen !== undefined) assert.equal(still.frame, seen);
    }
    assert.ok(
      first?.some(({ mediaTimeMs }) => numbers.has(mediaTimeMs)),
      'some of them were looked at',
    );
    stopReading();
    detections.release();
    for (const reader of readers) reader.leave();
    await eventually(() => rig.processes.feeds.length === 0 && rig.processes.decoders.length === 0, 5000, 'everything to end');
  });

  it('show what is seen, and nothing where detection is off', async () => {
    const colouredPixels = async (jpeg: Buffer): Promise<number> => {
      const { data, info } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true });
      let coloured = 0;
      for (let i = 0; i < data.length; i += info.channels)
        if (Math.max(data[i]!, data[i + 1]!, data[i + 2]!) - Math.min(data[i]!, data[i + 1]!, data[i + 2]!) > 60) coloured++;
      return coloured;
    };
    await openRig('grey.mp4', { detector: thing() });
    const seen = await read('grey');
    await seen.more(3);
    assert.ok((await colouredPixels(seen.snapshots.at(-1)!.jpeg)) > 100, 'a box');
    seen.leave();
    await rig.close();
    await openRig('grey.mp4', {});
    const raw = await read('grey');
    await raw.more(2);
    assert.equal(await colouredPixels(raw.snapshots.at(-1)!.jpeg), 0);
    raw.leave();
  });

  it('fit into the messages of the reader with the smallest ones, and are better again when it has left', async () => {
    await openRig('copyable.mp4', {});
    const large = await read('copyable');
    await large.more(3);
    const before = large.snapshots.at(-1)!;
    const limit = Math.max(8 * 1024, Math.floor(before.jpeg.length / 2));
    const small = await read('copyable', limit);
    await small.more(5);
    assert.ok(
      small.snapshots.every(({ jpeg }) => jpeg.length <= limit),
      `${small.snapshots.map(({ jpeg }) => jpeg.length).join(', ')} of ${limit}`,
    );
    small.leave();
    await eventually(() => large.snapshots.at(-1)!.jpeg.length >= before.jpeg.length * 0.9, 15_000, 'large pictures');
    large.leave();
  });

  it('are refused to a reader whose messages are too small for any, and for a source that is not there', async () => {
    await openRig('copyable.mp4', {});
    await assert.rejects(read('copyable', 1000), { code: 'NOTHING_TO_SERVE' });
    await assert.rejects(read('nowhere'), { code: 'SOURCE_NOT_FOUND' });
    assert.equal(rig.processes.feeds.length, 0);
  });

  it('leave no listener behind on a source that goes on', async () => {
    await openRig('copyable.mp4', {});
    const held = (await rig.pipelines.open('copyable')).openFrames();
    const { feed } = held;
    let listening = 0;
    const onClosed = feed.onClosed.bind(feed);
    feed.onClosed = (listener) => {
      listening++;
      const stop = onClosed(listener);
      return () => {
        listening--;
        stop();
      };
    };
    const reader = await read('copyable');
    await reader.more(1);
    assert.ok(listening > 0);
    reader.leave();
    assert.equal(listening, 0);
    held.release();
  });

  it('end with the source, which their readers are told', async () => {
    await openRig('copyable.mp4', {});
    const reader = await read('copyable');
    const reasons: string[] = [];
    reader.lease.onClosed((reason) => void reasons.push(reason));
    await reader.more(1);
    await rig.pipelines.close();
    assert.deepEqual(reasons, ['server-closing']);
    reader.leave();
  });
});
