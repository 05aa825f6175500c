/** H.265 as it comes to a viewer whose depacketizer and decoder are another stack's: GStreamer. Debian's browsers have none. */
import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { eventually } from '../helpers/deadline.js';
import { GstPeer, noGStreamer } from '../helpers/gstreamer.js';
import { copyVideo, noH265 } from '../helpers/make-video.js';
import { TestServer } from '../helpers/server.js';

const missing = noH265 || noGStreamer('webrtcbin', 'nicesrc', 'rtph265depay', 'h265parse', 'avdec_h265|libde265dec', 'dtlsdec', 'srtpdec');

interface Streams {
  readonly sources: readonly {
    readonly source: string;
    readonly delivery: string;
    readonly codec: string | null;
    readonly decoder: unknown;
    readonly renditions: readonly { readonly rendition: string; readonly codec: string; readonly width: number }[];
  }[];
}

/** The newest timestamps of decoded pictures of a codec, in ms. */
const times = (viewer: GstPeer, codec: string): number[] =>
  viewer.lines.flatMap((line) => {
    const [, stamp] = new RegExp(`^picture ${codec} \\S+ (\\d+)$`).exec(line) ?? [];
    return stamp === undefined ? [] : [Number(stamp) / 1e6];
  });

describe('H.265 for GStreamer', { skip: missing, timeout: 180_000 }, () => {
  let server: TestServer;
  const viewers: GstPeer[] = [];

  before(async () => {
    server = await TestServer.start(['hevc-copyable.mp4', 'hevc-ten-bit.mp4', 'hevc-720p.mp4', 'hevc-2160p.mp4', 'copyable.mp4']);
  });

  afterEach(async () => {
    await Promise.all(viewers.splice(0).map((viewer) => viewer.kill()));
    await eventually(() => server.resources.child_processes === 0, 10_000, 'all processes to end');
  });

  after(() => server.close());

  const watch = (source: string, codecs: string, rendition = 'raw'): GstPeer => {
    const viewer = new GstPeer('gst-whep-viewer.py', `${server.url}/whep/${source}/${rendition}`, codecs);
    viewers.push(viewer);
    return viewer;
  };
  const sees = (viewer: GstPeer, codec: string, count = 60): Promise<void> =>
    viewer.until(() => times(viewer, codec).length >= count, `${count} pictures of ${codec}`);
  const running = async (source: string): Promise<Streams['sources'][number]> => {
    const { sources } = await server.get<Streams>('/active-streams');
    return sources.find((one) => one.source === source) ?? assert.fail(`${source} does not run`);
  };

  for (const codecs of ['H265', 'H265,H264', 'VP8,H264,H265']) {
    it(`who offers ${codecs} gets the file's own frames, and nothing is decoded or encoded`, async () => {
      const viewer = watch('hevc-copyable', codecs);
      await sees(viewer, 'H265', 100); // over the seam of the loop
      const { delivery, codec, decoder, renditions } = await running('hevc-copyable');
      assert.deepEqual([delivery, codec, decoder], ['passthrough', 'h265', null]);
      assert.deepEqual(
        renditions.map(({ rendition, codec, width }) => [rendition, codec, width]),
        [['raw', 'h265', 640]],
      );
      const steps = times(viewer, 'H265')
        .slice(40)
        .map((time, i, all) => time - (all[i - 1] ?? time));
      // A decoder that is short of time leaves frames out, and a jitter buffer moves them a little.
      const usual = [...steps].sort((one, other) => one - other)[steps.length >> 1] ?? 0;
      assert.ok(
        usual > 25 && usual < 40 && steps.every((step) => step >= 0 && step < 400),
        `steps of ${steps.map(Math.round).join(' ')} ms`,
      );
      await viewer.leave();
    });
  }

  it('a larger picture travels in many fragments', async () => {
    const viewer = watch('hevc-720p', 'H265');
    await sees(viewer, 'H265');
    assert.ok(viewer.lines.some((line) => line.startsWith('picture H265 1280x720 ')));
    await viewer.leave();
  });

  it('who offers no H.265 gets H.264 of the same source beside who does, of at most 1920 pixels', async () => {
    const [copy, encoded] = [watch('hevc-2160p', 'H265'), watch('hevc-2160p', 'H264')];
    await sees(encoded, 'H264', 10);
    await sees(copy, 'H265', 5);
    assert.ok(encoded.lines.some((line) => line.startsWith('picture H264 1920x1080 ')));
    assert.ok(copy.lines.some((line) => line.startsWith('picture H265 3840x2160 ')));
    const { renditions } = await running('hevc-2160p');
    assert.deepEqual(renditions.map(({ codec, width }) => [codec, width]).sort(), [
      ['h264', 1920],
      ['h265', 3840],
    ]);
    await Promise.all([copy.leave(), encoded.leave()]);
  });

  it('ten bits go to decoders of Main 10 alone', async () => {
    const [main, main10] = [watch('hevc-ten-bit', 'H265/1,H264'), watch('hevc-ten-bit', 'H265/2')];
    await sees(main, 'H264');
    await main10.until(() => main10.lines.includes('receives H265 96'), 'H.265');
    const none = watch('hevc-ten-bit', 'H265/1');
    await none.says('opened 422');
    await Promise.all([main, main10, none].map((viewer) => viewer.leave()));
  });

  it('H.265 is no codec of a source that does not come in it', async () => {
    const viewer = watch('copyable', 'H265,H264');
    await sees(viewer, 'H264');
    assert.ok(!viewer.lines.some((line) => line.includes('H265/90000')));
    const only = watch('copyable', 'H265');
    await only.says('opened 422');
    await Promise.all([viewer.leave(), only.leave()]);
  });

  it('a file that is replaced by one of H.264 goes on in the other payload type, in the same session', async () => {
    copyVideo('hevc-copyable.mp4', server.uploadDir, 'swap.mp4');
    await eventually(
      () => server.get<unknown>('/available-videos').then((list) => JSON.stringify(list).includes('swap')),
      10_000,
      'the file',
    );
    const viewer = watch('swap', 'H265,H264');
    await sees(viewer, 'H265');
    renameSync(copyVideo('copyable.mp4', server.uploadDir, '.next.mp4'), path.join(server.uploadDir, 'swap.mp4'));
    await viewer.until(() => viewer.lines.includes('receives H264 97'), 'H.264');
    await sees(viewer, 'H264');
    assert.ok(!viewer.lines.includes('lost'));
    await viewer.leave();
  });
});
