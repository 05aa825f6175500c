import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ChromiumHarness, noChromium } from '../../helpers/chromium.js';
import { eventually } from '../../helpers/deadline.js';
import { Rig } from '../rig.js';

/** What the page runs: camera and microphone go to whoever answers `answerOf`. */
const PUBLISH = `async (codec) => {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 360 }, audio: true });
  const pc = (window.pc = new RTCPeerConnection());
  for (const track of stream.getTracks()) {
    const transceiver = pc.addTransceiver(track, { direction: 'sendonly', streams: [stream] });
    const wanted = RTCRtpSender.getCapabilities(track.kind).codecs.filter(({ mimeType }) => track.kind === 'audio' || mimeType === codec || mimeType === 'video/rtx');
    transceiver.setCodecPreferences(wanted);
  }
  await pc.setLocalDescription(await pc.createOffer());
  await new Promise((resolve) => {
    const check = () => pc.iceGatheringState === 'complete' && resolve();
    pc.onicegatheringstatechange = check;
    check();
  });
  await pc.setRemoteDescription({ type: 'answer', sdp: await answerOf(pc.localDescription.sdp) });
}`;
const STATS = `async () => [...(await pc.getStats()).values()].filter(({ type }) => type === 'remote-inbound-rtp' || type === 'outbound-rtp' || type === 'candidate-pair')`;

type Stats = Readonly<Record<string, unknown>>[];

describe('Chromium publishes', { skip: noChromium }, () => {
  let browser: ChromiumHarness;
  before(async () => (browser = await ChromiumHarness.shared()));
  after(async () => browser.close());

  for (const codec of ['video/VP8', 'video/H264']) {
    it(`${codec} and Opus: whole frames from a keyframe on, on one clock, with the feedback it needs`, async (t) => {
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
      const times = (kind: string): number[] =>
        rig.gateway.published.flatMap((each) => (each.kind === kind ? [each.frame.mediaTimeMs] : []));
      await eventually(() => times('video').length >= 40 && times('audio').length >= 100, 20_000, '40 pictures and 2 s of sound');

      const video = rig.gateway.published.filter(({ kind }) => kind === 'video');
      assert.ok(video[0]?.frame.keyframe);
      for (const kind of ['video', 'audio']) {
        for (const [i, time] of times(kind).entries()) if (i > 0) assert.ok(time > (times(kind)[i - 1] ?? 0), `${kind} ${i}`);
      }
      assert.ok(Math.abs(times('video').at(-1)! - times('audio').at(-1)!) < 500, 'one clock');

      const keyframes = (): number => rig.gateway.published.filter(({ kind, frame }) => kind === 'video' && frame.keyframe).length;
      const known = keyframes();
      rig.gateway.publication?.requestKeyframe();
      await eventually(() => keyframes() > known, 5000, 'a keyframe that was asked for');

      const stats = await eventually(
        async () => {
          const found = await page.evaluate<Stats>(`(${STATS})()`);
          return found.filter(({ type }) => type === 'remote-inbound-rtp').length === 2 ? found : undefined;
        },
        8000,
        'Receiver Reports of both streams',
      );
      assert.ok(
        stats.some(({ type, pliCount }) => type === 'outbound-rtp' && Number(pliCount) > 0),
        'a PLI',
      );
      assert.ok(
        stats.some(({ type, availableOutgoingBitrate }) => type === 'candidate-pair' && Number(availableOutgoingBitrate) > 0),
        'an estimate from transport feedback',
      );
      const [snapshot] = rig.manager.snapshot();
      assert.equal(snapshot?.received?.videoCodec, codec === 'video/H264' ? 'h264' : 'vp8');
      assert.deepEqual([snapshot.received.packetsLost, snapshot.received.framesLost], [0, 0]);
    });
  }
});
