/** Answers of WHIP servers, good and bad, as real connections take them. */
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { Forwards } from '../../src/forward/index.js';
import type { ForwardState, ForwardStatus } from '../../src/forward/index.js';
import { systemClock } from '../../src/base/clock.js';
import { ResourceLedger } from '../../src/base/resources.js';
import { checkOffer } from '../../src/webrtc/index.js';
import { eventually } from '../helpers/deadline.js';
import { recordingLogger, Rig } from '../webrtc/rig.js';
import { WhipServer } from './whip-server.js';

const FINGERPRINT = /(a=fingerprint:sha-256 )([0-9A-F:]+)/g;
const OTHER = Array.from({ length: 32 }, () => 'AB').join(':');

describe('the answer of a WHIP server', { timeout: 60_000 }, () => {
  const closers: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0)) await close();
  });

  /** @param answer of the offer, by what a good server would answer */
  async function forward(answer: (good: string) => string, hasAudio = true) {
    const here = new Rig({ source: { hasAudio }, disconnectGraceMs: 1000 });
    const far = new Rig();
    const offers: string[] = [];
    const server = await WhipServer.open(async ({ method, body }) => {
      if (method === 'DELETE') return { status: 200 };
      offers.push(body);
      const { sdp } = await far.manager.publish({ door: 'whip', room: 'gate', sdp: body, takeover: true });
      return { status: 201, headers: { location: '/sessions/x', 'content-type': 'application/sdp' }, body: answer(sdp) };
    });
    const clock = systemClock(new ResourceLedger());
    const forwards = new Forwards({ sessions: () => here.manager, max: 1, clock, logger: recordingLogger([]) });
    closers.push(
      () => forwards.close(),
      () => here.close(),
      () => far.close(),
      () => server.close(),
    );
    forwards.add({ sourceId: 'street', url: server.url, origin: 'api' });
    const until = (state: ForwardState): Promise<ForwardStatus> =>
      eventually(() => forwards.list().find((status) => status.state === state), 15_000, state);
    return { here, far, offers, forwards, until };
  }

  it('is answered with media; the offer is what WHIP asks for', async () => {
    const { here, far, offers, until } = await forward((good) => good);
    await until('live');
    const [offer = ''] = offers;
    checkOffer('WHIP', offer);
    assert.ok(!offer.includes('m=application') && offer.includes('a=end-of-candidates') && offer.includes('a=candidate:'));
    assert.deepEqual(offer.match(/^a=(sendonly|setup:\w+)$/gm), ['a=setup:actpass', 'a=sendonly', 'a=setup:actpass', 'a=sendonly']);
    await eventually(
      () => {
        here.write(1, { keyframe: true });
        return (far.manager.snapshot()[0]?.received?.packetsReceived ?? 0) > 0;
      },
      10_000,
      'packets',
    );
    const { sending } = await until('live');
    assert.deepEqual([sending?.videoCodec, sending?.hasAudio], ['h264', true]);
  });

  for (const [what, change, why] of [
    ['is empty', () => '', /cannot be used: .*it is empty/],
    ['is no SDP', () => '<html>welcome</html>', /cannot be used: .*line 1/],
    ['is cut off', (good: string) => good.slice(0, good.indexOf('a=ice-ufrag')), /cannot be used/],
    [
      'has another m-line',
      (good: string) => good + good.slice(good.indexOf('m=audio')).replace('a=mid:1', 'a=mid:2'),
      /cannot be used: .*expected video, audio, got video, audio, audio/,
    ],
    [
      'lacks an m-line',
      (good: string) => good.slice(0, good.indexOf('m=audio')).replace('BUNDLE 0 1', 'BUNDLE 0'),
      /cannot be used: .*expected video, audio, got video/,
    ],
    ['wants more than one transport', (good: string) => good.replace(/^a=group:BUNDLE.*\r\n/m, ''), /cannot be used: .*BUNDLE/],
    ['sends as well as we do', (good: string) => good.replaceAll('a=recvonly', 'a=sendonly'), /cannot be used/],
    [
      'takes no video',
      (good: string) => good.replace(/^m=video \d+/m, 'm=video 0').replace('BUNDLE 0 1', 'BUNDLE 1'),
      /takes no video: its port is 0/,
    ],
    ['has a codec that was not offered', (good: string) => good.replaceAll('H264/90000', 'AV1/90000'), /takes no video: no common codec/],
    [
      'has the certificate of somebody else',
      (good: string) => good.replace(FINGERPRINT, `$1${OTHER}`),
      /DTLS handshake .* failed: .*[Ff]ingerprint/,
    ],
    ['has no certificate', (good: string) => good.replace(/^a=fingerprint.*\r\n/gm, ''), /cannot be used: .*fingerprint/],
  ] as const)
    it(`is told apart where it ${what}`, async () => {
      const { until } = await forward(change);
      const { lastError } = await until('failed');
      assert.match(lastError ?? '', why);
    });

  it('may refuse the sound', async () => {
    const { until } = await forward((good) => good.replace(/^m=audio \d+/m, 'm=audio 0').replace('BUNDLE 0 1', 'BUNDLE 0'));
    assert.equal((await until('live')).sending?.hasAudio, false);
  });
});
