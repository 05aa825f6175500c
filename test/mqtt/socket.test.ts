/** Connections to a broker that do not come about. */
import assert from 'node:assert/strict';
import { getEventListeners, once } from 'node:events';
import net from 'node:net';
import { describe, it } from 'node:test';
import { systemClock } from '../../src/base/clock.js';
import { ResourceLedger } from '../../src/base/resources.js';
import { brokerAddress } from '../../src/mqtt/address.js';
import { openSocket } from '../../src/mqtt/socket.js';
import { eventually } from '../helpers/deadline.js';

describe('a connection to a broker that does not come about', { timeout: 30_000 }, () => {
  for (const [what, scheme, behave] of [
    ['because nothing listens there', 'mqtt', undefined],
    ['because no TLS is spoken there', 'mqtts', (socket: net.Socket) => socket.end('no TLS\r\n')],
    ['because nobody answers', 'mqtts', () => undefined],
  ] as const) {
    it(`leaves nothing: ${what}`, async (t) => {
      const sockets: net.Socket[] = [];
      const server = net.createServer((socket) => {
        sockets.push(socket.on('error', () => undefined));
        behave?.(socket);
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as net.AddressInfo;
      const close = async (): Promise<void> => {
        for (const socket of sockets) socket.destroy();
        server.close();
        await once(server, 'close');
      };
      if (behave) t.after(close);
      else await close();
      const ledger = new ResourceLedger();
      const { signal } = new AbortController();
      const address = brokerAddress(`${scheme}://127.0.0.1:${port}`);
      for (let i = 0; i < 20; i++)
        await assert.rejects(openSocket({ address, ca: undefined, clock: systemClock(ledger), timeoutMs: 50, signal }), { fault: 'lost' });
      await eventually(() => getEventListeners(signal, 'abort').length === 0, 5000, 'the signal to be left alone');
      assert.equal(ledger.snapshot().timers, 0);
    });
  }
});
