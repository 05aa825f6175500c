/** The UDP port of all clients: which it is, and what is wrong with it, in words. */
import { systemClock, type Clock } from '../base/clock.js';
import { MediaPeerError, messageOf } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { ResourceLedger } from '../base/resources.js';
import type { Config } from '../config.js';
import { IceUdpPort, SHARED_BUFFER_BYTES } from '../webrtc/index.js';
import type { Host } from './host.js';

/** What a trial has found. */
export interface UdpPortTrial {
  /** 0: any free one. */
  readonly port: number;
  /** What may wait to be read, in bytes, as the system allows it. */
  readonly receiveBufferBytes: number;
  /** Likewise, as it is asked for. */
  readonly wantedBufferBytes: number;
}

/** Undefined where each client is to have ports of its own. @throws MediaPeerError CONFIG_INVALID where it cannot be had */
export async function openUdpPort({ config, loggers, clock, ledger, closers }: Host, httpPort: number): Promise<IceUdpPort | undefined> {
  const iceUdp = await open(config, { httpPort, clock, ledger, logger: loggers.of('webrtc') });
  if (iceUdp) closers.add(() => iceUdp.close());
  return iceUdp;
}

/** As `openUdpPort`, and closes it again. */
export async function tryUdpPort(config: Config): Promise<UdpPortTrial | undefined> {
  const ledger = new ResourceLedger();
  const iceUdp = await open(config, { httpPort: config.PORT, clock: systemClock(ledger), ledger });
  if (!iceUdp) return undefined;
  const { receiveBufferBytes } = iceUdp;
  await iceUdp.close();
  return {
    port: config.ICE_UDP_PORT === 'any' ? 0 : (config.ICE_UDP_PORT ?? config.PORT),
    receiveBufferBytes,
    wantedBufferBytes: SHARED_BUFFER_BYTES,
  };
}

interface Opening {
  readonly httpPort: number;
  readonly clock: Clock;
  readonly ledger: ResourceLedger;
  readonly logger?: Logger;
}

async function open(config: Config, { httpPort, ...opening }: Opening): Promise<IceUdpPort | undefined> {
  const { ICE_UDP_PORT, ICE_PORT_RANGE, ICE_ADDRESSES, PORT } = config;
  if (ICE_UDP_PORT === 'any' || ICE_PORT_RANGE) return undefined;
  return IceUdpPort.open({
    iceAddresses: ICE_ADDRESSES,
    port: ICE_UDP_PORT ?? httpPort,
    mayDiffer: ICE_UDP_PORT === undefined && PORT === 0,
    ...opening,
  }).catch((error: unknown) => {
    throw new MediaPeerError('CONFIG_INVALID', whyNoPort(config, error), { cause: error });
  });
}

function whyNoPort({ ICE_UDP_PORT, PORT }: Config, error: unknown): string {
  const { code, address = 'this machine' } = (error instanceof Error ? error : {}) as NodeJS.ErrnoException & { readonly address?: string };
  const port = ICE_UDP_PORT === undefined ? `UDP port ${PORT}, the number of PORT,` : `ICE_UDP_PORT ${ICE_UDP_PORT}`;
  const choose = `${ICE_UDP_PORT === undefined ? 'set ICE_UDP_PORT to another port' : 'choose another port'}, or any for ports for each client`;
  if (code === 'EADDRINUSE') return `${port} on ${address} is taken by another program; end that program, ${choose}`;
  if (code === 'EACCES') return `${port} on ${address} needs rights that this user does not have; ${choose}`;
  return `${port} cannot be listened on: ${messageOf(error)}; ${choose}`;
}
