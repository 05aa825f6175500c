/** A page that receives no RTP at all: pictures come on a data channel, and it asks for another source on the same connection. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { ChromiumHarness, noChromium } from '../helpers/chromium.js';
import { copyVideo } from '../helpers/make-video.js';
import { startServerProcess, type ServerProcess } from '../helpers/server-process.js';
import { makePassthroughClip, temporaryFolder, type Folder } from './fixtures.js';

interface Drawn {
  readonly width: number;
  readonly height: number;
  readonly frames: readonly number[];
  readonly png: string;
}

/** Runs in the page. */
const JOIN = `async (source) => {
  const pc = new RTCPeerConnection();
  const video = pc.createDataChannel('video');
  const commands = pc.createDataChannel('commands');
  video.binaryType = commands.binaryType = 'arraybuffer';
  const state = { pc, video, commands, pictures: [], answers: [] };
  video.onmessage = ({ data }) => {
    const view = new DataView(data);
    if (new TextDecoder().decode(data.slice(0, 4)) !== 'SLV1' || view.getUint32(12) !== data.byteLength - 16) throw new Error('no picture');
    state.pictures.push({ frame: view.getUint32(4), jpeg: new Blob([data.slice(16)], { type: 'image/jpeg' }) });
  };
  commands.onmessage = ({ data }) => typeof data === 'string' && state.answers.push(JSON.parse(data));
  await pc.setLocalDescription();
  const response = await fetch('/offer', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ sdp: pc.localDescription.sdp, type: 'offer', source }) });
  await pc.setRemoteDescription(await response.json());
  window.viewing = state;
}`;
const DRAW = `async (count) => {
  const { pictures } = window.viewing;
  const first = pictures.length;
  const end = performance.now() + 20000;
  while (pictures.length < first + count) {
    if (performance.now() > end) throw new Error('only ' + (pictures.length - first) + ' pictures came');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const bitmap = await createImageBitmap(pictures.at(-1).jpeg);
  const canvas = document.createElement('canvas');
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  canvas.getContext('2d').drawImage(bitmap, 0, 0);
  return { width: bitmap.width, height: bitmap.height, frames: pictures.slice(first).map(({ frame }) => frame), png: canvas.toDataURL('image/png').split(',')[1] };
}`;
const COMMAND = `async (command) => {
  const { commands, answers } = window.viewing;
  if (commands.readyState !== 'open') await new Promise((resolve) => (commands.onopen = resolve));
  const before = answers.length;
  commands.send(JSON.stringify(command));
  const end = performance.now() + 10000;
  while (answers.length === before) {
    if (performance.now() > end) throw new Error('no answer');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return answers.at(-1);
}`;

const call = <T>(page: Page, code: string, argument: unknown): Promise<T> => page.evaluate(`(${code})(${JSON.stringify(argument)})`);

describe('pictures on a data channel in Chromium', { skip: noChromium, timeout: 90_000 }, () => {
  let folder: Folder;
  let server: ServerProcess;
  let browser: ChromiumHarness;

  before(async () => {
    folder = await temporaryFolder();
    await makePassthroughClip(path.join(folder.videos, 'clip.mp4'));
    copyVideo('grey.mp4', folder.videos);
    server = await startServerProcess({ UPLOAD_DIR: folder.videos, MODEL: 'none', IDLE_GRACE: '500' });
    browser = await ChromiumHarness.shared();
  });

  after(async () => {
    await browser.close();
    assert.equal(await server.close(), 0, `the server ended well:\n${server.log.slice(-20).join('\n')}`);
    await folder.remove();
  });

  it('are drawn by a page without an RTP track, ascend, and are those of the other source after select', async () => {
    const { page } = await browser.viewerPage(server.url);
    await call(page, JOIN, 'clip');
    const colourful = await call<Drawn>(page, DRAW, 5);
    colourful.frames.forEach((frame, i) => assert.ok(i === 0 || frame > (colourful.frames[i - 1] ?? 0), `frame ${frame}`));
    assert.ok(colourful.width <= 640 && colourful.height > 100, `${colourful.width}x${colourful.height}`);
    const seen = await sharp(Buffer.from(colourful.png, 'base64')).stats();
    assert.ok(Math.max(...seen.channels.slice(0, 3).map(({ stdev }) => stdev)) > 20, 'a picture with something in it');
    assert.deepEqual(await call(page, COMMAND, { cmd: 'select', source: 'grey' }), { ok: true, cmd: 'select', source: 'grey', tracks: [] });
    const grey = await call<Drawn>(page, DRAW, 3);
    assert.deepEqual([grey.width, grey.height], [320, 180]);
    const { channels } = await sharp(Buffer.from(grey.png, 'base64')).stats();
    for (const { mean, stdev } of channels.slice(0, 3)) assert.ok(Math.abs(mean - 128) < 8 && stdev < 4, `grey: ${mean}`);
    const stats = (await (await fetch(new URL('/connection-stats', server.url))).json()) as {
      readonly clients: readonly { readonly source: string; readonly pictures_sent: number; readonly last_activity_at: number | null }[];
    };
    assert.equal(stats.clients[0]?.source, 'grey');
    assert.ok(stats.clients[0].pictures_sent >= 8 && stats.clients[0].last_activity_at !== null);
    await page.context().close();
  });
});
