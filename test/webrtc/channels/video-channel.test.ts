import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { eventually } from '../../helpers/deadline.js';
import { WeriftViewer } from '../../helpers/werift-viewer.js';
import { Rig } from '../rig.js';

interface Picture {
  readonly frame: number;
  readonly rtpTimestamp: number;
  readonly jpeg: Buffer;
}

function readPicture(message: Buffer): Picture {
  assert.equal(message.toString('latin1', 0, 4), 'SLV1');
  assert.equal(message.readUInt32BE(12), message.length - 16, 'one message is one whole picture');
  return { frame: message.readUInt32BE(4), rtpTimestamp: message.readUInt32BE(8), jpeg: message.subarray(16) };
}

let rig: Rig;
let viewer: WeriftViewer;
let camera: NodeJS.Timeout | undefined;

async function openVideo() {
  const channel = viewer.pc.createDataChannel('video');
  const pictures: Picture[] = [];
  const texts: string[] = [];
  channel.onMessage.subscribe((data) => (typeof data === 'string' ? texts.push(data) : pictures.push(readPicture(data))));
  await eventually(() => channel.readyState !== 'connecting', 3000, 'the channel to open');
  return { channel, pictures, texts };
}

/** What the viewer's SCTP is given, datagram by datagram. */
function sctpOf(): { handleData: (data: Buffer) => Promise<void> } {
  return viewer.pc.sctpTransport?.sctp as unknown as { handleData: (data: Buffer) => Promise<void> };
}

describe('the data channel video', () => {
  beforeEach(() => {
    rig = new Rig();
    viewer = new WeriftViewer({ video: 0, dataChannel: 'any' });
  });
  afterEach(async () => {
    clearInterval(camera);
    await viewer.close();
    await rig.close();
  });

  it('carries whole pictures with number, timestamp and length to a client without any m-line of video', async () => {
    await viewer.join(rig.accept());
    const { channel, pictures } = await openVideo();
    await eventually(() => rig.gateway.snapshotLeases === 1, 2000, 'the lease');
    for (const [i, bytes] of [5000, 60_000, 65_520].entries()) {
      rig.gateway.writeSnapshot(70_000 + i, bytes);
      await eventually(() => pictures.length === i + 1, 3000, `the picture of ${bytes} bytes`);
      assert.deepEqual(
        { ...pictures[i], jpeg: pictures[i]?.jpeg.length },
        { frame: 70_000 + i, rtpTimestamp: ((70_000 + i) * 9000) % 2 ** 32, jpeg: bytes },
      );
      assert.ok(pictures[i]?.jpeg.every((byte) => byte === ((70_000 + i) & 0xff)));
    }
    assert.equal(rig.manager.snapshot()[0]?.snapshotsSent, 3);
    channel.close();
    await eventually(() => rig.gateway.snapshotLeases === 0, 2000, 'the lease to be given back');
  });

  it('keeps the newest picture for a viewer that does not keep up, and counts the others', async () => {
    await viewer.join(rig.accept());
    const { pictures } = await openVideo();
    await eventually(() => rig.gateway.snapshotLeases === 1, 2000, 'the lease');
    const sctp = sctpOf();
    const handleData = sctp.handleData.bind(sctp);
    sctp.handleData = () => Promise.resolve();
    for (let frame = 1; frame <= 500; frame++) {
      rig.gateway.writeSnapshot(frame, 60_000);
      if (frame % 50 === 0) await new Promise(setImmediate);
    }
    const [session] = rig.manager.snapshot();
    assert.equal(session?.snapshotsSent, 1);
    assert.equal(session.snapshotsDropped, 498);
    const line = await eventually(
      () => rig.lines.find(({ message }) => message === 'viewer does not keep up with its data channels'),
      3000,
      'the warning',
    );
    assert.equal(line.level, 'warn');
    sctp.handleData = handleData;
    await eventually(() => pictures.length === 2, 10_000, 'the pictures');
    assert.deepEqual(
      pictures.map(({ frame }) => frame),
      [1, 500],
    );
    assert.equal(rig.lines.filter(({ message }) => message === line.message).length, 1, 'said once, though hundreds were lost');
  });

  it('lets answers and detections pass behind one picture, however many there are', async () => {
    await viewer.join(rig.accept());
    const { pictures } = await openVideo();
    const commands = viewer.pc.createDataChannel('commands');
    const detections = viewer.pc.createDataChannel('detections', { ordered: false, maxRetransmits: 0 });
    /** How many pictures had come before each answer and each message. */
    const answeredAt: number[] = [];
    const detectedAt: number[] = [];
    commands.onMessage.subscribe((data) => typeof data === 'string' && answeredAt.push(pictures.length));
    detections.onMessage.subscribe(() => detectedAt.push(pictures.length));
    await eventually(
      () => rig.gateway.snapshotLeases === 1 && rig.gateway.detectionLeases === 1 && commands.readyState === 'open',
      3000,
      'the channels',
    );
    // A link that lets one datagram through after the other.
    const sctp = sctpOf();
    const handleData = sctp.handleData.bind(sctp);
    let link = Promise.resolve();
    sctp.handleData = (data) => {
      const copy = Buffer.from(data);
      link = link.then(() => new Promise((resolve) => setTimeout(resolve, 1))).then(() => handleData(copy));
      return link;
    };
    let frame = 0;
    camera = setInterval(() => rig.gateway.writeSnapshot(++frame, 60_000), 5);
    await eventually(() => pictures.length >= 2, 10_000, 'the link to be full');
    for (let i = 0; i < 5; i++) {
      const before = pictures.length;
      commands.send(JSON.stringify({ cmd: 'keyframe' }));
      await eventually(() => answeredAt.length > i, 10_000, 'the answer');
      assert.ok((answeredAt[i] ?? 0) - before <= 2, `${(answeredAt[i] ?? 0) - before} pictures before the answer`);
      const beforeDetection = pictures.length;
      rig.gateway.feed.publish({
        sourceId: 'street',
        frame: i,
        mediaTimeMs: i,
        widthPx: 1,
        heightPx: 1,
        inferenceMs: 1,
        objects: [],
        scene: undefined,
      });
      await eventually(() => detectedAt.length > i, 10_000, 'the message');
      assert.ok((detectedAt[i] ?? 0) - beforeDetection <= 2, 'pictures before the message');
    }
    clearInterval(camera);
    await link;
    assert.equal(rig.manager.snapshot()[0]?.detectionsDropped, 0);
    assert.ok((rig.manager.snapshot()[0]?.snapshotsDropped ?? 0) > 0, 'the link was full');
  });

  it('is silent while the viewer pauses', async () => {
    await viewer.join(rig.accept());
    const { pictures } = await openVideo();
    const commands = viewer.pc.createDataChannel('commands');
    let answers = 0;
    commands.onMessage.subscribe(() => answers++);
    await eventually(() => commands.readyState === 'open' && rig.gateway.snapshotLeases === 1, 3000, 'the channels');
    commands.send('{"cmd":"pause"}');
    await eventually(() => answers === 1, 3000, 'the answer');
    rig.gateway.writeSnapshot(1);
    commands.send('{"cmd":"resume"}');
    await eventually(() => answers === 2, 3000, 'the answer');
    rig.gateway.writeSnapshot(2);
    await eventually(() => pictures.length > 0, 3000, 'a picture');
    assert.deepEqual(
      pictures.map(({ frame }) => frame),
      [2],
    );
  });

  it('and detections are told when another channel of the label takes their place', async () => {
    await viewer.join(rig.accept());
    const first = await openVideo();
    await eventually(() => rig.gateway.snapshotLeases === 1, 2000, 'the lease');
    const second = await openVideo();
    await eventually(() => first.channel.readyState === 'closed', 3000, 'the end of the first');
    assert.match(first.texts[0] ?? '', /CHANNEL_REPLACED/);
    assert.equal(rig.gateway.snapshotLeases, 1);
    rig.gateway.writeSnapshot(1);
    await eventually(() => second.pictures.length === 1, 3000, 'a picture on the second');
    const texts: string[] = [];
    const detections = viewer.pc.createDataChannel('detections');
    detections.onMessage.subscribe((data) => texts.push(String(data)));
    await eventually(() => rig.gateway.detectionLeases === 1, 2000, 'the lease');
    viewer.pc.createDataChannel('detections');
    await eventually(() => detections.readyState === 'closed', 3000, 'the end of the first');
    assert.match(texts[0] ?? '', /CHANNEL_REPLACED/);
    assert.equal(rig.gateway.detectionLeases, 1);
  });

  it('says why where the messages that the client takes are too small for any picture', async () => {
    await viewer.join((sdp) => rig.accept()(sdp.replace(/a=max-message-size:[0-9]+/, 'a=max-message-size:1000')));
    const { channel, texts } = await openVideo();
    await eventually(() => channel.readyState === 'closed' && texts.length === 1, 3000, 'the reason');
    assert.match(texts[0] ?? '', /NOTHING_TO_SERVE/);
  });
});
