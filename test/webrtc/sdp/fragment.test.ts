import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MediaPeerError } from '../../../src/base/errors.js';
import { MAX_FRAGMENT_BYTES, parseFragment, writeFragment } from '../../../src/webrtc/sdp/fragment.js';
import { seededRandom } from '../../helpers/random.js';

const HOST = 'candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1';
const MDNS = 'candidate:2 1 UDP 1 8f4b7c1e-52d0-4b7a-9d33-3d8f5f0c1a2b.local 9 typ host';
const PASSWORD = 'P2uYro0UCOQ4zxjKXaWCBui1';
const text = (...lines: readonly string[]): string => `${lines.join('\r\n')}\r\n`;

function assertInvalid(fragment: string, expected: RegExp): void {
  assert.throws(
    () => parseFragment(fragment),
    (error) => error instanceof MediaPeerError && error.code === 'CANDIDATE_INVALID' && expected.test(error.message),
    fragment.slice(0, 100),
  );
}

describe('an SDP fragment', () => {
  it('gives credentials and candidates with their m-line, as in RFC 9725', () => {
    const fragment = parseFragment(
      text(
        'a=group:BUNDLE 0 1',
        'm=audio 9 UDP/TLS/RTP/SAVPF 111',
        'a=mid:0',
        'a=ice-ufrag:EsAw',
        `a=ice-pwd:${PASSWORD}`,
        `a=${HOST}`,
        'a=end-of-candidates',
      ),
    );
    assert.deepEqual(fragment, {
      iceUfrag: 'EsAw',
      icePassword: PASSWORD,
      candidates: [
        { candidate: HOST, mid: '0', ufrag: 'EsAw' },
        { candidate: '', mid: '0', ufrag: 'EsAw' },
      ],
    });
  });

  it('may have its credentials before any m-line, candidates without one, and line ends of any kind', () => {
    for (const end of ['\r\n', '\n', '\r']) {
      const fragment = parseFragment(
        ['a=ice-ufrag:EsAw', `a=ice-pwd:${PASSWORD}`, `a=${HOST}`, 'm=video 9 UDP/TLS/RTP/SAVPF 96', 'a=mid:v', `a=${MDNS}`].join(end),
      );
      assert.deepEqual(fragment.candidates, [
        { candidate: HOST, ufrag: 'EsAw' },
        { candidate: MDNS, mid: 'v', ufrag: 'EsAw' },
      ]);
    }
  });

  it('takes the generation from its own credentials before what a browser writes behind a candidate', () => {
    assert.equal(parseFragment(text('a=ice-ufrag:ysXw', `a=ice-pwd:${PASSWORD}`, `a=${HOST}`)).candidates[0]?.ufrag, 'ysXw');
    const bare = parseFragment(text(`a=${HOST}`));
    assert.deepEqual([bare.iceUfrag, bare.candidates[0]?.ufrag], [undefined, 'EsAw']);
    assert.equal(parseFragment(text(`a=${MDNS}`)).candidates[0]?.ufrag, undefined);
  });

  it('may be no more than credentials, or the end of candidates', () => {
    assert.deepEqual(parseFragment(text('a=ice-ufrag:EsAw', `a=ice-pwd:${PASSWORD}`)), {
      iceUfrag: 'EsAw',
      icePassword: PASSWORD,
      candidates: [],
    });
    assert.deepEqual(parseFragment('a=end-of-candidates').candidates, [{ candidate: '' }]);
  });

  it('passes over attributes and lines that say nothing about candidates', () => {
    assert.equal(
      parseFragment(text('v=0', 's=-', 'a=ice-options:trickle ice2', 'a=ice-pacing:50', 'a=setup:actpass', `a=${MDNS}`)).candidates.length,
      1,
    );
  });

  it('is refused with the line that is wrong', () => {
    assertInvalid('', /neither/);
    assertInvalid('hello', /line 1: expected '<letter>=<value>', got 'hello'/);
    assertInvalid(text('a=mid:0', '1 1 udp 1 192.0.2.1 1 typ host'), /line 2/);
    assertInvalid(text('a=ice-ufrag:x'), /a=ice-ufrag must be 4 to 256/);
    assertInvalid(text('a=ice-ufrag:EsAw', 'a=ice-pwd:short'), /line 2: a=ice-pwd/);
    assertInvalid(text('a=ice-ufrag:Es Aw'), /a=ice-ufrag/);
    assertInvalid(text('a=mid:two words', `a=${HOST}`), /a=mid/);
    assertInvalid(text('m=audio 9 UDP/TLS/RTP/SAVPF 111', 'a=mid:0'), /neither/);
    for (const candidate of [
      '',
      '1',
      '1 1 udp',
      '1 x udp 1 192.0.2.1 1 typ host',
      '1 1 udp 1 192.0.2.1 1 type host',
      '1 1 udp 99999999999 192.0.2.1 1 typ host',
      `1 1 udp 1 ${'a'.repeat(300)} 1 typ host`,
      '1 1 udp 1 192.0.2.1 1 typ host \u0007',
    ]) {
      assertInvalid(text(`a=candidate:${candidate}`), /a=candidate/);
    }
    assertInvalid(`a=${HOST}\r\n`.repeat(1000), new RegExp(`${MAX_FRAGMENT_BYTES} bytes`));
  });

  it('passes over candidates that cannot be read, and takes the others', () => {
    for (const bad of [
      'a=candidate:1 1 udp',
      'a=candidate:',
      'a=candidate:1 x udp 1 192.0.2.1 1 typ host',
      'a=candidate:1 1 udp 1 192.0.2.1 99999999 typ host',
      'a=candidate:1 1000 udp 1 192.0.2.1 1 typ host',
      'nonsense',
      'a=candidate',
    ]) {
      for (const lines of [
        [bad, `a=${HOST}`],
        [`a=${HOST}`, bad],
      ]) {
        assert.deepEqual(
          parseFragment(text('m=audio 9 UDP/TLS/RTP/SAVPF 111', 'a=mid:0', ...lines)).candidates,
          [{ candidate: HOST, mid: '0', ufrag: 'EsAw' }],
          bad,
        );
      }
      assertInvalid(text(bad), /line 1/);
      assert.deepEqual(parseFragment(text(bad, 'a=end-of-candidates')).candidates, [{ candidate: '' }]);
    }
    const many = parseFragment(text('a=ice-ufrag:EsAw', `a=ice-pwd:${PASSWORD}`, 'a=candidate:1 1 udp'));
    assert.deepEqual(many.candidates, []);
  });

  it('takes candidates as people write them: without a=, with blanks, with extensions of any kind', () => {
    const lines = [
      'candidate:1 1 udp 1 192.0.2.1 1 typ host',
      'a=candidate:1  1  UDP  1  192.0.2.1  1  typ  host ',
      'a=candidate:1 1 udp 1 fe80::1%eth0 1 typ host',
      'a=candidate:1 1 udp 1 192.0.2.1 0 typ host',
      'a=candidate:1 1 quic 1 192.0.2.1 1 typ host',
      'a=candidate:1 1 udp 1 192.0.2.1 1 typ host generation',
      'a=candidate:1 1 udp 1 192.0.2.1 1 typ HOST',
    ];
    assert.equal(parseFragment(text(...lines)).candidates.length, lines.length);
  });

  it('is read up to a bounded number of candidates', () => {
    assert.equal(parseFragment(text(...Array<string>(300).fill(`a=${MDNS}`))).candidates.length, 64);
  });

  it('is either read or refused with CANDIDATE_INVALID, whatever comes', () => {
    const random = seededRandom(8840);
    const below = (limit: number): number => Math.floor(random() * limit);
    const pieces = [
      'a=',
      'm=',
      'candidate:',
      'ice-ufrag:',
      'ice-pwd:',
      'mid:',
      'end-of-candidates',
      'EsAw',
      PASSWORD,
      '\r\n',
      '\n',
      ' ',
      '=',
      ':',
      HOST,
      MDNS,
      'typ',
      'udp',
      '1',
      '\u0000',
      '\ud800',
      '😀',
      'a'.repeat(300),
      '__proto__',
      'audio 9 UDP/TLS/RTP/SAVPF 111',
    ];
    const whole = text(
      'a=group:BUNDLE 0',
      'm=audio 9 UDP/TLS/RTP/SAVPF 111',
      'a=mid:0',
      'a=ice-ufrag:EsAw',
      `a=ice-pwd:${PASSWORD}`,
      `a=${HOST}`,
      `a=${MDNS}`,
      'a=end-of-candidates',
    );
    let read = 0;
    for (let round = 0; round < 20_000; round++) {
      const damaged = Array.from(whole);
      for (let i = below(4); i >= 0; i--) damaged.splice(below(damaged.length), below(6), pieces[below(pieces.length)] ?? '');
      const made = round % 2 === 0 ? damaged.join('') : Array.from({ length: below(20) }, () => pieces[below(pieces.length)]).join('');
      try {
        const { iceUfrag, icePassword, candidates } = parseFragment(made);
        read++;
        assert.ok(iceUfrag === undefined || /^[A-Za-z0-9+/_=-]{4,256}$/.test(iceUfrag));
        assert.ok(icePassword === undefined || /^[A-Za-z0-9+/_=-]{22,256}$/.test(icePassword));
        for (const { candidate } of candidates)
          assert.ok(candidate === '' || /^candidate:[\x21-\x7e][^\r\n\0]*$/.test(candidate), candidate);
      } catch (error) {
        assert.ok(error instanceof MediaPeerError && error.code === 'CANDIDATE_INVALID', String(error));
        assert.ok(/^[\x20-\x7e]*$/.test(error.message) && error.message.length < 300, 'the message is short and printable');
      }
    }
    assert.ok(read > 1000, `${read} were read`);
  });

  it('takes time in proportion to its length', () => {
    const hostile = [
      `a=candidate:${' '.repeat(30_000)}`,
      `a=candidate:1 1 udp 1 ${'a '.repeat(15_000)}`,
      `a=ice-ufrag:${'a'.repeat(30_000)}`,
      'a\r'.repeat(15_000),
      `a=${MDNS}${' ufrag'.repeat(160)}`,
    ];
    for (const fragment of hostile) assert.throws(() => parseFragment(`${fragment}\u0007`), MediaPeerError);
  });

  it('repeats ICE options, group and m-line of the answer when it is written', () => {
    const answer = text(
      'v=0',
      'o=- 1 1 IN IP4 0.0.0.0',
      's=-',
      't=0 0',
      'a=group:BUNDLE v a',
      'a=ice-lite',
      'm=audio 9 UDP/TLS/RTP/SAVPF 111',
      'a=mid:a',
      'm=video 9 UDP/TLS/RTP/SAVPF 96 97',
      'a=mid:v',
      'a=ice-options:trickle ice2',
    );
    const written = writeFragment(answer, { iceUfrag: 'serv', icePassword: PASSWORD, candidates: [MDNS] });
    assert.equal(
      written,
      text(
        'a=ice-lite',
        'a=ice-options:trickle ice2',
        'a=group:BUNDLE v a',
        'm=video 9 UDP/TLS/RTP/SAVPF 96 97',
        'a=mid:v',
        'a=ice-ufrag:serv',
        `a=ice-pwd:${PASSWORD}`,
        `a=${MDNS}`,
        'a=end-of-candidates',
      ),
    );
    const { iceUfrag, icePassword, candidates } = parseFragment(written);
    assert.deepEqual(
      [iceUfrag, icePassword, candidates],
      [
        'serv',
        PASSWORD,
        [
          { candidate: MDNS, mid: 'v', ufrag: 'serv' },
          { candidate: '', mid: 'v', ufrag: 'serv' },
        ],
      ],
    );
  });
});
