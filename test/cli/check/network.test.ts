import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { checkBuffer, checkUdp } from '../../../src/cli/check/network.js';
import type { Finding } from '../../../src/cli/check/finding.js';
import { parseConfig } from '../../../src/config.js';

/** What is found about the port of all clients, without what the kernel of this machine allows. */
async function sharedPort(variables: Readonly<Record<string, string>>): Promise<Finding[]> {
  const found: Finding[] = [];
  for await (const finding of checkUdp(parseConfig({ ICE_ADDRESSES: '127.0.0.1', ...variables }))) found.push(finding);
  return found.filter(({ what, state }) => what === 'ice-udp' && state !== 'warning');
}

describe('sightline check', () => {
  it('tries the UDP port of all clients, and says what is wrong with it', async (t) => {
    const socket = dgram.createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    t.after(() => socket.close());
    const { port } = socket.address();
    assert.deepEqual(await sharedPort({ PORT: '0' }), [{ state: 'ok', what: 'ice-udp', text: 'UDP port any for all clients' }]);
    const [failed, ...others] = await sharedPort({ ICE_UDP_PORT: String(port) });
    assert.deepEqual([failed?.state, others], ['failed', []]);
    assert.match(failed?.text ?? '', new RegExp(`^ICE_UDP_PORT ${port} on 127\\.0\\.0\\.1 is taken by another program; `));
    assert.deepEqual(await sharedPort({ ICE_UDP_PORT: 'any' }), []);
    assert.deepEqual(await sharedPort({ ICE_PORT_RANGE: '40000-40100' }), []);
  });

  it('names the kernel setting that keeps the buffer of that port small', { skip: process.platform !== 'linux' }, () => {
    assert.deepEqual([...checkBuffer({ receiveBufferBytes: 4_194_304, wantedBufferBytes: 4_194_304 })], []);
    assert.deepEqual(
      [...checkBuffer({ receiveBufferBytes: 212_992, wantedBufferBytes: 4_194_304 })],
      [
        {
          state: 'warning',
          what: 'ice-udp',
          text: 'the UDP port may keep 208 KiB unread instead of 4096: net.core.rmem_max allows no more; set it for many publishers: sysctl -w net.core.rmem_max=4194304',
        },
      ],
    );
  });
});
