/** A simulcast from a real browser, by WHIP, to real viewers of several of its sizes. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ChromiumHarness, noChromium } from '../helpers/chromium.js';
import { eventually } from '../helpers/deadline.js';
import { startServerProcess, type ServerProcess } from '../helpers/server-process.js';
import { temporaryFolder, type Folder } from './fixtures.js';

/** Publishes the camera with the client library. */
const PUBLISH = `async (room) => {
  const { publish } = await import('/sightline.js');
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 1280, height: 720 } });
  window.publishing = publish({ stream, room, simulcast: true });
}`;

/** Watches the raw video by WHEP, and selects a quality. */
const WATCH = `async (source, quality) => {
  const pc = new RTCPeerConnection();
  pc.addTransceiver('video', { direction: 'recvonly' });
  const video = document.body.appendChild(document.createElement('video'));
  video.muted = true;
  pc.ontrack = ({ track }) => { video.srcObject = new MediaStream([track]); void video.play(); };
  const commands = pc.createDataChannel('commands');
  const state = { video, answers: [] };
  commands.binaryType = 'arraybuffer';
  commands.onmessage = ({ data }) => {
    if (typeof data === 'string') state.answers.push(data);
    else commands.send(new TextEncoder().encode('\\0PONG'));
  };
  commands.onopen = () => commands.send(JSON.stringify({ cmd: 'select', quality }));
  await pc.setLocalDescription();
  const response = await fetch('/whep/' + source + '/raw', { method: 'POST', headers: { 'content-type': 'application/sdp' }, body: pc.localDescription.sdp });
  if (!response.ok) throw new Error(await response.text());
  await pc.setRemoteDescription({ type: 'answer', sdp: await response.text() });
  (window.viewers ??= []).push(state);
}`;

describe('a simulcast in Chromium', { skip: noChromium, timeout: 180_000 }, () => {
  let folder: Folder;
  let server: ServerProcess;
  let browser: ChromiumHarness;

  before(async () => {
    folder = await temporaryFolder();
    server = await startServerProcess({ UPLOAD_DIR: folder.videos, MODEL: 'none' });
    browser = await ChromiumHarness.shared();
  });
  after(async () => {
    await browser.close();
    await server.close();
    await folder.remove();
  });

  it('gives each viewer the size that it selects, without an encoder', async (t) => {
    const publisher = await browser.open(`${server.url}/health`);
    t.after(() => publisher.close());
    await publisher.evaluate(`(${PUBLISH})('gate')`);
    interface Layer {
      readonly rid: string;
      readonly height: number | null;
      readonly fps: number;
    }
    const layers = async (): Promise<Layer[]> => {
      const { clients } = (await (await fetch(`${server.url}/connection-stats`)).json()) as {
        clients: { received?: { layers: Layer[] } }[];
      };
      return clients.find(({ received }) => received)?.received?.layers ?? [];
    };
    await eventually(
      async () => {
        const found = await layers();
        return found.length === 3 && found.every(({ fps }) => fps > 5);
      },
      40_000,
      'three layers',
    );
    const viewers = await browser.open(`${server.url}/health`);
    t.after(() => viewers.close());
    for (const quality of ['source', '360p', '180p']) await viewers.evaluate(`(${WATCH})('gate', '${quality}')`);
    let seen = '';
    await eventually(
      async () => {
        // A browser that is short of cores ends its largest layer for a while.
        const best = Math.max(...(await layers()).flatMap(({ fps, height }) => (fps > 0 && height !== null ? [height] : [])));
        const heights = await viewers.evaluate<number[]>('viewers.map(({ video }) => video.videoHeight)');
        seen = `${heights.join()} of a publisher whose largest layer is ${best}`;
        return best >= 360 && heights.join() === [best, 360, 180].join();
      },
      40_000,
      'the sizes that were selected',
    ).catch((error: unknown) => assert.fail(`${String(error)}: ${seen}`));
    const { resources } = (await (await fetch(`${server.url}/health`)).json()) as { resources: { child_processes: number } };
    assert.equal(resources.child_processes, 0);
  });
});
