/** A real Firefox for tests: headless, with a profile of its own; `close` leaves nothing behind. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { within } from '../deadline.js';
import { BidiConnection } from './bidi.js';
import { FirefoxPage } from './page.js';
import { userPreferences } from './preferences.js';

export { FirefoxPage } from './page.js';

/** Firefox's path: `FIREFOX_PATH`, or `firefox-esr` or `firefox` on PATH; undefined where there is none. */
function firefoxPath(): string | undefined {
  const onPath = (process.env['PATH'] ?? '')
    .split(path.delimiter)
    .flatMap((folder) => ['firefox-esr', 'firefox'].map((name) => path.join(folder, name)));
  return [process.env['FIREFOX_PATH'], ...onPath].find((file) => file !== undefined && file !== '' && isExecutable(file));
}

/** For a test's `skip`: false when there is a Firefox, else the reason. */
export const noFirefox: string | false = firefoxPath() === undefined ? 'no Firefox found: install firefox-esr or set FIREFOX_PATH' : false;

/** A running browser. */
export class Firefox {
  readonly #child: ChildProcess;
  readonly #profile: string;
  readonly #connection: BidiConnection;

  private constructor(child: ChildProcess, profile: string, connection: BidiConnection) {
    this.#child = child;
    this.#profile = profile;
    this.#connection = connection;
  }

  /** @throws Error when no Firefox is found or it does not start */
  static async launch(): Promise<Firefox> {
    const executable = firefoxPath();
    if (executable === undefined) throw new Error('no Firefox found: install firefox-esr or set FIREFOX_PATH');
    const profile = mkdtempSync(path.join(os.tmpdir(), 'firefox-'));
    writeFileSync(path.join(profile, 'user.js'), userPreferences());
    const child = spawn(executable, ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port', '0', 'about:blank'], {
      // What it keeps beside the profile goes into it, too.
      env: { ...process.env, HOME: profile, MOZ_CRASHREPORTER_DISABLE: '1' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    try {
      const connection = await BidiConnection.open(await within(addressOf(child), 60_000, 'Firefox to start'));
      await connection.send('session.subscribe', { events: ['log.entryAdded', 'network.beforeRequestSent', 'network.responseCompleted'] });
      return new Firefox(child, profile, connection);
    } catch (error) {
      await end(child, profile);
      throw error;
    }
  }

  /** A page at `url`, in a container of its own: no cookies or storage are shared. */
  async open(url: string, options: { readonly widthPx?: number; readonly heightPx?: number } = {}): Promise<FirefoxPage> {
    const page = await FirefoxPage.create(this.#connection, options);
    await page.goto(url);
    return page;
  }

  /** An empty page on the server's origin. */
  async emptyPage(serverUrl: string): Promise<FirefoxPage> {
    const page = await FirefoxPage.create(this.#connection);
    await page.gotoEmpty(serverUrl);
    return page;
  }

  /** Ends the browser with all its pages and processes. */
  async close(): Promise<void> {
    const asked = this.#connection.send('browser.close', {}, 5000).catch(() => this.#child.kill('SIGKILL'));
    await end(this.#child, this.#profile, asked);
    await this.#connection.close();
  }
}

/** The WebSocket address that it tells. @throws Error with what it says where it ends first */
async function addressOf(child: ChildProcess): Promise<string> {
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stderr! })) {
    const address = /WebDriver BiDi listening on (ws:\S+)/.exec(line)?.[1];
    if (address !== undefined) {
      child.stderr!.resume();
      return address;
    }
    said.push(line);
  }
  throw new Error(`Firefox ended while it started: ${said.slice(-10).join('\n')}`);
}

async function end(child: ChildProcess, profile: string, asked?: Promise<unknown>): Promise<void> {
  const exited = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : [];
  if (asked) await asked;
  else child.kill('SIGKILL');
  await within(Promise.resolve(exited), 10_000, 'Firefox to end').catch(() => child.kill('SIGKILL'));
  rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
