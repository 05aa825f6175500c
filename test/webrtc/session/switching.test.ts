/** A running session that is shown another source, without a negotiation. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { MediaPeerError } from '../../../src/base/errors.js';
import type { FrameDetections } from '../../../src/media/index.js';
import { eventually } from '../../helpers/deadline.js';
import { WeriftViewer } from '../../helpers/werift-viewer.js';
import { FakeGateway, type FakeSource } from '../fake-gateway.js';
import { assertContinuous, headersOf, openChannel, openCommands } from '../commanding.js';
import { Rig } from '../rig.js';

const detections = (sourceId: string, frame: number, mediaTimeMs: number): FrameDetections => ({
  sourceId,
  frame,
  mediaTimeMs,
  widthPx: 640,
  heightPx: 360,
  inferenceMs: 1,
  objects: [],
  scene: undefined,
});

let rig: Rig;
let viewer: WeriftViewer;

/** Another source that has run for a while. */
function addSource(id: string, source: FakeSource = {}, newestMs = 500_000): FakeGateway {
  const other = new FakeGateway(source);
  rig.gateway.others.set(id, other);
  other.timeline.anchor(newestMs, Date.now());
  for (const name of ['raw', 'processed'] as const) other.writeH264(name, newestMs, { keyframe: true });
  return other;
}

function writeTo(gateway: FakeGateway, fromMs: number, frames: number): void {
  for (let i = 0; i < frames; i++)
    for (const name of ['raw', 'processed'] as const) gateway.writeH264(name, fromMs + i * 33, { keyframe: i === 0 });
}

describe('a session that changes its source', () => {
  beforeEach(() => {
    rig = new Rig();
    viewer = new WeriftViewer({ video: 2, dataChannel: 'any' });
  });
  afterEach(async () => {
    await viewer.close();
    await rig.close();
    for (const other of rig.gateway.others.values())
      assert.deepEqual(
        [other.leases, other.detectionLeases, other.snapshotLeases, other.subscriptions],
        [0, 0, 0, 0],
        'nothing of the other source is held',
      );
  });

  it('gets it on the same m-lines at once, and numbering and time go on', async () => {
    const other = addSource('yard');
    const { sdp } = await viewer.join(rig.accept());
    const ssrcs = [0, 1].map((at) => WeriftViewer.ssrcs(sdp, at)[0]);
    const command = await openCommands(viewer);
    rig.write(10);
    await viewer.until(() => ssrcs.every((ssrc) => headersOf(viewer, ssrc).length >= 30), 3000, 'the first source');
    const before = ssrcs.map((ssrc) => headersOf(viewer, ssrc).length);
    assert.deepEqual(await command({ cmd: 'select', source: 'yard' }), { ok: true, source: 'yard', tracks: ['raw', 'processed'] });
    await viewer.until(
      () => ssrcs.every((ssrc, at) => headersOf(viewer, ssrc).length > (before[at] ?? 0)),
      1000,
      'its open group of pictures, though nothing is written',
    );
    writeTo(other, 500_033, 5);
    await viewer.until(() => ssrcs.every((ssrc, at) => headersOf(viewer, ssrc).length >= (before[at] ?? 0) + 15), 3000, 'the other source');
    rig.write(10);
    for (const ssrc of ssrcs) assertContinuous(viewer, ssrc);
    assert.deepEqual([rig.gateway.leases, rig.gateway.subscriptions, other.leases, other.subscriptions], [0, 0, 2, 2]);
    const [snapshot] = rig.manager.snapshot();
    assert.equal(snapshot?.sourceId, 'yard');
    assert.deepEqual(rig.manager.sourcesOf(snapshot.sessionId), ['yard']);
  });

  it('goes there and back again a dozen times', async () => {
    const other = addSource('yard');
    const { sdp } = await viewer.join(rig.accept());
    const command = await openCommands(viewer);
    let timeMs = 500_000;
    for (let i = 0; i < 12; i++) {
      const source = i % 2 === 0 ? 'yard' : 'street';
      assert.deepEqual(await command({ cmd: 'select', source, tracks: ['raw'] }), { ok: true, source, tracks: ['raw'] });
      rig.write(3, { keyframe: true });
      writeTo(other, (timeMs += 100), 3);
    }
    const ssrc = WeriftViewer.ssrcs(sdp, 0)[0];
    await viewer.until(() => headersOf(viewer, ssrc).length > 80, 3000, 'the pictures');
    assertContinuous(viewer, ssrc);
    assert.equal(rig.gateway.leases + other.leases, 1);
  });

  it('reads the detections and the pictures of the new source, with its timestamps', async () => {
    const other = addSource('yard');
    const { sdp } = await viewer.join(rig.accept());
    const command = await openCommands(viewer);
    const channel = viewer.pc.createDataChannel('detections');
    const messages: { readonly source: string; readonly rtp_timestamp: Record<string, number> }[] = [];
    channel.onMessage.subscribe((data) => messages.push(JSON.parse(String(data)) as (typeof messages)[number]));
    viewer.pc.createDataChannel('video');
    await eventually(() => rig.gateway.detectionLeases === 1 && rig.gateway.snapshotLeases === 1, 3000, 'the leases');
    await command({ cmd: 'select', source: 'yard' });
    assert.deepEqual([rig.gateway.detectionLeases, rig.gateway.snapshotLeases, other.detectionLeases, other.snapshotLeases], [0, 0, 1, 1]);
    rig.gateway.feed.publish(detections('street', 1, 33));
    writeTo(other, 500_033, 3);
    other.feed.publish(detections('yard', 7, 500_066));
    await eventually(() => messages.length === 1, 2000, 'the message');
    assert.equal(messages[0]?.source, 'yard');
    for (const [at, rendition] of (['raw', 'processed'] as const).entries()) {
      const stamp = messages[0].rtp_timestamp[rendition];
      const ssrc = WeriftViewer.ssrcs(sdp, at)[0];
      await viewer.until(() => headersOf(viewer, ssrc).some(({ timestamp }) => timestamp === stamp), 2000, `the frame of ${rendition}`);
    }
    assert.equal(rig.manager.snapshot()[0]?.detectionsSent, 1);
  });

  it('stays with what it has when the other one is unknown, lacks the rendition, ends, or shows nothing', async () => {
    await viewer.join(rig.accept());
    const command = await openCommands(viewer);
    addSource('plain', { renditions: ['raw'] });
    const silent = new FakeGateway();
    rig.gateway.others.set('silent', silent);
    assert.equal((await command({ cmd: 'select', source: 'nowhere' }))['code'], 'SOURCE_NOT_FOUND');
    assert.equal((await command({ cmd: 'select', source: 'plain' }))['code'], 'DETECTION_OFF');
    const waiting = command({ cmd: 'select', source: 'silent' });
    await eventually(() => silent.leases === 2, 2000, 'the tracks to be opened');
    assert.equal(rig.gateway.leases, 2, 'what flows goes on meanwhile');
    silent.track('raw').close('source-ended');
    assert.equal((await waiting)['code'], 'SOURCE_NOT_LIVE');
    assert.equal(silent.leases, 0);
    assert.equal(rig.manager.snapshot()[0]?.sourceId, 'street');
    assert.deepEqual(await command({ cmd: 'select', source: 'plain', tracks: ['raw'] }), { ok: true, source: 'plain', tracks: ['raw'] });
    assert.equal((await command({ cmd: 'select', tracks: ['processed'] }))['code'], 'DETECTION_OFF');
    assert.equal(rig.manager.snapshot()[0]?.connectionState, 'connected');
  });

  it('waits for the first frame of one that starts, and is silent no sooner', async () => {
    await viewer.join(rig.accept());
    const command = await openCommands(viewer);
    const starting = new FakeGateway();
    rig.gateway.others.set('starting', starting);
    const answer = command({ cmd: 'select', source: 'starting', tracks: ['raw'] });
    await eventually(() => starting.leases === 1 && starting.subscriptions === 1, 2000, 'the track to be opened');
    const before = viewer.packets.length;
    rig.write(3);
    await viewer.until(() => viewer.packets.length > before, 2000, 'the source of before');
    starting.timeline.anchor(0, Date.now());
    writeTo(starting, 0, 2);
    assert.equal((await answer)['ok'], true);
  });

  it('changes while it is paused, and opens nothing before it resumes', async () => {
    const other = addSource('yard');
    await viewer.join(rig.accept());
    const command = await openCommands(viewer);
    await command({ cmd: 'pause' });
    assert.equal((await command({ cmd: 'select', source: 'yard' }))['ok'], true);
    assert.equal(other.leases, 0);
    await command({ cmd: 'resume' });
    await eventually(() => other.leases === 2 && other.subscriptions === 2, 2000, 'the tracks');
  });

  it('shows of it what was asked for meanwhile, and stays where the other one has not got that', async () => {
    await viewer.join(rig.accept());
    const [command, meanwhile] = [await openCommands(viewer), await openCommands(viewer)];
    const starting = new FakeGateway();
    rig.gateway.others.set('starting', starting);
    const answer = command({ cmd: 'select', source: 'starting' });
    await eventually(() => starting.leases === 2, 2000, 'the tracks to be opened');
    assert.deepEqual((await meanwhile({ cmd: 'select', tracks: ['raw'] }))['tracks'], ['raw']);
    starting.timeline.anchor(0, Date.now());
    writeTo(starting, 0, 2);
    assert.deepEqual(await answer, { ok: true, source: 'starting', tracks: ['raw'] });
    assert.deepEqual([starting.leases, rig.gateway.leases, rig.manager.snapshot()[0]?.selected], [1, 0, ['raw']]);

    const plain = new FakeGateway({ renditions: ['raw'] });
    rig.gateway.others.set('plain', plain);
    const refused = command({ cmd: 'select', source: 'plain' });
    await eventually(() => plain.leases === 1, 2000, 'the track to be opened');
    assert.equal((await meanwhile({ cmd: 'select', tracks: ['processed'] }))['ok'], true);
    writeTo(plain, 0, 2);
    assert.equal((await refused)['code'], 'DETECTION_OFF');
    const [session] = rig.manager.snapshot();
    assert.deepEqual([plain.leases, session?.sourceId, session?.selected], [0, 'starting', ['processed']]);
  });

  it('goes there although the one before is lost meanwhile', async () => {
    addSource('yard');
    await viewer.join(rig.accept());
    const command = await openCommands(viewer);
    const open = rig.gateway.open.bind(rig.gateway);
    const lost: ((error: Error) => void)[] = [];
    rig.gateway.open = (id) =>
      id === 'street' && !rig.gateway.away.has(id) ? new Promise((_resolve, reject) => lost.push(reject)) : open(id);
    for (const name of ['raw', 'processed'] as const) rig.gateway.track(name).close('source-changed');
    await eventually(() => lost.length === 1, 2000, 'it to be opened anew');
    const heardS = rig.manager.snapshot()[0]?.lastActivityS ?? 0;
    const answer = command({ cmd: 'select', source: 'yard' });
    await eventually(() => (rig.manager.snapshot()[0]?.lastActivityS ?? 0) > heardS, 2000, 'the command to wait');
    rig.gateway.away.add('street');
    for (const lose of lost) lose(new MediaPeerError('SOURCE_NOT_LIVE', 'it is gone'));
    assert.equal((await answer)['ok'], true);
    const [session] = rig.manager.snapshot();
    assert.deepEqual([session?.connectionState, session?.sourceId], ['connected', 'yard']);
  });

  it('leaves in the middle of it and holds nothing', async () => {
    await viewer.join(rig.accept());
    const channel = await openChannel(viewer);
    const silent = new FakeGateway();
    rig.gateway.others.set('silent', silent);
    channel.send(JSON.stringify({ cmd: 'select', source: 'silent' }));
    await eventually(() => silent.leases === 2, 2000, 'the tracks to be opened');
    await rig.manager.closeAll('server-closing');
    assert.equal(silent.leases, 0);
  });

  it('keeps its audio where both have it, and has none meanwhile where one has not', async () => {
    await rig.close();
    await viewer.close();
    rig = new Rig({ source: { hasAudio: true } });
    viewer = new WeriftViewer({ video: 1, audio: true, dataChannel: 'any' });
    const mute = addSource('mute');
    const loud = addSource('loud', { hasAudio: true });
    await viewer.join(rig.accept());
    const command = await openCommands(viewer);
    await eventually(() => rig.gateway.leases === 2, 2000, 'picture and sound');
    await command({ cmd: 'select', source: 'mute' });
    assert.equal(mute.leases, 1);
    await command({ cmd: 'select', source: 'loud' });
    await eventually(() => loud.leases === 2, 2000, 'picture and sound of the other');
    assert.deepEqual(loud.requests.map(({ kind }) => kind).sort(), ['audio', 'video']);
    assert.equal(mute.leases, 0);
  });
});
