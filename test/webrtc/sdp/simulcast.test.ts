import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { writeAnswer } from '../../../src/webrtc/sdp/answer.js';
import { negotiatePublish, receivePlans } from '../../../src/webrtc/sdp/negotiate-publish.js';

const RID = 'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id';
const REPAIRED = 'a=extmap:5 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id';

/** An offer of one video m-line in VP8 (96) and H.264 (98), with these lines. */
function offer(...lines: string[]): string {
  const fingerprint = `sha-256 ${Array.from({ length: 32 }, () => 'AA').join(':')}`;
  return [
    ...[
      'v=0',
      'o=- 1 1 IN IP4 0.0.0.0',
      's=-',
      't=0 0',
      'a=ice-ufrag:abcd',
      'a=ice-pwd:aaaaaaaaaaaaaaaaaaaaaa',
      `a=fingerprint:${fingerprint}`,
    ],
    ...['m=video 9 UDP/TLS/RTP/SAVPF 96 97 98', 'a=mid:v', 'a=sendonly', 'a=rtcp-mux', 'a=rtpmap:96 VP8/90000', 'a=rtpmap:97 rtx/90000'],
    ...['a=fmtp:97 apt=96', 'a=rtpmap:98 H264/90000', 'a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid', ...lines, ''],
  ].join('\r\n');
}

const rids = (names: readonly string[]): string[] => names.map((rid) => `a=rid:${rid} send`);

function layersOf(...lines: string[]): string[] {
  return receivePlans(negotiatePublish(offer(RID, REPAIRED, ...lines)))[0]!.layers.map(({ rid }) => rid);
}

describe('the simulcast of a publisher', () => {
  it('is answered in its order, with the header extensions that tell its layers and its repairs apart', () => {
    const plan = negotiatePublish(offer(RID, REPAIRED, ...rids(['h', 'm', 'l']), 'a=simulcast:send h;m;l'));
    const local = { iceUfrag: 'a', icePassword: 'b', fingerprint: 'c', setup: 'passive', candidates: [], isGathering: false } as const;
    const answer = writeAnswer(plan, [local], []).split('\r\n');
    for (const line of ['a=rid:h recv', 'a=rid:m recv', 'a=rid:l recv', 'a=simulcast:recv h;m;l', RID, REPAIRED])
      assert.ok(answer.includes(line), line);
  });

  it('keeps the restrictions of its layers in the answer, without those to payload types', () => {
    const plan = negotiatePublish(
      offer(RID, 'a=rid:1 send pt=96,97;max-width=1280;max-fps=30', 'a=rid:2 send max-width=640', 'a=simulcast:send 1;2'),
    );
    const answer = writeAnswer(
      plan,
      [{ iceUfrag: 'a', icePassword: 'b', fingerprint: 'c', setup: 'passive', candidates: [], isGathering: false }],
      [],
    );
    assert.match(answer, /^a=rid:1 recv max-width=1280;max-fps=30\r$/m);
    assert.match(answer, /^a=rid:2 recv max-width=640\r$/m);
  });

  for (const [what, lines, expected] of [
    ['takes a layer that is paused: it may flow later', [...rids(['h', 'l']), 'a=simulcast:send ~h;l'], ['h', 'l']],
    ['takes the first of alternatives that can be used', [...rids(['1', '2', '3']), 'a=simulcast:send x,1,2;~3'], ['1', '3']],
    [
      'takes what follows send, not what it would like to receive',
      [...rids(['1', '2']), 'a=rid:9 recv', 'a=simulcast:recv 9 send 1;2'],
      ['1', '2'],
    ],
    ['leaves out a rid twice in the list', [...rids(['1', '2']), 'a=simulcast:send 1;1;2;2;1'], ['1', '2']],
    ['leaves out a rid that is described twice', [...rids(['1', '2', '3', '3']), 'a=simulcast:send 1;2;3'], ['1', '2']],
    [
      'leaves out a rid that is not described, or only received',
      [...rids(['1', '2']), 'a=rid:3 recv', 'a=simulcast:send 1;3;2;4'],
      ['1', '2'],
    ],
    ['leaves out a malformed rid', [...rids(['1', '2', 'ä', 'a b', '']), 'a=simulcast:send 1;ä;;a;2'], ['1', '2']],
    [
      'leaves out a layer of another codec than the one that was chosen',
      ['a=rid:1 send pt=96', 'a=rid:2 send pt=98', 'a=rid:3 send pt=98,96', 'a=simulcast:send 1;2;3'],
      ['1', '3'],
    ],
    [
      'takes four of a hundred, the first ones',
      [
        ...rids(Array.from({ length: 100 }, (_, i) => `r${i}`)),
        `a=simulcast:send ${Array.from({ length: 100 }, (_, i) => `r${i}`).join(';')}`,
      ],
      ['r0', 'r1', 'r2', 'r3'],
    ],
    ['is none where one layer is left', [...rids(['1']), 'a=simulcast:send 1;2'], []],
    ['is none where nothing can be read', ['a=rid', 'a=rid:', 'a=simulcast:', 'a=simulcast:send'], []],
    ['is none where it is only wanted', ['a=rid:1 recv', 'a=rid:2 recv', 'a=simulcast:recv 1;2'], []],
    ['is none where rids stand alone', rids(['1', '2']), []],
  ] as const)
    it(what, () => assert.deepEqual(layersOf(...lines), expected));

  it('is none where packets would not say which layer they are of, and the answer does not speak of it', () => {
    const plan = negotiatePublish(offer(REPAIRED, ...rids(['h', 'l']), 'a=simulcast:send h;l'));
    assert.deepEqual(receivePlans(plan)[0]?.layers, []);
    const answer = writeAnswer(
      plan,
      [{ iceUfrag: 'a', icePassword: 'b', fingerprint: 'c', setup: 'passive', candidates: [], isGathering: false }],
      [],
    );
    assert.doesNotMatch(answer, /rid|simulcast|stream-id/);
  });
});
