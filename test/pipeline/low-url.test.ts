import assert from 'node:assert/strict';
import { after, afterEach, describe, it } from 'node:test';
import type { Logger } from '../../src/base/logger.js';
import type { LadderPlan, Rung } from '../../src/media/index.js';
import { HttpCamera, RtspCamera, whyNoRtspServer, type StreamName } from '../helpers/cameras.js';
import { eventually } from '../helpers/deadline.js';
import { decodeFrames, PipelineRig, type RigOptions, type Watched } from '../helpers/pipeline-rig.js';

const PLAN: LadderPlan = [{ shortSidePx: 90, bitrateBps: 60_000 }];
const cameras: HttpCamera[] = [];
const lines: string[] = [];
const keep = (fields: object, message: string): void => void lines.push(`${message} ${JSON.stringify(fields)}`);
const logger: Logger = { debug: keep, info: keep, warn: keep, error: keep, child: () => logger };

let rig: PipelineRig;

async function camera(stream: StreamName, credentials?: string): Promise<HttpCamera> {
  const started = await HttpCamera.start(stream, credentials);
  cameras.push(started);
  return started;
}

async function openRig(main: string, low: string, options: RigOptions = {}): Promise<PipelineRig> {
  lines.length = 0;
  return (rig = await PipelineRig.open([], { ladder: PLAN, cameras: [{ name: 'cam', url: main, low_url: low }], logger, ...options }));
}

const ladder = async (): Promise<readonly Rung[]> => (await rig.pipelines.open('cam')).ladder({ rendition: 'raw', codec: 'h264' });

function assertAscends({ frames }: Watched): void {
  frames.forEach(({ mediaTimeMs }, i) => assert.ok(mediaTimeMs > (frames[i - 1]?.mediaTimeMs ?? -Infinity)));
}

describe("a camera's second stream", () => {
  afterEach(async () => {
    await rig.close();
    await Promise.all(cameras.splice(0).map((each) => each.switchOff()));
  });
  after(() => Promise.all(cameras.map((each) => each.switchOff())));

  it('is a rung by its height: copied, at media times of the first, and connected only while somebody needs it', async () => {
    const [main, low] = [await camera('flv'), await camera('low', 'viewer:s3cret')];
    await openRig(main.url, low.url.replace('://', '://viewer:s3cret@'));
    const raw = await rig.watch('cam', 'raw/h264');
    await raw.more(10, 'of the first stream');
    await eventually(async () => (await ladder()).length === 2, 10_000, 'the second stream to be known');
    await eventually(() => low.connections === 0, 5_000, 'the look to end');
    const [, rung] = await ladder();
    assert.deepEqual(
      [rung?.name, rung?.widthPx, rung?.heightPx, rung?.isRunning, rung?.isAvailable, rung?.makesKeyframes],
      ['90p', 160, 90, false, true, false],
    );
    const calls = low.calls;
    const watched = await rig.watch('cam', 'raw/h264/90p');
    await eventually(() => watched.lease.track.pairing === 'nearest', 10_000, 'frames of the second stream');
    await eventually(() => rig.processes.encoders.length + rig.processes.decoders.length === 0, 5_000, 'nothing to be encoded');
    const before = watched.frames.length;
    await watched.more(50, 'of the second stream');
    assert.equal(low.calls, calls + 1);
    await raw.more(5, 'of the first, to compare');
    const times = new Set(raw.frames.map(({ mediaTimeMs }) => mediaTimeMs));
    const copied = watched.frames.slice(before, before + 50);
    const exact = copied.filter(({ mediaTimeMs }) => times.has(mediaTimeMs)).length;
    // On a busy machine the first stream is late now and then, and nobody waits for it long.
    assert.ok(exact >= 20, `${exact} of 50 have the media time of a frame of the first stream`);
    assertAscends(watched);
    const keyframe = watched.frames.findLastIndex((frame) => frame.keyframe);
    assert.ok(decodeFrames('h264', watched.frames.slice(keyframe), 160, 90).length > 0);
    assert.equal((await rig.pipelines.open('cam')).media.rawProfile?.slice(0, 4), '6400', 'a decoder of the higher profile takes both');
    const [activity] = rig.pipelines.activity();
    assert.deepEqual(
      activity?.renditions.map((each) => [each.rung, each.widthPx, each.origin]),
      [
        ['source', 320, 'copied'],
        ['90p', 160, 'layer'],
      ],
    );
    watched.leave();
    await eventually(() => low.connections === 0, 5_000, 'the second stream to be disconnected');
    await raw.more(5, 'of the first, which goes on');
    assert.ok(!lines.some((line) => line.includes('s3cret')), 'no password is told');
  });

  it('that falls silent is bridged by an encoder without an end for its viewers, until it is back', async () => {
    const [main, low] = [await camera('flv'), await camera('low')];
    await openRig(main.url, low.url);
    const raw = await rig.watch('cam', 'raw/h264');
    await raw.more(1, 'of the first stream');
    const watched = await rig.watch('cam', 'raw/h264/90p');
    await eventually(() => watched.lease.track.pairing === 'nearest', 15_000, 'frames of the second stream');
    low.freeze();
    await eventually(() => watched.lease.track.pairing === 'exact', 10_000, 'an encoder to take over');
    await watched.more(15, 'of the encoder');
    await low.switchOff();
    await watched.more(15, 'of the encoder, while the camera is away');
    assert.equal((await ladder()).find(({ name }) => name === '90p')?.isRunning, true);
    await low.switchOn();
    await eventually(() => watched.lease.track.pairing === 'nearest', 30_000, 'the second stream to be back');
    await eventually(() => rig.processes.encoders.length === 0, 5_000, 'the encoder to end');
    await watched.more(15, 'of the second stream');
    assertAscends(watched);
  });

  it('that is away, or no ladder, leaves the source alone', async () => {
    const [main, low] = [await camera('flv'), await camera('low')];
    await low.switchOff();
    await openRig(main.url, low.url, { ladder: [] });
    const raw = await rig.watch('cam', 'raw/h264');
    await raw.more(10, 'of the first stream');
    await eventually(() => lines.some((line) => line.startsWith('second stream of a camera cannot be used')), 10_000, 'the reason');
    assert.deepEqual(
      (await ladder()).map(({ name }) => name),
      ['source'],
    );
    await assert.rejects(rig.watch('cam', 'raw/h264/90p'), { code: 'NOTHING_TO_SERVE' });
    await raw.more(10, 'of the first stream, still');
  });

  for (const stream of ['bFrames', 'mjpeg'] as const) {
    it(`in ${stream} is no rung: one of its name is encoded, and the log says why`, async () => {
      const [main, low] = [await camera('flv'), await camera(stream)];
      await openRig(main.url, low.url);
      const watched = await rig.watch('cam', 'raw/h264/90p');
      await watched.more(10, 'of the encoder');
      const reason = stream === 'mjpeg' ? /its codec is mjpeg/ : /B-frames/;
      await eventually(() => lines.some((line) => /second stream .* cannot be used/.test(line) && reason.test(line)), 15_000, 'the reason');
      const [activity] = rig.pipelines.activity();
      assert.match(activity?.layersProblem ?? '', reason);
      assert.deepEqual(activity?.troubles, [], 'the source is well');
      assert.equal(activity.renditions[0]?.origin, 'encoded');
      await watched.more(10, 'of the encoder, still');
      assert.equal(watched.lease.track.pairing, 'exact');
      assert.ok(decodeFrames('h264', watched.frames, 160, 90).length > 15);
    });
  }

  it('of a real RTSP camera is a rung, too', { skip: whyNoRtspServer() ?? false }, async () => {
    const [main, low] = await Promise.all([
      RtspCamera.start('viewer', 's3cret', '640x360'),
      RtspCamera.start('viewer', 's3cret', '320x180'),
    ]);
    try {
      const withUser = (url: string): string => url.replace('://', '://viewer:s3cret@');
      await openRig(withUser(main.url), withUser(low.url), { ladder: 'auto' });
      const raw = await rig.watch('cam', 'raw/h264');
      await raw.more(5, 'of the first stream');
      await eventually(async () => (await ladder()).some(({ name }) => name === '180p'), 15_000, 'the second stream to be known');
      const watched = await rig.watch('cam', 'raw/h264/180p');
      await eventually(() => watched.lease.track.pairing === 'nearest', 15_000, 'frames of the second stream');
      await watched.more(30, 'of the second stream');
      assertAscends(watched);
      assert.ok(!lines.some((line) => line.includes('s3cret')), 'no password is told');
    } finally {
      await Promise.all([main.close(), low.close()]);
    }
  });
});
