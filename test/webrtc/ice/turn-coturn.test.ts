import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { systemClock } from '../../../src/base/clock.js';
import { parseCandidate } from '../../../src/webrtc/sdp/remote-transport.js';
import { splitIceServers, type TurnServer } from '../../../src/webrtc/ice/turn/server.js';
import { ResourceLedger } from '../../../src/base/resources.js';
import { noCoturn, startCoturn, type Coturn } from '../../helpers/coturn.js';
import { freePort } from '../../helpers/free-port.js';
import { eventually, within } from '../../helpers/deadline.js';
import { HeardAgent } from './heard-agent.js';
import { recordingLogger, type LogLine } from '../rig.js';

const LOOPBACK = { bind: '127.0.0.1', advertise: '127.0.0.1', family: 4, loopback: true } as const;

interface Opened {
  readonly agent: HeardAgent;
  readonly lines: LogLine[];
}

/** Closed after the test, with nothing left. */
async function open(t: TestContext, turnServers: readonly TurnServer[] = []): Promise<Opened> {
  const ledger = new ResourceLedger();
  const lines: LogLine[] = [];
  const agent = new HeardAgent({
    addresses: [LOOPBACK],
    portRange: undefined,
    stunUrls: [],
    turnServers,
    clock: systemClock(ledger),
    ledger,
    logger: recordingLogger(lines),
  });
  await agent.open();
  t.after(async () => {
    await agent.close();
    assert.deepEqual(
      Object.entries(ledger.snapshot()).filter(([, held]) => held > 0),
      [],
    );
  });
  return { agent, lines };
}

function serversOf(coturn: Coturn, transport: 'udp' | 'tcp', credentials = coturn.credentials()): readonly TurnServer[] {
  return splitIceServers([{ urls: [`turn:127.0.0.1:${coturn.port}?transport=${transport}`], ...credentials }]).turnServers;
}

function relayLine(agent: HeardAgent): string | undefined {
  return agent.candidates.find((line) => line.includes(' typ relay '));
}

const credentialsOf = (of: HeardAgent) => ({ iceUfrag: of.localUfrag, icePassword: of.localPassword, iceLite: false, candidates: [] });

describe('a relay on a real coturn', { skip: noCoturn }, () => {
  for (const transport of ['udp', 'tcp'] as const) {
    it(`carries datagrams both ways over ${transport}, and is released at the end`, async (t) => {
      const coturn = await startCoturn(t, { lines: ['user-quota=1'] });
      const [{ agent: server }, { agent: client }] = [await open(t, serversOf(coturn, transport)), await open(t)];
      await server.told('gathered');
      assert.deepEqual(server.report.troubles, []);
      server.connect(credentialsOf(client), { controlling: false });
      client.connect(credentialsOf(server), { controlling: true });
      // The client is told of the relay alone, and the server of another port of the client, so that nothing goes directly.
      client.addRemoteCandidate(parseCandidate(relayLine(server) ?? ''));
      server.addRemoteCandidate(parseCandidate(`candidate:1 1 udp 2113937151 127.0.0.1 ${await freePort()} typ host`));
      await Promise.all([server.told('nominated'), client.told('nominated')]);
      assert.deepEqual([server.report.selected, client.report.selected], ['relay/prflx', 'host/relay']);
      const [{ datagrams: atServer }, { datagrams: atClient }] = [server.heard, client.heard];
      const slab = Buffer.concat([Buffer.alloc(1200, 128), Buffer.alloc(7, 129), Buffer.alloc(1198, 130)]);
      client.send(Buffer.from([22, 1, 2]));
      server.sendAll(slab, [1200, 1207, 2405], () => undefined);
      await eventually(() => atServer.length === 1 && atClient.length === 3, 3000, 'the datagrams');
      assert.deepEqual(
        atClient.map(({ length }) => length),
        [1200, 7, 1198],
      );
      assert.equal(server.pendingBytes, 0);
      await server.close();
      assert.match(coturn.output(), /refreshed, .*lifetime=0/);
      // The quota is one relay: there is room for another.
      await eventually(() => coturn.output().includes(' delete: realm=<sightline.test>'), 5000, 'the relay to be gone');
      const { agent: next } = await open(t, serversOf(coturn, transport));
      await next.told('gathered');
      assert.deepEqual(next.report.troubles, []);
      assert.ok(relayLine(next));
    });
  }

  it('is named with what is wrong: credentials that are false or expired, a quota, nobody there', async (t) => {
    const coturn = await startCoturn(t, { lines: ['user-quota=1'] });
    const port = await freePort();
    const one = coturn.credentials(600, 'one');
    const { agent: first } = await open(t, serversOf(coturn, 'udp', one));
    await first.told('gathered');
    assert.ok(relayLine(first));
    const cases: [string, readonly TurnServer[], RegExp][] = [
      [
        'false',
        serversOf(coturn, 'udp', { ...coturn.credentials(), credential: 'false' }),
        /^TURN server turn:127\.0\.0\.1:\d+\?transport=udp: the user name, the credential or the shared secret is wrong \(401 Unauthorized\)$/,
      ],
      [
        'expired',
        serversOf(coturn, 'tcp', coturn.credentials(-60)),
        /: the credentials expired at 20\d\d-\d\d-\d\dT[0-9:.]+Z \(401 Unauthorized\)$/,
      ],
      ['quota', serversOf(coturn, 'udp', one), /: the quota of this user is used up \(486 /],
      [
        'nobody',
        splitIceServers([{ urls: [`turn:127.0.0.1:${port}?transport=tcp`], ...one }]).turnServers,
        /: it cannot be reached \(connect ECONNREFUSED /,
      ],
      ['silence', splitIceServers([{ urls: [`turn:127.0.0.1:${port}`], ...one }]).turnServers, /: it does not answer$/],
    ];
    for (const [name, servers, expected] of cases) {
      const { agent, lines } = await open(t, servers);
      await within(agent.gathered, 3000, 'those who wait no longer');
      await agent.told('gathered', 8000);
      assert.match(agent.report.troubles[0] ?? '', expected, name);
      assert.deepEqual(
        lines.map(({ level, fields }) => [level, fields['trouble']]),
        [['warn', agent.report.troubles[0]]],
      );
      assert.equal(relayLine(agent), undefined);
    }
  });

  it('is the next one where the first is in trouble', async (t) => {
    const coturn = await startCoturn(t);
    const { agent } = await open(t, [...serversOf(coturn, 'udp', coturn.credentials(-1)), ...serversOf(coturn, 'tcp')]);
    await agent.told('gathered');
    assert.equal(agent.report.troubles.length, 1);
    assert.ok(relayLine(agent));
  });

  it('goes on without a peer that the relay refuses', async (t) => {
    const coturn = await startCoturn(t, { lines: ['denied-peer-ip=127.0.0.0-127.255.255.255'] });
    const { agent } = await open(t, serversOf(coturn, 'udp'));
    const [peer, ledger] = [dgram.createSocket('udp4').bind(0, '127.0.0.1'), new ResourceLedger()];
    t.after(() => peer.close());
    await once(peer, 'listening');
    await agent.told('gathered');
    let heard = 0;
    peer.on('message', (_data, { port }) => (heard += port === Number(relayLine(agent)?.split(' ')[5]) ? 1 : 0));
    agent.connect({ iceUfrag: 'abcd', icePassword: 'a'.repeat(24), iceLite: false, candidates: [] }, { controlling: true });
    agent.addRemoteCandidate(parseCandidate(`candidate:1 1 udp 2113937151 127.0.0.1 ${peer.address().port} typ host`));
    await eventually(() => coturn.output().includes('403'), 5000, 'the relay to refuse');
    assert.equal(heard, 0);
    assert.deepEqual(agent.report.troubles, []);
    assert.equal(ledger.snapshot().udp_sockets, 0);
  });
});
