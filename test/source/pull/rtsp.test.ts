import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { silentLogger } from '../../../src/base/logger.js';
import { PullSources } from '../../../src/source/pull/pull.js';
import { parseSources } from '../../../src/source/pull/sources-file.js';
import type { SourceFeed } from '../../../src/source/index.js';
import { eventually } from '../../helpers/deadline.js';
import { assertNothingHeld, bundledTools, realDeps } from '../../helpers/ffmpeg-deps.js';
import {
  metadata,
  OddRtspCamera,
  picture,
  silentSound,
  sound,
  talkBack,
  type CameraTrack,
  type RtspCameraOptions,
} from '../../helpers/rtsp-camera.js';

const cameras: OddRtspCamera[] = [];
const watched: Watched[] = [];
after(async () => {
  // What a test that failed left running.
  await Promise.all(watched.map(({ feed, pulls }) => Promise.all([feed.close(), pulls.close()])));
  await Promise.all(cameras.map((camera) => camera.switchOff()));
});

interface Watched {
  readonly camera: OddRtspCamera;
  readonly pulls: PullSources;
  readonly feed: SourceFeed;
  readonly deps: ReturnType<typeof realDeps>;
  readonly video: number[];
  readonly audio: number[];
  readonly waiting: boolean[];
  readonly end: () => Promise<void>;
}

async function watch(options: RtspCameraOptions, entry: object = {}, more: Partial<ReturnType<typeof realDeps>> = {}): Promise<Watched> {
  const camera = await OddRtspCamera.start(options);
  cameras.push(camera);
  const deps = { ...realDeps(), logger: silentLogger, ...more };
  const pulls = new PullSources({
    ...deps,
    entries: parseSources(JSON.stringify({ sources: [{ name: 'cam', url: camera.url, ...entry }] }), { variables: {} }),
    caption: () => Promise.resolve(),
  });
  await pulls.prepare('cam');
  const [video, audio, waiting]: [number[], number[], boolean[]] = [[], [], []];
  const source = pulls.get('cam');
  assert.equal(source?.state, 'live', source?.reason);
  const feed = source.open(
    {
      encodedVideo: ({ mediaTimeMs }) => video.push(mediaTimeMs),
      picture: ({ mediaTimeMs }) => video.push(mediaTimeMs),
      audio: ({ mediaTimeMs }) => audio.push(mediaTimeMs),
      waiting: (isWaiting) => waiting.push(isWaiting),
    },
    deps,
  );
  const end = async (): Promise<void> => {
    await feed.close();
    await pulls.close();
    assertNothingHeld(deps);
  };
  const made = { camera, pulls, feed, deps, video, audio, waiting, end };
  watched.push(made);
  return made;
}

const broken = (track: CameraTrack, setup = 500): CameraTrack => ({ ...track, setup });

const SOUND: readonly [string, readonly CameraTrack[], boolean, RegExp | undefined][] = [
  [
    'a track for talking back that cannot be set up',
    [picture(), sound, broken(talkBack)],
    false,
    /cannot be received beside the video: it reports an internal error .*500/,
  ],
  ['nothing but a track for talking back, which cannot be set up', [picture(), broken(talkBack)], false, /for talking to the camera/],
  ['a track for talking back before everything else', [talkBack, picture(), sound], true, undefined],
  ['a track for talking back before its sound', [picture(), talkBack, sound], true, undefined],
  ['sound that cannot be set up', [picture(), broken(sound, 404)], false, /cannot be received/],
  ['sound that is announced and never comes', [picture(), silentSound], false, undefined],
  ['sound of no codec', [picture(), { sdp: ['m=audio 0 RTP/AVP (null)', 'a=rtpmap'] }], false, /does not say which codec/],
  [
    'sound of a codec that nobody knows',
    [picture(), { sdp: ['m=audio 0 RTP/AVP 97', 'a=rtpmap:97 X-FUTURE/8000'] }],
    false,
    /cannot be received/,
  ],
  [
    'AAC whose configuration is none',
    [
      picture(),
      {
        sdp: [
          'm=audio 0 RTP/AVP 104',
          'a=rtpmap:104 MPEG4-GENERIC/16000/1',
          'a=fmtp:104 mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=FFFF',
        ],
      },
    ],
    false,
    /cannot be received/,
  ],
  ['metadata that cannot be set up', [picture(), broken(metadata), sound], true, undefined],
];
const bundled = await bundledTools();

// Most of the time they wait for the next picture.
describe('an RTSP camera that is odd', { concurrency: 5 }, () => {
  for (const [what, tracks, isHeard, reason] of SOUND) {
    it(`an RTSP camera with ${what} is watched${isHeard ? ' and heard' : ''}`, async () => {
      const { pulls, video, audio, end } = await watch({ tracks });
      await eventually(() => video.length >= 20 && (!isHeard || audio.length >= 20), 15_000, 'what is sent');
      assert.equal(audio.length > 0, isHeard);
      const source = pulls.get('cam');
      assert.equal(source?.reason, undefined);
      assert.match(source?.audioReason ?? '', reason ?? /^$/);
      await end();
    });
  }

  it('who does not want sound sets none up', async () => {
    const { camera, video, end } = await watch({ tracks: [picture(), broken(sound), broken(talkBack)] }, { audio: false });
    await eventually(() => video.length >= 20, 15_000, 'pictures');
    assert.deepEqual([...new Set(camera.requests.filter((request) => request.startsWith('SETUP')))], ['SETUP /cam/0']);
    await end();
  });

  it('the larger one of two pictures is shown', async () => {
    const { pulls, video, end } = await watch({ tracks: [{ sdp: ['m=video 0 RTP/AVP 98', 'a=rtpmap:98 H264/90000'] }, picture()] });
    await eventually(() => video.length >= 20, 15_000, 'pictures');
    assert.equal(pulls.get('cam')?.widthPx, 160);
    await end();
  });

  for (const fps of [0.4, 1, 2]) {
    for (const [which, tracks] of [
      ['alone', [picture()]],
      ['beside sound', [picture(), sound]],
    ] as const) {
      it(`a camera that sends ${fps} pictures a second, ${which}, is watched without a break, and its rate is told`, async () => {
        const { pulls, feed, video, waiting, end } = await watch({ tracks, fps });
        await eventually(() => feed.live?.isWaiting === false && video.length > 0 && waiting.at(-1) !== true, 20_000, 'the first picture');
        const before = waiting.length;
        const count = video.length;
        await eventually(() => video.length >= count + 3, 20_000, 'pictures');
        assert.deepEqual([waiting.length - before, feed.restarts, feed.trouble], [0, 0, undefined]);
        await eventually(() => Math.abs((pulls.get('cam')?.fps ?? 0) / fps - 1) < 0.25, 20_000, 'its rate');
        await end();
      });
    }
  }

  it('a camera that sends 120 pictures a second is transcoded to 60 at most', async () => {
    const { video, end } = await watch({ tracks: [picture()], fps: 120 }, { transcode: 'always' });
    await eventually(() => video.length >= 150, 20_000, 'pictures');
    const recent = video.slice(-100);
    const fps = (99 * 1000) / ((recent.at(-1) as number) - (recent[0] as number));
    assert.ok(fps <= 62, `${fps} pictures a second`);
    await end();
  });

  it('a slow camera that stops is noticed in proportion to its rate', async () => {
    const { camera, feed, video, waiting, end } = await watch({ tracks: [picture()], fps: 1 });
    await eventually(() => video.length >= 4 && feed.live?.isWaiting === false, 20_000, 'pictures');
    const before = waiting.length;
    camera.isFrozen = true;
    const frozenMs = performance.now();
    await eventually(() => waiting.length > before, 10_000, 'the slate');
    assert.ok(performance.now() - frozenMs > 2_000);
    camera.isFrozen = false;
    await eventually(() => waiting.at(-1) === false, 15_000, 'the picture again');
    await end();
  });

  it(
    'the bundled ffmpeg leaves out the sound that cannot be set up',
    { skip: bundled === undefined && 'no bundled ffmpeg for this platform' },
    async () => {
      const { video, end } = await watch({ tracks: [picture(), sound, broken(talkBack)] }, {}, bundled && { tools: bundled });
      await eventually(() => video.length >= 20, 15_000, 'pictures');
      await end();
    },
  );
});
