import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MediaPeerError, type ErrorCode } from '../../../src/base/errors.js';
import { writeAnswer, type LocalTransport } from '../../../src/webrtc/sdp/answer.js';
import type { Plan } from '../../../src/webrtc/sdp/negotiate.js';
import { MAX_SDP_BYTES } from '../../../src/webrtc/sdp/parse.js';
import { mediaSection, offer, offerNames, planOf } from '../offers.js';

const source = { hasAudio: true, renditions: ['raw', 'processed'] } as const;
const local: LocalTransport = {
  iceUfrag: 'abcd',
  icePassword: 'x'.repeat(22),
  fingerprint: 'sha-256 00',
  setup: 'passive',
  candidates: ['candidate:1 1 udp 1 127.0.0.1 5000 typ host'],
  isGathering: false,
};

function answerTo(plan: Plan): string {
  const streams = plan.mLines.map((mLine, i) =>
    mLine.use === 'video' || mLine.use === 'audio'
      ? { ssrc: 10 + i, rtxSsrc: mLine.codec.rtx ? 20 + i : undefined, cname: 'c', msid: `s t${i}` }
      : undefined,
  );
  return writeAnswer(
    plan,
    plan.transports.map(() => local),
    streams,
  );
}

function summary(plan: Plan): string[] {
  return plan.mLines.map((mLine) => {
    if (mLine.use === 'none' || mLine.use === 'data') return mLine.use;
    return `${mLine.use === 'video' ? mLine.rendition : 'audio'} ${mLine.codec.codec}/${mLine.codec.offered.payloadType}${mLine.codec.rtx ? ` rtx/${mLine.codec.rtx.payloadType}` : ''}`;
  });
}

function rejects(action: () => unknown, code: ErrorCode, message: RegExp): void {
  assert.throws(action, (error) => {
    assert.ok(error instanceof MediaPeerError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  });
}

test('raw is offered in the codec that the source comes in, where the client has it', () => {
  const vp8 = { ...source, rawCodec: 'vp8' } as const;
  assert.deepEqual(summary(planOf(offer('chromium'), vp8)).slice(0, 2), ['raw vp8/96 rtx/97', 'processed h264/108 rtx/109']);
  const onlyH264 = offer('chromium').replaceAll(' VP8/90000', ' VP7/90000');
  assert.match(summary(planOf(onlyH264, vp8))[0] ?? '', /^raw h264/);
  assert.match(summary(planOf(offer('firefox-without-h264'), { ...source, rawCodec: 'h264' }, ['raw']))[0] ?? '', /^raw vp8/);
});

test('each client gets its own payload types, H.264 in packetization mode 1 before VP8', () => {
  const plans = Object.fromEntries(offerNames.map((name) => [name, summary(planOf(offer(name), source))]));
  assert.deepEqual(plans, {
    aiortc: ['processed h264/101 rtx/102', 'audio opus/96', 'data'],
    chromium: ['raw h264/108 rtx/109', 'processed h264/108 rtx/109', 'audio opus/111', 'data'],
    firefox: ['raw h264/126 rtx/127', 'processed h264/126 rtx/127', 'audio opus/109'],
    'firefox-without-h264': ['processed vp8/120 rtx/124'],
    'gstreamer-max-compat': ['processed h264/97', 'audio opus/98'],
    'gstreamer-no-bundle': ['processed h264/97', 'audio opus/98'],
    'gstreamer-without-mid': ['processed vp8/97'],
    pion: ['processed h264/102 rtx/103', 'data'],
    safari: ['processed h264/98 rtx/99', 'audio opus/111'],
  });
});

test('m-lines of a bundle share a transport, the others have one each', () => {
  assert.equal(planOf(offer('chromium'), source).transports.length, 1);
  assert.equal(planOf(offer('firefox'), source).transports.length, 1);
  assert.deepEqual(
    planOf(offer('gstreamer-no-bundle'), source).transports.map(({ iceUfrag }) => iceUfrag),
    ['video0Zk3vQ8x', 'audio1Zk3vQ8x'],
  );
});

test('an answer mirrors the offer: order, mids, bundle, one direction, multiplexed RTCP', () => {
  for (const name of offerNames) {
    const plan = planOf(offer(name), source);
    const answer = answerTo(plan);
    const kinds = (sdp: string): string[] => [...sdp.matchAll(/^m=([a-z]+)/gm)].map((match) => match[1] ?? '');
    const mids = (sdp: string): string[] => [...sdp.matchAll(/^a=mid:(.*?)\r?$/gm)].map((match) => match[1] ?? '');
    assert.deepEqual(kinds(answer), kinds(offer(name)), name);
    assert.deepEqual(mids(answer), mids(offer(name)), name);
    assert.equal(answer.includes('a=group:BUNDLE'), offer(name).includes('a=group:BUNDLE'), name);
    plan.mLines.forEach((mLine, i) => {
      const section = mediaSection(answer, i);
      if (mLine.use !== 'video' && mLine.use !== 'audio') return;
      assert.match(section, /^a=sendonly\r$/m, name);
      assert.match(section, /^a=rtcp-mux\r$/m, name);
      assert.match(section, /^a=rtcp-mux-only\r$/m, name);
      assert.match(section, /^a=setup:passive\r$/m, name);
      assert.match(section, /^a=msid:\S+ \S+\r$/m, name);
      assert.match(section, /^a=end-of-candidates\r$/m, name);
    });
    assert.doesNotMatch(answer, /\n\n|undefined|NaN/, name);
  }
});

test('feedback and extensions are answered where they were offered, and only there', () => {
  const firefox = mediaSection(answerTo(planOf(offer('firefox'), source)), 0);
  assert.match(firefox, /a=rtcp-fb:126 nack\r\na=rtcp-fb:126 nack pli\r\na=rtcp-fb:126 ccm fir\r/);
  assert.match(firefox, /a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid\r/);
  assert.match(firefox, /a=ssrc-group:FID 10 20\r/);
  const gstreamer = mediaSection(answerTo(planOf(offer('gstreamer-no-bundle'), source)), 0);
  assert.doesNotMatch(gstreamer, /extmap|FID/);
  const aiortc = mediaSection(answerTo(planOf(offer('aiortc'), source)), 0);
  assert.doesNotMatch(aiortc, /ccm fir/);
});

/** Feedback and header extensions of an m-section, of the media's own payload type. */
function congestionLines(section: string): string[] {
  return [...section.matchAll(/^a=(rtcp-fb:[0-9]+ (?:transport-cc|goog-remb)|extmap:.*(?:transport-wide|abs-send-time).*)\r$/gm)].map(
    (match) => (match[1] ?? '').replace(/ \S*\//, ' '),
  );
}

test('what tells of the network is answered as each m-line offers it: feedback, and what it refers to', () => {
  const found = Object.fromEntries(
    offerNames.map((name) => {
      const plan = planOf(offer(name), source);
      const answer = answerTo(plan);
      return [
        name,
        plan.mLines.flatMap(({ use }, i) => (use === 'none' || use === 'data' ? [] : [congestionLines(mediaSection(answer, i))])),
      ];
    }),
  );
  const numbers = 'draft-holmer-rmcat-transport-wide-cc-extensions-01';
  const video = (payloadType: number, numbersId: number, timeId: number): string[] => [
    ...audio(payloadType, numbersId, timeId),
    `rtcp-fb:${payloadType} goog-remb`,
  ];
  const audio = (payloadType: number, numbersId: number, timeId: number): string[] => [
    `extmap:${numbersId} ${numbers}`,
    `extmap:${timeId} abs-send-time`,
    `rtcp-fb:${payloadType} transport-cc`,
  ];
  assert.deepEqual(found, {
    aiortc: [['extmap:2 abs-send-time', 'rtcp-fb:101 goog-remb'], []],
    chromium: [video(108, 4, 2), video(108, 4, 2), audio(111, 4, 2)],
    // Its sound has no numbers.
    firefox: [video(126, 7, 4), video(126, 7, 4), []],
    'firefox-without-h264': [video(120, 7, 4)],
    'gstreamer-max-compat': [[], []],
    'gstreamer-no-bundle': [[], []],
    'gstreamer-without-mid': [[]],
    // It writes a blank behind it.
    pion: [['rtcp-fb:102 goog-remb']],
    safari: [['extmap:2 abs-send-time', 'rtcp-fb:98 goog-remb'], []],
  });
});

test('an extension without the feedback that refers to it is not answered, nor the other way round', () => {
  const without = (name: string, line: RegExp): string => mediaSection(answerTo(planOf(offer(name).replace(line, ''), source)), 0);
  assert.doesNotMatch(without('chromium', /^a=extmap:4 .*\r\n/gm), /transport-cc|transport-wide/);
  assert.doesNotMatch(without('chromium', /^a=rtcp-fb:.*transport-cc\r\n/gm), /transport-cc|transport-wide/);
  assert.match(without('chromium', /^a=rtcp-fb:.*transport-cc\r\n/gm), /goog-remb\r\n/);
});

test('numbers that some video of a transport does not carry are on none of it; sound alone would be taken for all that arrives', () => {
  const feedback = /^a=rtcp-fb:.*transport-cc\r\n/gm;
  const numbered = (sections: readonly number[], bundled = true): number[] => {
    const parts = offer('chromium').split(/^(?=m=)/m);
    const changed = parts.map((part, i) => (sections.includes(i - 1) ? part.replace(feedback, '') : part)).join('');
    const answer = answerTo(planOf(bundled ? changed : changed.replace(/^a=group:BUNDLE.*\r\n/m, ''), source));
    return [0, 1, 2].filter((i) => {
      const lines = congestionLines(mediaSection(answer, i)).filter((line) => /transport-(cc|wide)/.test(line));
      assert.ok([0, 2].includes(lines.length), 'the feedback, and what it refers to');
      return lines.length === 2;
    });
  };
  assert.deepEqual(numbered([]), [0, 1, 2]);
  assert.deepEqual(numbered([2]), [0, 1], 'sound may go without');
  assert.deepEqual(numbered([0, 1]), []);
  assert.deepEqual(numbered([1]), []);
  assert.deepEqual(numbered([0, 1], false), [2], 'on a transport of its own it is all that there is');
});

test('what is not served is answered inactive inside a bundle and rejected with port 0 outside', () => {
  const mute = { hasAudio: false, renditions: ['raw'] } as const;
  const bundled = mediaSection(answerTo(planOf(offer('chromium'), mute)), 2);
  assert.match(bundled, /^audio 9 .*\r\n(?:.*\r\n)*a=inactive\r/);
  const alone = mediaSection(answerTo(planOf(offer('gstreamer-no-bundle'), mute)), 1);
  assert.match(alone, /^audio 0 UDP\/TLS\/RTP\/SAVPF 98\r\n(?:.*\r\n)*a=inactive\r/);
});

test('renditions go to the video m-lines in order; what is left out gets raw and processed, or the best one', () => {
  const renditions = (
    name: string,
    requested?: ('raw' | 'processed')[],
    media: { hasAudio: boolean; renditions: readonly ('raw' | 'processed')[] } = source,
  ): readonly string[] => planOf(offer(name), media, requested).renditions;
  assert.deepEqual(renditions('chromium'), ['raw', 'processed']);
  assert.deepEqual(renditions('chromium', ['processed']), ['processed']);
  assert.deepEqual(renditions('chromium', ['processed', 'processed']), ['processed', 'processed']);
  assert.deepEqual(renditions('safari'), ['processed']);
  assert.deepEqual(renditions('safari', undefined, { hasAudio: false, renditions: ['raw'] }), ['raw']);
  assert.deepEqual(renditions('safari', ['raw', 'processed']), ['raw']);
  assert.deepEqual(renditions('chromium', undefined, { hasAudio: false, renditions: ['raw'] }), ['raw']);
});

test('the processed rendition without a detector is refused where it was asked for', () => {
  rejects(() => planOf(offer('chromium'), { hasAudio: false, renditions: ['raw'] }, ['raw', 'processed']), 'DETECTION_OFF', /no detector/);
});

test('an offer with nothing to serve is refused with what was offered and what is served', () => {
  const onlyVp9 = offer('firefox-without-h264').replace(/VP8/g, 'AV1');
  rejects(() => planOf(onlyVp9, source), 'NOTHING_TO_SERVE', /offered: AV1, VP9.*Served: video in H264/);
  rejects(() => planOf(offer('firefox-without-h264').replace('a=recvonly', 'a=sendonly'), source), 'NOTHING_TO_SERVE', /sendonly/);
  rejects(() => planOf(offer('safari').replace(/a=rtcp-mux\r\n/g, ''), source), 'NOTHING_TO_SERVE', /rtcp-mux/);
  rejects(
    () =>
      planOf(offer('gstreamer-no-bundle').replace('H264/90000', 'H264/90000\r\na=fmtp:97 packetization-mode=0'), {
        ...source,
        hasAudio: false,
      }),
    'NOTHING_TO_SERVE',
    /packetization-mode=0/,
  );
});

test('an offer that only opens data channels is accepted', () => {
  const chromium = offer('chromium');
  const sdp = chromium.slice(0, chromium.indexOf('m=video')).replace('0 1 2 3', '3') + `m=${mediaSection(chromium, 3)}`;
  assert.deepEqual(summary(planOf(sdp, source)), ['data']);
});

test('malformed offers are refused saying what is wrong', () => {
  const chromium = offer('chromium');
  const cases: [string, RegExp][] = [
    ['', /empty/],
    ['hello', /line 1: expected '<letter>=<value>', got 'hello'/],
    ['o=- 1 1 IN IP4 0.0.0.0\r\n', /expected 'v=0'/],
    ['v=0\r\ns=-\r\n', /no m-line/],
    [`v=0\r\na=${'x'.repeat(MAX_SDP_BYTES)}`, /larger than/],
    [`v=0\r\n${'m=video 9 UDP/TLS/RTP/SAVPF 96\r\n'.repeat(40)}`, /more than 32 m-lines/],
    [chromium.replace(/a=fingerprint.*\r\n/g, ''), /no a=fingerprint/],
    [chromium.replace(/a=fingerprint:sha-256 /g, 'a=fingerprint:md5 '), /hash 'md5'/],
    [chromium.replace(/(a=fingerprint:sha-256 ..:)../g, '$1G0'), /hexadecimal/],
    [chromium.replace(/a=ice-ufrag.*\r\n/g, ''), /no a=ice-ufrag/],
    [chromium.replace(/a=ice-pwd:.*\r\n/g, 'a=ice-pwd:short\r\n'), /a=ice-pwd must be/],
    [chromium.replace('a=setup:actpass', 'a=setup:holdconn'), /holdconn/],
    [chromium.replace('a=mid:1', 'a=mid:0'), /two m-lines/],
    [chromium.replace('BUNDLE 0 1', 'BUNDLE 0 7'), /'7'/],
    [chromium.replace('m=video 9', 'm=video 99999'), /line 8: expected 'm=/],
  ];
  for (const [sdp, message] of cases) rejects(() => planOf(sdp, source), 'SDP_INVALID', message);
});

test('candidates with names, of other protocols or of no peer never reach ICE', () => {
  const candidates = (lines: string[]): string[] => {
    const sdp = offer('safari').replace('a=setup:actpass', ['a=setup:actpass', ...lines.map((line) => `a=candidate:${line}`)].join('\r\n'));
    return planOf(sdp, source).transports[0]?.candidates.map(({ address, port }) => `${address} ${port}`) ?? [];
  };
  assert.deepEqual(
    candidates([
      '1 1 udp 2113937151 5b20c85a-11b0-40ed-8242-2d4c25709c49.local 53342 typ host',
      '2 1 udp 2113937151 example.com 53342 typ host',
      '3 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active',
      '4 2 udp 2113937151 192.0.2.1 5000 typ host',
      '5 1 udp 2113937151 224.0.0.251 5353 typ host',
      '6 1 udp 2113937151 0.0.0.0 5000 typ host',
      '7 1 udp 2113937151 192.0.2.1 0 typ host',
      '8 1 udp 2113937151 ff02::fb 5353 typ host',
      '9 1 UDP 2113937151 192.0.2.7 5000 typ host',
      '10 1 udp 2113937151 2001:db8::1 5001 typ srflx raddr 0.0.0.0 rport 0',
    ]),
    ['192.0.2.7 5000', '2001:db8::1 5001'],
  );
  assert.equal(candidates(Array.from({ length: 100 }, (_, i) => `${i} 1 udp 1 192.0.2.7 ${5000 + i} typ host`)).length, 16);
});

test('an offer that is passive is answered actively', () => {
  const plan = planOf(offer('safari').replace(/a=setup:actpass/g, 'a=setup:passive'), source);
  assert.equal(plan.transports[0]?.setup, 'passive');
});

for (const line of ['a=rtcp-fb:* any', 'a=fmtp:0 profile=1'])
  test(`the time that an offer takes grows as its length does, however many lines of ${line} it has`, () => {
    /** The least of several readings of the processor's time, in µs: what else the machine does only adds to it. */
    const costOf = (share: number): number => {
      const types = Array.from({ length: 96 * share }, (_, i) => i);
      const lines = offer('firefox')
        .replace(/^(m=video [0-9]+ \S+) .*$/m, `$1 ${types.join(' ')}`)
        .split(/\r?\n/);
      const at = lines.findIndex((known) => known.startsWith('m=video')) + 1;
      lines.splice(at, 0, ...types.map((type) => `a=rtpmap:${type} H264/90000`));
      const bytesLeft = MAX_SDP_BYTES * share - lines.join('\r\n').length - 100;
      lines.splice(at, 0, ...Array<string>(Math.floor(bytesLeft / (line.length + 2))).fill(line));
      const sdp = lines.join('\r\n');
      const costs = Array.from({ length: 20 }, () => {
        const start = process.cpuUsage();
        planOf(sdp, { hasAudio: true, renditions: ['raw'] });
        // Only their sum is exact: the kernel splits it by a coarse clock.
        const { user, system } = process.cpuUsage(start);
        return user + system;
      });
      return Math.min(...costs);
    };
    costOf(1);
    const growth = costOf(1) / costOf(0.25);
    // Four times the length; each format, or each line, against each line would cost sixteen times as much.
    assert.ok(growth < 12, `${growth}`);
  });

test('an offer that needs more than 4 transports is refused saying what to do', () => {
  const [session = '', , audio = ''] = offer('gstreamer-no-bundle').split(/^(?=m=)/m);
  const withAudios = (count: number): string => session + audio.replace(/^a=mid:.*\r?\n/m, '').repeat(count);
  assert.equal(planOf(withAudios(4), { hasAudio: true, renditions: ['raw'] }).transports.length, 4);
  assert.throws(() => planOf(withAudios(5), { hasAudio: true, renditions: ['raw'] }), {
    code: 'SDP_INVALID',
    message: /needs 5 transports of at most 4; bundle its m-lines/,
  });
});
