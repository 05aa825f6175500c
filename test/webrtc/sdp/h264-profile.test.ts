import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseVideoCodec } from '../../../src/webrtc/sdp/codecs.js';
import { planAnswer, planOffer } from '../../../src/webrtc/sdp/offer-plan.js';
import { writeOffer } from '../../../src/webrtc/sdp/offer.js';
import type { MediaSection } from '../../../src/webrtc/sdp/parse.js';
import { offer, planOf } from '../offers.js';

/** A video m-line with one payload type for each fmtp, from 100 on. */
function section(...fmtps: readonly string[]): MediaSection {
  const formats = fmtps.map((_fmtp, i) => String(100 + i));
  const attributes = new Map([
    ['rtpmap', formats.map((format) => `${format} H264/90000`)],
    ['fmtp', fmtps.flatMap((fmtp, i) => (fmtp === '' ? [] : [`${100 + i} ${fmtp}`]))],
  ]);
  return { kind: 'video', port: 9, protocol: 'UDP/TLS/RTP/SAVPF', formats, attributes, mid: '0' };
}

const mode1 = (profile: string): string => `level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=${profile}`;

/** What is sent, the profiles that are offered, and which of them fits. */
const CASES: readonly [sent: string | undefined, offered: readonly string[], chosen: string][] = [
  ['64001f', ['42e01f', '640c1f'], '640c1f'],
  ['64001f', ['42e01f', '4d001f', '640c1f', '64001f'], '64001f'],
  ['640c1f', ['42e01f', '64001f'], '64001f'],
  ['64001f', ['4d001f', '42e01f'], '42e01f'],
  ['4d001f', ['42e01f', '64001f', '4d001f'], '4d001f'],
  ['4d001f', ['42e01f', '64001f'], '64001f'],
  ['4d401f', ['42e01f', '4d001f'], '4d001f'],
  ['4de01f', ['64001f', '42e01f'], '42e01f'],
  ['42c01e', ['64001f', '4d001f', '42e01f'], '42e01f'],
  ['42001f', ['42e01f', '42001f'], '42001f'],
  ['42e01f', ['64001f'], '64001f'],
  ['640028', ['64001f', '640c28', '42e01f'], '640c28'],
  ['640028', ['64001f', '42e028'], '64001f'],
  ['6E001f', ['64001f', '42e01f'], '42e01f'],
  ['64001F', ['42E01F', '640C1F'], '640C1F'],
  [undefined, ['64001f', '42e01f'], '42e01f'],
  [undefined, ['64001f', '4d001f'], '4d001f'],
];

for (const [sent, offered, chosen] of CASES) {
  test(`of ${offered.join(', ')} the offer's ${chosen} is taken for ${sent ?? 'what is encoded here'}`, () => {
    assert.match(chooseVideoCodec(section(...offered.map(mode1)), { h264: sent })?.offered.fmtp ?? '', new RegExp(`${chosen}$`));
  });
}

test('packetization mode 1 goes before the profile, and max-recv-level counts', () => {
  const chosen = (...fmtps: readonly string[]): number | undefined =>
    chooseVideoCodec(section(...fmtps), { h264: '640028' })?.offered.payloadType;
  assert.equal(chosen('profile-level-id=640028', mode1('42e01f')), 101);
  assert.equal(chosen('packetization-mode=0;profile-level-id=640028'), undefined);
  assert.equal(chosen('', 'profile-level-id=640028'), 101);
  assert.equal(chosen(mode1('64001f'), `${mode1('64001f')};max-recv-level=0028`), 101);
});

test('raw gets the payload type of the source, processed the one of what is encoded', () => {
  const source = { hasAudio: false, renditions: ['raw', 'processed'], rawCodec: 'h264', rawProfile: '640028' } as const;
  const plan = planOf(offer('chromium'), source);
  const profiles = plan.mLines.flatMap((mLine) =>
    mLine.use === 'video' ? [/profile-level-id=(\w+)/.exec(mLine.codec.offered.fmtp ?? '')?.[1]?.slice(0, 4)] : [],
  );
  assert.equal(profiles[1], '42e0');
  assert.equal(profiles[0], 'f400', 'Chromium names no other that takes High');
});

test('the offer of this server names the profile that the source comes in, and the answer that takes it gets it', () => {
  const source = { hasAudio: false, renditions: ['raw'], rawCodec: 'h264', rawProfile: '640028' } as const;
  const planned = planOffer(source);
  const transport = {
    iceUfrag: 'abcd',
    icePassword: 'x'.repeat(22),
    fingerprint: `sha-256 ${Array.from({ length: 32 }, () => 'AB').join(':')}`,
    setup: 'actpass',
    candidates: [],
    isGathering: false,
  } as const;
  const sdp = writeOffer(planned.mLines, transport, { sessionId: 1, version: 1 });
  assert.match(sdp, /a=fmtp:104 .*profile-level-id=640028\r\n/);
  assert.match(sdp, /a=fmtp:102 .*profile-level-id=42e01f\r\n/);
  const answer = sdp.replaceAll('a=sendonly', 'a=recvonly').replaceAll('a=setup:actpass', 'a=setup:active');
  const chosen = (text: string): number[] =>
    planAnswer(text, planned).mLines.flatMap((mLine) => (mLine.use === 'video' ? [mLine.codec.offered.payloadType] : []));
  assert.deepEqual(chosen(answer), [104]);
  assert.deepEqual(chosen(answer.replace(/(m=video \d+ \S+) 104 105/, '$1')), [102]);
  const encoded = writeOffer(planOffer({ hasAudio: false, renditions: ['raw'] }).mLines, transport, { sessionId: 1, version: 1 });
  assert.ok(!encoded.includes('a=rtpmap:104'));
});
