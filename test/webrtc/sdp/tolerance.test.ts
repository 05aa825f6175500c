/** What senders and players write differently, and mean the same by. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MediaPeerError } from '../../../src/base/errors.js';
import type { Plan } from '../../../src/webrtc/sdp/negotiate.js';
import { negotiatePublish } from '../../../src/webrtc/sdp/negotiate-publish.js';
import { offer, planOf } from '../offers.js';

const source = { hasAudio: true, renditions: ['raw', 'processed'] } as const;
const uses = (plan: Plan): string[] => plan.mLines.map(({ use }) => use);
const lines = (sdp: string): string[] => sdp.split('\r\n').filter((line) => line !== '');

/** The lines of one m-section, and of what is before the first, can be changed apart. */
function moved(sdp: string, name: string): string {
  const all = lines(sdp);
  const line = all.find((each) => each.startsWith(`a=${name}`)) ?? '';
  const rest = all.filter((each) => !each.startsWith(`a=${name}`));
  const firstMLine = rest.findIndex((each) => each.startsWith('m='));
  return [...rest.slice(0, firstMLine), line, ...rest.slice(firstMLine), ''].join('\r\n');
}

const VARIANTS: Readonly<Record<string, (sdp: string) => string>> = {
  'as it is': (sdp) => sdp,
  'opus without its channels': (sdp) => sdp.replaceAll('opus/48000/2', 'opus/48000'),
  'opus with one channel': (sdp) => sdp.replaceAll('opus/48000/2', 'opus/48000/1'),
  'names of codecs in other letters': (sdp) =>
    sdp.replaceAll('opus/48000', 'OPUS/48000').replaceAll(' H264/', ' h264/').replaceAll(' VP8/', ' vp8/'),
  'blanks in a=rtpmap': (sdp) => sdp.replace(/a=rtpmap:(\d+) (\S+)/g, 'a=rtpmap:$1  $2 ').replaceAll('opus/48000', 'opus / 48000'),
  'a tab in a=rtpmap': (sdp) => sdp.replace(/a=rtpmap:(\d+) /g, 'a=rtpmap:$1\t'),
  'lines that end with a line feed alone': (sdp) => sdp.replaceAll('\r\n', '\n'),
  'blanks at the ends of lines': (sdp) => sdp.replaceAll('\r\n', ' \r\n'),
  'empty lines': (sdp) => sdp.replaceAll('\r\n', '\r\n\r\n'),
  'an empty line before all': (sdp) => `\r\n${sdp}`,
  'attributes and lines that nobody knows': (sdp) =>
    sdp.replace(/(m=.*\r\n)/g, '$1b=AS:2500\r\nb=TIAS:2500000\r\ni=camera\r\na=x-unknown\r\na=x-unknown:1 2 3\r\n'),
  'no a=setup': (sdp) => sdp.replace(/a=setup:.*\r\n/g, ''),
  'no a=mid and no group': (sdp) => sdp.replace(/a=(mid|group|msid-semantic):.*\r\n/g, ''),
  'a=extmap-allow-mixed and a=ice-options': (sdp) =>
    sdp.replace('t=0 0\r\n', 't=0 0\r\na=extmap-allow-mixed\r\na=ice-options:trickle renomination\r\n'),
  'a fingerprint in other letters': (sdp) =>
    sdp.replace(/a=fingerprint:sha-256 (\S+)/g, (_all, hex: string) => `a=fingerprint:SHA-256 ${hex.toLowerCase()}`),
  'a fingerprint of a hash that nobody knows beside': (sdp) => sdp.replace(/(a=fingerprint:sha-256)/g, 'a=fingerprint:md5 00:11\r\n$1'),
  'ICE credentials for the session': (sdp) => moved(moved(sdp, 'ice-ufrag'), 'ice-pwd'),
  'the fingerprint for the session': (sdp) => moved(sdp, 'fingerprint'),
  'feedback for all payload types': (sdp) => sdp.replace(/(m=video.*\r\n)/, '$1a=rtcp-fb:* nack  pli\r\n'),
  'header extensions for the session': (sdp) => moved(sdp, 'extmap'),
  'an m-line with more blanks': (sdp) => sdp.replace(/m=(\w+) (\d+) (\S+) /g, 'm=$1  $2  $3  '),
  'candidates that cannot be read': (sdp) =>
    sdp.replace(
      /(m=.*\r\n)/g,
      '$1a=candidate:1 1 udp\r\na=candidate:\r\na=candidate:2 1 udp 1 fe80::1%eth0 1 typ host\r\na=candidate:3 1 quic 1 192.0.2.1 0 typ host\r\na=candidate:4 1 udp 1 x.local 9 typ host\r\n',
    ),
};

describe('an offer is taken', () => {
  for (const [name, change] of Object.entries(VARIANTS)) {
    it(`with ${name}`, () => {
      for (const client of ['aiortc', 'chromium', 'firefox']) {
        if (client === 'firefox' && name === 'no a=mid and no group') continue; // needs a transport for each m-line
        const original = offer(client);
        const isUnbundled = name === 'no a=mid and no group';
        if (isUnbundled && client === 'chromium') continue;
        assert.deepEqual(uses(planOf(change(original), source)), uses(planOf(original, source)), client);
        const sending = original.replaceAll('a=recvonly', 'a=sendonly');
        if (uses(planOf(original, source)).filter((use) => use === 'video').length > 1) continue;
        assert.deepEqual(uses(negotiatePublish(change(sending))), uses(negotiatePublish(sending)), `${client} publishes`);
      }
    });
  }

  it('with its direction for the whole session', () => {
    const direction = (sdp: string, name: string): string =>
      sdp.replace(/a=(sendrecv|recvonly|sendonly)\r\n/g, '').replace('t=0 0\r\n', `t=0 0\r\na=${name}\r\n`);
    assert.deepEqual(uses(planOf(direction(offer('aiortc'), 'recvonly'), source)), uses(planOf(offer('aiortc'), source)));
    assert.throws(() => planOf(direction(offer('aiortc'), 'sendonly'), source), { code: 'NOTHING_TO_SERVE' });
    assert.throws(() => negotiatePublish(direction(offer('aiortc'), 'recvonly')), { code: 'NOTHING_TO_SERVE' });
  });

  it('with a=fmtp in several lines, and with none for the H.264 of a publisher', () => {
    const published = (sdp: string): unknown =>
      negotiatePublish(sdp.replaceAll('a=recvonly', 'a=sendonly')).mLines.flatMap((mLine) =>
        mLine.use === 'receive' ? [mLine.codec.codec] : [],
      );
    const h264 = offer('aiortc').replace(/m=video (\d+) (\S+) .*\r\n/, 'm=video $1 $2 101\r\n');
    assert.deepEqual(published(h264.replace(/a=fmtp:101 .*\r\n/, '')), published(h264));
    const split = h264.replace(/a=fmtp:101 .*\r\n/, 'a=fmtp:101 packetization-mode=1\r\na=fmtp:101 profile-level-id=42e01f\r\n');
    const chosen = planOf(split, source).mLines.find((mLine) => mLine.use === 'video');
    assert.equal(chosen?.use === 'video' ? chosen.codec.offered.fmtp : undefined, 'packetization-mode=1;profile-level-id=42e01f');
  });

  it('or refused in words that name G.711, which needs no a=rtpmap', () => {
    const g711 = offer('aiortc')
      .replaceAll('a=recvonly', 'a=sendonly')
      .replace(/m=audio (\d+) (\S+) .*\r\n/, 'm=audio $1 $2 0 8\r\n')
      .replace(/a=rtpmap:(0|8|96) .*\r\n/g, '');
    assert.throws(
      () => negotiatePublish(g711),
      (error) => error instanceof MediaPeerError && /offered: PCMU, PCMA/.test(error.message),
    );
  });
});
