import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { watchWall, type TileDetections, type WallEvents, type WallOptions, type WatchingWall } from '../../src/client/index.js';
import { FakeWorld, SERVER, type FakeChannel, type FakeStream } from './fakes.js';

interface Started {
  readonly wall: WatchingWall;
  readonly tiles: WallEvents['tile'][];
  /** Commands of the newest connection, without their ids. */
  readonly sent: () => object[];
  /** Answers the commands that wait, the oldest first. */
  readonly answer: (...answers: readonly object[]) => Promise<void>;
  /** The server says something by itself. */
  readonly tell: (message: object) => Promise<void>;
}

const GATE = { source: 'gate' };
const YARD = { source: 'yard', maxHeight: 360 };

async function start(world: FakeWorld, options: Partial<WallOptions> = {}): Promise<Started> {
  const tiles: WallEvents['tile'][] = [];
  const wall = watchWall({ server: SERVER, tiles: [GATE, YARD], onTile: (tile) => tiles.push(tile), ...options }, world.env);
  await world.clock.advance(0);
  const commands = (): FakeChannel => {
    const channel = world.pc.channels.find(({ label }) => label === 'commands');
    assert.ok(channel);
    return channel;
  };
  let answered = 0;
  let of: FakeChannel | undefined;
  return {
    wall,
    tiles,
    sent: () => commands().sent.map((command) => ({ ...(command as object), id: undefined })),
    answer: async (...answers) => {
      if (of !== commands()) [of, answered] = [commands(), 0];
      for (const each of answers) {
        const { id } = commands().sent[answered++] as { id: number };
        commands().receive(JSON.stringify({ id, ...each }));
        await world.clock.advance(0);
      }
    },
    tell: async (message) => {
      commands().receive(JSON.stringify(message));
      await world.clock.advance(0);
    },
  };
}

function refused(code: string, message: string, status = 404): Response {
  return Response.json({ statusCode: status, code, error: code, message }, { status });
}

function asked(world: FakeWorld, at = -1): { readonly tracks: readonly unknown[]; readonly source?: string } {
  return JSON.parse(world.of('POST').at(at)?.body ?? '{}') as ReturnType<typeof asked>;
}

const phases = ({ tiles }: WatchingWall): string[] => tiles.map(({ phase }) => phase);
const OK = { ok: true };

describe('a wall', () => {
  it('asks for all its tiles in one offer, with room for more', async () => {
    const world = new FakeWorld();
    const { wall } = await start(world, { room: 4, audio: 'yard' });
    assert.deepEqual(asked(world).tracks, [
      { source: 'gate', rendition: 'raw' },
      { source: 'yard', rendition: 'raw', max_height: 360 },
      null,
      null,
    ]);
    assert.equal(asked(world).source, 'yard');
    assert.equal(world.of('POST').length, 1);
    assert.deepEqual(phases(wall), ['live', 'live']);
    wall.close();
    await world.clock.advance(0);
    assert.deepEqual([world.pc.closed, world.listeners], [true, 0]);
  });

  it('tells the server of the tiles that change, and of no others; and of the last wish where several come at once', async () => {
    const world = new FakeWorld();
    const { wall, sent, answer } = await start(world, { room: 4 });
    wall.setTiles([GATE, { ...YARD, maxHeight: 180 }, { source: 'roof' }]);
    wall.setTiles([GATE, { ...YARD, maxHeight: 720 }, { source: 'roof' }]);
    await world.clock.advance(0);
    assert.deepEqual(sent(), [
      { id: undefined, cmd: 'select', mid: '1', max_height: 180, source: 'yard', rendition: 'raw' },
      { id: undefined, cmd: 'select', mid: '2', max_height: null, source: 'roof', rendition: 'raw' },
    ]);
    assert.deepEqual(phases(wall), ['live', 'live', 'connecting']);
    await answer(OK, OK);
    assert.deepEqual(sent().slice(2), [{ id: undefined, cmd: 'select', mid: '1', max_height: 720, source: 'yard', rendition: 'raw' }]);
    await answer(OK);
    assert.deepEqual(phases(wall), ['live', 'live', 'live']);
    wall.setTiles([GATE, undefined, { source: 'roof' }]);
    await world.clock.advance(0);
    assert.deepEqual(sent().at(-1), { id: undefined, cmd: 'select', mid: '1', source: null });
    assert.equal(world.of('POST').length, 1);
    wall.close();
  });

  it('opens another connection where it has no room, and keeps its streams', async () => {
    const world = new FakeWorld();
    const { wall } = await start(world);
    await world.play(1000);
    const stream = wall.stream(0) as unknown as FakeStream;
    const [before] = stream.getTracks();
    wall.setTiles([GATE, YARD, { source: 'roof' }]);
    await world.play(500);
    assert.equal(asked(world).tracks.length, 3);
    assert.deepEqual([world.connections.length, world.connections[0]?.closed, wall.state], [2, true, 'playing']);
    const arrived = world.pc.receivers[0]?.track;
    assert.ok(arrived);
    assert.deepEqual(stream.getTracks(), [before], 'the last picture stays until another one comes');
    arrived.dispatchEvent(new Event('unmute'));
    assert.deepEqual(stream.getTracks(), [arrived]);
    assert.equal(wall.stream(0), stream);
    wall.close();
  });

  it('shows the others where there is no such source, and asks for it again', async () => {
    const world = new FakeWorld();
    world.handler = ({ body }) =>
      body.includes('"gate"') ? refused('SOURCE_NOT_FOUND', "tracks[0]: no source 'gate'; GET /available-videos lists them") : undefined;
    const { wall, sent, answer } = await start(world);
    assert.deepEqual(asked(world).tracks, [null, { source: 'yard', rendition: 'raw', max_height: 360 }]);
    assert.deepEqual(phases(wall), ['refused', 'live']);
    assert.deepEqual(wall.tiles[0]?.reason, { code: 'SOURCE_NOT_FOUND', message: "no source 'gate'; GET /available-videos lists them" });
    assert.deepEqual(sent(), []);
    await world.play(10_000);
    assert.equal(sent().length, 1);
    await answer({ ok: false, code: 'SOURCE_NOT_LIVE', message: "mid '0': source 'gate' is not live" });
    assert.deepEqual(wall.tiles[0].reason, { code: 'SOURCE_NOT_LIVE', message: "source 'gate' is not live" });
    await world.play(10_000);
    await answer(OK);
    assert.deepEqual(phases(wall), ['live', 'live']);
    await world.play(30_000);
    assert.equal(sent().length, 2);
    wall.close();
  });

  it('leaves out a source that is nobody’s business, named by its name, and fails where none is left', async () => {
    const world = new FakeWorld();
    world.handler = ({ path }) =>
      path === '/offer' ? refused('FORBIDDEN', `this token does not give the right watch for 'yard'`, 403) : undefined;
    const { wall } = await start(world);
    // Asked again without it, the server still says no: that is no tile's fault any more.
    assert.deepEqual([wall.state, phases(wall), world.of('POST').length], ['failed', ['connecting', 'refused'], 2]);
    await world.clock.advance(60_000);
    assert.equal(world.of('POST').length, 2);
    wall.close();
  });

  it('asks once more where the server takes long, whatever else is refused meanwhile', async () => {
    const world = new FakeWorld();
    const { wall, sent, answer } = await start(world, { room: 4 });
    wall.setTiles([GATE, YARD, { source: 'slow' }]);
    await world.play(5_000);
    wall.setTiles([GATE, YARD, { source: 'slow' }, { source: 'nowhere' }]);
    await world.clock.advance(0);
    await answer({}, { ok: false, code: 'SOURCE_NOT_FOUND', message: "mid '3': no source 'nowhere'" });
    assert.deepEqual(phases(wall), ['live', 'live', 'connecting', 'refused']);
    await world.play(10_000);
    assert.deepEqual(
      sent()
        .slice(2)
        .map((command) => (command as { readonly source: string }).source),
      ['slow', 'nowhere'],
    );
    await answer(OK, OK);
    assert.deepEqual(phases(wall), ['live', 'live', 'live', 'live']);
    wall.close();
  });

  it('says which tile has ended, and that it goes on', async () => {
    const world = new FakeWorld();
    const { wall, tiles, tell, sent } = await start(world);
    await tell({ type: 'track', mid: '1', source: 'yard', rendition: 'raw', state: 'ended', reason: 'publisher-gone' });
    assert.deepEqual([phases(wall), wall.tiles[1]?.reason?.code], [['live', 'ended'], 'publisher-gone']);
    wall.setTiles([GATE, { ...YARD, maxHeight: 180 }]);
    await world.clock.advance(0);
    assert.deepEqual([phases(wall), sent()], [['live', 'ended'], []], 'it comes back by itself');
    await tell({ type: 'track', mid: '1', source: 'yard', rendition: 'raw', state: 'live' });
    assert.deepEqual([phases(wall), sent().length], [['live', 'live'], 1]);
    await tell({ type: 'quality', mid: '0', source: 'gate', quality: '360p', reason: 'congestion', estimate_kbps: 800 });
    assert.deepEqual(tiles.at(-1), {
      index: 0,
      tile: GATE,
      phase: 'live',
      quality: { quality: '360p', reason: 'congestion', estimateKbps: 800 },
    });
    for (const odd of [{ mid: '7', source: 'yard' }, { mid: '1', source: 'gate' }, { source: 'yard' }])
      await tell({ type: 'track', state: 'ended', ...odd });
    assert.deepEqual(phases(wall), ['live', 'live']);
    wall.close();
  });

  it('gives each tile its detections, with the timestamps of its own m-line', async () => {
    const world = new FakeWorld();
    const seen: TileDetections[] = [];
    const { wall } = await start(world, { tiles: [GATE, YARD, GATE], onDetections: (one) => seen.push(one) });
    const channel = world.pc.channels.find(({ label }) => label === 'detections');
    const m_lines = [{ mid: '0', rtp_timestamp: 10 }, { mid: '2', rtp_timestamp: 20 }, { mid: '1', rtp_timestamp: 30 }, { mid: 4 }, null];
    channel?.receive(JSON.stringify({ source: 'gate', width: 4, height: 4, objects: [], rtp_timestamp: { raw: 10 }, m_lines }));
    channel?.receive(JSON.stringify({ source: 'gate', width: 4, height: 4, objects: [], rtp_timestamp: { raw: 10 } }));
    assert.deepEqual(
      seen.map(({ index, message }) => [index, message.source, message.rtp_timestamp]),
      [
        [0, 'gate', { raw: 10 }],
        [2, 'gate', { raw: 20 }],
      ],
    );
    wall.close();
  });

  it('connects again when it is lost, as it was arranged last, and stays paused', async () => {
    const world = new FakeWorld();
    const { wall, answer, sent } = await start(world);
    await world.play(1000);
    wall.setTiles([{ source: 'roof' }, YARD]);
    void wall.pause();
    await world.clock.advance(0);
    await answer(OK, OK);
    await world.change('failed');
    await world.clock.advance(30_000);
    assert.ok(world.connections.length > 1);
    assert.deepEqual(asked(world).tracks[0], { source: 'roof', rendition: 'raw' });
    assert.deepEqual(sent(), [{ id: undefined, cmd: 'pause' }]);
    wall.close();
  });
});
