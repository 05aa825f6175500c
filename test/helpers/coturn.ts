/** A real TURN server on 127.0.0.1 for one test. */
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { eventually } from './deadline.js';
import { canConnect, freePort } from './free-port.js';

const EXECUTABLE = ['/usr/bin/turnserver', '/usr/local/bin/turnserver'].find((file) => existsSync(file));

/** For `it(..., { skip })`: why there is none. */
export const noCoturn: string | false = EXECUTABLE === undefined ? 'turnserver is not installed (Debian: coturn)' : false;

export interface Coturn {
  readonly port: number;
  readonly secret: string;
  /** What it wrote so far. */
  readonly output: () => string;
  /** Time-limited credentials; `ttlS` may be negative. */
  credentials(ttlS?: number, name?: string): { readonly username: string; readonly credential: string };
}

export interface CoturnOptions {
  /** Further lines of the test's configuration file. */
  readonly lines?: readonly string[];
  /** A configuration file in place of the test's; addresses and the secret are given on the command line, and come first. */
  readonly file?: string;
  /** Default true. */
  readonly allowLoopbackPeers?: boolean;
}

/** Started on a free port, ended after the test. */
export async function startCoturn(t: TestContext, { lines = [], file, allowLoopbackPeers = true }: CoturnOptions = {}): Promise<Coturn> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'sightline-coturn-'));
  const port = await freePort();
  const secret = 'a-secret-of-this-test';
  const options = {
    'listening-ip': '127.0.0.1',
    'relay-ip': '127.0.0.1',
    'listening-port': port,
    'static-auth-secret': secret,
    userdb: `${dir}/turndb`,
    pidfile: `${dir}/pid`,
    'log-file': 'stdout',
  };
  const own = path.join(dir, 'turnserver.conf');
  writeFileSync(own, ['use-auth-secret', 'realm=sightline.test', 'no-cli', 'no-tls', 'no-dtls', 'simple-log', ...lines, ''].join('\n'));
  const flags = [
    ...Object.entries(options).map(([name, value]) => `--${name}=${value}`),
    ...(allowLoopbackPeers ? ['--allow-loopback-peers'] : []),
    '-v',
  ];
  const child = spawn(EXECUTABLE as string, ['-c', file ?? own, ...flags], { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (data) => (output += String(data)));
  child.stderr.on('data', (data) => (output += String(data)));
  const ended = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
    rmSync(dir, { recursive: true, force: true });
  });
  await eventually(
    () => {
      if (child.exitCode !== null) throw new Error(`turnserver ended with ${child.exitCode}: ${output.slice(-2000)}`);
      return canConnect(port);
    },
    10_000,
    'turnserver to listen',
  );
  return {
    port,
    secret,
    output: () => output,
    credentials(ttlS = 600, name = 'tester') {
      const username = `${Math.floor(Date.now() / 1000) + ttlS}:${name}`;
      return { username, credential: createHmac('sha1', secret).update(username).digest('base64') };
    },
  };
}
