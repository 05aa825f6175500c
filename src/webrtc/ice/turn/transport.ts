/** How messages get to a TURN server and back: over UDP, TCP or TLS (RFC 8656 §3.1). */
import net from 'node:net';
import tls from 'node:tls';
import type { ResourceLedger } from '../../../base/resources.js';
import { TurnStreamReader } from './framing.js';
import { IceUdpSocket } from '../ice-udp-socket.js';

/** A connection to one TURN server. */
export interface TurnTransport {
  /** Nothing is lost or doubled on the way, and messages are padded. */
  readonly isStream: boolean;
  /** Bytes that the network stack has not taken yet. */
  readonly pendingBytes: number;
  /** Sends messages that lie one after the other in `slab`, ending at `ends`; it must not be changed afterwards. Never throws. */
  send(slab: Buffer, ends: readonly number[]): void;
  /** Idempotent. */
  close(): Promise<void>;
}

/** Which server, and how. */
/** What a transport tells who opened it. */
export interface TurnTransportEvents {
  /** STUN or ChannelData from the server. */
  message(message: Buffer): void;
  /** The connection is lost; never after `close`. */
  lost(error: Error): void;
}

/** Opens a transport to the server. @throws Error where no connection comes about */
export type ConnectTurn = (events: TurnTransportEvents) => Promise<TurnTransport>;

/** Which server, and how. */
export interface TurnTransportInit {
  /** How it is reached. */
  readonly transport: 'udp' | 'tcp' | 'tls';
  /** The server's IP address. */
  readonly address: string;
  /** Of the server. */
  readonly port: number;
  /** The server's name, for its certificate. */
  readonly host: string;
  /** Where the UDP socket is bound. */
  readonly bind: string;
  /** UDP ports of this side that may be used, first and last; undefined: any. */
  readonly portRange: readonly [number, number] | undefined;
  readonly ledger: ResourceLedger;
  /** Gives up connecting. */
  readonly signal: AbortSignal;
}

/** What is not taken by a connection that holds this many bytes is lost, as on a network that is full. */
const MAX_BUFFERED_BYTES = 4 * 1024 * 1024;

/** @throws Error where no connection comes about. */
export async function openTurnTransport(init: TurnTransportInit, events: TurnTransportEvents): Promise<TurnTransport> {
  return init.transport === 'udp' ? openUdp(init, events) : openStream(init, events);
}

async function openUdp({ address, port, bind, portRange, ledger }: TurnTransportInit, events: TurnTransportEvents): Promise<TurnTransport> {
  const socket = await IceUdpSocket.open(
    { address: bind, family: net.isIPv4(bind) ? 4 : 6, portRange, ledger },
    {
      datagram: (_socket, data, host, fromPort) => {
        if (host === address && fromPort === port) events.message(data);
      },
    },
  );
  return {
    isStream: false,
    get pendingBytes() {
      return socket.pendingBytes;
    },
    send: (slab, ends) => socket.sendAll(slab, ends, address, port, () => undefined),
    close: () => socket.close(),
  };
}

async function openStream(init: TurnTransportInit, events: TurnTransportEvents): Promise<TurnTransport> {
  const { ledger, signal } = init;
  const release = ledger.acquire('tcp_sockets');
  const socket = await connect(init).catch((error: unknown) => {
    release();
    throw error;
  });
  const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  void gone.then(release);
  let isClosed = signal.aborted;
  if (isClosed) socket.destroy();
  const reader = new TurnStreamReader((message) => events.message(message));
  const lost = (error: Error): void => {
    if (isClosed) return;
    isClosed = true;
    events.lost(error);
  };
  const transport: TurnTransport = {
    isStream: true,
    get pendingBytes() {
      return socket.writableLength;
    },
    send(slab) {
      if (socket.writable && socket.writableLength < MAX_BUFFERED_BYTES) socket.write(slab);
    },
    close() {
      isClosed = true;
      if (socket.writableLength > 0) socket.destroy();
      else socket.end(() => socket.destroy());
      return gone;
    },
  };
  socket.setNoDelay(true);
  socket.on('data', (chunk: Buffer) => {
    if (!isClosed && !reader.push(chunk)) socket.destroy(new Error('it does not send TURN'));
  });
  socket.on('error', (error) => lost(error));
  socket.once('close', () => lost(new Error('it closed the connection')));
  return transport;
}

function connect({ transport, address, port, host, signal }: TurnTransportInit): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const options = { host: address, port, family: net.isIP(address) };
    const socket =
      transport === 'tls' ? tls.connect({ ...options, ...(net.isIP(host) === 0 && { servername: host }) }) : net.connect(options);
    const abort = (): void => void socket.destroy(new Error('no connection in time'));
    const settle = (): void => {
      signal.removeEventListener('abort', abort);
      socket.off('error', fail);
    };
    const fail = (error: Error): void => {
      settle();
      reject(error);
    };
    signal.addEventListener('abort', abort, { once: true });
    socket.on('error', fail);
    socket.once(transport === 'tls' ? 'secureConnect' : 'connect', () => {
      settle();
      resolve(socket);
    });
    if (signal.aborted) abort();
  });
}
