/** A camera and its viewers in one room over `/ws`, in a real browser. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { projectRoot } from '../helpers/assets.js';
import { ChromiumHarness, noChromium, type StatsEntry } from '../helpers/chromium.js';
import { eventually } from '../helpers/deadline.js';
import { startServerProcess, type ServerProcess } from '../helpers/server-process.js';
import { temporaryFolder, type Folder } from './fixtures.js';

type Message = Readonly<Record<string, unknown>>;

/** What browser-rooms.js says of a client. */
interface State {
  readonly connectionState?: string;
  readonly iceUfrag?: string;
  readonly frames: number;
  readonly states: readonly string[];
  readonly messages: readonly Message[];
  readonly clientId: string;
}

describe('a room in Chromium', { skip: noChromium, timeout: 120_000 }, () => {
  let folder: Folder;
  let server: ServerProcess;
  let browser: ChromiumHarness;
  let page: Page;

  before(async () => {
    folder = await temporaryFolder();
    server = await startServerProcess({
      UPLOAD_DIR: folder.videos,
      MODEL: 'none',
      IDLE_GRACE: '1000',
      ALLOW_ANONYMOUS: 'watch',
      PUBLISH_TOKENS: 'gate=EvTbEeyPfVxEdAyh',
    });
    browser = await ChromiumHarness.shared();
    // No script of its own, and no policy that keeps others out.
    page = await browser.open(`${server.url}/health`);
    await page.addScriptTag({ path: path.join(projectRoot, 'test/helpers/browser-rooms.js') });
  });

  after(async () => {
    await browser.close();
    assert.equal(await server.close(), 0, `the server ended well:\n${server.log.slice(-20).join('\n')}`);
    await folder.remove();
  });

  const call = <T>(name: string, ...args: readonly unknown[]): Promise<T> =>
    page.evaluate(`sightlineRooms.${name}(...${JSON.stringify(args)})`);
  const state = (id: number): Promise<State> => call('state', id);
  const until = (id: number, condition: (state: State) => boolean, what: string, ms = 10_000): Promise<State> =>
    eventually(
      async () => {
        const now = await state(id);
        return condition(now) ? now : undefined;
      },
      ms,
      what,
    );
  const frames = async (id: number, count: number): Promise<State> => {
    const { frames: before } = await state(id);
    return until(id, (now) => now.frames >= before + count, `${count} more pictures`);
  };
  const troubles = (messages: readonly Message[]): Message[] => messages.filter(({ type }) => type === 'trouble' || type === 'error');

  it('shows a camera to who came before it, through ICE restarts of both sides and lost sockets, on one connection each', async () => {
    const viewer = await call<number>('watch', 'gate');
    assert.equal((await state(viewer)).messages[0]?.['state'], 'empty');
    await assert.rejects(call('publish', 'gate', { token: 'wrong' }), /UNAUTHORIZED/);
    const publisher = await call<number>('publish', 'gate', { token: 'EvTbEeyPfVxEdAyh' });
    await frames(viewer, 30);
    const inbound = (await call<StatsEntry[]>('stats', viewer)).filter(({ type }) => type === 'inbound-rtp').map(({ kind }) => kind);
    assert.deepEqual(inbound.sort(), ['audio', 'video']);

    const before = await state(viewer);
    await call('say', viewer, { type: 'restart' });
    await until(viewer, ({ iceUfrag }) => iceUfrag !== before.iceUfrag, 'another offer');
    await frames(viewer, 30);

    const publishing = await state(publisher);
    await call('say', publisher, { type: 'restart' });
    await until(publisher, ({ iceUfrag }) => iceUfrag !== publishing.iceUfrag, 'another answer');
    await frames(viewer, 30);

    await call('drop', publisher, 500);
    await call('drop', viewer, 500);
    await frames(viewer, 30);
    for (const id of [viewer, publisher]) {
      const { messages, states, clientId } = await state(id);
      assert.deepEqual(
        messages.filter(({ type }) => type === 'joined').map(({ resumed, client_id: name }) => [resumed, name]),
        [
          [false, clientId],
          [true, clientId],
        ],
      );
      assert.deepEqual(troubles(messages), []);
      assert.ok(
        !states.includes('closed') && !states.includes('failed') && states.filter((name) => name === 'connected').length === 1,
        states.join(', '),
      );
    }

    await call('say', viewer, { type: 'reconnect_request', reason: 'dead picture' });
    await until(
      publisher,
      ({ messages }) => messages.some(({ command, reason }) => command === 'reconnect' && reason === 'dead picture'),
      'the command',
    );
    await call('say', publisher, { type: 'leave' });
    await until(viewer, ({ messages }) => messages.at(-1)?.['state'] === 'empty', 'the room to be empty');
    await call('close', publisher);
    const next = await call<number>('publish', 'gate', { token: 'EvTbEeyPfVxEdAyh' });
    await frames(viewer, 30);
    await call('close', viewer);
    await call('close', next);
  });
});
