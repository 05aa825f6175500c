import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MediaPeerError } from '../../../src/base/errors.js';
import type { FrameDetections, SceneEvent } from '../../../src/media/index.js';
import { eventually } from '../../helpers/deadline.js';
import { WeriftViewer } from '../../helpers/werift-viewer.js';
import { Rig } from '../rig.js';
import type { RTCDataChannel } from 'werift';

interface Message {
  readonly frame: number;
  readonly rtp_timestamp: Readonly<Record<string, number>>;
  readonly objects: readonly { readonly label: string; readonly score: number }[];
  readonly dropped: number;
  readonly missed_events?: readonly { readonly frame: number }[];
  readonly error?: { readonly code: string };
}

const detections = (frame: number, mediaTimeMs: number, more: Partial<FrameDetections> = {}): FrameDetections => ({
  sourceId: 'street',
  frame,
  mediaTimeMs,
  widthPx: 1280,
  heightPx: 720,
  inferenceMs: 3,
  objects: [
    { objectId: 1, label: 'car', classId: 2, score: 0.9, box: [1, 2, 3, 4], velocity: [0, 0], isObserved: true },
    { objectId: 2, label: 'person', classId: 0, score: 0.4, box: [1, 2, 3, 4], velocity: [0, 0], isObserved: true },
  ],
  scene: undefined,
  ...more,
});

/** Types of chunks (RFC 9260 §3.2, RFC 3758 §3.2). */
const [DATA, FORWARD_TSN] = [0, 192];

/** A channel with what came on it. */
async function openChannel(viewer: WeriftViewer, label: string) {
  const channel = viewer.pc.createDataChannel(label, { ordered: false, maxRetransmits: 0 });
  const messages: Message[] = [];
  channel.onMessage.subscribe((data) => messages.push(JSON.parse(String(data)) as Message));
  await eventually(() => channel.readyState !== 'connecting', 3000, `the channel ${label} to open`);
  return { channel, messages };
}

/** Sends a command and waits for its answer. */
async function commander(viewer: WeriftViewer) {
  const channel = viewer.pc.createDataChannel('commands');
  const answers: Record<string, unknown>[] = [];
  channel.onMessage.subscribe((data) => {
    if (typeof data === 'string') answers.push(JSON.parse(data) as Record<string, unknown>);
  });
  await eventually(() => channel.readyState === 'open', 3000, 'the channel to open');
  let sent = 0;
  const command = async (message: object | string) => {
    channel.send(typeof message === 'string' ? message : JSON.stringify(message));
    sent++;
    return eventually(() => answers[sent - 1], 3000, 'the answer');
  };
  return { channel, answers, command };
}

test('each detected frame is told with the RTP timestamp that this viewer gets it with', async () => {
  const rig = new Rig();
  const viewer = new WeriftViewer({ video: 2, dataChannel: 'any' });
  const { sdp } = await viewer.join(rig.accept());
  await viewer.until(() => viewer.packets.length >= 2, 2000, 'the first pictures');
  const { channel, messages } = await openChannel(viewer, 'detections');
  await eventually(() => rig.gateway.detectionLeases === 1, 1000, 'the lease');
  for (let i = 1; i <= 5; i++) {
    rig.write(1);
    rig.gateway.feed.publish(detections(i, i * 33));
  }
  await eventually(() => messages.length === 5, 2000, 'the messages');
  await viewer.until(() => viewer.packets.filter(({ header }) => header.marker).length >= 12, 2000, 'the frames');
  for (const [at, rendition] of (['raw', 'processed'] as const).entries()) {
    const ssrc = WeriftViewer.ssrcs(sdp, at)[0];
    const stamps = new Set(viewer.packets.filter(({ header }) => header.ssrc === ssrc).map(({ header }) => header.timestamp));
    for (const message of messages)
      assert.ok(stamps.has(message.rtp_timestamp[rendition] as number), `${rendition} of frame ${message.frame}`);
  }
  assert.equal(rig.manager.snapshot()[0]?.detectionsSent, 5);
  channel.close();
  await eventually(() => rig.gateway.detectionLeases === 0, 2000, 'the lease to be given back');
  await viewer.close();
  await rig.close();
});

test('a viewer that asks for detections where there are none is told why', async () => {
  const rig = new Rig();
  rig.gateway.detectionError = new MediaPeerError('DETECTION_OFF', 'no detector looks at it');
  const viewer = new WeriftViewer({ dataChannel: 'any' });
  await viewer.join(rig.accept());
  const { channel, messages } = await openChannel(viewer, 'detections');
  await eventually(() => messages.length === 1 && channel.readyState === 'closed', 3000, 'the error and the end');
  assert.deepEqual(messages[0]?.error, { code: 'DETECTION_OFF', message: 'no detector looks at it' });
  await viewer.close();
  await rig.close();
});

test('a viewer that does not acknowledge loses messages, is told how many, and costs bounded memory', async () => {
  const rig = new Rig();
  const viewer = new WeriftViewer({ dataChannel: 'any' });
  await viewer.join(rig.accept());
  const { messages } = await openChannel(viewer, 'detections');
  await eventually(() => rig.gateway.detectionLeases === 1, 1000, 'the lease');
  const sctp = viewer.pc.sctpTransport?.sctp as unknown as { handleData: (data: Buffer) => Promise<void> };
  const handleData = sctp.handleData.bind(sctp);
  sctp.handleData = () => Promise.resolve();
  const event: SceneEvent = { type: 'enter', id: 'gate', objectId: 1, label: 'car', classId: 2, score: 0.9, position: [1, 2] };
  for (let i = 0; i < 2000; i++) {
    rig.gateway.feed.publish(detections(i, i * 33, { scene: { zones: [], lines: [], events: [event] } }));
    if (i % 100 === 0) await new Promise(setImmediate);
  }
  const [session] = rig.manager.snapshot();
  assert.ok((session?.detectionsDropped ?? 0) > 1000, 'most are lost');
  sctp.handleData = handleData;
  await eventually(
    async () => {
      rig.gateway.feed.publish(detections(3000, 99_000));
      await new Promise(setImmediate);
      return messages.some(({ frame }) => frame === 3000);
    },
    8000,
    'messages to flow again',
  );
  const next = messages.find(({ frame }) => frame === 3000);
  assert.ok((next?.dropped ?? 0) > 1000);
  assert.equal(next?.missed_events?.length, 100);
  assert.equal(next.missed_events.at(-1)?.frame, 1999);
  await viewer.close();
  await rig.close();
});

test('a lost message, and the loss of the packet that gives it up, cost no other message', async () => {
  const rig = new Rig();
  const viewer = new WeriftViewer({ dataChannel: 'any' });
  await viewer.join(rig.accept());
  const { messages } = await openChannel(viewer, 'detections');
  await eventually(() => rig.gateway.detectionLeases === 1, 1000, 'the lease');
  const sctp = viewer.pc.sctpTransport?.sctp as unknown as { handleData: (data: Buffer) => Promise<void>; sackMisOrdered: Set<number> };
  const handleData = sctp.handleData.bind(sctp);
  const lost = new Set([DATA, FORWARD_TSN]);
  sctp.handleData = (data) => (lost.delete(data[12] ?? -1) ? Promise.resolve() : handleData(data));
  let frame = 0;
  await eventually(
    async () => {
      rig.gateway.feed.publish(detections(++frame, frame * 33));
      await new Promise(setImmediate);
      return frame > 20 && lost.size === 0 && sctp.sackMisOrdered.size === 0;
    },
    5000,
    'the viewer to have heard that the message is given up',
  );
  await eventually(() => messages.length === frame - 1, 3000, 'all others');
  await viewer.close();
  await rig.close();
});

test('commands filter detections, stop and start renditions and pause everything', async () => {
  const rig = new Rig();
  const viewer = new WeriftViewer({ video: 2, dataChannel: 'any' });
  const { sdp } = await viewer.join(rig.accept({ active: ['raw'] }));
  const [raw, processed] = [WeriftViewer.ssrcs(sdp, 0)[0], WeriftViewer.ssrcs(sdp, 1)[0]];
  const of = (ssrc: number | undefined) => viewer.packets.filter(({ header }) => header.ssrc === ssrc);
  const { command } = await commander(viewer);
  const { messages } = await openChannel(viewer, 'detections');
  await viewer.until(() => of(raw).length > 0, 2000, 'raw');
  assert.equal(rig.gateway.leases, 1, 'only raw is open');
  assert.equal(of(processed).length, 0);

  assert.deepEqual(await command({ cmd: 'detection', min_score: 0.5, id: 7 }), { ok: true, cmd: 'detection', id: 7 });
  rig.write(1);
  rig.gateway.feed.publish(detections(1, 33));
  await eventually(() => messages.length === 1, 2000, 'the message');
  assert.deepEqual(
    messages[0]?.objects.map(({ label }) => label),
    ['car'],
  );
  assert.deepEqual(Object.keys(messages[0].rtp_timestamp), ['raw']);

  assert.deepEqual(await command({ cmd: 'select', tracks: ['processed'] }), { ok: true, cmd: 'select', tracks: ['processed'] });
  await viewer.until(() => of(processed).length > 0, 2000, 'processed');
  assert.equal(rig.gateway.leases, 1, 'raw has been given back');
  rig.write(3);
  assert.deepEqual(await command({ cmd: 'select', tracks: ['raw', 'processed'] }), {
    ok: true,
    cmd: 'select',
    tracks: ['raw', 'processed'],
  });
  const before = of(raw).length;
  rig.write(2);
  await viewer.until(() => of(raw).length > before + 2, 2000, 'raw again');
  for (const ssrc of [raw, processed]) {
    const headers = of(ssrc).map(({ header }) => header);
    for (const [i, header] of headers.entries()) {
      if (i === 0) continue;
      const earlier = headers[i - 1] as typeof header;
      assert.equal(header.sequenceNumber, (earlier.sequenceNumber + 1) % 65536);
      assert.ok(((header.timestamp - earlier.timestamp) | 0) >= 0, 'timestamps ascend');
    }
  }

  assert.equal((await command({ cmd: 'pause' }))['ok'], true);
  assert.equal(rig.gateway.leases, 0);
  rig.gateway.feed.publish(detections(2, 66));
  assert.equal((await command({ cmd: 'resume' }))['ok'], true);
  assert.equal((await command({ cmd: 'keyframe' }))['ok'], true);
  await eventually(() => rig.gateway.leases === 2, 1000, 'both renditions again');
  assert.equal(messages.length, 1, 'nothing is told while it pauses');
  await viewer.close();
  await rig.close();
});

test('time goes on for a viewer who paused until the source stopped and began anew', async () => {
  const rig = new Rig();
  const viewer = new WeriftViewer({ video: 2, dataChannel: 'any' });
  const { sdp } = await viewer.join(rig.accept({ renditions: ['raw', 'raw'] }));
  const { command } = await commander(viewer);
  const { messages } = await openChannel(viewer, 'detections');
  const of = (at: number) => viewer.packets.map(({ header }) => header).filter(({ ssrc }) => ssrc === WeriftViewer.ssrcs(sdp, at)[0]);
  rig.write(8);
  await viewer.until(() => of(0).length >= 24 && of(1).length >= 24, 3000, 'the pictures');
  await command({ cmd: 'pause' });
  rig.restart();
  await command({ cmd: 'resume' });
  await eventually(() => rig.gateway.subscriptions === 2, 1000, 'both to flow again');
  const before = [of(0).length, of(1).length];
  rig.write(5);
  rig.gateway.feed.publish(detections(1, 5 * 33));
  await eventually(() => messages.length === 1, 2000, 'the message');
  for (const at of [0, 1]) {
    await viewer.until(() => of(at).length >= (before[at] ?? 0) + 10, 2000, 'pictures again');
    const stamps = of(at).map(({ timestamp }) => timestamp);
    stamps.forEach((stamp, i) =>
      assert.ok(i === 0 || ((stamp - (stamps[i - 1] ?? 0)) | 0) >= 0, `m-line ${at}: ${stamp} after ${stamps[i - 1]}`),
    );
    assert.ok(stamps.includes(messages[0]?.rtp_timestamp['raw'] ?? -1), `the message tells a frame of m-line ${at}`);
  }
  await viewer.close();
  await rig.close();
});

test('what is no command is answered with what is', async () => {
  const rig = new Rig();
  const viewer = new WeriftViewer({ dataChannel: 'any' });
  await viewer.join(rig.accept({ renditions: ['raw'] }));
  const { channel, command, answers } = await commander(viewer);
  const codeOf = async (message: object | string) => (await command(message))['code'];
  channel.send(Buffer.from([1, 2, 3]));
  assert.equal(await codeOf('nonsense'), 'COMMAND_INVALID');
  assert.equal(await codeOf('[]'), 'COMMAND_INVALID');
  assert.equal(await codeOf('null'), 'COMMAND_INVALID');
  assert.equal(await codeOf({ cmd: 'fly' }), 'COMMAND_INVALID');
  assert.match(String(answers.at(-1)?.['message']), /select, detection, keyframe, token, pause, resume/);
  assert.equal(await codeOf({ cmd: 'select' }), 'COMMAND_INVALID');
  assert.equal(await codeOf({ cmd: 'select', tracks: ['processed'] }), 'COMMAND_INVALID');
  assert.equal(await codeOf({ cmd: 'select', tracks: ['raw'], source: 'x' }), 'SOURCE_NOT_FOUND');
  assert.equal(await codeOf({ cmd: 'select', quality: 'low' }), 'COMMAND_UNSUPPORTED');
  assert.match(String(answers.at(-1)?.['message']), /auto, high/);
  assert.deepEqual(await command({ cmd: 'select', quality: 'auto' }), { ok: true, cmd: 'select', tracks: ['raw'], quality: 'high' });
  assert.equal(await codeOf({ cmd: 'detection', min_score: 2 }), 'COMMAND_INVALID');
  assert.equal(await codeOf('x'.repeat(60_000)), 'COMMAND_INVALID');
  await viewer.close();
  await rig.close();
});

test('commands that come too fast are dropped, and said so once', async () => {
  const rig = new Rig();
  const viewer = new WeriftViewer({ dataChannel: 'any' });
  await viewer.join(rig.accept());
  const { channel, answers } = await commander(viewer);
  for (let i = 0; i < 300; i++) channel.send('{"cmd":"keyframe"}');
  await eventually(() => answers.some(({ code }) => code === 'COMMANDS_TOO_FAST'), 3000, 'the refusal');
  assert.ok(answers.length < 150);
  await viewer.close();
  await rig.close();
});

test('a client that opens and closes channels a thousand times leaves nothing behind', async () => {
  const rig = new Rig();
  const viewer = new WeriftViewer({ dataChannel: 'any' });
  await viewer.join(rig.accept());
  for (let i = 0; i < 50; i++) {
    const channels: RTCDataChannel[] = [];
    for (let k = 0; k < 20; k++) channels.push(viewer.pc.createDataChannel(k % 2 === 0 ? 'detections' : 'commands'));
    await eventually(() => channels.every(({ readyState }) => readyState !== 'connecting'), 3000, 'the channels to open');
    for (const channel of channels) channel.close();
    await eventually(() => channels.every(({ readyState }) => readyState === 'closed'), 3000, 'the channels to close');
  }
  await eventually(() => rig.gateway.detectionLeases === 0, 2000, 'the leases to be given back');
  await viewer.close();
  await rig.close();
});
