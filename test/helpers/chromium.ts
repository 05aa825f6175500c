/**
 * A real browser for tests and benches: headless Chromium that joins through POST /offer and tells what it
 * sees. Every launch has its own fresh profile, and in a shared one every page; `close` leaves nothing behind.
 */
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { chromium, type Browser, type BrowserContextOptions, type BrowserServer, type Page } from 'playwright-core';
import { projectRoot } from './assets.js';
import { eventually, within } from './deadline.js';

/** Chromium's path: `CHROMIUM_PATH`, /usr/bin/chromium, or `chromium` on PATH; undefined where there is none. */
export function chromiumPath(): string | undefined {
  const onPath = (process.env['PATH'] ?? '')
    .split(path.delimiter)
    .flatMap((folder) => ['chromium', 'chromium-browser', 'google-chrome'].map((name) => path.join(folder, name)));
  return [process.env['CHROMIUM_PATH'], '/usr/bin/chromium', ...onPath].find(
    (file) => file !== undefined && file !== '' && isExecutable(file),
  );
}

/** For a test's `skip`: false when there is a browser, else the reason. */
export const noChromium: string | false = chromiumPath() === undefined ? 'no Chromium found: set CHROMIUM_PATH' : false;

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--allow-loopback-in-peer-connection',
  '--autoplay-policy=no-user-gesture-required',
  '--disable-features=WebRtcHideLocalIpsWithMdns',
];

/** A camera with a moving pattern and a microphone with a beep, which no page has to ask for. */
const FAKE_CAMERA_FLAGS = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];

/** Where the browser that a run of many test files shares is to be found: a WebSocket address, in the environment. */
const SHARED = 'TEST_BROWSER';

/** Starts a browser for many test files, and the variables of the environment by which they find it. */
export async function launchSharedChromium(): Promise<{ readonly browser: BrowserServer; readonly env: Readonly<Record<string, string>> }> {
  const browser = await chromium.launchServer({
    ...launchOptions(FAKE_CAMERA_FLAGS),
    host: '127.0.0.1',
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
  });
  return { browser, env: { [SHARED]: browser.wsEndpoint() } };
}

/** @throws Error when no Chromium is found */
function launchOptions(flags: readonly string[], executablePath = chromiumPath()) {
  if (executablePath === undefined) throw new Error('no Chromium found: install it or set CHROMIUM_PATH');
  return { executablePath, args: [...FLAGS, ...flags], timeout: 30_000 };
}

/** What a viewer in the page joins with. */
export interface JoinOptions {
  /** Receiving video m-lines. Default 1. */
  readonly video?: number;
  /** One receiving audio m-line. Default false. */
  readonly audio?: boolean;
  /** The channel of commands. Default false. */
  readonly dataChannel?: boolean;
  /** The channel of detections; every message is kept. Default false. */
  readonly detections?: boolean;
  /** Keeps the number of every shown picture of a numbered clip. Default false. */
  readonly numbers?: boolean;
  /** Makes `requestKeyframe` possible; encoded pictures take a way through a worker then. Default false. */
  readonly keyframeRequests?: boolean;
  /** The only video codec that is offered. Default: all the browser has. */
  readonly codec?: 'H264' | 'VP8';
  /** Posts the offer only when all candidates are gathered. Default false. */
  readonly waitForCandidates?: boolean;
  /** Keeps the pixels of the first picture of each m-line; costs some 10 ms at 720p. Default true. */
  readonly keepFirstPicture?: boolean;
  /** Of the peer connection. */
  readonly configuration?: {
    readonly iceServers?: readonly {
      readonly urls: string | readonly string[];
      readonly username?: string;
      readonly credential?: string;
    }[];
    readonly iceTransportPolicy?: 'all' | 'relay';
  };
  /** `candidate:...`, in place of those of the offer. */
  readonly offerCandidates?: readonly string[];
  /** A regular expression: the candidates of the answer that are taken. Default: all. */
  readonly answerCandidates?: string;
  /** Members of the request beside `sdp` and `type`. */
  readonly body?: Readonly<Record<string, unknown>>;
}

/** RGBA pixels as shown. */
export interface Picture {
  readonly widthPx: number;
  readonly heightPx: number;
  /** 4 bytes a pixel. */
  readonly rgba: Buffer;
}

/** Moments on the page's `performance.now()`, in ms. */
export interface ViewerState {
  readonly connectionState: string;
  readonly times: Readonly<
    Partial<Record<'posted' | 'answered' | 'connecting' | 'connected' | 'disconnected' | 'failed' | 'closed', number>>
  >;
  /** Presented pictures by video m-line. */
  readonly frames: readonly number[];
  /** The first presented picture by video m-line. */
  readonly firstFrame: readonly (
    { readonly now: number; readonly rtpTimestamp?: number; readonly width: number; readonly height: number } | null | undefined
  )[];
}

/** One picture as it was presented. */
export interface PresentedFrame {
  readonly now: number;
  readonly rtpTimestamp?: number;
  /** Equal for equal pictures. */
  readonly hash: number;
}

/** A picture of a numbered clip as it was shown. */
export interface NumberedFrame {
  /** When its callback ran. */
  readonly now: number;
  /** When the browser meant to show it. */
  readonly displayAt: number;
  /** Of the picture that the number was read from. */
  readonly rtpTimestamp: number;
  /** Null where the number is damaged, undefined while it is being read. */
  readonly number?: number | null;
  /** The callback came when the next picture was shown already. */
  readonly isLate: boolean;
  /** Pictures shown so far; a gap is a picture that had no callback. */
  readonly presentedFrames: number;
}

/** A message of the channel of detections. */
export interface ReceivedMessage {
  /** On the page's `performance.now()`. */
  readonly now: number;
  readonly text: string;
}

/** A message of the channel of commands that is no answer. */
export type ToldMessage = Readonly<Record<string, unknown>> & { readonly now: number; readonly type: string };

/** An entry of `RTCStatsReport`; which fields it has depends on its type. */
export type StatsEntry = Readonly<Record<string, string | number | boolean | undefined>> & { readonly type: string; readonly id: string };

/** A running browser. */
export class ChromiumHarness {
  readonly #browser: Browser;

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  /** Starts one, with further command line flags. @throws Error when no Chromium is found or it does not start. */
  static async launch(flags: readonly string[] = [], executablePath = chromiumPath()): Promise<ChromiumHarness> {
    return new ChromiumHarness(await chromium.launch(launchOptions(flags, executablePath)));
  }

  /** The one of the whole run, else one of its own: with a camera and a microphone. @throws Error as `launch` does */
  static async shared(): Promise<ChromiumHarness> {
    const address = process.env[SHARED];
    if (address === undefined || address === '') return ChromiumHarness.launch(FAKE_CAMERA_FLAGS);
    return new ChromiumHarness(await chromium.connect(address, { timeout: 30_000 }));
  }

  /** A page at `url`, in a browser context of its own. */
  async open(url: string, options: BrowserContextOptions = {}): Promise<Page> {
    const page = await this.#browser.newPage(options);
    await page.goto(url);
    return page;
  }

  /** An empty page on the server's origin, ready for `join`. */
  async viewerPage(serverUrl: string): Promise<ViewerPage> {
    const page = await this.#browser.newPage({ viewport: { width: 1000, height: 800 } });
    const blank = new URL('/blank-page-of-the-test', serverUrl).href;
    await page.route(blank, (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>viewer</title>' }));
    await page.addInitScript({ path: path.join(projectRoot, 'test/helpers/browser-viewer.js') });
    await page.goto(blank);
    return new ViewerPage(page);
  }

  /** Ends the browser with all its pages and processes; of a shared one, the pages. */
  async close(): Promise<void> {
    await this.#browser.close();
  }
}

/** A page that holds any number of viewers. */
export class ViewerPage {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  /** Posts an offer and applies the answer. Does not wait for the connection. */
  async join(options: JoinOptions = {}): Promise<BrowserViewer> {
    const { id, status, answer } = await this.call<{ id: number; status: number; answer: Record<string, unknown> }>('join', options);
    return new BrowserViewer(this, id, status, answer);
  }

  /** Calls a function of browser-viewer.js. */
  call<T>(name: string, ...args: readonly unknown[]): Promise<T> {
    // The function's name and arguments travel as JSON: the page's globals have no types here.
    return this.page.evaluate(`sightlineViewers.${name}(...${JSON.stringify(args)})`);
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }
}

/** One RTCPeerConnection in the page. */
export class BrowserViewer {
  readonly #page: ViewerPage;
  readonly #id: number;
  /** HTTP status of the answer. */
  readonly status: number;
  /** Its JSON. */
  readonly answer: Readonly<Record<string, unknown>>;

  constructor(page: ViewerPage, id: number, status: number, answer: Readonly<Record<string, unknown>>) {
    this.#page = page;
    this.#id = id;
    this.status = status;
    this.answer = answer;
  }

  state(): Promise<ViewerState> {
    return this.#page.call('state', this.#id);
  }

  /** Waits until `count` pictures of a video m-line have been presented. */
  frames(count: number, index = 0, ms = 10_000): Promise<ViewerState> {
    return eventually(
      async () => {
        const state = await this.state();
        return (state.frames[index] ?? 0) >= count ? state : undefined;
      },
      ms,
      `${count} pictures on video m-line ${index}`,
    );
  }

  /** The next `count` pictures as they are presented. */
  record(count: number, index = 0, ms = 10_000): Promise<readonly PresentedFrame[]> {
    return within(this.#page.call('record', this.#id, index, count), ms, `${count} more pictures`);
  }

  /** What is shown now. */
  async picture(index = 0): Promise<Picture> {
    return decode(await this.#page.call('picture', this.#id, index));
  }

  /** The first picture that was presented. */
  async firstPicture(index = 0): Promise<Picture> {
    return decode(await this.#page.call('firstPicture', this.#id, index));
  }

  /** What was shown so far, by video m-line; needs `numbers`. */
  numbers(): Promise<readonly (readonly NumberedFrame[])[]> {
    return this.#page.call('numbers', this.#id);
  }

  /** What came on the channel of detections so far. */
  messages(): Promise<readonly ReceivedMessage[]> {
    return this.#page.call('messages', this.#id);
  }

  /** What the server said on the channel of commands without being asked; needs `dataChannel`. */
  told(): Promise<readonly ToldMessage[]> {
    return this.#page.call('told', this.#id);
  }

  /** Sends a command and waits for its answer; needs `dataChannel`. */
  command(request: Readonly<Record<string, unknown>>, ms = 5000): Promise<Readonly<Record<string, unknown>>> {
    return within(this.#page.call('command', this.#id, request), ms, `the answer to ${JSON.stringify(request)}`);
  }

  /** Sends a Picture Loss Indication (RFC 4585 §6.3.1), as a decoder that lost a picture does; needs `keyframeRequests`. */
  requestKeyframe(index = 0): Promise<void> {
    return this.#page.call('requestKeyframe', this.#id, index);
  }

  stats(): Promise<readonly StatsEntry[]> {
    return this.#page.call('stats', this.#id);
  }

  leave(): Promise<void> {
    return this.#page.call('leave', this.#id);
  }
}

function decode(picture: { widthPx: number; heightPx: number; rgba: string }): Picture {
  return { ...picture, rgba: Buffer.from(picture.rgba, 'base64') };
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
