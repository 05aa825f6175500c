import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { lengthPrefixed, type EncodedFrame, type VideoCodec } from '../../../src/media/index.js';
import type { PublishRequest } from '../../../src/webrtc/index.js';
import { eventually } from '../../helpers/deadline.js';
import { seededRandom } from '../../helpers/random.js';
import { WeriftPublisher, type PublisherOptions } from '../../helpers/werift-publisher.js';
import { Rig } from '../rig.js';

const sps = Buffer.from('674d401feca02802dd80880000030008000003019078c18cb0', 'hex');
const pps = Buffer.from('68ebecb22c', 'hex');

/** A frame that no other is like. */
function makeFrame(codec: VideoCodec, number: number, keyframe: boolean, bytes = 4000): Buffer {
  const body = Buffer.alloc(bytes, (number & 0x7f) | 1);
  body.writeUInt32BE(number, 20);
  if (codec === 'vp8') return Buffer.concat([keyframe ? Buffer.from('f0cd009d012a0005d002', 'hex') : Buffer.from([0x31]), body]);
  body[0] = keyframe ? 0x65 : 0x41;
  body[1] = 0x88;
  return lengthPrefixed(keyframe ? [sps, pps, body] : [body]);
}

class Publishing {
  readonly rig = new Rig();
  readonly publisher: WeriftPublisher;
  readonly sent: Buffer[] = [];

  #isClosed = false;

  /** Closed when the test ends, if not before. */
  constructor(
    t: TestContext,
    readonly options: PublisherOptions = {},
  ) {
    this.publisher = new WeriftPublisher(options);
    t.after(() => this.close());
  }

  async publish(request: Partial<PublishRequest> = {}) {
    return this.publisher.publish((sdp) => this.rig.manager.publish({ sdp, door: 'whip', room: 'gate', takeover: false, ...request }));
  }

  /** Sends a frame and lets the network take it. */
  async send(keyframe = false): Promise<void> {
    const data = makeFrame(this.options.codec ?? 'h264', this.sent.length, keyframe);
    this.publisher.sendVideo(data, 4_294_960_000 + this.sent.length * 3000);
    this.sent.push(data);
    await new Promise(setImmediate);
  }

  /** What the room got of video. */
  get frames(): EncodedFrame[] {
    return this.rig.gateway.published.flatMap(({ kind, frame }) => (kind === 'video' ? [frame] : []));
  }

  /** Waits for `count` frames. */
  async received(count: number, ms = 5000): Promise<EncodedFrame[]> {
    await eventually(() => this.frames.length >= count, ms, `${count} frames`);
    return this.frames;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.publisher.close();
    await this.rig.close();
  }
}

describe('a publisher', () => {
  for (const codec of ['h264', 'vp8'] as const) {
    it(`is received: ${codec} frames arrive whole and in order, media time ascends over a wrap of the timestamp`, async (t) => {
      const publishing = new Publishing(t, { codec });
      await publishing.publish();
      for (let i = 0; i < 20; i++) await publishing.send(i === 0);
      const frames = await publishing.received(20);
      assert.deepEqual(
        frames.map(({ data }) => data),
        publishing.sent,
      );
      assert.deepEqual(
        frames.map(({ keyframe }) => keyframe),
        publishing.sent.map((_data, i) => i === 0),
      );
      for (const [i, { mediaTimeMs }] of frames.entries())
        if (i > 0) assert.ok(Math.abs(mediaTimeMs - frames[i - 1]!.mediaTimeMs - 1000 / 30) < 4);
      const [snapshot] = publishing.rig.manager.snapshot();
      assert.equal(snapshot?.role, 'publisher');
      assert.equal(snapshot.received?.framesReceived, 20);
      assert.equal(snapshot.received.videoCodec, codec);
      await publishing.close();
    });
  }

  for (const rtx of [false, true]) {
    it(`is asked again for what is lost${rtx ? ', and answers on a stream of its own' : ''}: with 10 % loss every frame arrives`, async (t) => {
      const random = seededRandom(5);
      const publishing = new Publishing(t, { rtx, lose: () => random() < 0.1 });
      await publishing.publish();
      for (let i = 0; i < 60; i++) await publishing.send(i === 0);
      // What is lost at the end is noticed by what follows it.
      const frames = await eventually(
        async () => {
          await publishing.send();
          return publishing.frames.length >= 60 ? { all: publishing.frames } : undefined;
        },
        5000,
        '60 frames',
      );
      assert.deepEqual(
        frames.all.slice(0, 60).map(({ data }) => data),
        publishing.sent.slice(0, 60),
      );
      const received = publishing.rig.manager.snapshot()[0]?.received;
      assert.ok(received && received.packetsRepaired > 0 && received.nacksSent > 0);
      assert.equal(received.packetsLost, 0);
      await publishing.close();
    });
  }

  it('is asked for a keyframe where it begins without one, once', async (t) => {
    const publishing = new Publishing(t);
    await publishing.publish();
    for (let i = 0; i < 5; i++) await publishing.send();
    await eventually(() => publishing.publisher.keyframesAsked > 0, 3000, 'a PLI');
    assert.equal(publishing.rig.gateway.published.length, 0);
    await publishing.send(true);
    await publishing.received(1);
    assert.equal(publishing.publisher.keyframesAsked, 1);
    await publishing.close();
  });

  it('gets Receiver Reports, and transport feedback that tells of every packet', async (t) => {
    const publishing = new Publishing(t, { transportCc: true });
    await publishing.publish();
    for (let i = 0; i < 10; i++) await publishing.send(i === 0);
    await publishing.received(10);
    const report = await eventually(
      () => publishing.publisher.reports.find(({ reports }) => reports.length > 0)?.reports[0],
      4000,
      'a Receiver Report',
    );
    assert.equal(report.fractionLost, 0);
    assert.equal(report.packetsLost, 0);
    const told = (): number => publishing.publisher.transportFeedback.reduce((sum, { recvDeltas }) => sum + recvDeltas.length, 0);
    await eventually(() => told() >= publishing.publisher.packetsSent, 3000, 'feedback of every packet');
    await publishing.close();
  });

  it('keeps sound and pictures together though its pictures pause, and its RTP time with them', async (t) => {
    const publishing = new Publishing(t, { codec: 'vp8', audio: true });
    await publishing.publish();
    const { publisher, rig } = publishing;
    const startedMs = performance.now();
    const pauseMs = { from: 1000, until: 2300 };
    let picture = 0;
    let pausedAt = Infinity;
    const timer = setInterval(() => {
      const sentMs = performance.now() - startedMs;
      publisher.sendAudio(Buffer.from([0xfc, 0xff, 0xfe]), Math.round(sentMs * 48));
      const isPausing = sentMs >= pauseMs.from && sentMs <= pauseMs.until;
      if (isPausing) pausedAt = picture;
      const timeMs = sentMs < pauseMs.from ? sentMs : sentMs - (pauseMs.until - pauseMs.from);
      if (!isPausing) publisher.sendVideo(makeFrame('vp8', picture, picture++ % 10 === 0, 500), Math.round(timeMs * 90));
    }, 20);
    t.after(() => clearInterval(timer));
    const newestOf = (kind: 'video' | 'audio'): number =>
      rig.gateway.published.findLast((each) => each.kind === kind)?.frame.mediaTimeMs ?? NaN;
    await eventually(() => publishing.frames.length > pausedAt, 8000, 'pictures after the pause');
    await eventually(
      () => Math.abs(newestOf('video') - newestOf('audio')) < 150,
      4000,
      'sound and pictures that were sent together to have the same time',
    );
  });

  it('is told to reconnect on its data channel and by its door', async (t) => {
    const publishing = new Publishing(t, { dataChannel: 'commands' });
    const commands: unknown[] = [];
    await publishing.publish({ onCommand: (command) => commands.push(command) });
    const messages: unknown[] = [];
    publishing.publisher.dataChannel?.onMessage.subscribe((message) => messages.push(JSON.parse(String(message))));
    await eventually(() => publishing.publisher.dataChannel?.readyState === 'open', 3000, 'the data channel');
    const expected = { command: 'reconnect', reason: 'No frames for 11s' };
    await eventually(
      () => (publishing.rig.gateway.publication?.requestReconnect('No frames for 11s'), messages.length > 0),
      3000,
      'a command',
    );
    assert.deepEqual([messages[0], commands[0]], [expected, expected]);
    await publishing.close();
  });

  it('that leaves is lost, and one whose session is ended has left', async (t) => {
    const publishing = new Publishing(t, { audio: true });
    const opened = await publishing.publish();
    publishing.publisher.sendAudio(Buffer.from([0x78, 1, 2]), 960);
    await eventually(() => publishing.rig.gateway.published.some(({ kind }) => kind === 'audio'), 3000, 'audio');
    assert.ok((publishing.rig.gateway.publication?.aliveForMs() ?? 0) > 0);
    await publishing.rig.manager.close(opened.sessionId, 'publisher-left');
    assert.equal(publishing.rig.gateway.publicationClosed, 'left');
    await publishing.close();
    const other = new Publishing(t);
    const { ended } = await other.publish();
    await other.publisher.close();
    await ended;
    assert.equal(other.rig.gateway.publicationClosed, 'lost');
    await other.close();
  });

  it('is refused where somebody publishes to the room, and gives its place back', async (t) => {
    const publishing = new Publishing(t);
    await publishing.publish();
    const second = new WeriftPublisher();
    await assert.rejects(
      second.publish((sdp) => publishing.rig.manager.publish({ sdp, door: 'whip', room: 'gate', takeover: false })),
      { code: 'ROOM_TAKEN' },
    );
    await eventually(() => publishing.rig.manager.connections === 1, 2000, 'the place of the second');
    await second.close();
    await publishing.close();
  });
});
