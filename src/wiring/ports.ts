import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Config } from '../config.js';
import { ERROR_CODES, MediaPeerError, messageOf, type ErrorCode } from '../base/errors.js';
import { createTlsServer } from '../http/index.js';
import { IceTcpListener, type IceUdpPort } from '../webrtc/index.js';
import type { Host } from './host.js';
import { openUdpPort } from './udp-port.js';

/** As all errors look, and as `/ready` answers. */
const STARTING = JSON.stringify({
  statusCode: 503,
  code: 'SERVER_STARTING' satisfies ErrorCode,
  error: 'Service Unavailable',
  message: ERROR_CODES.SERVER_STARTING,
  ready: false,
});

/** For who looks by a browser: it comes again by itself. */
const STARTING_PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta http-equiv="refresh" content="2">
<title>Sightline is starting</title>
<p>Sightline is starting. This page opens by itself.</p>
`;

/** Ports that are taken before anything else is begun: that one is in use is found out at once, and nobody waits for it. */
export interface Ports {
  /** Of HTTP: PORT, or the one it got where that is 0. */
  readonly http: number;
  /** Undefined where each session has ports of its own. */
  readonly iceUdp: IceUdpPort | undefined;
  /** Undefined where none is configured. */
  readonly iceTcp: IceTcpListener | undefined;
  /** Gives the HTTP port to who really serves on it; until then all are told to come again. */
  readonly releaseHttp: () => Promise<void>;
}

/** @throws MediaPeerError CONFIG_INVALID where a port cannot be listened on */
export async function openPorts(host: Host): Promise<Ports> {
  const { config, clock, ledger, closers, tls } = host;
  const tellStarting: http.RequestListener = (request, response) => {
    request.resume();
    const isPage = request.headers.accept?.includes('text/html') === true;
    const type = isPage ? 'text/html' : 'application/json';
    response.writeHead(503, {
      'content-type': `${type}; charset=utf-8`,
      'cache-control': 'no-store',
      'retry-after': '2',
      connection: 'close',
    });
    response.end(isPage ? STARTING_PAGE : STARTING);
  };
  const starting = tls ? createTlsServer({ files: tls, clock }, tellStarting) : http.createServer(tellStarting);
  await new Promise<void>((resolve, reject) => {
    starting.once('error', (error) => reject(listeningFailed(config, error)));
    starting.listen({ host: config.HOST, port: config.PORT }, resolve);
  });
  const releaseHttp = (): Promise<void> => {
    starting.closeAllConnections();
    return new Promise((resolve) => void starting.close(() => resolve()));
  };
  closers.add(releaseHttp);
  const { port } = starting.address() as AddressInfo;
  const iceUdp = await openUdpPort(host, port);
  const iceTcp =
    config.ICE_TCP_PORT === 0
      ? undefined
      : await IceTcpListener.open({ iceAddresses: config.ICE_ADDRESSES, port: config.ICE_TCP_PORT, clock, ledger });
  if (iceTcp) closers.add(() => iceTcp.close());
  return { http: port, iceUdp, iceTcp, releaseHttp };
}

/** What is wrong with HOST or PORT, and what to do. */
export function listeningFailed({ HOST, PORT }: Config, error: unknown): MediaPeerError {
  return new MediaPeerError('CONFIG_INVALID', whyNoListening(HOST, PORT, error), { cause: error });
}

function whyNoListening(host: string, port: number, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE')
    return `PORT ${port} on ${host} is taken by another program; end that program, choose another PORT, or 0 for a free one`;
  if (code === 'EACCES') return `PORT ${port} on ${host} needs rights that this user does not have; choose a PORT of 1024 or above`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return `HOST '${host}' is not an address of this machine; 127.0.0.1 serves this machine, 0.0.0.0 the network`;
  return `cannot listen on HOST '${host}', PORT ${port}: ${messageOf(error)}`;
}
