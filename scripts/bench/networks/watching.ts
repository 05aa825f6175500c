/** One real browser page that watches over an impaired path, and everything that is known of it: pictures, queue, the server's own words. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import type { ChromiumHarness } from '../../../test/helpers/chromium.js';
import { eventually } from '../../../test/helpers/deadline.js';
import { ImpairedPath } from '../../../test/helpers/network/impaired-path.js';
import type { LinkShape } from '../../../test/helpers/network/link.js';
import { SignallingProxy } from '../../../test/helpers/network/signalling-proxy.js';
import { joinPage } from './page.js';
import type { Picture, ServerSample, Span, Trace } from './trace.js';

/** How often the server is asked. */
const POLL_MS = 100;
const PATIENCE_MS = 20_000;

export interface WatchingInit {
  readonly browser: ChromiumHarness;
  /** Of the server, or of a peer's WHEP endpoint. */
  readonly url: string;
  readonly isPeer: boolean;
  readonly path: ImpairedPath;
}

/** Unix ms; the relay's clock counts from the start of this process. */
export const nowMs = (): number => performance.timeOrigin + performance.now();

/** Lets that much time pass. */
export async function during(ms: number): Promise<Span> {
  const fromMs = nowMs();
  await wait(ms);
  return { fromMs, toMs: nowMs() };
}

export class Watching {
  readonly path: ImpairedPath;
  readonly #proxy: SignallingProxy;
  readonly #page: Page;
  readonly #server: ServerSample[] = [];
  readonly #url: string;
  /** When its offer was sent, Unix ms. */
  readonly joinedMs: number;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #clientId: string;

  private constructor(init: WatchingInit, proxy: SignallingProxy, page: Page, joined: { atMs: number; clientId: string }) {
    this.path = init.path;
    this.#url = init.url;
    this.#proxy = proxy;
    this.#page = page;
    this.joinedMs = joined.atMs;
    this.#clientId = joined.clientId;
    if (!init.isPeer) this.#timer = setInterval(() => void this.#ask(), POLL_MS);
  }

  /** Joins and waits for the first picture. */
  static async open(init: WatchingInit): Promise<Watching> {
    const { browser, url, path, isPeer } = init;
    const proxy = await SignallingProxy.open(new URL(url).origin, path);
    const { page } = await browser.viewerPage(proxy.url);
    const endpoint = isPeer ? new URL(url).pathname : undefined;
    const joined: { atMs: number; clientId: string } = await page.evaluate(joinPage, endpoint);
    const watching = new Watching(init, proxy, page, joined);
    await eventually(async () => (await watching.pictures()).length > 0, PATIENCE_MS, 'the first picture');
    return watching;
  }

  /** Asks for a quality by command. @returns whether the server knows it */
  async fix(quality: string): Promise<boolean> {
    return this.#page.evaluate<boolean>(`select(${JSON.stringify(quality)})`);
  }

  pictures(): Promise<readonly Picture[]> {
    return this.#page.evaluate<Picture[]>('shown');
  }

  /** Of all video, so far. */
  bytesReceived(): Promise<number> {
    return this.#page.evaluate<number>('bytesReceived()');
  }

  /** What is known so far. */
  async trace(): Promise<Trace> {
    return {
      joinedMs: this.joinedMs,
      pictures: await this.pictures(),
      server: [...this.#server],
      queue: this.path.down.samples.map(({ atMs, ...sample }) => ({ ...sample, atMs: performance.timeOrigin + atMs })),
      dropped: this.path.down.dropped,
    };
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#page.context().close();
    await this.#proxy.close();
  }

  /** One that fails is left out. */
  async #ask(): Promise<void> {
    const response = await fetch(new URL('/connection-stats', this.#url)).catch(() => undefined);
    if (!response?.ok) return;
    const { clients } = (await response.json()) as { clients: readonly (ServerWords & { client_id: string })[] };
    const words = clients.find(({ client_id }) => client_id === this.#clientId);
    if (!words) return;
    const quality = typeof words.quality === 'object' ? words.quality?.['raw'] : words.quality;
    this.#server.push({
      atMs: nowMs(),
      quality: quality ?? undefined,
      estimateKbps: words.estimate_kbps ?? undefined,
      queueMs: words.queue_ms ?? undefined,
      switches: words.switches ?? 0,
      reason: words.switch_reason ?? undefined,
    });
  }
}

interface ServerWords {
  readonly quality?: string | Readonly<Record<string, string>> | null;
  readonly estimate_kbps?: number | null;
  readonly queue_ms?: number | null;
  readonly switches?: number;
  readonly switch_reason?: string | null;
}

/** What a case of the bench works with. */
export class Stage {
  readonly #init: Omit<WatchingInit, 'path'>;
  readonly #opened: { close(): Promise<void> | void }[] = [];

  constructor(init: Omit<WatchingInit, 'path'>) {
    this.#init = init;
  }

  get isPeer(): boolean {
    return this.#init.isPeer;
  }

  get browser(): ChromiumHarness {
    return this.#init.browser;
  }

  /** Of the server. */
  get url(): string {
    return this.#init.url;
  }

  path(down: LinkShape, up?: LinkShape, seed?: number): ImpairedPath {
    return this.keep(new ImpairedPath(down, up, seed));
  }

  async watch(path: ImpairedPath): Promise<Watching> {
    return this.keep(await Watching.open({ ...this.#init, path }));
  }

  /** Closes it at the end of the case. */
  keep<T extends { close(): Promise<void> | void }>(opened: T): T {
    this.#opened.push(opened);
    return opened;
  }

  async clear(): Promise<void> {
    for (const opened of this.#opened.splice(0).reverse()) await opened.close();
  }
}
