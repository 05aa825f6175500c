import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { writeSenderReport } from '../../../src/webrtc/rtp/rtcp.js';
import { FEEDBACK, PublisherFixture } from '../publisher-fixture.js';

/** The fixture writes the header extension 4: here it names the layer. */
const LAYERS =
  'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\na=rid:h send\r\na=rid:m send\r\na=rid:l send\r\na=simulcast:send h;m;l\r\n';

/** Ssrcs of its layers. */
const SSRCS = { h: 10, m: 11, l: 12 } as const;
type Layer = keyof typeof SSRCS;

class SimulcastFixture extends PublisherFixture {
  constructor(lines = '') {
    super({ video: FEEDBACK + LAYERS + lines });
  }

  /** A frame of 33 ms in some layers. */
  async send(keyframe: boolean, layers: readonly Layer[] = ['h', 'm', 'l'], { skip = -1, named = true } = {}): Promise<void> {
    const timestamp = Math.round(this.clock.now() * 90);
    for (const layer of layers)
      this.frame(keyframe, { ssrc: SSRCS[layer], timestamp: timestamp + 1000 * SSRCS[layer], skip, mid: named ? layer : '' });
    await this.clock.advance(33);
  }

  get layers(): string {
    return this.gateway.published.map(({ frame, layer }) => `${layer}${frame.keyframe ? '!' : ''}`).join(' ');
  }

  /** Ssrcs that were asked for a keyframe. */
  get asked(): number[] {
    return this.rtcp.flatMap((message) => (message.type === 'keyframe-request' ? [message.ssrc] : []));
  }
}

describe('a publisher with a simulcast', () => {
  it('hands each layer to its room, named at first and by its ssrc from then on, and says which there are', async () => {
    const fixture = new SimulcastFixture();
    assert.deepEqual(fixture.gateway.publication?.layers, ['h', 'm', 'l']);
    await fixture.send(true);
    await fixture.send(false, ['l', 'h'], { named: false });
    assert.equal(fixture.layers, 'h! m! l! l h');
    for (let i = 0; i < 29; i++) await fixture.send(false, ['h', 'm']);
    fixture.publisher.tick();
    const { layers, framesReceived, fps } = fixture.publisher.snapshot().received!;
    assert.equal(framesReceived, 5 + 58);
    assert.deepEqual(
      layers.map(({ rid, size, fps: rate }) => [rid, size?.heightPx, Math.round(rate)]),
      [
        ['h', 720, 30],
        ['m', 720, 29],
        ['l', 720, 2],
      ],
    );
    assert.equal(Math.round(fps), 30, 'of the layer that has most');
    fixture.close();
  });

  it('asks the very layer for a keyframe, merged for each, and asks by itself for none', async () => {
    const fixture = new SimulcastFixture();
    const needed: string[] = [];
    const request = fixture.gateway.publication!.requestKeyframe.bind(fixture.gateway.publication);
    fixture.gateway.publication!.requestKeyframe = (layer) => void needed.push(layer ?? '');
    for (let i = 0; i < 5; i++) await fixture.send(false);
    assert.deepEqual(new Set(needed), new Set(['h', 'm', 'l']), 'its room is told, and decides');
    assert.deepEqual(fixture.asked, []);
    for (let i = 0; i < 5; i++) request('m');
    request('l');
    request('x');
    request();
    assert.deepEqual(fixture.asked, [11, 12]);
    await fixture.send(true);
    fixture.close();
  });

  it('repairs each layer for itself: a loss in one takes nothing from the others', async () => {
    const fixture = new SimulcastFixture();
    await fixture.send(true);
    await fixture.send(false, ['h'], { skip: 1 });
    await fixture.send(false);
    await fixture.send(false);
    const nack = fixture.rtcp.find(({ type }) => type === 'nack');
    assert.equal(nack?.type === 'nack' && nack.ssrc, 10);
    assert.equal(fixture.layers, 'h! m! l! m l m l');
    await fixture.clock.advance(1200);
    assert.deepEqual(fixture.asked, [10], 'given up: the room asked for a keyframe of that layer');
    fixture.close();
  });

  it('reports on all layers, and tells one bitrate for all of them', async () => {
    const fixture = new SimulcastFixture('a=rtcp-fb:96 goog-remb\r\n');
    await fixture.send(true);
    fixture.publisher.receiveRtcp(
      writeSenderReport({ ssrc: SSRCS.m, wallClockMs: 1_700_000_000_000, rtpTimestamp: 0, packets: 3, octets: 3000 }),
      0,
    );
    fixture.publisher.tick();
    const report = fixture.rtcp.find((message) => message.type === 'report');
    assert.deepEqual(report?.type === 'report' && report.reports.map(({ ssrc, lastSenderReport }) => [ssrc, lastSenderReport > 0]), [
      [10, false],
      [11, true],
      [12, false],
    ]);
    const remb = fixture.raw.find((packet) => packet.includes('REMB'))!;
    const ssrcs = remb.subarray(remb.indexOf('REMB') + 8);
    assert.deepEqual([ssrcs.readUInt32BE(0), ssrcs.readUInt32BE(4), ssrcs.readUInt32BE(8)], [10, 11, 12]);
    fixture.close();
  });

  it('goes on with a layer that has another ssrc', async () => {
    const fixture = new SimulcastFixture();
    await fixture.send(true);
    await fixture.send(false, ['l']);
    await fixture.clock.advance(400);
    fixture.frame(true, { ssrc: 99, timestamp: 5, mid: 'h' });
    fixture.frame(false, { ssrc: 99, timestamp: 3005 });
    assert.equal(fixture.layers, 'h! m! l! l h! h');
    const times = fixture.gateway.published.flatMap(({ layer, frame }) => (layer === 'h' ? [frame.mediaTimeMs] : []));
    assert.ok(times[0]! < times[1]! && times[1]! < times[2]!);
    fixture.close();
  });

  it('goes on with what is left when its layers vanish one by one, and takes each back under its own numbers', async () => {
    const fixture = new SimulcastFixture();
    await fixture.send(true);
    const left: readonly (readonly Layer[])[] = [['h', 'm', 'l'], ['m', 'l'], ['l'], []];
    for (const layers of left) for (let i = 0; i < 20; i++) await fixture.send(false, layers);
    const framesOf = (layer: Layer): number => fixture.gateway.published.filter((each) => each.layer === layer).length;
    assert.deepEqual([framesOf('h'), framesOf('m'), framesOf('l')], [21, 41, 61]);
    for (const layer of ['m', 'h', 'l'] as const) await fixture.send(true, [layer], { named: false });
    for (let i = 0; i < 5; i++) await fixture.send(false);
    assert.deepEqual([framesOf('h'), framesOf('m'), framesOf('l')], [27, 47, 67]);
    for (const layer of ['h', 'm', 'l'] as const) {
      const times = fixture.gateway.published.flatMap((each) => (each.layer === layer ? [each.frame.mediaTimeMs] : []));
      assert.ok(
        times.every((time, i) => i === 0 || time > (times[i - 1] ?? Infinity)),
        `time of layer ${layer} goes on`,
      );
    }
    assert.ok(!fixture.rtcp.some(({ type }) => type === 'nack'), 'nothing of what was not sent is asked for');
    fixture.close();
  });

  it('passes over layers that nobody offered, a hundred ssrcs of them', async () => {
    const fixture = new SimulcastFixture();
    await fixture.send(true);
    for (let i = 0; i < 100; i++) fixture.frame(true, { ssrc: 1000 + i, timestamp: i, mid: 'x' });
    await fixture.send(false);
    assert.equal(fixture.layers, 'h! m! l! h m l');
    assert.equal(fixture.publisher.snapshot().received?.layers.length, 3);
    fixture.close();
  });
});
