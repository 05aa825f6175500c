import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import WebSocket from 'ws';
import { eventually, within } from '../helpers/deadline.js';
import { FRAME_NUMBER_MODEL, numberOfBox } from '../helpers/frame-number-model.js';
import { makeNumberedClip } from '../helpers/numbered-clip.js';
import { framesOfClip, makeRecording } from '../helpers/recording.js';
import { TestServer } from '../helpers/server.js';
import { WeriftViewer, type ViewerOptions } from '../helpers/werift-viewer.js';

const GUARD = 'guard-token-of-the-test';
const GUEST = 'guest-token-of-the-test';

type Message = Readonly<Record<string, unknown>>;

const sha256 = (token: string): string => `sha256:${createHash('sha256').update(token).digest('hex')}`;

function isFirstOfName({ name }: { readonly name: string }, index: number, all: readonly { readonly name: string }[]): boolean {
  return all.findIndex((each) => each.name === name) === index;
}

describe('the doors to the past', { timeout: 60_000 }, () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-playback-'));
  const viewers: WeriftViewer[] = [];
  let server: TestServer;
  let fromMs: number;
  /** Others take the places of those of the same name. */
  let writeUsers: (others?: readonly { readonly name: string }[]) => void;

  before(async () => {
    const recordDir = path.join(folder, 'recordings');
    const videos = path.join(folder, 'videos');
    mkdirSync(recordDir);
    mkdirSync(videos);
    const clip = path.join(videos, 'gate.mp4');
    await makeNumberedClip(clip, { seconds: 8, keyframeS: 2 });
    fromMs = Date.now() - 60_000;
    const frames = await framesOfClip(clip);
    await makeRecording({ recordDir, sourceId: 'gate', frames, fromMs });
    const small = path.join(folder, 'small.mp4');
    await makeNumberedClip(small, { widthPx: 320, heightPx: 180, seconds: 4, keyframeS: 2 });
    await makeRecording({ recordDir, sourceId: 'yard', frames, fromMs });
    await makeRecording({ recordDir, sourceId: 'yard', frames: await framesOfClip(small), fromMs: fromMs + 8_000 });
    await makeRecording({ recordDir, sourceId: 'unseen', frames, fromMs, seenEvery: 0 });
    await makeRecording({ recordDir, sourceId: 'mixed', frames: frames.slice(0, 120), fromMs });
    const other = await framesOfClip(clip, 'vp8');
    await makeRecording({ recordDir, sourceId: 'mixed', frames: other, codec: 'vp8', fromMs: fromMs + 4_000 });
    for (const name of ['mixed', 'unseen']) copyFileSync(clip, path.join(videos, `${name}.mp4`));
    const users = [
      { name: 'guard', token: sha256(GUARD), actions: ['watch', 'data', 'playback'] },
      { name: 'guest', token: sha256(GUEST), actions: ['watch', 'data'] },
    ];
    const authFile = path.join(folder, 'users.yaml');
    writeUsers = (others = []) => {
      writeFileSync(`${authFile}.next`, JSON.stringify({ users: [...others, ...users].filter(isFirstOfName) }));
      renameSync(`${authFile}.next`, authFile);
    };
    writeUsers();
    server = await TestServer.start([], {
      UPLOAD_DIR: videos,
      RECORD_DIR: recordDir,
      AUTH_FILE: authFile,
      MAX_PLAYBACK_ENCODES: '1',
      SOURCE_MODELS: `elsewhere=${FRAME_NUMBER_MODEL}`,
      CONNECTION_TIMEOUT: '3000',
    });
    const listed = async (): Promise<boolean> => (await fetch(`${server.url}/recordings/gate`, { headers: bearer(GUARD) })).ok;
    await eventually(listed, 10_000, 'the index of the recording');
  });

  after(async () => {
    await Promise.all(viewers.map((viewer) => viewer.close()));
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const at = (seconds: number): number => fromMs / 1000 + seconds;
  const bearer = (token: string): Readonly<Record<string, string>> => ({ authorization: `Bearer ${token}` });

  function viewerOf(options: ViewerOptions = {}): WeriftViewer {
    const viewer = new WeriftViewer(options);
    viewers.push(viewer);
    return viewer;
  }

  async function post(
    where: string,
    token: string,
    sdp: string,
    body?: object,
  ): Promise<{ readonly status: number; readonly text: string }> {
    const type = body ? 'application/json' : 'application/sdp';
    const response = await fetch(server.url + where, {
      method: 'POST',
      headers: { ...bearer(token), 'content-type': type },
      body: body ? JSON.stringify({ sdp, type: 'offer', ...body }) : sdp,
    });
    return { status: response.status, text: await response.text() };
  }

  /** Joins by `POST /offer` with the channel of commands. */
  async function join(
    token: string,
    body: object,
  ): Promise<{ readonly command: (command: object) => Promise<Message>; readonly told: Message[]; readonly seen: Message[] }> {
    const viewer = viewerOf({ dataChannel: 'commands' });
    const told: Message[] = [];
    const seen: Message[] = [];
    const detections = viewer.pc.createDataChannel('detections');
    detections.onMessage.subscribe((data) => typeof data === 'string' && seen.push(JSON.parse(data) as Message));
    const answers: ((answer: Message) => void)[] = [];
    const channel = viewer.dataChannel!;
    channel.onMessage.subscribe((data) => {
      if (typeof data !== 'string') return;
      const message = JSON.parse(data) as Message;
      if (message['type'] === undefined) answers.shift()?.(message);
      else told.push(message);
    });
    await viewer.join(async (sdp) => {
      const { status, text } = await post('/offer', token, sdp, { source: 'gate', tracks: ['raw'], ...body });
      assert.equal(status, 200, text);
      return JSON.parse(text) as { sdp: string };
    });
    await eventually(() => channel.readyState === 'open', 5_000, 'the channel of commands');
    const command = (of: object): Promise<Message> =>
      within(
        new Promise<Message>((resolve) => {
          answers.push(resolve);
          channel.send(JSON.stringify(of));
        }),
        5_000,
        'an answer',
      );
    return { command, told, seen };
  }

  it('take a time at WHEP, and say what is wrong with one', async () => {
    const sdp = await viewerOf().offer();
    const codeOf = async (query: string): Promise<unknown> =>
      (JSON.parse((await post(`/whep/gate/raw?at=${query}`, GUARD, sdp)).text) as Message)['code'];
    assert.equal(await codeOf('noon'), 'QUERY_INVALID');
    assert.equal(await codeOf(String(at(-100))), 'RECORDING_OUT_OF_RANGE');
    assert.equal(await codeOf(String(at(3600))), 'RECORDING_OUT_OF_RANGE');
    assert.equal((await post(`/whep/gate/raw?at=${at(1)}`, GUARD, sdp)).status, 201);
  });

  it('need the right playback, at each door and in each session', async () => {
    const sdp = await viewerOf().offer();
    for (const [where, body] of [
      [`/whep/gate/raw?at=${at(1)}`, undefined],
      ['/offer', { source: 'gate', at: at(1) }],
    ] as const) {
      const { status, text } = await post(where, GUEST, sdp, body);
      assert.equal(status, 403, text);
      assert.match(text, /playback/);
    }
    const { command } = await join(GUEST, {});
    const refused = await command({ cmd: 'seek', at: at(1) });
    assert.deepEqual([refused['ok'], refused['code']], [false, 'FORBIDDEN']);
    assert.equal((await command({ cmd: 'live' }))['ok'], true, 'the present is what it watches');
  });

  it('take a time in the join of /ws from those who have the right', async () => {
    const first = async (token: string): Promise<Message> => {
      const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws`);
      try {
        return await within(
          new Promise<Message>((resolve, reject) => {
            socket.on('error', reject);
            socket.on('open', () => socket.send(JSON.stringify({ type: 'join', room: 'gate', role: 'viewer', at: at(2), token })));
            socket.on('message', (data: Buffer) => {
              const message = JSON.parse(data.toString()) as Message;
              if (message['type'] === 'offer' || message['type'] === 'error') resolve(message);
            });
          }),
          5_000,
          'an offer or an error',
        );
      } finally {
        socket.close();
      }
    };
    assert.equal((await first(GUARD))['type'], 'offer');
    assert.equal((await first(GUEST))['code'], 'FORBIDDEN');
  });

  it('tell where a viewer is, at each change and each second', async () => {
    const { command, told } = await join(GUARD, { at: at(2) });
    assert.equal((await command({ cmd: 'pause' }))['ok'], true);
    assert.equal((await command({ cmd: 'seek', at: at(4.01) }))['ok'], true);
    const isThere = ({ at: where, state }: Message): boolean => Math.abs(Number(where) - at(4)) < 0.001 && state === 'paused';
    await eventually(() => told.filter(isThere).length >= 3, 10_000, 'its position, again each second');
    const { rtp_timestamp: rtpTimestamp, speed } = told.find(isThere)!;
    assert.equal(typeof rtpTimestamp, 'number');
    assert.equal(speed, 1);
    assert.equal((await command({ cmd: 'speed', value: 4 }))['ok'], true);
    assert.equal(told.at(-1)!['speed'], 4);
    assert.equal((await command({ cmd: 'live' }))['ok'], true);
    await eventually(() => told.at(-1)!['state'] === 'live', 5_000, 'the present');
  });

  it('decode nothing for those who watch what was recorded as it is, with what was seen then', async () => {
    await Promise.all(viewers.splice(0).map((each) => each.close()));
    await eventually(() => server.resources.child_processes === 0, 10_000, 'what others needed has ended');
    const viewer = viewerOf({ dataChannel: 'detections' });
    const messages: Message[] = [];
    viewer.dataChannel!.onMessage.subscribe((data) => typeof data === 'string' && messages.push(JSON.parse(data) as Message));
    await viewer.join(async (sdp) => {
      const { text } = await post('/offer', GUARD, sdp, { source: 'gate', tracks: ['raw'], at: at(1) });
      return JSON.parse(text) as { sdp: string };
    });
    let most = 0;
    await viewer.until(() => (most = Math.max(most, server.resources.child_processes)) > 1 || viewer.packets.length > 60, 5_000, 'frames');
    await eventually(() => messages.length >= 20, 5_000, 'what was seen then');
    assert.equal(Math.max(most, server.resources.child_processes), 0, 'no process');
    await viewer.close();
  });

  it('go on over a change of the size of the picture', async () => {
    const { told } = await join(GUARD, { source: 'yard', at: at(7) });
    await eventually(() => told.some(({ at: where, state }) => Number(where) > at(8.5) && state === 'playing'), 10_000, 'the other size');
    assert.ok(told.every(({ state }) => state === 'playing'));
  });

  it('end the past for whoever loses the right, who goes on with the present', async () => {
    const { command, told } = await join(GUARD, { at: at(1) });
    // So it does not come to the end of the record.
    await command({ cmd: 'pause' });
    writeUsers([{ name: 'guard', token: sha256(GUARD), actions: ['watch', 'data'] } as { readonly name: string }]);
    await eventually(() => told.at(-1)?.['state'] === 'live', 10_000, 'the present');
    writeUsers();
    await eventually(async () => (await fetch(`${server.url}/recordings/gate`, { headers: bearer(GUARD) })).ok, 10_000, 'the right again');
  });

  it('let as many encode as MAX_PLAYBACK_ENCODES says, and tell the others', async () => {
    const vp8 = { codec: 'VP8' } as const;
    const body = { source: 'gate', tracks: ['raw'], at: at(1) };
    const first = await post('/offer', GUARD, await viewerOf(vp8).offer(), body);
    assert.equal(first.status, 200, first.text);
    const second = await post('/offer', GUARD, await viewerOf(vp8).offer(), body);
    assert.equal(second.status, 503, second.text);
    assert.match(second.text, /MAX_PLAYBACK_ENCODES/);
    const { session_url: sessionUrl } = JSON.parse(first.text) as { readonly session_url: string };
    await fetch(server.url + sessionUrl, { method: 'DELETE' });
    const third = async (): Promise<boolean> => (await post('/offer', GUARD, await viewerOf(vp8).offer(), body)).status === 200;
    await eventually(third, 5_000, 'the place of whoever has left');
  });

  it('take a place where a recording goes on in a codec that has to be encoded, and give it back', async () => {
    const vp8 = { codec: 'VP8' } as const;
    await Promise.all(viewers.splice(0).map((each) => each.close()));
    const free = async (): Promise<string | undefined> => {
      const { status, text } = await post('/offer', GUARD, await viewerOf(vp8).offer(), { source: 'gate', tracks: ['raw'], at: at(1) });
      return status === 200 ? (JSON.parse(text) as { readonly session_url: string }).session_url : undefined;
    };
    const taken = await eventually(free, 10_000, 'the only place');
    const late = await join(GUARD, { source: 'mixed', at: at(3) });
    const isLive = (): boolean => late.told.at(-1)?.['state'] === 'live';
    await eventually(isLive, 10_000, 'the present in the place of what cannot be encoded');
    assert.match(String(late.told.at(-1)!['notice']), /MAX_PLAYBACK_ENCODES/);
    await fetch(server.url + taken, { method: 'DELETE' });
    // Not needed any more, and there again.
    const { command, told } = await join(GUARD, { source: 'mixed', at: at(3) });
    await eventually(() => told.some(({ at: where, state }) => Number(where) > at(6) && state === 'playing'), 10_000, 'the other codec');
    assert.equal(await free(), undefined, 'it takes the place');
    assert.equal((await command({ cmd: 'seek', at: at(1) }))['ok'], true);
    assert.equal((await command({ cmd: 'pause' }))['ok'], true);
    await eventually(free, 5_000, 'the place, given back where frames are copied again');
    assert.ok(told.every(({ state }) => state !== 'live'));
  });

  it('let another model look at the past, in one of the places, through seeks, until it is let go', async () => {
    await Promise.all(viewers.splice(0).map((each) => each.close()));
    const isFree = async (): Promise<boolean> => {
      const body = { source: 'gate', tracks: ['raw'], at: at(1) };
      const { status, text } = await post('/offer', GUARD, await viewerOf({ codec: 'VP8' }).offer(), body);
      if (status === 200)
        await fetch(server.url + (JSON.parse(text) as { readonly session_url: string }).session_url, { method: 'DELETE' });
      return status === 200;
    };
    await eventually(isFree, 10_000, 'the only place');
    const present = await join(GUARD, {});
    assert.equal((await present.command({ cmd: 'redetect', model: 'frame-number' }))['code'], 'COMMAND_UNSUPPORTED');
    const { command, told, seen } = await join(GUARD, { source: 'unseen', at: at(1) });
    assert.equal((await command({ cmd: 'redetect', model: 'nobody' }))['code'], 'MODEL_NOT_FOUND');
    assert.equal(seen.length, 0, 'nobody looked');
    const looked = await command({ cmd: 'redetect', model: 'frame-number' });
    assert.equal(looked['ok'], true, JSON.stringify(looked));
    assert.equal(told.at(-1)!['model'], 'frame-number');
    assert.equal(await isFree(), false, 'it takes the place');
    for (const seconds of [5, 2, 4.3]) {
      assert.equal((await command({ cmd: 'seek', at: at(seconds) }))['ok'], true);
      const isBehind = ({ wall_time: wall }: Message): boolean => Number(wall) >= at(seconds) && Number(wall) < at(seconds + 1);
      await eventually(() => seen.filter(isBehind).length > 3, 5_000, `detections behind ${seconds} s`);
    }
    for (const { wall_time: wall, objects, width } of seen) {
      const [object] = objects as readonly { readonly box: [number, number, number, number]; readonly observed: boolean }[];
      if (object?.observed !== true) continue;
      assert.equal(numberOfBox(object.box, Number(width)), Math.round((Number(wall) - at(0)) * 30), 'of the very frame');
    }
    assert.equal((await command({ cmd: 'redetect', model: null }))['ok'], true);
    assert.equal(told.at(-1)!['model'], undefined);
    await eventually(isFree, 5_000, 'the place, given back');
    assert.equal((await command({ cmd: 'redetect', model: 'frame-number' }))['ok'], true);
    await Promise.all(viewers.splice(0).map((each) => each.close()));
    await eventually(isFree, 10_000, 'the place of whoever has left');
  });

  it('leave nothing behind', async () => {
    await Promise.all(viewers.splice(0).map((viewer) => viewer.close()));
    await eventually(() => server.resources.child_processes === 0, 40_000, 'no process');
  });
});
