/** H.265 in session descriptions: who is sent it, and what is agreed on beside it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { H265Profile, SourceMedia } from '../../../src/media/index.js';
import { writeAnswer } from '../../../src/webrtc/sdp/answer.js';
import { chooseVideoCodec, codecFor, codecsOf } from '../../../src/webrtc/sdp/codecs.js';
import { negotiate } from '../../../src/webrtc/sdp/negotiate.js';
import { planAnswer, planOffer } from '../../../src/webrtc/sdp/offer-plan.js';
import { writeOffer } from '../../../src/webrtc/sdp/offer.js';
import { parseSdp, type MediaSection } from '../../../src/webrtc/sdp/parse.js';

const MAIN: H265Profile = { profileId: 1, tierFlag: 0, levelId: 120 };
const SOURCE = { hasAudio: false, renditions: ['raw', 'processed'], rawCodec: 'h265', rawH265: MAIN } as const satisfies SourceMedia;
const H264 = 'H264 packetization-mode=1;profile-level-id=42e01f';

/** A video m-line with one payload type for each `NAME fmtp`, from 100 on, each with its retransmissions from 200 on where `rtx`. */
function section(codecs: readonly string[], rtx = false): MediaSection {
  const formats = codecs.map((_codec, i) => String(100 + i));
  const repairs = rtx ? formats.map((format) => String(Number(format) + 20)) : [];
  const lines = codecs.map((codec, i) => ({
    format: formats[i] as string,
    name: codec.split(' ')[0] ?? '',
    fmtp: codec.split(' ').slice(1).join(' '),
  }));
  return {
    kind: 'video',
    port: 9,
    protocol: 'UDP/TLS/RTP/SAVPF',
    formats: [...formats, ...repairs],
    attributes: new Map([
      ['rtpmap', [...lines.map(({ format, name }) => `${format} ${name}/90000`), ...repairs.map((format) => `${format} rtx/90000`)]],
      [
        'fmtp',
        [
          ...lines.flatMap(({ format, fmtp }) => (fmtp === '' ? [] : [`${format} ${fmtp}`])),
          ...repairs.map((format) => `${format} apt=${Number(format) - 20}`),
        ],
      ],
      ['rtcp-fb', ['* nack', '* nack pli']],
    ]),
    mid: '0',
  };
}

const chosen = (codecs: readonly string[], h265: H265Profile = MAIN): (string | number)[] => {
  const codec = chooseVideoCodec(section(codecs), { preferred: 'h265', h265 });
  return codec ? codecsOf(codec).flatMap(({ codec, offered }) => [codec, offered.payloadType]) : [];
};

describe('which decoder takes which H.265', () => {
  const CASES: readonly [stream: Partial<H265Profile>, fmtp: string, taken: boolean][] = [
    [{}, 'level-id=120;profile-id=1;tier-flag=0;tx-mode=SRST', true],
    [{}, 'profile-id=1;level-id=180', true],
    // What stands for nothing said (RFC 7798 §7.1): Main, Main tier, 3.1, which some say whatever they decode.
    [{}, '', true],
    [{}, 'level-id=93;tx-mode=SRST', true],
    [{}, 'level-id=90;profile-id=1', false],
    [{}, 'level-id=63;profile-id=1;max-recv-level-id=120', true],
    [{}, 'level-id=180;profile-id=2', true],
    [{ profileId: 2 }, 'level-id=180;profile-id=2', true],
    [{ profileId: 2 }, 'level-id=180;profile-id=1', false],
    [{}, 'level-id=180;profile-id=3', false],
    [{}, 'level-id=180;profile-id=4', false],
    [{ tierFlag: 1 }, 'level-id=180;tier-flag=0', false],
    [{ tierFlag: 1 }, 'level-id=180;tier-flag=1', true],
    [{}, 'level-id=180;tier-flag=1', true],
    [{}, 'level-id=180;tx-mode=MRST', false],
    [{}, 'level-id=180;tx-mode=srst', true],
    [{}, 'level-id=999999;profile-id=1e1', true],
    [{}, 'profile-id=-1;level-id=x', true],
  ];
  for (const [stream, fmtp, isTaken] of CASES) {
    const profile = { ...MAIN, ...stream };
    test(`${JSON.stringify(profile)} is ${isTaken ? '' : 'not '}sent to '${fmtp}'`, () => {
      assert.deepEqual(chosen([`H265 ${fmtp}`, H264], profile), isTaken ? ['h265', 100, 'h264', 101] : ['h264', 101]);
    });
  }

  test('of several the one that takes it, wherever the offer has it', () => {
    assert.deepEqual(chosen(['VP8', H264, 'H265 profile-id=2;level-id=60', 'H265 profile-id=1;level-id=150']), ['h265', 103, 'h264', 101]);
    assert.deepEqual(chosen(['h265 level-id=180']), ['h265', 100]);
    assert.deepEqual(chosen(['H265 level-id=180', 'VP8']), ['h265', 100, 'vp8', 101]);
    assert.deepEqual(chosen(['VP8']), ['vp8', 100]);
    assert.deepEqual(chosen(['AV1']), []);
  });
});

/** An offer of a browser that has H.265, in one m-line for each rendition. */
function offerSdp(mLines: number, codecs: readonly string[] = ['H265 level-id=180;profile-id=1;tier-flag=0;tx-mode=SRST', H264]): string {
  const { formats, attributes } = section(codecs, true);
  const media = Array.from({ length: mLines }, (_unused, mid) => [
    `m=video 9 UDP/TLS/RTP/SAVPF ${formats.join(' ')}`,
    ...[
      'c=IN IP4 0.0.0.0',
      'a=rtcp-mux',
      'a=recvonly',
      `a=mid:${mid}`,
      'a=ice-ufrag:abcd',
      `a=ice-pwd:${'p'.repeat(24)}`,
      'a=setup:actpass',
    ],
    `a=fingerprint:sha-256 ${Array(32).fill('AB').join(':')}`,
    ...[...attributes].flatMap(([name, values]) => values.map((value) => `a=${name}:${value}`)),
  ]);
  const bundle = `a=group:BUNDLE ${media.map((_lines, mid) => mid).join(' ')}`;
  return `${['v=0', 'o=- 1 1 IN IP4 0.0.0.0', 's=-', 't=0 0', bundle, ...media.flat()].join('\r\n')}\r\n`;
}

const TRANSPORT = {
  iceUfrag: 'abcd',
  icePassword: 'p'.repeat(24),
  fingerprint: 'sha-256 AB',
  setup: 'passive',
  candidates: [],
  isGathering: false,
} as const;

test('both payload types are answered with their retransmissions, H.265 first; processed is H.264 alone', () => {
  const plan = negotiate(parseSdp(offerSdp(2)), SOURCE, ['raw', 'processed']);
  const answer = writeAnswer(plan, [TRANSPORT], []);
  assert.deepEqual(
    answer.split('\r\n').filter((line) => /^m=|rtpmap|apt=|H265|level-id/.test(line)),
    [
      'm=video 9 UDP/TLS/RTP/SAVPF 100 120 101 121',
      'a=rtpmap:100 H265/90000',
      'a=fmtp:100 level-id=180;profile-id=1;tier-flag=0;tx-mode=SRST',
      'a=rtpmap:120 rtx/90000',
      'a=fmtp:120 apt=100',
      'a=rtpmap:101 H264/90000',
      'a=fmtp:101 packetization-mode=1;profile-level-id=42e01f',
      'a=rtpmap:121 rtx/90000',
      'a=fmtp:121 apt=101',
      'm=video 9 UDP/TLS/RTP/SAVPF 101 121',
      'a=rtpmap:101 H264/90000',
      'a=fmtp:101 packetization-mode=1;profile-level-id=42e01f',
      'a=rtpmap:121 rtx/90000',
      'a=fmtp:121 apt=101',
    ],
  );
});

test('a source that does not come in it is answered without H.265', () => {
  const plan = negotiate(parseSdp(offerSdp(1)), { hasAudio: false, renditions: ['raw'], rawCodec: 'h264', rawProfile: '42e01f' });
  assert.match(writeAnswer(plan, [TRANSPORT], []), /m=video 9 UDP\/TLS\/RTP\/SAVPF 101 121\r\n/);
});

test('what is sent follows the source: H.265 only as it comes, and only what the decoder takes', () => {
  const codec = chooseVideoCodec(section(['H265 profile-id=1;level-id=150', H264]), { preferred: 'h265', h265: MAIN });
  assert.ok(codec);
  const sent = (media: Partial<SourceMedia>, isAsItComes = true): string | undefined =>
    codecFor(codec, { hasAudio: false, renditions: ['raw'], ...media }, isAsItComes)?.codec;
  assert.equal(sent(SOURCE), 'h265');
  assert.equal(sent(SOURCE, false), 'h264');
  assert.equal(sent({ rawCodec: 'h264' }), 'h264');
  assert.equal(sent({ rawCodec: 'h265', rawH265: { ...MAIN, profileId: 2 } }), 'h264');
  assert.equal(sent({ rawCodec: 'h265', rawH265: { ...MAIN, levelId: 153 } }), 'h264');
  assert.equal(codecFor({ ...codec, beside: undefined }, { hasAudio: false, renditions: ['raw'], rawCodec: 'vp8' }, true), undefined);
});

test('H.265 of a low level is offered under the usual one, which takes it', () => {
  const levelOf = (levelId: number): string | undefined => {
    const { mLines } = planOffer({ ...SOURCE, rawH265: { ...MAIN, levelId } }, { renditions: ['raw'] });
    return /level-id=(\d+);profile-id/.exec(writeOffer(mLines, { ...TRANSPORT, setup: 'actpass' }, { sessionId: 1, version: 1 }))?.[1];
  };
  assert.deepEqual([63, 93, 150].map(levelOf), ['93', '93', '150']);
});

test('a viewer of a room is offered H.265 with its profile before the rest, for raw alone', () => {
  const offered = planOffer(SOURCE, { renditions: ['raw', 'processed'] });
  const sdp = writeOffer(offered.mLines, { ...TRANSPORT, setup: 'actpass' }, { sessionId: 1, version: 1 });
  assert.deepEqual(
    sdp.split('\r\n').filter((line) => /^m=video|H265|level-id=1/.test(line)),
    [
      'm=video 9 UDP/TLS/RTP/SAVPF 98 99 102 103 96 97',
      'a=rtpmap:98 H265/90000',
      'a=fmtp:98 level-id=120;profile-id=1;tier-flag=0;tx-mode=SRST',
      'm=video 9 UDP/TLS/RTP/SAVPF 102 103 96 97',
    ],
  );
  // The answer of a browser without it has what it knows; one with it has all.
  const answer = (formats: string): string =>
    sdp
      .replace('m=video 9 UDP/TLS/RTP/SAVPF 98 99 102 103 96 97', `m=video 9 UDP/TLS/RTP/SAVPF ${formats}`)
      .replaceAll('a=sendonly', 'a=recvonly')
      .replaceAll('a=setup:actpass', 'a=setup:active')
      .replaceAll('a=fingerprint:sha-256 AB', `a=fingerprint:sha-256 ${Array(32).fill('AB').join(':')}`);
  const codecs = (formats: string): string[] =>
    planAnswer(answer(formats), offered).mLines.flatMap((mLine) =>
      mLine.use === 'video' && mLine.rendition === 'raw' ? codecsOf(mLine.codec).map(({ codec }) => codec) : [],
    );
  assert.deepEqual(codecs('102 103 96 97'), ['h264']);
  assert.deepEqual(codecs('98 99 102 103 96 97'), ['h265', 'h264']);
  assert.deepEqual(codecs('98 99'), ['h265']);
});
