/** One UDP port for everybody, in the whole server: what is open, what is offered, who shares it. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { eventually } from './helpers/deadline.js';
import { freePort } from './helpers/free-port.js';
import { ImpairedPath } from './helpers/network/impaired-path.js';
import { TestServer, type JoinedViewer } from './helpers/server.js';
import { WeriftPublisher } from './helpers/werift-publisher.js';
import { WeriftViewer } from './helpers/werift-viewer.js';

interface Health {
  readonly ice_udp_port?: number;
  readonly resources: { readonly udp_sockets: number };
}

/** Ports of the UDP candidates in a description. */
function portsIn(sdp: string): number[] {
  return [...sdp.matchAll(/^a=candidate:\S+ 1 udp [0-9]+ \S+ ([0-9]+) /gm)].map((match) => Number(match[1]));
}

async function flows(viewer: WeriftViewer, what: string, ms = 10_000): Promise<void> {
  const before = viewer.packets.length;
  await viewer.until(() => viewer.packets.length > before + 5, ms, what);
}

describe('one UDP port for all clients', () => {
  const closers: (() => unknown)[] = [];
  after(async () => {
    for (const close of closers.reverse()) await close();
  });

  async function start(variables: Readonly<Record<string, string>> = {}): Promise<TestServer> {
    const server = await TestServer.start(['copyable.mp4'], variables);
    closers.push(() => server.close());
    return server;
  }

  it('is one socket for fifty viewers and a publisher, and what everybody is offered', { timeout: 60_000 }, async () => {
    const server = await start({ MAX_CONNECTIONS: '52' });
    const { ice_udp_port: port, resources } = await server.get<Health>('/health');
    assert.ok(port !== undefined);
    assert.equal(resources.udp_sockets, 1);
    const [first, publisher] = [await server.join(), new WeriftPublisher()];
    closers.push(() => publisher.close());
    const waiting = new WeriftViewer();
    closers.push(() => waiting.close());
    const sdp = await waiting.offer();
    const answers = await Promise.all(Array.from({ length: 48 }, () => server.offer(sdp)));
    await publisher.publish(async (offered) => {
      const response = await fetch(`${server.url}/whip/gate`, {
        method: 'POST',
        headers: { 'content-type': 'application/sdp' },
        body: offered,
      });
      assert.equal(response.status, 201);
      const answer = await response.text();
      assert.deepEqual(portsIn(answer), [port]);
      return { sdp: answer };
    });
    const last = await server.join();
    await Promise.all([flows(first, 'media for the first viewer'), flows(last, 'media for the fiftieth')]);
    const { ice_udp: told } = await server.get<{ ice_udp: Readonly<Record<string, unknown>> }>('/connection-stats');
    assert.deepEqual([told['port'], told['addresses'], told['ice_agents']], [port, ['127.0.0.1'], 51]);
    assert.ok(Number(told['peer_addresses']) >= 3 && told['datagrams_unrouted'] === 0, JSON.stringify(told));
    for (const { answer } of [first, last]) assert.deepEqual(portsIn(answer.sdp), [port]);
    for (const answer of answers) assert.deepEqual(portsIn(answer.sdp), [port]);
    assert.ok(server.resources.peer_connections >= 51);
    assert.equal(server.resources.udp_sockets, 1);
  });

  it('has the number that HTTP got, where that is free, and two servers have two', async () => {
    const [one, two] = [await start(), await start()];
    const [a, b] = [await one.get<Health>('/health'), await two.get<Health>('/health')];
    assert.notEqual(a.ice_udp_port, b.ice_udp_port);
    // Another program may have had it: then it is any.
    const same = [a, b].filter(({ ice_udp_port: port }, i) => port === Number(new URL([one, two][i]!.url).port));
    assert.ok(same.length > 0);
    const viewers: [JoinedViewer, JoinedViewer] = [await one.join(), await two.join()];
    await Promise.all(viewers.map((viewer) => flows(viewer, 'media from each server')));
  });

  it('is a port for each where it is told so, as with a range', async () => {
    const any = await start({ ICE_UDP_PORT: 'any' });
    const range = await start({ ICE_PORT_RANGE: '47350-47359' });
    for (const server of [any, range]) {
      assert.equal((await server.get<Health>('/health')).ice_udp_port, undefined);
      assert.equal(server.resources.udp_sockets, 0);
      const [a, b] = [await server.join(), await server.join()];
      assert.equal(server.resources.udp_sockets, 2);
      assert.notDeepEqual(portsIn(a.answer.sdp), portsIn(b.answer.sdp));
      await server.leave(a, b);
      await eventually(() => server.resources.udp_sockets === 0, 5000, 'the ports to be given back');
    }
  });

  it('may be the port of ICE by TCP as well', async () => {
    const port = String(await freePort());
    const server = await start({ ICE_UDP_PORT: port, ICE_TCP_PORT: port });
    assert.equal((await server.get<Health>('/health')).ice_udp_port, Number(port));
    const viewer = await server.join();
    const offered = [...viewer.answer.sdp.matchAll(/^a=candidate:\S+ 1 (udp|tcp) [0-9]+ \S+ ([0-9]+) /gm)];
    assert.deepEqual(
      offered.map((match) => [match[1], match[2]]),
      [
        ['udp', port],
        ['tcp', port],
      ],
    );
    await flows(viewer, 'media');
  });

  it('follows viewers whose NAT gives them another port, without an ICE restart', { timeout: 60_000 }, async () => {
    const server = await start();
    const path = new ImpairedPath({});
    closers.push(() => path.close());
    const viewers = [new WeriftViewer(), new WeriftViewer()];
    const sessions: string[] = [];
    for (const viewer of viewers) {
      closers.push(() => viewer.close());
      await viewer.join(async (offered) => {
        const { sdp, session_url } = await server.offer(offered);
        sessions.push(session_url);
        return { sdp: await path.reroute(sdp) };
      });
      await flows(viewer, 'media by the first port');
    }
    path.rebind();
    // Their next checks tell of it: each comes some five seconds after the one before.
    for (const viewer of viewers) await flows(viewer, 'media by the new port', 20_000);
    for (const url of sessions) {
      const { ice, end } = await server.get<{ ice: { restarts: number }; end: object | null }>(`${url}/report`);
      assert.deepEqual([ice.restarts, end], [0, null]);
    }
  });
});
