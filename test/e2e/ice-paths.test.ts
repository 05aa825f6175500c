import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { ChromiumHarness, noChromium, type BrowserViewer, type JoinOptions } from '../helpers/chromium.js';
import { noCoturn, startCoturn, type Coturn } from '../helpers/coturn.js';
import { freePort } from '../helpers/free-port.js';
import { startServerProcess, type ServerProcess } from '../helpers/server-process.js';
import { makePassthroughClip, temporaryFolder, type Folder } from './fixtures.js';

/** Gives a relay the permission for this machine, and leads nowhere: nothing listens on the port. */
const DEAD_END = 'candidate:1 1 udp 2113937151 127.0.0.1 9 typ host';

describe('ways from Chromium to the server', { skip: noChromium, timeout: 120_000 }, () => {
  let folder: Folder;
  let browser: ChromiumHarness;

  before(async () => {
    folder = await temporaryFolder();
    await makePassthroughClip(path.join(folder.videos, 'clip.mp4'));
    browser = await ChromiumHarness.shared();
  });

  after(async () => {
    await browser.close();
    await folder.remove();
  });

  async function start(t: TestContext, variables: Readonly<Record<string, string>> = {}): Promise<ServerProcess> {
    const server = await startServerProcess({ UPLOAD_DIR: folder.videos, MODEL: 'none', ICE_ADDRESSES: '127.0.0.1', ...variables });
    t.after(async () => assert.equal(await server.close(), 0, `the server ended well:\n${server.log.slice(-20).join('\n')}`));
    return server;
  }

  async function watch(server: ServerProcess, options: JoinOptions): Promise<BrowserViewer> {
    const page = await browser.viewerPage(server.url);
    const viewer = await page.join({ body: { source: 'clip', tracks: ['raw'], client_id: 'browser' }, ...options });
    assert.equal(viewer.status, 200, JSON.stringify(viewer.answer));
    await viewer.frames(30, 0, 15_000);
    return viewer;
  }

  it('go by TCP where no UDP is let through', async (t) => {
    const port = await freePort();
    const server = await start(t, { ICE_TCP_PORT: String(port) });
    const viewer = await watch(server, { offerCandidates: [], answerCandidates: ' tcp ' });
    const { local, remote } = await selected(viewer);
    assert.deepEqual([local['protocol'], remote['protocol'], remote['port']], ['tcp', 'tcp', port]);
    await viewer.leave();
  });

  for (const transport of ['udp', 'tcp'] as const) {
    it(`go through a TURN server alone, over ${transport}, with credentials that the server made`, { skip: noCoturn }, async (t) => {
      const coturn = await startCoturn(t);
      const server = await start(t, turnVariables(coturn, transport));
      const { ice_servers: iceServers } = (await (await fetch(new URL('/ice-servers?client_id=browser', server.url))).json()) as {
        ice_servers: { urls: string[]; username: string; credential: string }[];
      };
      assert.match(iceServers[0]?.username ?? '', /^\d+:browser$/);
      // The server tells of its own address, and is told of none.
      const viewer = await watch(server, {
        configuration: { iceServers, iceTransportPolicy: 'relay' },
        offerCandidates: [],
        answerCandidates: ' typ host',
      });
      const { local, remote } = await selected(viewer);
      assert.deepEqual([local['candidateType'], local['relayProtocol'], remote['candidateType']], ['relay', transport, 'host']);
      await viewer.leave();
    });

    it(`go through the server's own relay alone, over ${transport}`, { skip: noCoturn }, async (t) => {
      const coturn = await startCoturn(t);
      const server = await start(t, turnVariables(coturn, transport));
      const viewer = await watch(server, { offerCandidates: [DEAD_END], answerCandidates: ' typ relay ' });
      const { remote } = await selected(viewer);
      assert.equal(remote['candidateType'], 'relay');
      assert.deepEqual(await troubles(server), []);
      await viewer.leave();
    });
  }

  it(
    'go through a relay that the client handed in for its next connection, where the operator allows its host',
    { skip: noCoturn },
    async (t) => {
      const coturn = await startCoturn(t);
      const server = await start(t, { ICE_SERVER_HOSTS: '127.0.0.1' });
      const handedIn = { client_id: 'browser', ice_servers: [{ urls: `turn:127.0.0.1:${coturn.port}`, ...coturn.credentials() }] };
      const response = await fetch(new URL('/ice-servers', server.url), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(handedIn),
      });
      assert.equal(response.status, 200);
      const viewer = await watch(server, { offerCandidates: [DEAD_END], answerCandidates: ' typ relay ' });
      assert.equal((await selected(viewer)).remote['candidateType'], 'relay');
      await viewer.leave();
    },
  );

  it('go directly where the credentials of the relay are wrong, and the statistics and the log say so', { skip: noCoturn }, async (t) => {
    const coturn = await startCoturn(t);
    const server = await start(t, { ...turnVariables(coturn, 'udp'), TURN_SECRET: 'another' });
    const viewer = await watch(server, {});
    const [trouble] = await troubles(server);
    assert.match(
      trouble ?? '',
      /^TURN server turn:127\.0\.0\.1:\d+\?transport=udp: the user name, the credential or the shared secret is wrong \(401 Unauthorized\)$/,
    );
    assert.ok(server.log.some((line) => line.includes('ice server problem') && line.includes('401 Unauthorized')));
    assert.ok(!server.log.some((line) => line.includes('another')), 'no secret in the log');
    await viewer.leave();
  });
});

function turnVariables(coturn: Coturn, transport: 'udp' | 'tcp'): Record<string, string> {
  return { TURN_URLS: `turn:127.0.0.1:${coturn.port}?transport=${transport}`, TURN_SECRET: coturn.secret, LOG_LEVEL: 'info' };
}

async function troubles(server: ServerProcess): Promise<readonly string[]> {
  const stats = (await (await fetch(new URL('/connection-stats', server.url))).json()) as { clients: { ice_troubles: string[] }[] };
  return stats.clients.flatMap((client) => client.ice_troubles);
}

/** The candidates in use. */
async function selected(
  viewer: BrowserViewer,
): Promise<{ readonly local: Readonly<Record<string, unknown>>; readonly remote: Readonly<Record<string, unknown>> }> {
  const stats = await viewer.stats();
  const byId = new Map(stats.map((entry) => [entry['id'], entry]));
  const transport = stats.find(({ type }) => type === 'transport');
  const pair = byId.get(transport?.['selectedCandidatePairId'] as string);
  const [local, remote] = [byId.get(pair?.['localCandidateId'] as string), byId.get(pair?.['remoteCandidateId'] as string)];
  assert.ok(local && remote, 'a pair is selected');
  return { local, remote };
}
