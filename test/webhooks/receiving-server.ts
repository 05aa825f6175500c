/** A receiver of webhooks on 127.0.0.1 that answers as a test wants. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Received {
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  readonly url: string;
}

/** What becomes of the n-th request, counted from 0: a status, or something of the test's own. */
export type Behaviour = (index: number, response: ServerResponse, received: Received) => number | undefined;

export interface ReceivingServer {
  readonly url: string;
  readonly received: Received[];
  /** Numbers of the frames, in the order they came. */
  frames(): number[];
  close(): Promise<void>;
}

/** @param t a test, or a suite of which `after` is given */
export async function receive(
  t: { after(close: () => Promise<void>): void },
  behaviour: Behaviour = () => 200,
  port = 0,
): Promise<ReceivingServer> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const one = { headers: request.headers, body: Buffer.concat(chunks).toString(), url: request.url ?? '' };
      const index = received.push(one) - 1;
      const status = behaviour(index, response, one);
      if (status !== undefined) response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  t.after(close);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    frames: () => received.map(({ body }) => (JSON.parse(body) as { frame: number }).frame),
    close,
  };
}
