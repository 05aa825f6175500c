/** Gets a relayed candidate (RFC 8445 §5.1.1.2) from one TURN server. */
import net from 'node:net';
import { delay, type Clock } from '../../base/clock.js';
import { messageOf } from '../../base/errors.js';
import type { ResourceLedger } from '../../base/resources.js';
import { isLoopback, type HostAddress } from './host-addresses.js';
import { addressesOf } from './stun.js';
import { TurnAllocation, type TurnAddresses, type TurnAllocationEvents } from './turn/allocation.js';
import type { TurnServer } from './turn/server.js';
import { openTurnTransport, type ConnectTurn } from './turn/transport.js';

/** Where relays are allocated from. */
export interface RelayInit {
  /** This side's addresses; the first that can reach the server is used. */
  readonly addresses: readonly HostAddress[];
  /** UDP ports that may be used, first and last; undefined: any. */
  readonly portRange: readonly [number, number] | undefined;
  readonly clock: Clock;
  readonly ledger: ResourceLedger;
  /** Gives up. */
  readonly signal: AbortSignal;
}

/** How long a TCP or TLS connection may take. */
const CONNECT_MS = 5000;

/** A relayed address, and the socket behind it. */
export interface Relay extends TurnAddresses {
  /** The address on the TURN server. */
  readonly allocation: TurnAllocation;
}

/**
 * Allocates on the first of the server's addresses (one for each family) that can be reached.
 * @throws Error saying in words what is wrong with the server; nothing is held then.
 */
export async function openRelay(server: TurnServer, init: RelayInit, events: TurnAllocationEvents): Promise<Relay> {
  const aborted = new Promise<readonly string[]>((resolve) => init.signal.addEventListener('abort', () => resolve([]), { once: true }));
  const addresses = await Promise.race([addressesOf(server.host), aborted]).catch((error: unknown) => {
    throw new Error(`its name cannot be looked up (${messageOf(error)})`, { cause: error });
  });
  let failure: unknown = new Error('its name has no address');
  for (const address of addresses) {
    try {
      return await allocate(server, address, init, events);
    } catch (error) {
      failure = error;
    }
    if (init.signal.aborted) break;
  }
  throw failure;
}

async function allocate(
  server: TurnServer,
  address: string,
  { addresses, portRange, clock, ledger, signal }: RelayInit,
  events: TurnAllocationEvents,
): Promise<Relay> {
  const settled = new AbortController();
  const deadline = new AbortController();
  void delay(clock, CONNECT_MS, AbortSignal.any([settled.signal, signal])).then(() => deadline.abort());
  const connect: ConnectTurn = (transportEvents) =>
    openTurnTransport(
      {
        transport: server.transport,
        host: server.host,
        address,
        port: server.port,
        bind: bindFor(address, addresses),
        portRange,
        ledger,
        signal: deadline.signal,
      },
      transportEvents,
    )
      .catch((error: unknown) => {
        throw new Error(`it cannot be reached (${messageOf(error)})`, { cause: error });
      })
      .finally(() => settled.abort());
  // Aborted once it stands, an allocation is closed by its owner.
  const opening = new AbortController();
  const abort = (): void => opening.abort();
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  const allocation = new TurnAllocation(server, clock, events);
  try {
    return { allocation, ...(await allocation.open(connect, opening.signal)) };
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** The address that media is sent from, where one of them can reach the server. */
function bindFor(server: string, addresses: readonly HostAddress[]): string {
  const family = net.isIP(server) === 6 ? 6 : 4;
  const usable = addresses.find((address) => address.family === family && address.loopback === isLoopback(server));
  return usable?.bind ?? (family === 4 ? '0.0.0.0' : '::');
}
