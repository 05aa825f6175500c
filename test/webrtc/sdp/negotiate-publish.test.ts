import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { writeAnswer, type LocalTransport } from '../../../src/webrtc/sdp/answer.js';
import { parameterSetsOf } from '../../../src/webrtc/sdp/codecs.js';
import { negotiatePublish, receivePlans } from '../../../src/webrtc/sdp/negotiate-publish.js';
import { mediaSection, offer, offerNames } from '../offers.js';

const local: LocalTransport = {
  iceUfrag: 'abcd',
  icePassword: 'x'.repeat(22),
  fingerprint: 'sha-256 AA',
  setup: 'passive',
  candidates: ['candidate:1 1 udp 1 127.0.0.1 9 typ host'],
  isGathering: false,
};

/** A fixture's offer as a publisher makes it: its first video and its audio are sent. */
function publishing(name: string): string {
  let videos = 0;
  return offer(name)
    .split(/^(?=m=)/m)
    .map((section) => {
      if (section.startsWith('m=video') && ++videos > 1) return section.replace('a=recvonly', 'a=inactive');
      return section.replace('a=recvonly', 'a=sendonly');
    })
    .join('');
}

function section(sdp: string, kind: string): string {
  return `m=${sdp.split(/^m=/m).find((part) => part.startsWith(kind)) ?? ''}`;
}

const HEAD =
  'v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=ice-ufrag:abcd\r\na=ice-pwd:aaaaaaaaaaaaaaaaaaaaaa\r\na=fingerprint:sha-256 ' +
  Array.from({ length: 32 }, () => 'AA').join(':') +
  '\r\n';

function videoOffer(codecs: readonly string[], direction = 'sendonly'): string {
  const lines = codecs.flatMap((codec, i) =>
    codec.split('|').map((line, j) => (j === 0 ? `a=rtpmap:${96 + i} ${line}` : `a=${line.replace('$', String(96 + i))}`)),
  );
  return `${HEAD}m=video 9 UDP/TLS/RTP/SAVPF ${codecs.map((_, i) => 96 + i).join(' ')}\r\na=mid:0\r\na=${direction}\r\na=rtcp-mux\r\n${lines.join('\r\n')}\r\n`;
}

const codeOf = (code: string, pattern: RegExp) => (error: unknown) => {
  assert.equal((error as { code: string }).code, code);
  assert.match((error as Error).message, pattern);
  return true;
};

describe('negotiatePublish', () => {
  for (const name of offerNames) {
    it(`takes what ${name} sends, and answers recvonly with one codec for each m-line`, () => {
      const plan = negotiatePublish(publishing(name));
      const answer = writeAnswer(
        plan,
        plan.transports.map(() => local),
        [],
      );
      assert.ok(receivePlans(plan).length > 0);
      for (const [i, mLine] of plan.mLines.entries()) {
        const written = mediaSection(answer, i);
        if (mLine.use !== 'receive') continue;
        assert.match(written, /^a=recvonly\r$/m);
        assert.match(written, /^a=rtcp-mux\r$/m);
        assert.match(written, /^a=rtcp-mux-only\r$/m);
        assert.doesNotMatch(written, /^a=(sendonly|sendrecv|msid|ssrc)/m);
        const names = [...written.matchAll(/^a=rtpmap:[0-9]+ ([A-Za-z0-9]+)/gm)].map((match) => match[1]);
        assert.deepEqual(names.filter((codec) => codec !== 'rtx').length, 1, names.join());
      }
    });
  }

  it('answers Chromium with feedback and header extensions that are acted on', () => {
    const plan = negotiatePublish(publishing('chromium'));
    const answer = writeAnswer(plan, [local], []);
    const video = section(answer, 'video');
    assert.match(video, /^m=video 9 UDP\/TLS\/RTP\/SAVPF 96 97\r$/m);
    assert.deepEqual(
      [...video.matchAll(/^a=rtcp-fb:96 (.*)\r$/gm)].map((match) => match[1]),
      ['nack', 'nack pli', 'ccm fir', 'transport-cc'],
    );
    assert.deepEqual(
      [...video.matchAll(/^a=extmap:([0-9]+) (.*)\r$/gm)].map((match) => match[2]),
      ['urn:ietf:params:rtp-hdrext:sdes:mid', 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01'],
    );
    assert.match(video, /^a=fmtp:97 apt=96\r$/m);
  });

  it('prefers the order of the offer between H.264 and VP8', () => {
    const h264 = 'H264/90000|fmtp:$ packetization-mode=1;profile-level-id=42e01f';
    const codecOf = (codecs: string[]) => receivePlans(negotiatePublish(videoOffer(codecs)))[0]?.codec.codec;
    assert.equal(codecOf([h264, 'VP8/90000']), 'h264');
    assert.equal(codecOf(['VP9/90000', 'VP8/90000', h264]), 'vp8');
  });

  it('takes H.264 without or with packetization-mode 0, but rather with 1, and the profile that every browser plays', () => {
    const chosen = (codecs: string[]) => receivePlans(negotiatePublish(videoOffer(codecs)))[0]?.codec.offered.payloadType;
    assert.equal(chosen(['H264/90000']), 96);
    assert.equal(
      chosen([
        'H264/90000|fmtp:$ packetization-mode=0;profile-level-id=42e01f',
        'H264/90000|fmtp:$ packetization-mode=1;profile-level-id=42e01f',
      ]),
      97,
    );
    assert.equal(
      chosen([
        'H264/90000|fmtp:$ packetization-mode=1;profile-level-id=640c1f',
        'H264/90000|fmtp:$ packetization-mode=1;profile-level-id=42e01f',
      ]),
      97,
    );
    assert.equal(chosen(['H264/90000|fmtp:$ packetization-mode=1;profile-level-id=640c1f']), 96);
    for (const refused of ['packetization-mode=2;profile-level-id=42e01f', 'packetization-mode=1;profile-level-id=f4001f']) {
      assert.throws(() => negotiatePublish(videoOffer([`H264/90000|fmtp:$ ${refused}`])), codeOf('NOTHING_TO_SERVE', /no common codec/));
    }
  });

  it('reads the parameter sets of the description, padding included', () => {
    const plan = negotiatePublish(
      videoOffer(['H264/90000|fmtp:$ packetization-mode=1; sprop-parameter-sets=Z0IACpZTBYmI,aMljiA==;profile-level-id=42000a']),
    );
    assert.equal(parameterSetsOf(receivePlans(plan)[0]!.codec.offered), 'Z0IACpZTBYmI,aMljiA==');
  });

  it('answers goog-remb only where the better way is not offered', () => {
    const feedbackOf = (lines: string) => receivePlans(negotiatePublish(videoOffer([`VP8/90000|${lines}`])))[0]?.codec.feedback;
    assert.deepEqual(feedbackOf('rtcp-fb:$ goog-remb|rtcp-fb:$ nack'), ['nack', 'goog-remb']);
    assert.deepEqual(feedbackOf('rtcp-fb:* goog-remb|rtcp-fb:$ transport-cc'), ['transport-cc']);
  });

  it('takes sendrecv, and answers it recvonly', () => {
    const plan = negotiatePublish(videoOffer(['VP8/90000'], 'sendrecv'));
    assert.match(writeAnswer(plan, [local], []), /^a=recvonly\r$/m);
  });

  it('refuses a second video or audio instead of leaving it aside', () => {
    const sdp = videoOffer(['VP8/90000']);
    const second = `m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\na=sendonly\r\na=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\n`;
    assert.throws(() => negotiatePublish(sdp + second), codeOf('NOTHING_TO_SERVE', /2 video m-lines/));
    assert.equal(receivePlans(negotiatePublish(sdp + second.replace('sendonly', 'recvonly'))).length, 1);
    assert.equal(receivePlans(negotiatePublish(sdp + second.replace('video 9', 'video 0'))).length, 1);
  });

  it('refuses an offer of which a part has no common codec, and says what it offers', () => {
    const audio = `m=audio 9 UDP/TLS/RTP/SAVPF 8\r\na=mid:1\r\na=sendonly\r\na=rtcp-mux\r\na=rtpmap:8 PCMA/8000\r\n`;
    assert.throws(
      () => negotiatePublish(videoOffer(['VP8/90000']) + audio),
      codeOf('NOTHING_TO_SERVE', /m=audio: no common codec \(offered: PCMA\)/),
    );
  });

  it('refuses an offer that sends nothing', () => {
    assert.throws(() => negotiatePublish(offer('chromium')), codeOf('NOTHING_TO_SERVE', /neither audio nor video/));
    assert.throws(() => negotiatePublish('nonsense'), codeOf('SDP_INVALID', /line 1/));
  });

  it('accepts a data channel beside the media', () => {
    const data = 'm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:d\r\na=sctp-port:5000\r\n';
    const plan = negotiatePublish(videoOffer(['VP8/90000']) + data);
    assert.deepEqual(
      plan.mLines.map(({ use }) => use),
      ['receive', 'data'],
    );
  });
});
