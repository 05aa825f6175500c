/** A wall: one session whose video m-lines each show a source of their own. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { MediaPeerError } from '../../../src/base/errors.js';
import type { FrameDetections, Rung } from '../../../src/media/index.js';
import { ALL_RIGHTS } from '../../../src/webrtc/api/rights.js';
import type { AcceptRequest, TileRequest } from '../../../src/webrtc/index.js';
import { eventually } from '../../helpers/deadline.js';
import { WeriftViewer } from '../../helpers/werift-viewer.js';
import { assertContinuous, headersOf, openChannel, openCommands } from '../commanding.js';
import { FakeGateway, type FakeSource } from '../fake-gateway.js';
import { Rig } from '../rig.js';

const FRAME_MS = 33;

/** Sources of made-up frames, each with a clock of its own. */
class Yard {
  readonly #newestMs = new Map<string, number>();

  /** @param bytes of a frame */
  constructor(
    readonly rig: Rig,
    readonly bytes = 3000,
  ) {}

  add(id: string, source: FakeSource = {}, newestMs = 1000 * (this.#newestMs.size + 2)): FakeGateway {
    const gateway = new FakeGateway({ ...source, id });
    this.rig.gateway.others.set(id, gateway);
    gateway.timeline.anchor(newestMs, Date.now());
    this.#newestMs.set(id, newestMs);
    this.#write(id, gateway, { keyframe: true });
    return gateway;
  }

  at(id: string): FakeGateway {
    const gateway = this.rig.gateway.others.get(id);
    assert(gateway, id);
    return gateway;
  }

  newestMs(id: string): number {
    return this.#newestMs.get(id) ?? NaN;
  }

  /** The next frames of these sources, default of all. */
  write(frames = 1, ids: readonly string[] = [...this.#newestMs.keys()], options: { keyframe?: boolean } = {}): void {
    for (let i = 0; i < frames; i++)
      for (const id of ids) {
        this.#newestMs.set(id, this.newestMs(id) + FRAME_MS);
        this.#write(id, this.at(id), options);
      }
  }

  #write(id: string, gateway: FakeGateway, options: { keyframe?: boolean }): void {
    for (const name of ['raw', 'processed'] as const) gateway.writeH264(name, this.newestMs(id), { bytes: this.bytes, ...options });
  }

  /** Nothing of any source is held. */
  assertFree(): void {
    for (const [id, { leases, detectionLeases, snapshotLeases, subscriptions }] of this.rig.gateway.others)
      assert.deepEqual([leases, detectionLeases, snapshotLeases, subscriptions], [0, 0, 0, 0], `nothing of ${id} is held`);
  }
}

const rung = (name: string, widthPx: number, heightPx: number, bitrateBps: number): Rung => {
  const isSource = name === 'source';
  return { name, widthPx, heightPx, bitrateBps, isRunning: isSource, isAvailable: true, makesKeyframes: !isSource };
};
const LADDER = [rung('source', 1280, 720, 2_500_000), rung('360p', 640, 360, 550_000), rung('180p', 320, 180, 180_000)];

const raw = (sourceId: string, more: Partial<TileRequest> = {}): TileRequest => ({ sourceId, rendition: 'raw', ...more });
const ids = (count: number): string[] => Array.from({ length: count }, (_, i) => `cam${i}`);

/** Something that waits until it is opened. */
function closedGate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open: () => open() };
}

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

describe('a wall', () => {
  let rig: Rig;
  let yard: Yard;
  let viewer: WeriftViewer;
  let ssrcs: (number | undefined)[];

  /** One m-line for each tile. */
  const join = async (tiles: AcceptRequest['tiles'], more: Partial<AcceptRequest> = {}): Promise<void> => {
    viewer = new WeriftViewer({ video: tiles?.length ?? 1, dataChannel: 'any' });
    const { sdp } = await viewer.join(rig.accept({ sourceId: 'cam0', tiles, ...more }));
    ssrcs = (tiles ?? []).map((_, at) => WeriftViewer.ssrcs(sdp, at)[0]);
  };
  const countOn = (at: number): number => headersOf(viewer, ssrcs[at]).length;
  const moreOn = async (at: number, than: number, what: string): Promise<void> => viewer.until(() => countOn(at) > than, 5000, what);

  beforeEach(() => {
    rig = new Rig({ maxConnections: 1 });
    yard = new Yard(rig);
  });
  afterEach(async () => {
    await viewer.close();
    await rig.close();
    yard.assertFree();
  });

  for (const count of [4, 16]) {
    it(`shows ${count} sources on ${count} m-lines of one connection`, async () => {
      // Of one packet: the socket of the viewer holds no more at once.
      yard = new Yard(rig, 900);
      for (const id of ids(count)) yard.add(id);
      await join(ids(count).map((id) => raw(id)));
      assert.equal(new Set(ssrcs).size, count, 'ssrcs differ');
      for (let frames = 1; frames <= 5; frames++) {
        yard.write();
        for (const at of ids(count).keys()) await moreOn(at, frames, `the pictures of m-line ${at}`);
      }
      for (const ssrc of ssrcs) assertContinuous(viewer, ssrc);
      const [status, ...others] = rig.manager.snapshot();
      assert.equal(others.length, 0);
      assert.equal(rig.manager.connections, 1, 'one place');
      assert.equal(rig.ledger.snapshot().udp_sockets, 1, 'one transport');
      assert.deepEqual(
        status?.video.map(({ sourceId }) => sourceId),
        ids(count),
      );
      assert.equal(new Set(status.video.map(({ mid }) => mid)).size, count);
      assert.deepEqual(rig.manager.sourcesOf(status.sessionId), ids(count));
      assert.deepEqual(
        ids(count).map((id) => rig.manager.viewersOf(id)),
        ids(count).map(() => 1),
      );
    });
  }

  it('tells by mid what is served, and says which item cannot be', async () => {
    for (const id of ids(2)) yard.add(id);
    yard.add('plain', { renditions: ['raw'] });
    viewer = new WeriftViewer({ video: 3, dataChannel: 'any' });
    const offer = await viewer.offer();
    const accept = (tiles: AcceptRequest['tiles']) => rig.manager.accept({ sdp: offer, door: 'offer', sourceId: 'cam0', tiles });
    for (const [tiles, code, message] of [
      [[raw('cam0'), raw('nowhere')], 'SOURCE_NOT_FOUND', /^tracks\[1\]: no source 'nowhere'/],
      [
        [raw('cam0'), { sourceId: 'plain', rendition: 'processed' }],
        'DETECTION_OFF',
        /^tracks\[1\]: source 'plain' has no rendition 'processed'/,
      ],
      [[raw('cam0'), raw('cam1'), undefined, raw('cam0')], 'BODY_INVALID', /4 items, but the offer has 3 m-lines/],
    ] as const)
      await assert.rejects(accept(tiles), { code, message });
    const opened = await accept([raw('cam0'), undefined, { rendition: 'processed', maxHeightPx: 360 }]);
    assert.deepEqual(
      opened.tiles?.map(({ shown }) => shown),
      [raw('cam0'), undefined, { sourceId: 'cam0', rendition: 'processed', maxHeightPx: 360 }],
    );
    assert.ok(opened.tiles.every(({ mid }) => mid !== undefined && opened.sdp.includes(`a=mid:${mid}\r\n`)));
  });

  it('points an m-line at another source while the others go on', async () => {
    for (const id of ids(3)) yard.add(id);
    await join([raw('cam0'), raw('cam1')]);
    const command = await openCommands(viewer);
    yard.write(5);
    await moreOn(1, 10, 'the first source');
    const before = [countOn(0), countOn(1)];
    const mids = rig.manager.snapshot()[0]?.video.map(({ mid }) => mid) ?? [];
    assert.deepEqual(await command({ cmd: 'select', mid: mids[1], source: 'cam2', max_height: 360 }), {
      ok: true,
      tracks: [
        { mid: mids[0], source: 'cam0', rendition: 'raw' },
        { mid: mids[1], source: 'cam2', rendition: 'raw', max_height: 360 },
      ],
    });
    await moreOn(1, before[1] ?? 0, 'its open group, though nothing is written');
    yard.write(5);
    await moreOn(0, (before[0] ?? 0) + 12, 'the other m-line');
    await moreOn(1, (before[1] ?? 0) + 12, 'the m-line that changed');
    for (const ssrc of ssrcs) assertContinuous(viewer, ssrc);
    assert.deepEqual([yard.at('cam0').leases, yard.at('cam1').leases, yard.at('cam2').leases], [1, 0, 1]);
    assert.equal(rig.manager.snapshot()[0]?.sourceId, 'cam0');
  });

  it('tells what each m-line was sent before it is pointed at another source', async () => {
    for (const id of ids(3)) yard.add(id);
    await join([raw('cam0'), raw('cam1')]);
    const command = await openCommands(viewer);
    yard.write(5);
    await moreOn(1, 10, 'the first source');
    const told: unknown[] = [];
    const packetsOn = (at: number): number | undefined => rig.manager.snapshot()[0]?.video[at]?.packetsSent;
    const before = [packetsOn(0), packetsOn(1)];
    rig.manager.onEvent((event) => {
      if (event.type === 'source-changing')
        told.push(event.status.video.map(({ sourceId, rendition, packetsSent }) => ({ sourceId, rendition, packetsSent })));
    });
    const expected = [
      { sourceId: 'cam0', rendition: 'raw', packetsSent: before[0] },
      { sourceId: 'cam1', rendition: 'raw', packetsSent: before[1] },
    ];
    await command({ cmd: 'select', mid: rig.manager.snapshot()[0]?.video[1]?.mid, source: 'cam2', rendition: 'processed' });
    assert.deepEqual(told, [expected]);
    assert.ok((packetsOn(1) ?? 0) > (before[1] ?? 0), 'the open group of the other source was sent at once');
    const between = packetsOn(1);
    await command({ cmd: 'select', source: 'cam1' });
    assert.deepEqual(told[1], [expected[0], { sourceId: 'cam2', rendition: 'processed', packetsSent: between }]);
  });

  it('is told by a list what all m-lines show: sources, the own one, nothing', async () => {
    for (const id of ids(3)) yard.add(id);
    await join([raw('cam0'), raw('cam1'), undefined]);
    const command = await openCommands(viewer);
    assert.equal(yard.at('cam1').leases, 1);
    const mids = rig.manager.snapshot()[0]?.video.map(({ mid }) => mid) ?? [];
    assert.deepEqual(await command({ cmd: 'select', tracks: ['processed', null, { source: 'cam2', rendition: 'raw', max_height: 180 }] }), {
      ok: true,
      tracks: [
        { mid: mids[0], source: 'cam0', rendition: 'processed' },
        { mid: mids[1], source: null, rendition: null },
        { mid: mids[2], source: 'cam2', rendition: 'raw', max_height: 180 },
      ],
    });
    yard.write(4);
    await moreOn(2, 8, 'the m-line that showed nothing');
    assert.deepEqual(
      ids(3).map((id) => yard.at(id).leases),
      [1, 0, 1],
    );
    assert.ok(yard.at('cam0').requests.some((key) => key.kind === 'video' && key.rendition === 'processed'));
    const [{ sessionId } = assert.fail()] = rig.manager.snapshot();
    assert.deepEqual(rig.manager.allSourcesOf(sessionId), ['cam0', 'cam2']);
    // Only what follows the session's own source changes with it.
    assert.deepEqual(await command({ cmd: 'select', source: 'cam1' }), { ok: true, source: 'cam1', tracks: ['raw', 'processed'] });
    assert.deepEqual(
      ids(3).map((id) => yard.at(id).leases),
      [0, 1, 1],
    );
    yard.write(4);
    for (const ssrc of [ssrcs[0], ssrcs[2]]) assertContinuous(viewer, ssrc);
  });

  it('is of its own source, too, where no m-line shows that: of it come sound and JPEG pictures', async () => {
    for (const id of ids(2)) yard.add(id);
    await join([raw('cam1')]);
    const [{ sessionId } = assert.fail()] = rig.manager.snapshot();
    const sources = (): readonly (readonly string[])[] => [rig.manager.sourcesOf(sessionId), rig.manager.allSourcesOf(sessionId)];
    assert.deepEqual(sources(), [['cam1'], ['cam0', 'cam1']]);
    const command = await openCommands(viewer);
    await command({ cmd: 'select', tracks: [null] });
    assert.deepEqual(sources(), [[], ['cam0']]);
    await command({ cmd: 'select', source: 'cam1' });
    assert.deepEqual(sources(), [[], ['cam1']]);
    assert.deepEqual([rig.manager.viewersOf('cam0'), rig.manager.viewersOf('cam1')], [0, 0]);
  });

  it('keeps everything as it was where a part of a change cannot be', async () => {
    for (const id of ids(2)) yard.add(id);
    yard.add('plain', { renditions: ['raw'] });
    await join([raw('cam0'), raw('cam1')]);
    const command = await openCommands(viewer);
    const [first, second] = rig.manager.snapshot()[0]?.video.map(({ mid }) => mid) ?? [];
    for (const [message, code, words] of [
      [
        {
          tracks: [
            { source: 'plain', rendition: 'raw' },
            { source: 'nowhere', rendition: 'raw' },
          ],
        },
        'SOURCE_NOT_FOUND',
        /tracks\[1\]/,
      ],
      [{ mid: first, source: 'plain', rendition: 'processed' }, 'DETECTION_OFF', /plain/],
      [{ mid: '77', source: 'cam1' }, 'COMMAND_INVALID', new RegExp(`no m-line of video with mid '77'; it has ${first}, ${second}`)],
      [{ tracks: [null, null, null] }, 'COMMAND_INVALID', /3 items, but the session has 2/],
      [{ tracks: [{ source: 'cam0', rendition: 'raw' }], quality: 'auto' }, 'COMMAND_INVALID', /malformed/],
      [{ tracks: [{ source: 'cam0', rendition: 'cooked' }] }, 'COMMAND_INVALID', /malformed/],
      [{ tracks: [{ source: 'cam0', rendition: 'raw', max_hight: 3 }] }, 'COMMAND_INVALID', /tracks\[0\].*did you mean 'max_height'/],
      [{ mid: first }, 'COMMAND_INVALID', /malformed/],
      [{ rendition: 'raw' }, 'COMMAND_INVALID', /malformed/],
      [{ source: null }, 'COMMAND_INVALID', /malformed/],
    ] as const) {
      const answer = await command({ cmd: 'select', ...message });
      assert.deepEqual({ ok: answer['ok'], code: answer['code'] }, { ok: false, code }, JSON.stringify(message));
      assert.match(String(answer['message']), words);
    }
    assert.deepEqual([yard.at('cam0').leases, yard.at('cam1').leases, yard.at('plain').leases], [1, 1, 0]);
    await command({ cmd: 'select', mid: first, source: null });
    assert.match(String((await command({ cmd: 'select', mid: first, rendition: 'raw' }))['message']), /shows nothing now/);
  });

  it('goes on when one source ends, says so, and shows it again when it is back', async () => {
    for (const id of ids(2)) yard.add(id);
    await join([raw('cam0'), raw('cam1')]);
    const command = await openCommands(viewer);
    yard.write(5);
    await moreOn(1, 10, 'both');
    const mid = rig.manager.snapshot()[0]?.video[1]?.mid;
    yard.at('cam1').track('raw').close('publisher-gone');
    const ended = { type: 'track', mid, source: 'cam1', rendition: 'raw', state: 'ended', reason: 'publisher-gone' };
    await eventually(() => command.told.find(({ state }) => state === 'ended'), 3000, 'to be told');
    assert.deepEqual(
      command.told.filter(({ type }) => type === 'track'),
      [ended],
    );
    const later = await openCommands(viewer);
    await eventually(() => later.told.length > 0, 3000, 'who opens the channel later to be told, too');
    assert.deepEqual(
      later.told.filter(({ type }) => type === 'track'),
      [ended],
    );
    const before = countOn(0);
    yard.write(5, ['cam0']);
    await moreOn(0, before + 10, 'the other source');
    assert.equal(yard.at('cam1').leases, 0);
    yard.add('cam1', {}, yard.newestMs('cam1') + 5000);
    await eventually(() => command.told.find(({ state }) => state === 'live'), 9000, 'it to be back');
    const then = countOn(1);
    yard.write(5);
    await moreOn(1, then + 10, 'the source that is back');
    for (const ssrc of ssrcs) assertContinuous(viewer, ssrc);
  });

  it('shows a source again that changes its codec and cannot be opened at once', async () => {
    for (const id of ids(2)) yard.add(id);
    await join([raw('cam0'), raw('cam1')]);
    const command = await openCommands(viewer);
    yard.write(5);
    await moreOn(1, 10, 'both');
    rig.gateway.away.add('cam1');
    yard.at('cam1').track('raw').close('source-changed');
    const ended = await eventually(() => command.told.find(({ state }) => state === 'ended'), 3000, 'to be told');
    assert.deepEqual([ended['source'], ended['reason']], ['cam1', 'source-failed']);
    assert.equal(yard.at('cam1').leases, 0);
    rig.gateway.away.clear();
    yard.add('cam1', {}, yard.newestMs('cam1') + 5000);
    await eventually(() => command.told.find(({ state }) => state === 'live'), 9000, 'it to be back');
    const then = countOn(1);
    yard.write(5);
    await moreOn(1, then + 10, 'the source in its new codec');
    for (const ssrc of ssrcs) assertContinuous(viewer, ssrc);
  });

  it('opens a source anew once where it changes its codec on several m-lines', async () => {
    for (const id of ids(2)) yard.add(id);
    await join([raw('cam0'), raw('cam1'), { sourceId: 'cam1', rendition: 'processed' }]);
    await openCommands(viewer);
    yard.write(5);
    await moreOn(2, 10, 'all');
    const old = yard.at('cam1');
    const changed = yard.add('cam1', {}, yard.newestMs('cam1') + 5000);
    for (const name of ['raw', 'processed'] as const) old.track(name).close('source-changed');
    await eventually(() => changed.leases === 2, 3000, 'both tracks of the new codec');
    const then = [countOn(1), countOn(2)];
    yard.write(5);
    for (const at of [1, 2]) await moreOn(at, (then[at - 1] ?? 0) + 10, 'the new codec');
    assert.equal(changed.requests.length, 2);
  });

  it('shows what there is of a source of which one m-line gets nothing', async () => {
    for (const id of ids(2)) yard.add(id);
    const cam1 = yard.at('cam1');
    const gate = closedGate();
    const open = cam1.openTrack.bind(cam1);
    cam1.openTrack = async (key) => {
      if (key.kind === 'video' && key.rendition === 'processed') throw new MediaPeerError('CAPACITY_REACHED', 'no place');
      await gate.opened;
      return open(key);
    };
    await join([raw('cam0'), raw('cam1'), { sourceId: 'cam1', rendition: 'processed' }]);
    const command = await openCommands(viewer);
    gate.open();
    await moreOn(1, 2, 'the m-line that waited');
    assert.deepEqual(
      command.told.filter(({ type }) => type === 'track'),
      [],
    );
    assert.equal(cam1.leases, 1);
  });

  describe('whose m-lines are pointed elsewhere', () => {
    const mids = (): (string | undefined)[] => rig.manager.snapshot()[0]?.video.map(({ mid }) => mid) ?? [];
    const shown = (): (string | undefined)[] => rig.manager.snapshot()[0]?.video.map(({ sourceId }) => sourceId) ?? [];
    const slowly = (id: string): ReturnType<typeof closedGate> => {
      const gate = closedGate();
      yard.add(id).gate = gate.opened;
      return gate;
    };

    it('shows one of them while another waits for a slow source, and takes what that one is told next in order', async () => {
      for (const id of ids(4)) yard.add(id);
      const gate = slowly('slow');
      await join([raw('cam0'), raw('cam1')]);
      const command = await openCommands(viewer);
      const [first, second] = mids();
      const slow = command({ cmd: 'select', mid: first, source: 'slow' });
      const next = command({ cmd: 'select', mid: first, source: 'cam3', max_height: 360 });
      const before = countOn(1);
      assert.equal((await command({ cmd: 'select', mid: second, source: 'cam2' }))['ok'], true);
      await moreOn(1, before, 'the other source');
      assert.equal((await command({ cmd: 'pause' }))['ok'], true);
      assert.deepEqual([yard.at('cam0').leases, yard.at('cam2').leases], [0, 0]);
      await command({ cmd: 'resume' });
      assert.deepEqual(shown(), ['cam0', 'cam2']);
      gate.open();
      assert.deepEqual([(await slow)['ok'], (await next)['ok']], [true, true]);
      assert.deepEqual(shown(), ['cam3', 'cam2']);
      yard.write(3);
      await moreOn(0, 2, 'what it was told last');
      for (const ssrc of ssrcs) assertContinuous(viewer, ssrc);
    });

    it('answers in order a client that gives no ids', async () => {
      for (const id of ids(3)) yard.add(id);
      const gate = slowly('slow');
      await join([raw('cam0'), raw('cam1')]);
      const answers: { tracks?: { source: string }[] }[] = [];
      const channel = await openChannel(viewer, 'commands', (data) => {
        if (typeof data === 'string') answers.push(JSON.parse(data) as (typeof answers)[number]);
      });
      const [first, second] = mids();
      for (const [mid, source] of [
        [first, 'slow'],
        [second, 'cam2'],
      ])
        channel.send(JSON.stringify({ cmd: 'select', mid, source }));
      await eventually(() => shown()[1] === 'cam2', 3000, 'the fast one');
      channel.send(JSON.stringify({ cmd: 'keyframe', id: 'later' }));
      const other = await openCommands(viewer);
      assert.equal((await other({ cmd: 'keyframe' }))['ok'], true, 'another channel is served meanwhile');
      assert.equal(answers.length, 0);
      gate.open();
      await eventually(() => answers.length === 3, 3000, 'the answers');
      assert.deepEqual(
        answers.map(({ tracks }) => tracks?.map(({ source }) => source)),
        [['slow', 'cam2'], ['cam0', 'cam2'], undefined],
      );
    });

    it('opens a source once for two that are pointed at it side by side, and tells of its end on both', async () => {
      for (const id of ids(2)) yard.add(id);
      const gate = slowly('slow');
      await join([raw('cam0'), raw('cam1')]);
      const command = await openCommands(viewer);
      const open = rig.gateway.open.bind(rig.gateway);
      const opened: string[] = [];
      rig.gateway.open = (id) => {
        opened.push(id);
        return open(id);
      };
      const changes = mids().map((mid) => command({ cmd: 'select', mid, source: 'slow' }));
      await eventually(() => yard.at('slow').requests.length === 2, 3000, 'both changes to begin');
      gate.open();
      for (const change of changes) assert.equal((await change)['ok'], true);
      assert.deepEqual(opened, ['slow']);
      await command({ cmd: 'select', mid: mids()[0], source: 'cam0' });
      await command({ cmd: 'select', mid: mids()[0], source: 'slow', rendition: 'processed' });
      rig.gateway.away.add('slow');
      const other = await openCommands(viewer);
      yard.at('slow').track('raw').close('publisher-gone');
      assert.equal(await rig.endReason(), 'publisher-gone', 'it was the last that showed something');
      assert.deepEqual(other.told, []);
    });

    it('keeps the other changes where one cannot be', async () => {
      for (const id of ids(3)) yard.add(id);
      const gate = slowly('slow');
      yard.at('slow').refusals.set('source', new MediaPeerError('CAPACITY_REACHED', 'no place'));
      await join([raw('cam0'), raw('cam1')]);
      const command = await openCommands(viewer);
      const [first, second] = mids();
      const slow = command({ cmd: 'select', mid: first, source: 'slow' });
      await command({ cmd: 'select', mid: second, source: 'cam2' });
      gate.open();
      assert.equal((await slow)['code'], 'CAPACITY_REACHED');
      assert.deepEqual(shown(), ['cam0', 'cam2']);
      assert.deepEqual(
        ['cam0', 'cam1', 'cam2', 'slow'].map((id) => yard.at(id).leases),
        [1, 0, 1, 0],
      );
    });

    it('changes the source of all after what waits for one', async () => {
      for (const id of ids(2)) yard.add(id);
      const gate = slowly('slow');
      await join([{ rendition: 'raw' }, raw('cam1')]);
      const command = await openCommands(viewer);
      const slow = command({ cmd: 'select', mid: mids()[1], source: 'slow' });
      const all = command({ cmd: 'select', source: 'cam1' });
      await eventually(() => yard.at('slow').requests.length > 0, 3000, 'the change to begin');
      assert.deepEqual(shown(), ['cam0', 'cam1']);
      gate.open();
      assert.deepEqual([(await slow)['ok'], (await all)['ok']], [true, true]);
      assert.deepEqual(shown(), ['cam1', 'slow']);
    });

    for (const isFirst of [true, false])
      it(`shows a source that changes its codec meanwhile on all of them (${isFirst ? 'before' : 'after'} they have come)`, async () => {
        for (const id of ids(2)) yard.add(id);
        await join([raw('cam0'), raw('cam1')]);
        const command = await openCommands(viewer);
        const gate = closedGate();
        const old = yard.at('cam1');
        if (!isFirst) old.gate = gate.opened;
        const asked = old.requests.length;
        const changed = yard.add('cam1', {}, yard.newestMs('cam1') + 5000);
        if (isFirst) changed.gate = gate.opened;
        const point = (): Promise<object> => command({ cmd: 'select', mid: mids()[0], source: 'cam1' });
        if (isFirst) old.track('raw').close('source-changed');
        const pointed = point();
        await eventually(() => old.requests.length > asked, 3000, 'the change to begin');
        if (isFirst) await eventually(() => shown()[0] === 'cam1', 3000, 'the m-line to show it');
        else old.track('raw').close('source-changed');
        await eventually(() => changed.requests.length > 0, 3000, 'the new codec to be asked for');
        gate.open();
        assert.equal(((await pointed) as { ok?: boolean }).ok, true);
        await eventually(() => changed.leases === 2 && old.leases === 0, 3000, 'both to have the new codec');
        const then = [countOn(0), countOn(1)];
        yard.write(5);
        for (const at of [0, 1]) await moreOn(at, (then[at] ?? 0) + 8, `the new codec on m-line ${at}`);
        for (const ssrc of ssrcs) assertContinuous(viewer, ssrc);
      });

    it('takes a bounded number of changes that wait', async () => {
      yard.add('cam0');
      const gate = slowly('slow');
      await join(Array.from({ length: 16 }, () => raw('cam0', { maxHeightPx: 180 })));
      const channels = [];
      for (let i = 0; i < 5; i++) channels.push(await openCommands(viewer));
      const answers = channels.flatMap((command) => mids().map((mid) => command({ cmd: 'select', mid, source: 'slow' })));
      const refused = await Promise.race(answers);
      assert.equal(refused['code'], 'COMMANDS_TOO_FAST');
      assert.match(String(refused['message']), /64 changes .* wait for their answers/);
      gate.open();
      const codes = (await Promise.all(answers)).map(({ code = 'done' }) => code);
      assert.deepEqual(
        [codes.filter((code) => code === 'done').length, codes.filter((code) => code === 'COMMANDS_TOO_FAST').length],
        [64, 16],
      );
      assert.deepEqual(new Set(shown()), new Set(['slow']));
    });
  });

  it('leaves a source alone that ends while another m-line is pointed elsewhere', async () => {
    for (const id of [...ids(2), 'slow']) yard.add(id);
    await join([raw('cam0'), raw('cam1')]);
    const command = await openCommands(viewer);
    const gate = closedGate();
    yard.at('slow').gate = gate.opened;
    const changing = command({
      cmd: 'select',
      tracks: [raw('cam0'), raw('slow')].map(({ sourceId: source, rendition }) => ({ source, rendition })),
    });
    await eventually(() => yard.at('slow').requests.length > 0, 3000, 'the change to begin');
    rig.gateway.away.add('cam0');
    yard.at('cam0').track('raw').close('publisher-left');
    gate.open();
    assert.equal((await changing)['ok'], true);
    assert.equal(yard.at('cam0').leases, 0);
    rig.gateway.away.clear();
    yard.add('cam0', {}, yard.newestMs('cam0') + 5000);
    await eventually(() => command.told.find(({ state }) => state === 'live'), 9000, 'it to be back');
    assert.deepEqual(
      command.told.filter(({ type }) => type === 'track').map(({ source, state }) => [source, state]),
      [
        ['cam0', 'ended'],
        ['cam0', 'live'],
      ],
    );
  });

  it('ends when nothing more comes of any of its sources', async () => {
    for (const id of ids(2)) yard.add(id);
    await join([raw('cam0'), raw('cam1'), undefined]);
    yard.at('cam0').track('raw').close('source-ended');
    assert.equal(rig.manager.connections, 1);
    yard.at('cam1').track('raw').close('publisher-left');
    assert.equal(await rig.endReason(), 'publisher-left');
  });

  it('begins without a source that is not live, and shows it when it comes', async () => {
    yard.add('cam0');
    rig.gateway.away.add('cam1');
    await join([raw('cam0'), raw('cam1')]);
    const command = await openCommands(viewer);
    await eventually(() => command.told.find(({ state }) => state === 'ended'), 3000, 'to be told');
    yard.add('cam1');
    rig.gateway.away.clear();
    await eventually(() => command.told.find(({ state }) => state === 'live'), 9000, 'it to come');
    await moreOn(1, 2, 'its pictures');
    rig.gateway.away.add('cam0').add('cam1');
    const other = new WeriftViewer({ video: 2 });
    const sdp = await other.offer();
    await other.close();
    await assert.rejects(rig.manager.accept({ sdp, door: 'offer', sourceId: 'cam0', tiles: [raw('cam0'), raw('cam1')] }), {
      code: 'SOURCE_NOT_LIVE',
      message: /^tracks\[0\]/,
    });
  });

  it('reads the detections of every source on one channel, with the timestamps of its m-lines', async () => {
    for (const id of ids(3)) yard.add(id);
    await join([raw('cam0'), raw('cam1'), raw('cam0', { maxHeightPx: 360 }), { sourceId: 'cam1', rendition: 'processed' }]);
    const mids = rig.manager.snapshot()[0]?.video.map(({ mid }) => mid) ?? [];
    const command = await openCommands(viewer);
    const channel = await openChannel(viewer, 'detections');
    const messages: {
      readonly source: string;
      readonly rtp_timestamp: Record<string, number>;
      readonly m_lines: { readonly mid: string; readonly rtp_timestamp: number }[];
    }[] = [];
    channel.onMessage.subscribe((data) => messages.push(JSON.parse(String(data)) as (typeof messages)[number]));
    await eventually(() => yard.at('cam0').detectionLeases === 1 && yard.at('cam1').detectionLeases === 1, 3000, 'the detectors');
    yard.write(3);
    for (const [frame, id] of ids(2).entries()) yard.at(id).feed.publish(detections(id, frame, yard.newestMs(id)));
    await eventually(() => messages.length === 2, 3000, 'both messages');
    const lineOf = (mid: string | undefined): number => mids.indexOf(mid);
    for (const message of messages) {
      const on = message.source === 'cam0' ? [0, 2] : [1, 3];
      assert.deepEqual(
        message.m_lines.map(({ mid }) => lineOf(mid)),
        on,
      );
      for (const { mid, rtp_timestamp: timestamp } of message.m_lines)
        await viewer.until(() => headersOf(viewer, ssrcs[lineOf(mid)]).at(-1)?.timestamp === timestamp, 3000, `the frame on m-line ${mid}`);
      assert.equal(message.rtp_timestamp['raw'], message.m_lines[0]?.rtp_timestamp, 'as clients of one source read it');
    }
    await command({ cmd: 'select', tracks: [{ source: 'cam2', rendition: 'raw' }, { source: 'cam2', rendition: 'raw' }, null] });
    assert.deepEqual(
      ids(3).map((id) => yard.at(id).detectionLeases),
      [0, 1, 1],
    );
    yard.write(2);
    yard.at('cam2').feed.publish(detections('cam2', 9, yard.newestMs('cam2')));
    const last = await eventually(() => messages.find(({ source }) => source === 'cam2'), 3000, 'the message of the new source');
    assert.deepEqual(
      last.m_lines.map(({ mid }) => lineOf(mid)),
      [0, 1],
    );
  });

  it('shows a source without its detections to who has no right to them', async () => {
    for (const id of ids(2)) yard.add(id);
    await join(
      ids(2).map((id) => raw(id)),
      { rights: { ...ALL_RIGHTS, mayHaveData: (id) => id === 'cam0' } },
    );
    const texts: string[] = [];
    await openChannel(viewer, 'detections', (data) => void texts.push(String(data)));
    await eventually(() => yard.at('cam0').detectionLeases === 1, 3000, 'the detector of the one');
    yard.write(2);
    for (const at of [0, 1]) await moreOn(at, 1, `the pictures of m-line ${at}`);
    // What is written first would come first.
    for (const id of ['cam1', 'cam0']) yard.at(id).feed.publish(detections(id, 1, yard.newestMs(id)));
    await eventually(() => texts.some((text) => text.includes('"frame":1')), 3000, 'the message of the other');
    assert.deepEqual([yard.at('cam1').detectionLeases, texts.some((text) => /cam1.*"objects"/.test(text))], [0, false]);
  });

  it('sends a tile no quality that is taller than it is, where there is one that is not', async () => {
    const cam = yard.add('cam0');
    cam.ladder = LADDER;
    await join([raw('cam0'), raw('cam0', { maxHeightPx: 360 }), raw('cam0', { maxHeightPx: 100 })]);
    const rungs = (): unknown[] => cam.requests.map((key) => (key.kind === 'video' ? (key.rung ?? 'source') : 'sound'));
    assert.deepEqual(rungs(), ['source', '360p', '180p']);
    for (const rung of ['360p', '180p']) cam.writeH264('raw', yard.newestMs('cam0'), { keyframe: true, rung });
    for (const at of [0, 1, 2]) await moreOn(at, 0, `m-line ${at}`);
    const qualities = (): unknown[] => rig.manager.snapshot().flatMap(({ video }) => video.map(({ quality }) => quality));
    assert.deepEqual(qualities(), ['source', '360p', '180p']);
    const command = await openCommands(viewer);
    const mid = rig.manager.snapshot()[0]?.video[1]?.mid;
    await command({ cmd: 'select', mid, max_height: null });
    await eventually(() => qualities()[1] === 'source', 3000, 'the best, as there is no limit');
    await command({ cmd: 'select', mid, max_height: 200 });
    cam.writeH264('raw', yard.newestMs('cam0') + FRAME_MS, { keyframe: true, rung: '180p' });
    await eventually(() => qualities()[1] === '180p', 3000, 'what fits the smaller tile');
    assertContinuous(viewer, ssrcs[1]);
  });

  it('pauses all, and resumes all', async () => {
    for (const id of ids(2)) yard.add(id);
    await join([raw('cam0'), raw('cam1')]);
    const command = await openCommands(viewer);
    await command({ cmd: 'pause' });
    assert.deepEqual(
      ids(2).map((id) => yard.at(id).leases),
      [0, 0],
    );
    await command({ cmd: 'resume' });
    await eventually(() => ids(2).every((id) => yard.at(id).leases === 1), 3000, 'both to flow');
    yard.write(3);
    await moreOn(1, 5, 'pictures');
    for (const ssrc of ssrcs) assertContinuous(viewer, ssrc);
  });
});
