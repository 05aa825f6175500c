import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { PictureSize } from '../../../src/media/index.js';
import { pictureSize } from '../../../src/source/picture-size.js';
import { ChromiumHarness, noChromium } from '../../helpers/chromium.js';
import { eventually } from '../../helpers/deadline.js';
import { Rig } from '../rig.js';

/** What the page runs: its camera in three layers, to whoever answers `answerOf`. */
const PUBLISH = `async (codec) => {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 1280, height: 720 } });
  const pc = (window.pc = new RTCPeerConnection());
  const transceiver = pc.addTransceiver(stream.getVideoTracks()[0], {
    direction: 'sendonly',
    streams: [stream],
    sendEncodings: [
      { rid: 'q', scaleResolutionDownBy: 4, maxBitrate: 150_000 },
      { rid: 'h', scaleResolutionDownBy: 2, maxBitrate: 500_000 },
      { rid: 'f', maxBitrate: 1_500_000 },
    ],
  });
  transceiver.setCodecPreferences(
    RTCRtpSender.getCapabilities('video').codecs.filter(({ mimeType }) => mimeType === codec || mimeType === 'video/rtx'),
  );
  window.sender = transceiver.sender;
  await pc.setLocalDescription(await pc.createOffer());
  await pc.setRemoteDescription({ type: 'answer', sdp: await answerOf(pc.localDescription.sdp) });
}`;
const SET_ACTIVE = `async (rid, active) => {
  const parameters = sender.getParameters();
  parameters.encodings.find((encoding) => encoding.rid === rid).active = active;
  await sender.setParameters(parameters);
}`;

describe('Chromium publishes a simulcast', { skip: noChromium }, () => {
  let browser: ChromiumHarness;
  before(async () => (browser = await ChromiumHarness.shared()));
  after(async () => browser.close());

  for (const codec of ['video/VP8', 'video/H264'] as const) {
    it(`of three layers in ${codec}: each with its size, and one media time for one frame`, async (t) => {
      const rig = new Rig();
      t.after(() => rig.close());
      const { page } = await browser.viewerPage('http://127.0.0.1:9/');
      t.after(() => page.context().close());
      const hasCodec = await page.evaluate(`RTCRtpSender.getCapabilities('video').codecs.some(({ mimeType }) => mimeType === '${codec}')`);
      if (hasCodec !== true) return t.skip(`this Chromium does not encode ${codec}`);
      await page.exposeFunction(
        'answerOf',
        async (sdp: string) => (await rig.manager.publish({ sdp, door: 'whip', room: 'gate', takeover: false })).sdp,
      );
      await page.evaluate(`(${PUBLISH})('${codec}')`);
      const framesOf = (layer: string) => rig.gateway.published.filter((each) => each.layer === layer).map(({ frame }) => frame);
      await eventually(() => ['q', 'h', 'f'].every((layer) => framesOf(layer).length >= 30), 30_000, '30 frames in each layer');

      const sizeOf = (layer: string): PictureSize | undefined => {
        const keyframe = framesOf(layer).findLast((frame) => frame.keyframe);
        return keyframe && pictureSize(codec === 'video/H264' ? 'h264' : 'vp8', keyframe);
      };
      assert.deepEqual(
        ['q', 'h', 'f'].map(sizeOf),
        [180, 360, 720].map((heightPx) => ({ widthPx: (heightPx * 16) / 9, heightPx })),
      );
      const last = (layer: string): number[] =>
        framesOf(layer)
          .slice(-20, -5)
          .map(({ mediaTimeMs }) => mediaTimeMs);
      // An encoder that is behind leaves frames out of one layer and not of another: at times, not for good.
      const shared = (layer: string): number => {
        const top = new Set(framesOf('f').map(({ mediaTimeMs }) => mediaTimeMs));
        return last(layer).filter((mediaTimeMs) => top.has(mediaTimeMs)).length;
      };
      for (const layer of ['q', 'h'])
        await eventually(() => shared(layer) >= 10, 10_000, `10 of 15 frames of ${layer} to have the time of one of the best layer`);

      await page.evaluate(`(${SET_ACTIVE})('f', false)`);
      const before = framesOf('f').length;
      const lower = framesOf('h').length;
      await eventually(() => framesOf('h').length >= lower + 40, 10_000, 'the next layer goes on');
      assert.ok(framesOf('f').length < before + 30, 'the best one has stopped');
      await page.evaluate(`(${SET_ACTIVE})('f', true)`);
      const stopped = framesOf('f').length;
      await eventually(() => framesOf('f').length >= stopped + 20, 10_000, 'it comes back');
      assert.equal(framesOf('f')[stopped]?.keyframe, true);
      const [snapshot] = rig.manager.snapshot();
      assert.equal(snapshot?.received?.framesLost, 0);
    });
  }
});
