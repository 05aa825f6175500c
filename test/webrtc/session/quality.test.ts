/** A running session that is sent the same picture in another quality, without a negotiation. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { MediaPeerError } from '../../../src/base/errors.js';
import type { FrameDetections, Rung } from '../../../src/media/index.js';
import { eventually } from '../../helpers/deadline.js';
import { WeriftViewer } from '../../helpers/werift-viewer.js';
import { assertContinuous, openChannel, openCommands, type Commanding } from '../commanding.js';
import { FakeGateway } from '../fake-gateway.js';
import { Rig } from '../rig.js';

/** By which a frame's rung is known: its size. */
const BYTES: Readonly<Record<string, number>> = { source: 3000, '540p': 1500, '360p': 700, '180p': 200 };
const SIZES: Readonly<Record<string, readonly [number, number]>> = {
  source: [1280, 720],
  '540p': [960, 540],
  '360p': [640, 360],
  '180p': [320, 180],
};

const rung = (name: string, more: Partial<Rung> = {}): Rung => ({
  name,
  widthPx: SIZES[name]?.[0],
  heightPx: SIZES[name]?.[1],
  bitrateBps: (BYTES[name] ?? 0) * 240,
  isRunning: false,
  isAvailable: true,
  makesKeyframes: name !== 'source',
  ...more,
});

let rig: Rig;
let viewer: WeriftViewer;
let command: Commanding;
let ssrc: number | undefined;
/** Rungs that somebody needs a keyframe of. */
let requests: string[];
let timeMs: number;

/** One more frame of every rung; those of lower ones are as far behind as an encoder is. */
function write(frames: number, { keyframesOf = [], lagMs = 0, rungs = Object.keys(BYTES) }: WriteOptions = {}): void {
  for (let i = 0; i < frames; i++) {
    timeMs += 33;
    for (const name of rungs) {
      const keyframe = i === 0 && keyframesOf.includes(name);
      const options = { rung: name, bytes: BYTES[name] ?? 0, keyframe };
      for (const rendition of ['raw', 'processed'] as const)
        rig.gateway.writeH264(rendition, name === 'source' ? timeMs : timeMs - lagMs, options);
    }
  }
}

interface WriteOptions {
  readonly keyframesOf?: readonly string[];
  readonly lagMs?: number;
  readonly rungs?: readonly string[];
}

interface Received {
  readonly timestamp: number;
  bytes: number;
  rung: string;
  keyframe: boolean;
}

/** What the viewer got on its first m-line, frame by frame. */
function frames(of = viewer, own = ssrc): Received[] {
  const all: Received[] = [];
  for (const { header, payload } of of.packets) {
    if (header.ssrc !== own) continue;
    let frame = all.at(-1);
    if (frame?.timestamp !== header.timestamp) all.push((frame = { timestamp: header.timestamp, bytes: 0, rung: '', keyframe: false }));
    frame.bytes += payload.length;
    // A NAL unit of parameters (7), or an aggregate that begins with one (24).
    if ([7, 24].includes((payload[0] ?? 0) & 0x1f)) frame.keyframe = true;
    const { bytes } = frame;
    frame.rung = Object.keys(BYTES).findLast((name) => bytes <= (BYTES[name] ?? 0) * 1.2 + 30) ?? '?';
  }
  return all;
}

const rungs = (of = viewer, own = ssrc): string[] => frames(of, own).map((frame) => frame.rung);

async function flowing(name: string): Promise<void> {
  await viewer.until(() => rungs().at(-1) === name, 3000, `a frame of ${name}`);
}

const detections = (frame: number, mediaTimeMs: number): FrameDetections => ({
  sourceId: 'street',
  frame,
  mediaTimeMs,
  widthPx: 1280,
  heightPx: 720,
  inferenceMs: 1,
  objects: [],
  scene: undefined,
});

describe('a session that changes its quality', () => {
  beforeEach(async () => {
    requests = [];
    timeMs = 0;
    rig = new Rig({
      source: {
        onKeyframeRequest: (name) => {
          requests.push(name);
          return name !== 'source';
        },
      },
    });
    rig.gateway.ladder = [rung('source', { isRunning: true }), rung('540p'), rung('360p'), rung('180p')];
    viewer = new WeriftViewer({ dataChannel: 'any' });
    const { sdp } = await viewer.join(rig.accept({ renditions: ['raw'] }));
    ssrc = WeriftViewer.ssrcs(sdp)[0];
    command = await openCommands(viewer);
    write(5);
    await flowing('source');
  });
  afterEach(async () => {
    assertContinuous(viewer, ssrc);
    await viewer.close();
    await rig.close();
    for (const other of rig.gateway.others.values()) assert.deepEqual([other.leases, other.subscriptions], [0, 0]);
  });

  it('gets the other one from its keyframe on, which is asked for, and what it has until then', async () => {
    assert.deepEqual(await command({ cmd: 'select', quality: '360p' }), { ok: true, tracks: ['raw'], quality: '360p' });
    assert.deepEqual(requests.slice(0, 1), ['360p']);
    write(3);
    write(3, { keyframesOf: ['360p'] });
    await flowing('360p');
    const all = frames();
    const first = all.findIndex(({ rung }) => rung === '360p');
    assert.equal(all[first]?.keyframe, true);
    assert.deepEqual(
      all.slice(first - 3).map(({ rung }) => rung),
      ['source', 'source', 'source', '360p', '360p', '360p'].slice(0, all.length - first + 3),
    );
    assert.equal(rig.gateway.leases, 1, 'the other one is given back');
    assert.equal(rig.manager.snapshot()[0]?.video[0]?.quality, '360p');
    assert.ok(
      rig.lines.some(({ message, fields }) => message === 'quality changed' && fields['from'] === 'source' && fields['to'] === '360p'),
    );
  });

  it('never steps back in time where the encoder of the other one is behind', async () => {
    await command({ cmd: 'select', quality: '180p' });
    write(3, { lagMs: 99 });
    write(8, { keyframesOf: ['180p'], lagMs: 99 });
    await viewer.until(() => rungs().filter((name) => name === '180p').length >= 7, 3000, 'frames of 180p');
    const all = frames();
    const first = all.findIndex(({ rung }) => rung === '180p');
    const steps = all.slice(first - 1).map(({ timestamp }, i, rest) => (i === 0 ? 0 : (timestamp - (rest[i - 1]?.timestamp ?? 0)) | 0));
    // 99 ms behind: the keyframe and three more are late, and clear of the true timestamps; then the usual distance.
    assert.deepEqual(steps.slice(1, 5), [91, 10, 10, 10]);
    assert.deepEqual(
      steps.slice(6),
      Array.from({ length: steps.length - 6 }, () => 2970),
    );
  });

  it('gets a short replay at once where no keyframe can be made, and goes back up like that', async () => {
    await command({ cmd: 'select', quality: '360p' });
    write(2, { keyframesOf: ['360p'] });
    await flowing('360p');
    write(1, { keyframesOf: ['source'], rungs: ['source'] });
    write(3);
    assert.deepEqual(await command({ cmd: 'select', quality: 'high' }), { ok: true, tracks: ['raw'], quality: 'high' });
    await viewer.until(() => rungs().filter((name) => name === 'source').length >= 9, 3000, 'the replay of the source');
    write(3);
    await flowing('source');
    assert.deepEqual(await command({ cmd: 'select', quality: 'source' }), { ok: true, tracks: ['raw'], quality: 'source' });
    assert.equal(rig.gateway.leases, 1);
  });

  it('keeps detections on their very frame, before and after', async () => {
    const channel = await openChannel(viewer, 'detections');
    const messages: { readonly frame: number; readonly rtp_timestamp: Record<string, number> }[] = [];
    channel.onMessage.subscribe((data) => messages.push(JSON.parse(String(data)) as (typeof messages)[number]));
    await eventually(() => rig.gateway.detectionLeases === 1, 3000, 'the lease');
    const startMs = timeMs;
    await command({ cmd: 'select', quality: '360p' });
    write(4, { lagMs: 66 });
    write(8, { keyframesOf: ['360p'], lagMs: 66 });
    await viewer.until(() => rungs().filter((name) => name === '360p').length >= 7, 3000, 'frames of 360p');
    for (let i = 1; i <= 10; i++) rig.gateway.feed.publish(detections(i, startMs + i * 33));
    await eventually(() => messages.length === 10, 3000, 'the messages');
    const stamps = frames().map(({ timestamp }) => timestamp);
    const base = stamps[stamps.length - 1] ?? 0;
    for (const { frame, rtp_timestamp } of messages) {
      const stamp = rtp_timestamp['raw'];
      assert.ok(stamp !== undefined && stamps.includes(stamp), `the message of frame ${frame} names a frame that was sent`);
      assert.equal((base - stamp) | 0, (10 - frame) * 2970, `the message of frame ${frame} names its very frame`);
    }
  });

  it('answers twenty changes a second, and ends with the last one', async () => {
    const names = ['360p', '180p', 'source', '540p'];
    const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => command({ cmd: 'select', quality: names[i % 4] ?? '' })));
    assert.deepEqual(
      answers.map(({ ok, quality }) => [ok, quality]),
      answers.map((_, i) => [true, names[i % 4]]),
    );
    write(3, { keyframesOf: names });
    await flowing('540p');
    assert.deepEqual([rig.gateway.leases, rig.gateway.subscriptions], [1, 1]);
  });

  it('makes no more work than one change each, however often it changes, and none for another viewer', async () => {
    const neighbour = new WeriftViewer();
    const { sdp } = await neighbour.join(rig.accept({ renditions: ['raw'] }));
    const own = WeriftViewer.ssrcs(sdp)[0];
    await neighbour.until(() => frames(neighbour, own).length >= 6, 3000, 'the open group');
    const [name, before] = [['360p', '180p', '540p', 'source'] as const, frames(neighbour, own).length];
    const answers: unknown[] = [];
    requests.length = 0;
    rig.gateway.requests.length = 0;
    for (let i = 0; i < 20; i++) {
      // Each changes while the keyframe of the one before is still on its way.
      const answered = command({ cmd: 'select', quality: name[i % 4] }).then(({ ok, quality }) => answers.push([ok, quality]));
      write(1);
      await answered;
    }
    assert.deepEqual(
      answers,
      Array.from({ length: 20 }, (_, i) => [true, name[i % 4]]),
    );
    assert.ok(rig.gateway.requests.length <= 20, `${rig.gateway.requests.length} tracks opened`);
    for (const each of Object.keys(BYTES)) {
      const asked = requests.filter((one) => one === each).length;
      // One for each of five changes, and one more for the frame that went by meanwhile; producers merge them.
      assert.ok(asked <= (each === 'source' ? 0 : 10), `${asked} requests for a keyframe of ${each}`);
    }
    await neighbour.until(() => frames(neighbour, own).length === before + 20, 3000, 'every frame');
    assert.deepEqual([...new Set(rungs(neighbour, own))], ['source']);
    const stamps = frames(neighbour, own).map(({ timestamp }) => timestamp);
    assert.ok(stamps.slice(before).every((stamp, i) => ((stamp - (stamps[before + i - 1] ?? 0)) | 0) === 2970));
    assertContinuous(neighbour, own);
    assert.deepEqual([rig.gateway.leases, rig.gateway.subscriptions], [2, 2]);
    await neighbour.close();
  });

  it('says which qualities there are, and stays with what it has where one is not there or is refused', async () => {
    const { code, message } = await command({ cmd: 'select', quality: 'best' });
    assert.equal(code, 'COMMAND_UNSUPPORTED');
    assert.match(String(message), /'best'; there is auto, high, source, 540p, 360p, 180p$/);
    rig.gateway.refusals.set('360p', new MediaPeerError('CAPACITY_REACHED', 'no core is free'));
    assert.equal((await command({ cmd: 'select', quality: '360p', tracks: [] }))['ok'], true, 'nothing flows that could be refused');
    assert.equal((await command({ cmd: 'select', quality: 'auto', tracks: ['raw'] }))['ok'], true);
    const refused = await command({ cmd: 'select', quality: '360p' });
    assert.deepEqual([refused['code'], refused['message']], ['CAPACITY_REACHED', 'no core is free']);
    write(3, { keyframesOf: ['source'] });
    await flowing('source');
    assert.deepEqual([rig.gateway.leases, rig.manager.snapshot()[0]?.video[0]?.quality], [1, 'source']);
  });

  it('falls back to what there is when its quality ends, and ends with its source', async () => {
    await command({ cmd: 'select', quality: '360p' });
    write(2, { keyframesOf: ['360p'] });
    await flowing('360p');
    rig.gateway.ladder = [rung('source', { isRunning: true })];
    write(1, { keyframesOf: ['source'], rungs: ['source'] });
    rig.gateway.track('raw', 'h264', '360p').close('source-failed');
    await flowing('source');
    assert.equal(rig.gateway.leases, 1);
    rig.gateway.ladder = [rung('source', { isRunning: true }), rung('180p')];
    await command({ cmd: 'select', quality: '180p' });
    write(2, { keyframesOf: ['180p'] });
    await flowing('180p');
    rig.gateway.refusals.set('source', new MediaPeerError('SOURCE_NOT_FOUND', 'it is gone'));
    rig.gateway.ladder = [rung('source')];
    rig.gateway.track('raw', 'h264', '180p').close('source-ended');
    assert.equal(await rig.endReason(), 'source-ended');
  });

  it('is sent nothing taller than it chose while that is not to be had, where there is anything lower', async () => {
    await command({ cmd: 'select', quality: '360p' });
    write(2, { keyframesOf: ['360p'] });
    await flowing('360p');
    rig.gateway.track('raw', 'h264', '360p').close('source-failed');
    write(3);
    write(3, { keyframesOf: ['180p'] });
    await flowing('180p');
    assert.deepEqual([...new Set(rungs())], ['source', '360p', '180p']);
    assert.equal(rungs().slice(rungs().indexOf('360p')).includes('source'), false);
    assert.equal(rig.manager.snapshot()[0]?.video[0]?.quality, '180p');
    assert.equal(rig.gateway.leases, 1);
  });

  it('ends in what was asked for last, whatever is asked for while a change is under way, and holds nothing else', async () => {
    const other = new FakeGateway();
    other.ladder = [rung('source', { isRunning: true }), rung('360p')];
    rig.gateway.others.set('yard', other);
    other.timeline.anchor(500_000, Date.now());
    for (const name of ['source', '360p']) other.writeH264('raw', 500_000, { keyframe: true, rung: name, bytes: BYTES[name] ?? 0 });
    await command({ cmd: 'select', quality: '180p' });
    await command({ cmd: 'pause' });
    assert.deepEqual([rig.gateway.leases, rig.gateway.subscriptions], [0, 0]);
    await command({ cmd: 'select', quality: '360p' });
    await command({ cmd: 'resume' });
    write(2, { keyframesOf: ['360p'] });
    await flowing('360p');
    await command({ cmd: 'select', quality: '540p' });
    await command({ cmd: 'select', tracks: [] });
    await command({ cmd: 'select', tracks: ['raw'] });
    write(2, { keyframesOf: ['540p'] });
    await flowing('540p');
    await command({ cmd: 'select', quality: '180p' });
    assert.deepEqual(await command({ cmd: 'select', source: 'yard', quality: '360p' }), {
      ok: true,
      source: 'yard',
      tracks: ['raw'],
      quality: '360p',
    });
    assert.deepEqual([rig.gateway.leases, other.leases, other.subscriptions], [0, 1, 1]);
    const unknown = await command({ cmd: 'select', source: 'street', quality: '720p' });
    assert.equal(unknown['code'], 'COMMAND_UNSUPPORTED');
    assert.equal(rig.manager.snapshot()[0]?.sourceId, 'yard');
  });

  it('changes nothing for another viewer of the source', async () => {
    const neighbour = new WeriftViewer();
    const { sdp } = await neighbour.join(rig.accept({ renditions: ['raw'] }));
    const own = WeriftViewer.ssrcs(sdp)[0];
    await command({ cmd: 'select', quality: '180p' });
    write(5, { keyframesOf: ['180p'] });
    await flowing('180p');
    await neighbour.until(() => rungs(neighbour, own).length >= 6, 3000, 'its frames');
    assert.deepEqual([...new Set(rungs(neighbour, own))], ['source']);
    assertContinuous(neighbour, own);
    assert.equal(rig.gateway.leases, 2);
    await neighbour.close();
  });
});
