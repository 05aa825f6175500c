import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import type { PacketizedFrame, Rung } from '../../src/media/index.js';
import { eventually } from '../helpers/deadline.js';
import { decodeFrames, FixedDetector, PipelineRig, type RigOptions } from '../helpers/pipeline-rig.js';
import { SimulcastPublisher, type SimulcastOptions } from '../helpers/simulcast-publisher.js';

let rig: PipelineRig;
let publisher: SimulcastPublisher;

async function publish(options: RigOptions = {}, simulcast: Partial<SimulcastOptions> = {}): Promise<void> {
  rig = await PipelineRig.open([], options);
  publisher = new SimulcastPublisher({ rooms: rig.rooms, clock: rig.deps.clock, codec: 'h264', ...simulcast });
  publisher.sendFrame();
  publisher.start();
}

const ladder = async (codec: 'h264' | 'vp8' = 'h264', rendition: 'raw' | 'processed' = 'raw'): Promise<readonly Rung[]> =>
  (await rig.pipelines.open('gate')).ladder({ rendition, codec });
const names = (rungs: readonly Rung[]): string[] => rungs.map(({ name }) => name);
const times = (frames: readonly PacketizedFrame[]): number[] => frames.map(({ mediaTimeMs }) => mediaTimeMs);

function assertAscending(frames: readonly PacketizedFrame[], what: string): void {
  times(frames).forEach((time, i, all) => assert.ok(i === 0 || time > all[i - 1]!, `${what}: ${time} ms after ${all[i - 1]} ms`));
}

describe('a room with a simulcast', () => {
  afterEach(async () => {
    publisher.stop();
    await rig.close();
  });

  for (const codec of ['h264', 'vp8'] as const)
    it(`hands its layers on as rungs that cost no process (${codec}), with the media times of the source`, async () => {
      await publish({ idleGraceMs: 0 }, { codec });
      const source = await rig.watch('gate', `raw/${codec}`);
      assert.deepEqual(
        (await ladder(codec))
          .filter(({ isRunning }) => isRunning)
          .map(({ name, heightPx, makesKeyframes }) => [name, heightPx, makesKeyframes]),
        [
          ['source', 360, true],
          ['180p', 180, true],
          ['90p', 90, true],
        ],
      );
      const [middle, small] = [await rig.watch('gate', `raw/${codec}/180p`), await rig.watch('gate', `raw/${codec}/90p`)];
      await Promise.all([source, middle, small].map((each) => each.more(30, 'of a layer')));
      const { decoders, encoders } = rig.processes;
      assert.deepEqual([decoders.length, encoders.length], [0, 0]);
      const all = new Set(times(source.frames));
      for (const [each, widthPx, heightPx] of [
        [middle, 320, 180],
        [small, 160, 90],
      ] as const) {
        assert.equal(each.frames[0]?.keyframe, true);
        const live = times(each.frames).slice(5, -5);
        assert.deepEqual(
          live.filter((time) => !all.has(time)),
          [],
          'every frame is one of the source',
        );
        assert.ok(decodeFrames(codec, each.frames, widthPx, heightPx).length > 20);
      }
      const [activity] = rig.pipelines.activity();
      assert.deepEqual(
        activity?.renditions.map(({ rung, heightPx, viewers }) => [rung, heightPx, viewers]),
        [
          ['source', 360, 1],
          ['180p', 180, 1],
          ['90p', 90, 1],
        ],
      );
      for (const each of [source, middle, small]) each.leave();
    });

  it('is read where another codec, or what is drawn into, is wanted smaller: there are encoded rungs', async () => {
    await publish({ detector: new FixedDetector([]) });
    const source = await rig.watch('gate', 'raw/h264');
    assert.deepEqual(names(await ladder('vp8')), ['source', '180p']);
    assert.deepEqual(names(await ladder('h264', 'processed')), ['source', '180p']);
    assert.equal((await ladder('vp8'))[1]?.isRunning, false);
    source.leave();
  });

  it('whose layer stops: its viewers go on with an encoded one, and come back to the layer', async () => {
    await publish();
    const [source, middle] = [await rig.watch('gate', 'raw/h264'), await rig.watch('gate', 'raw/h264/180p')];
    await middle.more(10, 'of the layer');
    publisher.sending.delete('h');
    await eventually(() => rig.processes.encoders.length === 1, 10_000, 'an encoder');
    await middle.more(30, 'that are encoded');
    publisher.restart('h');
    await eventually(() => rig.processes.encoders.length === 0 && rig.processes.decoders.length === 0, 15_000, 'the encoder to end');
    await middle.more(30, 'of the layer again');
    assertAscending(middle.frames, 'the rung');
    assertAscending(source.frames, 'the source');
    assert.ok(decodeFrames('h264', middle.frames, 320, 180).length > 60);
    for (const each of [source, middle]) each.leave();
  });

  it('whose layers stop one by one, where nothing may be encoded: its viewers go on with the next that comes', async () => {
    await publish({ ladder: [] });
    const [source, middle] = [await rig.watch('gate', 'raw/h264'), await rig.watch('gate', 'raw/h264/180p')];
    await middle.more(10, 'of the layer');
    publisher.sending.delete('h');
    await middle.more(30, 'of a smaller layer');
    publisher.sending.delete('f');
    await source.more(30, 'of the layer that is left');
    await middle.more(30, 'of the layer that is left');
    assert.deepEqual([rig.processes.encoders.length, rig.processes.decoders.length], [0, 0]);
    assert.equal(rig.rooms.get('gate')?.heightPx, 90);
    publisher.restart('f');
    publisher.restart('h');
    await eventually(() => rig.rooms.get('gate')?.heightPx === 360, 10_000, 'the best layer');
    await middle.more(60, 'after all are back');
    for (const each of [source, middle]) {
      assertAscending(each.frames, each.lease.track.name);
      each.leave();
    }
  });

  it('whose publisher is lost: viewers of its layers see the slate, too, and go on with who comes back', async () => {
    await publish();
    const [source, middle] = [await rig.watch('gate', 'raw/h264'), await rig.watch('gate', 'raw/h264/180p')];
    await middle.more(10, 'of the layer');
    publisher.stop();
    publisher.publication.close('lost');
    await Promise.all([source.more(10, 'of the slate'), middle.more(10, 'of the slate')]);
    assert.equal(rig.pipelines.activity()[0]?.isWaiting, true);
    publisher = new SimulcastPublisher({ rooms: rig.rooms, clock: rig.deps.clock, codec: 'h264' }).start();
    await eventually(() => rig.pipelines.activity()[0]?.isWaiting === false, 10_000, 'the publisher');
    await Promise.all([source.more(30, 'after it is back'), middle.more(30, 'after it is back')]);
    for (const each of [source, middle]) {
      assertAscending(each.frames, each.lease.track.name);
      each.leave();
    }
  });
});
