/** HTTPS in the whole server, and in a browser that gives cameras to secure pages alone. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { ChromiumHarness, noChromium } from './helpers/chromium.js';
import { makeCertificate } from './helpers/certificates.js';
import { eventually } from './helpers/deadline.js';
import { TestServer } from './helpers/server.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-https-'));
after(() => rmSync(folder, { recursive: true }));
const { certFile, keyFile, cert } = makeCertificate(folder, 'one');

describe('a server with TLS_CERT and TLS_KEY', { timeout: 120_000 }, () => {
  it('does not start with one of them, or with what does not fit, and says why', async () => {
    const other = makeCertificate(folder, 'other');
    const empty = path.join(folder, 'empty.pem');
    writeFileSync(empty, '');
    for (const [variables, message] of [
      [{ TLS_CERT: certFile }, /TLS_CERT and TLS_KEY go together: set TLS_KEY, too, or none/],
      [{ TLS_KEY: keyFile }, /set TLS_CERT, too, or none/],
      [{ TLS_CERT: certFile, TLS_KEY: other.keyFile }, /TLS_KEY is not the key of the certificate in TLS_CERT/],
      [{ TLS_CERT: empty, TLS_KEY: keyFile }, /TLS_CERT holds no certificate in PEM/],
      [{ TLS_CERT: path.join(folder, 'nowhere.pem'), TLS_KEY: keyFile }, /TLS_CERT .*nowhere.pem cannot be read: ENOENT/],
    ] as const)
      await assert.rejects(
        async () => (await TestServer.start([], variables)).close(),
        (error: { code?: string; message: string }) => error.code === 'CONFIG_INVALID' && message.test(error.message),
        String(message),
      );
  });

  it('says https of itself, and serves it from its first moment on', async (t) => {
    const server = await TestServer.start([], { TLS_CERT: certFile, TLS_KEY: keyFile });
    t.after(() => server.close());
    assert.match(server.url, /^https:\/\/127\.0\.0\.1:\d+$/);
    const statusOf = (pathName: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        https
          .get(server.url + pathName, { ca: cert, agent: false }, (response) => resolve(response.resume().statusCode))
          .on('error', reject);
      });
    assert.deepEqual([await statusOf('/ready'), await statusOf('/health'), await statusOf('/publish')], [200, 200, 200]);
  });

  it('lets a browser on another machine use its camera, and publish', { skip: noChromium }, async (t) => {
    const server = await TestServer.start([], {
      TLS_CERT: certFile,
      TLS_KEY: keyFile,
      ALLOW_ANONYMOUS: 'all',
      SERVER_NAMES: 'box.example',
    });
    // A name that is not localhost stands for another machine.
    const browser = await ChromiumHarness.launch([
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
      '--host-resolver-rules=MAP box.example 127.0.0.1',
    ]);
    t.after(async () => {
      await browser.close();
      await server.close();
    });
    const { port } = new URL(server.url);
    const page = await browser.open(`https://box.example:${port}/publish?room=gate`, { ignoreHTTPSErrors: true });
    assert.equal(await page.evaluate('isSecureContext'), true);
    await page.click('#start');
    await page.waitForSelector('#preview[data-phase=playing]', { timeout: 30_000 });
    assert.equal(await page.locator('#address').innerText(), `https://box.example:${port}/#/gate`);
    const ask = (pathName: string): Promise<string> =>
      page.evaluate<string>(`fetch(${JSON.stringify(pathName)}).then((response) => response.text())`);
    await eventually(async () => /"source":"gate"[^}]*"state":"live"/.test(await ask('/available-videos')), 20_000, 'the room');
  });
});
