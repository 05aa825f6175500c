import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Demultiplexer } from '../../../../src/webrtc/rtp/receive/demultiplexer.js';
import { parseRtp } from '../../../../src/webrtc/rtp/receive/rtp.js';
import { negotiatePublish, receivePlans, type ReceivePlan } from '../../../../src/webrtc/sdp/negotiate-publish.js';

const HEAD = `v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE v a\r\na=ice-ufrag:abcd\r\na=ice-pwd:aaaaaaaaaaaaaaaaaaaaaa\r\na=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'AA').join(':')}\r\n`;
const OFFER =
  `${HEAD}m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=mid:v\r\na=sendonly\r\na=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n` +
  'a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=extmap:4 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\na=extmap:5 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id\r\n' +
  'a=rid:h send\r\na=rid:m send\r\na=rid:l send\r\na=simulcast:send h;m;l\r\n' +
  'm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:a\r\na=sendonly\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\na=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid\r\n';

interface Track {
  readonly plan: ReceivePlan;
  readonly rid: string | undefined;
}

/** Packets of a publisher with three layers and sound; answers the rid of the track that one belongs to, or `audio`. */
function setUp() {
  const [video, audio] = receivePlans(negotiatePublish(OFFER)) as [ReceivePlan, ReceivePlan];
  const tracks: Track[] = [...['h', 'm', 'l'].map((rid) => ({ plan: video, rid })), { plan: audio, rid: undefined }];
  const demultiplexer = new Demultiplexer(tracks);
  return (payloadType: number, ssrc: number, extensions: Readonly<Record<number, string>> = {}): string | undefined => {
    const values = Buffer.concat(
      Object.entries(extensions).map(([id, value]) =>
        Buffer.concat([Buffer.from([(Number(id) << 4) | (value.length - 1)]), Buffer.from(value)]),
      ),
    );
    const padded = Buffer.concat([values, Buffer.alloc((4 - (values.length % 4)) % 4)]);
    const header = Buffer.alloc(16);
    header[0] = 0x90;
    header[1] = payloadType;
    header.writeUInt32BE(ssrc, 8);
    header.writeUInt16BE(0xbede, 12);
    header.writeUInt16BE(padded.length / 4, 14);
    const bytes = Buffer.concat([header, padded, Buffer.from('payload')]);
    const found = demultiplexer.find(parseRtp(bytes)!, bytes);
    return found && (found.rid ?? found.plan.section.kind);
  };
}

describe('packets of a simulcast', () => {
  it('belong to the layer that they name, and so do those of their ssrc that name none', () => {
    const find = setUp();
    assert.equal(find(96, 1, { 3: 'v', 4: 'm' }), 'm');
    assert.equal(find(96, 2, { 3: 'v', 4: 'h' }), 'h');
    assert.equal(find(96, 1), 'm');
    assert.equal(find(96, 2, { 3: 'v' }), 'h');
    assert.equal(find(111, 9), 'audio');
    assert.equal(find(111, 10, { 3: 'a' }), 'audio');
  });

  it('repair the layer that they name, in the extension for repairs or in that of the originals', () => {
    const find = setUp();
    assert.equal(find(97, 21, { 5: 'l' }), 'l');
    assert.equal(find(97, 22, { 4: 'h' }), 'h');
    assert.equal(find(97, 21), 'l');
    assert.equal(find(97, 23), undefined, 'nobody knows what it repairs');
  });

  it('belong to nothing where they name an unknown layer, whatever their m-line and payload type', () => {
    const find = setUp();
    assert.equal(find(96, 1, { 3: 'v', 4: 'x' }), undefined);
    assert.equal(find(96, 1, { 3: 'v', 4: 'h' }), 'h', 'the same ssrc, once it is named');
  });

  it('of another ssrc that names the same layer belong to it', () => {
    const find = setUp();
    for (let ssrc = 1; ssrc < 200; ssrc++) assert.equal(find(96, ssrc, { 4: 'h' }), 'h');
    assert.equal(find(96, 199), 'h');
  });

  it('that name nothing are waited for; a sender that never does is taken for one of a single encoding', () => {
    const find = setUp();
    for (let i = 0; i < 49; i++) assert.equal(find(96, 1 + (i % 2)), undefined);
    assert.equal(find(97, 5), undefined);
    assert.equal(find(96, 1), 'h');
    assert.equal(find(96, 1), 'h');
    assert.equal(find(96, 2), undefined, 'the second ssrc of such a sender');
    assert.equal(find(97, 5), 'h', 'its repairs');
    assert.equal(find(96, 1, { 4: 'm' }), 'm', 'it names its layer after all');
    assert.equal(find(96, 1), 'm');
    assert.equal(find(96, 3, { 4: 'h' }), 'h');
  });

  it('that name nothing are never guessed where others are named', () => {
    const find = setUp();
    assert.equal(find(96, 1, { 4: 'l' }), 'l');
    for (let i = 0; i < 200; i++) assert.equal(find(96, 2), undefined);
  });
});
