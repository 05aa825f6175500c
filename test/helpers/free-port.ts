/** A port for a test that has to know it before: a server's is the same for HTTP and for media. */
import dgram from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';

/** Free for UDP and for TCP by IPv4, a moment ago. */
export async function freePort(): Promise<number> {
  for (let tried = 1; ; tried++) {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as net.AddressInfo;
    const socket = dgram.createSocket('udp4');
    try {
      await once(socket.bind(port, '0.0.0.0'), 'listening');
      return port;
    } catch (error) {
      if (tried === 20) throw error;
    } finally {
      socket.close();
      server.close();
      await once(server, 'close');
    }
  }
}

/** Whether somebody listens there. */
export function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
