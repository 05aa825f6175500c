/** A real nginx on 127.0.0.1 for one test, with the configuration that the documentation gives. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { projectRoot } from './assets.js';
import { makeCertificate } from './certificates.js';
import { eventually, within } from './deadline.js';
import { canConnect, freePort } from './free-port.js';

const EXECUTABLE = ['/usr/sbin/nginx', '/usr/local/sbin/nginx', '/usr/bin/nginx'].find((file) => existsSync(file));

/** For `it(..., { skip })`: why there is none. */
export const noNginx: string | false = EXECUTABLE === undefined ? 'nginx is not installed (Debian: nginx-light)' : false;

/** The configuration of docs/https.md, as it stands there. */
function documentedConfiguration(): string {
  const page = readFileSync(path.join(projectRoot, 'docs/https.md'), 'utf8');
  return /```nginx\n([^]*?)```/.exec(page)?.[1] ?? '';
}

/** What is in front of a server. */
export interface Nginx {
  /** `https://127.0.0.1:PORT` */
  readonly url: string;
  /** By which clients trust it. */
  readonly ca: string;
}

/** Started on a free port, ended after the test. Of the documented configuration only names, ports and files are others. @param server where Sightline listens */
export async function startNginx(t: TestContext, server: string): Promise<Nginx> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-nginx-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const { certFile, keyFile, cert } = makeCertificate(folder, 'proxy');
  const port = await freePort();
  const site = [
    ['listen 443 ssl;', `listen 127.0.0.1:${port} ssl;`],
    ['server_name cameras.example.com;', 'server_name localhost;'],
    ['/etc/letsencrypt/live/cameras.example.com/fullchain.pem', certFile],
    ['/etc/letsencrypt/live/cameras.example.com/privkey.pem', keyFile],
    ['http://127.0.0.1:8001', server],
  ].reduce((text, [from = '', to = '']) => {
    if (!text.includes(from)) throw new Error(`docs/https.md has no '${from}'`);
    return text.replace(from, to);
  }, documentedConfiguration());
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => {
    mkdirSync(path.join(folder, name));
    return `${name}_temp_path ${path.join(folder, name)};`;
  });
  const file = path.join(folder, 'nginx.conf');
  writeFileSync(
    file,
    `daemon off;\nmaster_process off;\npid ${folder}/nginx.pid;\nevents {}\nhttp {\naccess_log off;\n${temporary.join('\n')}\n${site}\n}\n`,
  );
  const args = ['-p', folder, '-c', file, '-e', 'stderr'];
  const tested = spawnSync(EXECUTABLE ?? '', [...args, '-t'], { encoding: 'utf8' });
  if (tested.status !== 0) throw new Error(tested.stderr);
  const child = spawn(EXECUTABLE ?? '', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  t.after(async () => {
    if (child.exitCode !== null) return;
    child.kill('SIGKILL');
    await within(once(child, 'exit'), 5000, 'the end of nginx');
  });
  await eventually(
    () => {
      if (child.exitCode !== null) throw new Error(`nginx ended: ${output}`);
      return canConnect(port);
    },
    10_000,
    'nginx',
  );
  return { url: `https://127.0.0.1:${port}`, ca: cert };
}
