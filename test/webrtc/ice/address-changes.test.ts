/** A machine whose addresses come and go while the server runs. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';
import { projectRoot } from '../../helpers/assets.js';
import { eventually, within } from '../../helpers/deadline.js';
import { Namespaces, noNamespaces, SERVER_ADDRESS } from '../../helpers/namespaces.js';

interface Joined {
  readonly addresses: readonly string[];
  readonly sockets: number;
  readonly bound: readonly string[];
}

/** A port of all sessions in a namespace of its own. @returns a join, and a change of the addresses there */
async function probe(t: TestContext, iceAddresses = '') {
  const namespaces = new Namespaces();
  t.after(() => namespaces.close());
  const child = spawn(
    'ip',
    ['netns', 'exec', namespaces.server, process.execPath, path.join(projectRoot, 'dist/test/webrtc/ice/udp-port-probe.js'), iceAddresses],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const exited = once(child, 'exit');
  t.after(async () => {
    child.stdin.end();
    assert.deepEqual(await within(exited, 5000, 'the probe to end'), [0, null]);
  });
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  const next = (): Promise<string> => eventually(() => lines.shift(), 10_000, 'the probe');
  assert.equal(await next(), 'open');
  return {
    join: async (configured = ''): Promise<Joined> => {
      child.stdin.write(`${configured}\n`);
      return JSON.parse(await next()) as Joined;
    },
    change: (what: 'add' | 'del', address: string) => {
      const { status, stderr } = spawnSync('ip', ['-n', namespaces.server, 'addr', what, `${address}/24`, 'dev', 'eth0']);
      assert.equal(status, 0, stderr.toString());
    },
  };
}

test(
  'a client that joins is offered the addresses of that moment; the socket of one that is gone goes',
  { skip: noNamespaces },
  async (t) => {
    const { join, change } = await probe(t);
    const { sockets } = await join();
    change('add', '10.88.0.1');
    const more = await join();
    assert.deepEqual([more.addresses.includes('10.88.0.1'), more.sockets], [true, sockets + 1]);
    assert.deepEqual(await join(), more);
    change('del', '10.88.0.1');
    const fewer = await join();
    assert.deepEqual(
      [fewer.addresses.includes('10.88.0.1'), fewer.addresses.includes(SERVER_ADDRESS), fewer.sockets],
      [false, true, sockets],
    );
  },
);

test(
  'an address that is configured may be away for a while: it is taken for that of a NAT, and bound alone again afterwards',
  { skip: noNamespaces },
  async (t) => {
    const { join, change } = await probe(t, SERVER_ADDRESS);
    const wanted = { addresses: [SERVER_ADDRESS], sockets: 1 };
    assert.deepEqual(await join(SERVER_ADDRESS), { ...wanted, bound: [SERVER_ADDRESS] });
    change('del', SERVER_ADDRESS);
    assert.deepEqual(await join(SERVER_ADDRESS), { ...wanted, bound: ['0.0.0.0'] });
    change('add', SERVER_ADDRESS);
    assert.deepEqual(await join(SERVER_ADDRESS), { ...wanted, bound: [SERVER_ADDRESS] });
  },
);
