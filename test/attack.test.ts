/** The brakes together, on a real server in a process of its own: who watches loses nothing, and who comes gets in, while others attack. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { test } from 'node:test';
import WebSocket from 'ws';
import './helpers/alone.js';
import { eventually } from './helpers/deadline.js';
import { copyVideo } from './helpers/make-video.js';
import { startServerProcess } from './helpers/server-process.js';
import { WeriftViewer } from './helpers/werift-viewer.js';

interface Reply {
  readonly status: number;
  readonly retryAfterS: number;
  readonly body: { readonly sdp: string; readonly code?: string };
}

/** POST /offer from an address of this machine. */
function post(url: string, sdp: string, localAddress: string): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = http.request(
      `${url}/offer`,
      { method: 'POST', headers: { 'content-type': 'application/json' }, localAddress, agent: false },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            retryAfterS: Number(response.headers['retry-after'] ?? 0),
            body: JSON.parse(text) as Reply['body'],
          }),
        );
      },
    );
    request.on('error', reject);
    request.end(JSON.stringify({ sdp, type: 'offer' }));
  });
}

/** Joins as clients do: tries again when the server says that it may. @returns how often it was refused */
async function joinPatiently(url: string, viewer: WeriftViewer, localAddress: string): Promise<number> {
  let refusals = 0;
  const sdp = await viewer.offer();
  for (;;) {
    const { status, retryAfterS, body } = await post(url, sdp, localAddress);
    if (status === 200) {
      await viewer.acceptAnswer(body.sdp);
      await viewer.connected(10_000);
      return refusals;
    }
    assert.deepEqual([status, body.code], [503, 'CAPACITY_REACHED']);
    assert.ok(retryAfterS >= 1 && retryAfterS <= 5 && ++refusals < 10, `Retry-After ${retryAfterS} after ${refusals} refusals`);
    // As the server asks.
    await wait(retryAfterS * 1000);
  }
}

/** The shortest offer that is taken. */
const HOLLOW = [
  'v=0',
  'o=- 1 1 IN IP4 0.0.0.0',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0',
  'm=video 9 UDP/TLS/RTP/SAVPF 102',
  'c=IN IP4 0.0.0.0',
  'a=mid:0',
  'a=recvonly',
  'a=rtcp-mux',
  'a=ice-ufrag:aaaa',
  `a=ice-pwd:${'b'.repeat(22)}`,
  `a=fingerprint:sha-256 ${Array(32).fill('AA').join(':')}`,
  'a=setup:actpass',
  'a=rtpmap:102 H264/90000',
  'a=fmtp:102 packetization-mode=1;profile-level-id=42e01f',
  '',
].join('\r\n');

test('who watches loses no frame, and who comes gets in, while one address sends offers, slow bodies and sockets', async (t) => {
  const uploadDir = mkdtempSync(path.join(os.tmpdir(), 'sightline-attack-'));
  copyVideo('silent.mp4', uploadDir);
  const server = await startServerProcess({ UPLOAD_DIR: uploadDir, MODEL: 'none', MAX_CONNECTIONS: '4', MAX_PUBLISHERS: '1' });
  const viewers: WeriftViewer[] = [];
  const sockets: (net.Socket | WebSocket)[] = [];
  t.after(async () => {
    for (const socket of sockets) {
      if (socket instanceof WebSocket) socket.terminate();
      else socket.destroy();
    }
    await Promise.all(viewers.map((viewer) => viewer.close()));
    await server.close();
    rmSync(uploadDir, { recursive: true, force: true });
  });
  const viewer = (): WeriftViewer => {
    const made = new WeriftViewer();
    viewers.push(made);
    return made;
  };

  const witness = viewer();
  assert.equal(await joinPatiently(server.url, witness, '127.0.0.1'), 0);
  await witness.until(() => witness.packets.length > 30, 10_000, 'its picture');

  const attacker = '127.0.0.2';
  const port = Number(new URL(server.url).port);
  // A connection of its own may be closed.
  const cutOff = () => ({ status: 0 });
  const isTaken = async (): Promise<boolean> =>
    (await post(server.url, HOLLOW.replace('- 1 1', `- ${Math.floor(Math.random() * 1e9)} 1`), attacker).catch(cutOff)).status === 200;
  const taken = await Promise.all(Array.from({ length: 9 }, isTaken));
  assert.equal(taken.filter(Boolean).length, 3, 'all places that are left');
  const flood = { isOn: true };
  const flooding = (async () => {
    while (flood.isOn) {
      const seen = witness.packets.length;
      await isTaken();
      // A pace that stays below RATE_LIMIT.
      await witness.until(() => witness.packets.length > seen + 4, 10_000, 'the next pictures');
    }
  })();
  for (let i = 0; i < 360; i++) {
    const socket = net.connect({ port, host: '127.0.0.1', localAddress: attacker });
    socket.on('error', () => undefined);
    socket.write(
      `POST /offer HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 400000\r\n\r\n${'x'.repeat(20_000)}`,
    );
    sockets.push(socket);
  }
  for (let i = 0; i < 90; i++) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, { localAddress: attacker });
    socket.on('error', () => undefined);
    sockets.push(socket);
  }

  // One of the attacker's neighbours, and one of elsewhere.
  for (const address of ['127.0.0.3', '127.0.0.4']) {
    const joiner = viewer();
    await joinPatiently(server.url, joiner, address);
    await joiner.until(() => joiner.packets.length > 10, 10_000, `the picture at ${address}`);
  }
  const room = new WebSocket(`ws://127.0.0.1:${port}/ws`, { localAddress: '127.0.0.3' });
  sockets.push(room);
  await eventually(() => room.readyState === WebSocket.OPEN, 5000, 'a socket for somebody else');
  flood.isOn = false;
  await flooding;

  const before = witness.packets.length;
  await witness.until(() => witness.packets.length > before + 30, 10_000, 'the picture to go on');
  const numbers = witness.packets.map(({ header }) => header.sequenceNumber);
  assert.deepEqual(
    numbers.filter((number, i) => i > 0 && ((number - (numbers[i - 1] ?? 0)) & 0xffff) !== 1),
    [],
    'nothing is missing',
  );
  assert.deepEqual(server.faults, []);
});
