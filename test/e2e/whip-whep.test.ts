/** WHEP and WHIP in a real browser, by the numbers of docs/whip-whep.md. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { projectRoot } from '../helpers/assets.js';
import { ChromiumHarness, noChromium, type StatsEntry } from '../helpers/chromium.js';
import { eventually } from '../helpers/deadline.js';
import { startServerProcess, type ServerProcess } from '../helpers/server-process.js';
import { makePassthroughClip, temporaryFolder, type Folder } from './fixtures.js';

/** What browser-wish.js says of an opened session. */
interface Opened {
  readonly id: number;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | null>>;
  readonly answer: string;
}

interface State {
  readonly connectionState: string;
  readonly frames: number;
  /** Statuses of the PATCHes that trickled. */
  readonly patches: readonly number[];
  readonly states: readonly string[];
  /** MediaStream ids of the tracks. */
  readonly streams: readonly string[];
  readonly session: string;
}

interface Picture {
  readonly width: number;
  readonly height: number;
  readonly hash: number;
  /** Sum of all bytes of a 64×36 version. */
  readonly bright: number;
}

/** A page with browser-wish.js. */
class WishPage {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  static async open(browser: ChromiumHarness, serverUrl: string): Promise<WishPage> {
    // No script of its own, and no policy that keeps others out. Chromium lets only a page that really came from this machine talk to it.
    const page = await browser.open(`${serverUrl}/health`);
    await page.addScriptTag({ path: path.join(projectRoot, 'test/helpers/browser-wish.js') });
    return new WishPage(page);
  }

  call<T>(name: string, ...args: readonly unknown[]): Promise<T> {
    return this.page.evaluate(`sightlineWish.${name}(...${JSON.stringify(args)})`);
  }

  state(id: number): Promise<State> {
    return this.call('state', id);
  }

  /** Waits for `count` more pictures. */
  async frames(id: number, count: number, ms = 10_000): Promise<State> {
    const { frames } = await this.state(id);
    return eventually(
      async () => {
        const state = await this.state(id);
        return state.frames >= frames + count ? state : undefined;
      },
      ms,
      `${count} more pictures`,
    );
  }
}

describe('WHEP and WHIP in Chromium', { skip: noChromium, timeout: 180_000 }, () => {
  let folder: Folder;
  let server: ServerProcess;
  let browser: ChromiumHarness;
  let page: WishPage;

  before(async () => {
    folder = await temporaryFolder();
    await makePassthroughClip(path.join(folder.videos, 'clip.mp4'));
    server = await startServerProcess({
      UPLOAD_DIR: folder.videos,
      MODEL: 'none',
      IDLE_GRACE: '1000',
      WHIP_STRICT: 'on',
      ALLOW_ANONYMOUS: 'watch',
      PUBLISH_TOKENS: 'gate-H264=EvTbEeyPfVxEdAyh,gate-VP8=EvTbEeyPfVxEdAyh,yard=EvTbEeyPfVxEdAyh',
    });
    browser = await ChromiumHarness.shared();
    page = await WishPage.open(browser, server.url);
  });

  after(async () => {
    await browser.close();
    assert.equal(await server.close(), 0, `the server ended well:\n${server.log.slice(-20).join('\n')}`);
    await folder.remove();
  });

  const watch = async (name: string, options: object = {}): Promise<Opened> => {
    const opened = await page.call<Opened>('watch', `/whep/${name}`, options);
    assert.equal(opened.status, 201, opened.answer);
    return opened;
  };

  it('rules 1, 13 and 18: a player offers at once, trickles by PATCH with If-Match and sees one MediaStream', async () => {
    const { id, headers } = await watch('clip', { audio: true });
    assert.equal(headers['content-type'], 'application/sdp');
    assert.match(headers['location'] ?? '', /^\/sessions\/[A-Za-z0-9_-]{24}$/);
    const { streams, patches } = await page.frames(id, 10);
    assert.equal(new Set(streams).size, 1);
    assert.ok(patches.length > 0 && patches.every((status) => status === 204), `trickled: ${patches.join(', ')}`);
    assert.equal(await page.call('leave', id), 200);
  });

  it('rule 19: an ICE restart by PATCH keeps the session, the picture and the connection', async () => {
    const { id } = await watch('clip');
    await page.frames(id, 10);
    const selected = async (): Promise<StatsEntry | undefined> => {
      const entries = await page.call<StatsEntry[]>('stats', id);
      const transport = entries.find(({ type }) => type === 'transport');
      return entries.find((entry) => entry.id === transport?.['selectedCandidatePairId']);
    };
    const before = await selected();
    for (let i = 0; i < 2; i++) {
      const restart = await page.call<{ status: number; before: string; after: string; body: string }>('restart', id);
      assert.equal(restart.status, 200, restart.body);
      assert.notEqual(restart.before, restart.after);
      await page.frames(id, 30);
    }
    const after = await eventually(
      async () => {
        const pair = await selected();
        return pair && pair.id !== before?.id ? pair : undefined;
      },
      5000,
      'another pair of candidates',
    );
    assert.equal(after['state'], 'succeeded');
    const { states, patches } = await page.state(id);
    assert.ok(!states.includes('failed') && !states.includes('closed'), states.join(', '));
    assert.ok(
      patches.every((status) => status === 204),
      patches.join(', '),
    );
    assert.equal(await page.call('leave', id), 200);
  });

  it('rule 3: a page of another origin watches, trickles, restarts ICE and leaves', async () => {
    const elsewhere = await WishPage.open(browser, server.url.replace('127.0.0.1', 'localhost'));
    const opened = await elsewhere.call<Opened>('watch', `${server.url}/whep/clip`);
    assert.equal(opened.status, 201, opened.answer);
    for (const name of ['location', 'etag', 'accept-patch']) assert.ok(opened.headers[name], `the page may read ${name}`);
    const { patches, session } = await elsewhere.frames(opened.id, 5);
    assert.ok(session.startsWith(server.url));
    assert.ok(patches.length > 0 && patches.every((status) => status === 204), patches.join(', '));
    assert.equal((await elsewhere.call<{ status: number }>('restart', opened.id)).status, 200);
    assert.equal(await elsewhere.call('leave', opened.id), 200);
    await elsewhere.page.context().close();
  });

  for (const codec of ['H264', 'VP8'] as const) {
    it(`rules 1, 8 and 12: a camera publishes ${codec} with the token of the room, and players of it see it move`, async () => {
      const refused = await page.call<Opened>('publish', `/whip/gate-${codec}`, { codec });
      assert.equal(refused.status, 401);
      const camera = await page.call<Opened>('publish', `/whip/gate-${codec}`, { token: 'EvTbEeyPfVxEdAyh', codec });
      assert.equal(camera.status, 201, camera.answer);
      assert.equal((camera.answer.match(/^a=recvonly\r$/gm) ?? []).length, 2);
      assert.equal((camera.answer.match(/^a=rtcp-mux-only\r$/gm) ?? []).length, 2);
      const player = await eventually(
        async () => {
          const opened = await page.call<Opened>('watch', `/whep/gate-${codec}/raw`, { audio: true });
          return opened.status === 201 ? opened : undefined;
        },
        10_000,
        'the room to be live',
      );
      await page.frames(player.id, 30);
      assert.ok((await page.state(camera.id)).patches.every((status) => status === 204));
      const { width, height, hash, bright } = await page.call<Picture>('picture', player.id);
      // Chromium sends smaller pictures of the same shape where it has little time.
      assert.ok(width > 0 && width <= 640 && Math.abs(width / height - 640 / 360) < 0.03, `${width}x${height}`);
      assert.ok(bright > 64 * 36 * 30, 'the picture is not black');
      await eventually(async () => (await page.call<Picture>('picture', player.id)).hash !== hash, 5000, 'the picture to move');
      const inbound = (await page.call<StatsEntry[]>('stats', player.id)).filter(({ type }) => type === 'inbound-rtp');
      assert.deepEqual(inbound.map(({ kind }) => kind).sort(), ['audio', 'video']);
      assert.ok(inbound.every(({ bytesReceived }) => Number(bytesReceived) > 0));
      const used = inbound.find(({ kind }) => kind === 'video')?.['codecId'];
      assert.equal(
        (await page.call<StatsEntry[]>('stats', player.id)).find((entry) => entry.id === used)?.['mimeType'],
        `video/${codec}`,
        'forwarded as it came',
      );

      // The camera changes its network: the room goes on.
      const restart = await page.call<{ status: number; body: string }>('restart', camera.id);
      assert.equal(restart.status, 200, restart.body);
      await page.frames(player.id, 60);
      for (const { id } of [player, camera]) {
        const { session } = await page.state(id);
        assert.equal(await page.call('leave', id), 200);
        await eventually(async () => (await fetch(session)).status === 404, 5000, 'the session to end');
      }
    });
  }

  it('rule 5: a room that nobody publishes to is 409 with Retry-After', async () => {
    const opened = await page.call<Opened>('watch', '/whep/yard');
    assert.equal(opened.status, 409, opened.answer);
    assert.ok(Number(opened.headers['retry-after']) > 0);
  });

  it('rule 16: a tab that closes its connection ends the session', async () => {
    const { id } = await watch('clip');
    const { session } = await page.frames(id, 5);
    assert.equal((await fetch(session)).status, 204);
    await page.call('close', id);
    await eventually(async () => (await fetch(session)).status === 404, 5000, 'the session to end');
  });
});
