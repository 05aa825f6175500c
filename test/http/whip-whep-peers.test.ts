/** Rules of WHEP that need a real peer on the other side, by the numbers of docs/whip-whep.md. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from '../helpers/assets.js';
import { TestServer } from '../helpers/server.js';
import { WeriftViewer, type ViewerOptions } from '../helpers/werift-viewer.js';

const SDP = { 'content-type': 'application/sdp' };

/** What an answer says below each m-line. */
const sectionsOf = (sdp: string): string[] => sdp.split(/^m=/m).slice(1);

describe('a WHEP player', { timeout: 60_000 }, () => {
  let server: TestServer;
  let baseline: TestServer['resources'];
  const viewers: WeriftViewer[] = [];

  before(async () => {
    server = await TestServer.start(['copyable.mp4'], { MAX_CONNECTIONS: '3' });
    baseline = server.resources;
  });

  after(async () => {
    await Promise.all(viewers.map((viewer) => viewer.close()));
    await server.close();
  });

  interface Watching {
    readonly viewer: WeriftViewer;
    readonly answer: string;
    readonly response: Response;
    readonly sessionUrl: string;
  }

  async function watch(options: ViewerOptions = {}, change: (offer: string) => string = (offer) => offer): Promise<Watching> {
    const viewer = new WeriftViewer(options);
    viewers.push(viewer);
    const response = await fetch(`${server.url}/whep/copyable`, { method: 'POST', headers: SDP, body: change(await viewer.offer()) });
    const answer = await response.text();
    assert.equal(response.status, 201, answer);
    await viewer.acceptAnswer(answer);
    return { viewer, answer, response, sessionUrl: new URL(response.headers.get('location') ?? '', server.url).href };
  }

  async function leave({ viewer, sessionUrl }: Watching): Promise<void> {
    assert.equal((await fetch(sessionUrl, { method: 'DELETE' })).status, 200);
    await viewer.close();
  }

  it('rule 1: gets the picture by one POST', async () => {
    const watching = await watch();
    await watching.viewer.connected();
    await watching.viewer.until(() => watching.viewer.packets.length > 20, 5000, 'packets');
    await leave(watching);
  });

  it('rules 12 and 13: gets an answer that is sendonly, bundled, rtcp-mux-only and one MediaStream', async () => {
    const watching = await watch({ audio: true });
    const sections = sectionsOf(watching.answer);
    assert.deepEqual(
      sections.map((section) => section.split(' ')[0]),
      ['video', 'audio'],
    );
    assert.match(watching.answer, /^a=group:BUNDLE \S+ \S+\r$/m);
    for (const section of sections) {
      for (const line of ['a=sendonly', 'a=rtcp-mux', 'a=rtcp-mux-only'])
        assert.ok(section.includes(`${line}\r\n`), `${line} in ${section}`);
    }
    const streams = [...watching.answer.matchAll(/^a=msid:(\S+) /gm)].map((match) => match[1]);
    assert.equal(streams.length, 2);
    assert.equal(new Set(streams).size, 1, 'both tracks are of one MediaStream');
    await leave(watching);
  });

  it('rule 14: may be the DTLS client or the DTLS server', async () => {
    for (const [setup, answered] of [
      ['active', 'passive'],
      ['passive', 'active'],
    ] as const) {
      const watching = await watch({}, (offer) => offer.replaceAll('a=setup:actpass', `a=setup:${setup}`));
      assert.match(watching.answer, new RegExp(`^a=setup:${answered}\r$`, 'm'));
      await watching.viewer.connected();
      await leave(watching);
    }
  });

  it('rule 15: gets all candidates of the server with the answer', async () => {
    const watching = await watch();
    assert.match(watching.answer, /^a=candidate:.* typ host/m);
    assert.match(watching.answer, /^a=end-of-candidates\r$/m);
    await leave(watching);
  });

  it('rule 18: may send its candidates later: those of former generations and unknown m-lines do no harm', async () => {
    const watching = await watch({}, (offer) => offer.replace(/^a=candidate:.*\r\n/gm, ''));
    const offer = watching.viewer.pc.localDescription?.sdp ?? '';
    const own = (pattern: RegExp): string => pattern.exec(offer)?.[0] ?? '';
    const candidates = [...offer.matchAll(/^a=candidate:.*$/gm)].map(([line]) => line.trim());
    assert.ok(candidates.length > 0);
    const patch = (lines: readonly string[]): Promise<Response> =>
      fetch(watching.sessionUrl, {
        method: 'PATCH',
        headers: { 'content-type': 'application/trickle-ice-sdpfrag', 'if-match': watching.response.headers.get('etag') ?? '' },
        body: `${lines.join('\r\n')}\r\n`,
      });
    const head = ['m=video 9 UDP/TLS/RTP/SAVPF 0', own(/^a=mid:\S+/m), own(/^a=ice-ufrag:\S+/m), own(/^a=ice-pwd:\S+/m)];
    for (const lines of [
      [...head, ...candidates, 'a=end-of-candidates'],
      [
        ...head,
        'a=candidate:1 1 udp 1 nobody.invalid 9 typ host',
        'a=candidate:2 1 tcp 1 192.0.2.1 9 typ host tcptype active',
        'a=candidate:3 1 carrier-pigeon 1 192.0.2.1 9 typ host',
      ],
      ['a=mid:unknown', ...candidates],
      [`a=candidate:4 1 udp 1 127.0.0.1 9 typ host ufrag former`],
    ]) {
      const response = await patch(lines);
      assert.deepEqual([response.status, await response.text(), response.headers.get('etag')], [204, '', null], lines.join('|'));
    }
    await watching.viewer.connected();
    await leave(watching);
  });

  it('rule 11: gets a session URL of 144 random bits, another one each time', async () => {
    const [one, two] = [await watch(), await watch()];
    for (const { sessionUrl } of [one, two]) assert.match(sessionUrl, /\/sessions\/[A-Za-z0-9_-]{24}$/);
    assert.notEqual(one.sessionUrl, two.sessionUrl);
    await leave(one);
    await leave(two);
  });

  it('rule 5: is told when to come again while the server is full, and what there is when the source is unknown', async () => {
    const watching = [await watch(), await watch(), await watch()];
    const viewer = new WeriftViewer();
    viewers.push(viewer);
    const body = await viewer.offer();
    const full = await fetch(`${server.url}/whep/copyable`, { method: 'POST', headers: SDP, body });
    assert.equal(full.status, 503);
    assert.ok(Number(full.headers.get('retry-after')) > 0);
    for (const each of watching) await leave(each);
    const unknown = await fetch(`${server.url}/whep/nowhere`, { method: 'POST', headers: SDP, body });
    assert.equal(unknown.status, 404);
    assert.match(((await unknown.json()) as { message: string }).message, /copyable/);
  });

  it('rule 7: leaves nothing behind once it has deleted its session', async () => {
    const watching = await watch();
    await watching.viewer.connected();
    assert.ok(server.resources.peer_connections > baseline.peer_connections);
    await leave(watching);
    assert.deepEqual([server.resources.peer_connections, server.resources.udp_sockets], [baseline.peer_connections, baseline.udp_sockets]);
    assert.equal((await fetch(watching.sessionUrl)).status, 404);
  });
});

describe('docs/whip-whep.md', () => {
  it('has a row for each rule, and each rule a test', () => {
    const read = (file: string): string => readFileSync(path.join(projectRoot, file), 'utf8');
    const rows = [...read('docs/whip-whep.md').matchAll(/^\| (\d+) \| [BEW] \| .+ \| .+ \|$/gm)].map((match) => Number(match[1]));
    assert.deepEqual(
      rows,
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
    const tests = ['test/http/whip-whep.test.ts', 'test/http/whip-whep-peers.test.ts', 'test/e2e/whip-whep.test.ts'].map(read).join('\n');
    const titles = [...tests.matchAll(/\bit\([`']rules? ([\d, and]+):/g)]
      .flatMap((match) => (match[1] ?? '').match(/\d+/g) ?? [])
      .map(Number);
    assert.deepEqual(
      rows.filter((rule) => !titles.includes(rule)),
      [],
    );
  });
});
