/** Server and browser at the two ends of a cable that can be pulled: a page that watches by the client library, and notes every picture. */
import type { Page } from 'playwright-core';
import { ChromiumHarness, chromiumPath } from './chromium.js';
import { eventually } from './deadline.js';
import { Namespaces, SERVER_ADDRESS } from './namespaces.js';
import { startServerProcess, type ServerProcess } from './server-process.js';

const PORT = 8077;

/** What the page has seen so far. Times are Unix ms. */
export interface Seen {
  /** When each picture was presented. */
  readonly frames: readonly number[];
  /** Every state, in order. */
  readonly states: readonly { readonly at: number; readonly state: string; readonly code: string | undefined }[];
  /** Session URLs, in the order in which they were opened. */
  readonly sessions: readonly string[];
  /** Methods of the requests about sessions, those that only announce candidates left out. */
  readonly requests: readonly string[];
}

export class Cable {
  readonly namespaces: Namespaces;
  readonly #variables: Readonly<Record<string, string>>;
  #server: ServerProcess | undefined;
  #browser: ChromiumHarness | undefined;

  private constructor(namespaces: Namespaces, variables: Readonly<Record<string, string>>) {
    this.namespaces = namespaces;
    this.#variables = {
      HOST: SERVER_ADDRESS,
      PORT: String(PORT),
      ICE_ADDRESSES: SERVER_ADDRESS,
      ALLOW_ANONYMOUS: 'all',
      ...variables,
    };
  }

  static async open(variables: Readonly<Record<string, string>>): Promise<Cable> {
    const cable = new Cable(new Namespaces(), variables);
    try {
      await cable.startServer();
      const origin = `http://${SERVER_ADDRESS}:${PORT}`;
      const flags = [
        `--unsafely-treat-insecure-origin-as-secure=${origin}`,
        '--use-fake-device-for-media-stream',
        '--use-fake-ui-for-media-stream',
      ];
      cable.#browser = await ChromiumHarness.launch(flags, cable.namespaces.wrapper(cable.namespaces.client, chromiumPath() ?? 'chromium'));
      return cable;
    } catch (error) {
      await cable.close();
      throw error;
    }
  }

  async startServer(): Promise<void> {
    this.#server = await startServerProcess(this.#variables, this.namespaces.server);
  }

  get log(): readonly string[] {
    return this.#server?.log ?? [];
  }

  async stopServer(): Promise<void> {
    await this.#server?.close();
    this.#server = undefined;
  }

  /** An empty page on the server's origin with the client library in `sightline`. */
  async page(): Promise<Page> {
    if (!this.#browser) throw new Error('the cable is closed');
    const { page } = await this.#browser.viewerPage(`http://${SERVER_ADDRESS}:${PORT}`);
    await page.evaluate(`(async () => {
      globalThis.sightline = await import('/sightline.js');
      globalThis.seen = { frames: [], states: [], sessions: [], requests: [] };
      const plainFetch = globalThis.fetch.bind(globalThis);
      globalThis.fetch = async (...args) => {
        const [url, { method = 'GET', body = '' } = {}] = args;
        if (/\\/(offer|whip|sessions)\\b/.test(url) && !/candidate/.test(method === 'PATCH' ? body : '')) seen.requests.push(method);
        const response = await plainFetch(...args);
        const opened = response.headers.get('location') ?? (method === 'POST' ? (await response.clone().json().catch(() => ({}))).session_url : undefined);
        if (opened) seen.sessions.push(opened);
        return response;
      };
    })()`);
    return page;
  }

  /** Watches a source in the page; resolves once it plays. */
  async watch(page: Page, source: string): Promise<void> {
    await page.evaluate(`(() => {
      const video = document.createElement('video');
      video.muted = video.autoplay = video.playsInline = true;
      document.body.append(video);
      const note = () => { seen.frames.push(Date.now()); video.requestVideoFrameCallback(note); };
      video.requestVideoFrameCallback(note);
      globalThis.watching = sightline.watch({ source: ${JSON.stringify(source)}, video, onState: ({ state, reason }) => seen.states.push({ at: Date.now(), state, code: reason?.code }) });
    })()`);
    await eventually(async () => (await this.seen(page)).frames.length > 30, 20_000, 'the picture to play');
  }

  /** Publishes the fake camera in the page. */
  async publish(page: Page, room: string): Promise<void> {
    await page.evaluate(`(async () => {
      const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 1280, height: 720, frameRate: 30 } });
      globalThis.publishing = sightline.publish({ stream, room: ${JSON.stringify(room)}, onState: ({ state, reason }) => seen.states.push({ at: Date.now(), state, code: reason?.code }) });
    })()`);
  }

  seen(page: Page): Promise<Seen> {
    return page.evaluate('seen');
  }

  /** When the first picture after that moment was presented, Unix ms. */
  async firstFrameAfter(page: Page, atMs: number, withinMs: number): Promise<number> {
    return eventually(async () => (await this.seen(page)).frames.find((frame) => frame > atMs), withinMs, 'the picture to be back');
  }

  async close(): Promise<void> {
    await this.#browser?.close();
    await this.stopServer();
    this.namespaces.close();
  }
}
