import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { ReceiveDrops } from '../../../src/webrtc/ice/receive-drops.js';

const noTable = process.platform === 'linux' ? false : 'Linux alone tells';

/** Sends so much while this process does not read that the system has to drop some. */
const FLOOD = `
const socket = require('node:dgram').createSocket('udp4');
let left = 2000;
const next = () => (left-- > 0 ? socket.send(Buffer.alloc(1000), Number(process.argv[1]), '127.0.0.1', next) : socket.close());
next();
`;

async function open(): Promise<dgram.Socket> {
  const socket = dgram.createSocket({ type: 'udp4', recvBufferSize: 16 * 1024 });
  await once(socket.bind(0, '127.0.0.1'), 'listening');
  return socket;
}

describe('ReceiveDrops', { skip: noTable }, () => {
  it('counts what the system dropped at one port, and keeps it when the socket has gone', async () => {
    const [flooded, other] = [await open(), await open()];
    const drops = new ReceiveDrops(flooded.address().port);
    const none = new ReceiveDrops(other.address().port);
    assert.deepEqual([await drops.read(), await none.read()], [0, 0]);
    assert.equal(spawnSync(process.execPath, ['-e', FLOOD, String(flooded.address().port)]).status, 0);
    const dropped = await drops.read();
    assert.ok(dropped !== undefined && dropped > 0, `${dropped} dropped`);
    assert.equal(await none.read(), 0);
    for (const socket of [flooded, other]) {
      socket.close();
      await once(socket, 'close');
    }
    assert.equal(await drops.read(), dropped);
  });
});
