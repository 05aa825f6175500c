/** The client library in Chromium: cables are pulled and networks go silent, in namespaces of the test's own: the picture comes back by itself. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import path from 'node:path';
import '../helpers/alone.js';
import { Cable } from '../helpers/cable.js';
import { noChromium } from '../helpers/chromium.js';
import { eventually } from '../helpers/deadline.js';
import { noNamespaces } from '../helpers/namespaces.js';
import { makePassthroughClip, temporaryFolder, type Folder } from './fixtures.js';

describe('a network that fails', { skip: noChromium || noNamespaces, timeout: 180_000 }, () => {
  let folder: Folder;
  let cable: Cable;

  before(async () => {
    folder = await temporaryFolder();
    await makePassthroughClip(path.join(folder.videos, 'clip.mp4'));
    cable = await Cable.open({ UPLOAD_DIR: folder.videos, MODEL: 'none' });
  });

  after(async () => {
    await cable.close();
    await folder.remove();
  });

  it('comes back in the same session after 2 s of silence', async () => {
    const page = await cable.page();
    await cable.watch(page, 'clip');
    cable.namespaces.block();
    await wait(2000);
    cable.namespaces.unblock();
    await cable.firstFrameAfter(page, Date.now(), 10_000);
    const { sessions, requests } = await cable.seen(page);
    assert.equal(sessions.length, 1, 'no other session was opened');
    assert.deepEqual(requests, ['POST'], 'nothing had to be asked');
    await page.context().close();
  });

  // A browser gives a pair of candidates up 15 s after its last answer, which is up to 2.5 s older than the cut: before that the
  // same session must come back.
  it('comes back after 11 s of silence in the same session', async () => {
    const page = await cable.page();
    await cable.watch(page, 'clip');
    cable.namespaces.block();
    await wait(11_000);
    cable.namespaces.unblock();
    await cable.firstFrameAfter(page, Date.now() + 200, 20_000);
    const { sessions, states } = await cable.seen(page);
    assert.equal(sessions.length, 1, `no other session was opened; states: ${JSON.stringify(states)}`);
    assert.ok(
      states.some(({ state }) => state === 'recovering'),
      `the viewer was told: ${JSON.stringify(states)}`,
    );
    await page.context().close();
  });

  for (const seconds of [2, 4]) {
    it(`restarts ICE in the same session when the cable is plugged in again after ${seconds} s`, async () => {
      const page = await cable.page();
      await cable.watch(page, 'clip');
      cable.namespaces.pull();
      await wait(seconds * 1000);
      cable.namespaces.plug();
      await eventually(async () => (await cable.seen(page)).requests.includes('PATCH'), 20_000, 'an ICE restart');
      await cable.firstFrameAfter(page, Date.now() + 200, 20_000);
      assert.equal((await cable.seen(page)).sessions.length, 1, 'no other session was opened');
      await page.context().close();
    });
  }

  it('comes back after the server was started again', async () => {
    const page = await cable.page();
    await cable.watch(page, 'clip');
    await cable.stopServer();
    await cable.startServer();
    await cable.firstFrameAfter(page, Date.now(), 30_000);
    assert.equal((await cable.seen(page)).sessions.length, 2);
    await page.context().close();
  });
});
