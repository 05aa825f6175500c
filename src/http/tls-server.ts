/**
 * HTTPS on a port where plain HTTP gets a sentence instead of a broken connection: the first byte of a connection tells which of the
 * two it speaks. A renewed certificate counts for every connection from then on.
 */
import http, { type RequestListener, type Server } from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { errorBody } from './http-errors.js';
import type { Clock } from '../base/clock.js';
import type { TlsFiles } from './tls-files.js';
import { MIN_TLS_VERSION, type TlsPair } from '../base/tls-pair.js';

/** How long clients may take. */
export interface TlsServerInit {
  /** The certificate. */
  readonly files: Pick<TlsFiles, 'pair' | 'onRenewed'>;
  readonly clock: Clock;
  /** What a client may take to its first byte, to agree on keys, and for the header of a request, each, in milliseconds. Default 10000. */
  readonly headerMs?: number;
  /** How often that is looked at, in milliseconds. Default 1000. */
  readonly checkMs?: number;
}

/** First byte of TLS (RFC 8446 §5.1): a record of the handshake. */
const HANDSHAKE = 0x16;
const HEADER_MS = 10_000;
const CHECK_MS = 1000;
/** Of a plain request, in the sentence. */
const MAX_SHOWN = 200;

/** A server that speaks TLS, and says so to those who do not. Its `connection` has every TCP connection. */
export function createTlsServer(
  { files, clock, headerMs = HEADER_MS, checkMs = CHECK_MS }: TlsServerInit,
  listener: RequestListener,
): Server {
  const contextOf = ({ cert, key }: TlsPair) => ({ cert, key, minVersion: MIN_TLS_VERSION }) as const;
  const limits = { headersTimeout: headerMs, connectionsCheckingInterval: checkMs, handshakeTimeout: headerMs };
  const server = https.createServer({ ...contextOf(files.pair), ...limits }, listener);
  const plain = http.createServer((request, response) => {
    request.resume();
    const body = errorBody(400, 'REQUEST_REFUSED', sentence(request.headers.host ?? '', request.url ?? '/'));
    response.writeHead(400, { 'content-type': 'application/json; charset=utf-8', connection: 'close' }).end(JSON.stringify(body));
  });
  const stopListening = files.onRenewed((pair) => server.setSecureContext(contextOf(pair)));
  server.once('close', stopListening);

  const sockets = new Set<Socket>();
  const speakTls = server.listeners('connection') as ((socket: Socket) => void)[];
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    whenRead(socket, { clock, timeoutMs: headerMs }, (first) => {
      if (first === HANDSHAKE) {
        for (const speak of speakTls) speak.call(server, socket);
        return;
      }
      // A server that does not listen itself looks at no deadline; the sentence takes no time.
      const timer = clock.after(headerMs, () => socket.destroy());
      socket.once('close', () => timer.cancel());
      plain.emit('connection', socket);
    });
  });
  // A client that does not agree with the certificate, or on a version, has ended the connection.
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  // Also those that have not shown yet what they speak.
  server.closeAllConnections = () => {
    for (const socket of sockets) socket.destroy();
  };
  return server;
}

/** Calls back with the first byte, which stays unread. A connection that is silent for longer is closed. */
function whenRead(
  socket: Socket,
  { clock, timeoutMs }: { readonly clock: Clock; readonly timeoutMs: number },
  then: (first: number) => void,
): void {
  const silent = (): void => void socket.destroy();
  // A client that resets the connection has gone.
  socket.on('error', silent);
  socket.once('end', silent);
  const timer = clock.after(timeoutMs, silent);
  socket.once('close', () => timer.cancel());
  const look = (): void => {
    const data = socket.read() as Buffer | null;
    if (data === null) return void socket.once('readable', look);
    timer.cancel();
    socket.off('end', silent);
    socket.unshift(data);
    then(data[0] ?? 0);
  };
  socket.once('readable', look);
}

function sentence(host: string, url: string): string {
  const where = `https://${host}${url}`;
  return `this port speaks https alone; ask for ${where.length > MAX_SHOWN || host === '' ? 'the same address with https://' : where}`;
}
