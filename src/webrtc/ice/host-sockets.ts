/** The UDP sockets of one agent: its own, one for each address, or its part of the port that all sessions have. */
import { capacityReached, RETRY_AFTER_S } from '../../base/refusals.js';
import type { ResourceLedger } from '../../base/resources.js';
import type { HostAddress } from './host-addresses.js';
import { IceUdpSocket } from './ice-udp-socket.js';
import type { IceSocket } from './socket.js';
import type { AdvertisedAddress } from './socket-plan.js';
import type { SharingAgent } from './udp-demultiplexer.js';
import type { IceUdpPort } from './udp-port.js';

/** Where agents listen. */
export interface HostSocketOptions {
  /** Of this machine. */
  readonly addresses: readonly HostAddress[];
  /** First and last UDP port, both included; undefined: any free port. Of sockets that are not shared. */
  readonly portRange: readonly [number, number] | undefined;
  /** The port of all sessions; undefined: each agent has sockets of its own. */
  readonly udp?: IceUdpPort | undefined;
  readonly ledger: ResourceLedger;
}

/** A socket, and how it is reached. */
export interface HostSocket {
  /** Closed by the agent. */
  readonly socket: IceSocket;
  /** Of the socket, as peers are told. */
  readonly port: number;
  /** At least one. */
  readonly advertised: readonly AdvertisedAddress[];
}

/** @throws MediaPeerError CAPACITY_REACHED where the port range is used up, Error where no address can be bound. */
export async function hostSockets(options: HostSocketOptions, agent: SharingAgent): Promise<HostSocket[]> {
  const { udp, addresses } = options;
  if (!udp) return ownSockets(options, agent);
  const joined = await udp.join(agent, addresses);
  return joined.map(({ socket, advertised }) => ({ socket, port: udp.port, advertised }));
}

async function ownSockets({ addresses, portRange, ledger }: HostSocketOptions, agent: SharingAgent): Promise<HostSocket[]> {
  const opened = await Promise.allSettled(
    addresses.map(({ bind, family }) => IceUdpSocket.open({ address: bind, family, portRange, ledger }, agent)),
  );
  const sockets = opened.flatMap((result, order) => {
    const address = addresses[order]?.advertise;
    if (result.status === 'rejected' || address === undefined) return [];
    return [{ socket: result.value, port: result.value.port, advertised: [{ address, order }] }];
  });
  if (sockets.length > 0) return sockets;
  throw unboundError(portRange, opened.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))[0]);
}

function unboundError(portRange: HostSocketOptions['portRange'], cause: unknown): Error {
  if (portRange && (cause as NodeJS.ErrnoException | undefined)?.code === 'EADDRINUSE') {
    return capacityReached(`all UDP ports from ${portRange[0]} to ${portRange[1]} are in use`, RETRY_AFTER_S.place, cause);
  }
  return new Error('no UDP socket could be bound for ICE', { cause });
}
