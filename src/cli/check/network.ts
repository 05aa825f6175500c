/** Ports and UDP, tried as the server uses them: it listens, and a packet to itself arrives. */
import dgram from 'node:dgram';
import { once } from 'node:events';
import net, { isIPv6 } from 'node:net';
import os from 'node:os';
import { systemClock } from '../../base/clock.js';
import { messageOf } from '../../base/errors.js';
import { ResourceLedger } from '../../base/resources.js';
import type { Config } from '../../config.js';
import { listeningFailed, tryUdpPort, type UdpPortTrial } from '../../wiring/index.js';
import type { Finding } from './finding.js';

/** A packet to an address of this machine takes far less, or is filtered. */
const ARRIVAL_MS = 1000;
/** Of a range as many are tried as may well be in use. */
const MAX_TRIED_PORTS = 50;

/** The TCP ports of the configuration. */
export async function* checkPorts(config: Config): AsyncGenerator<Finding> {
  const { HOST, PORT, ICE_TCP_PORT } = config;
  const failure = await whyNoListening(HOST, PORT);
  if (failure === undefined) yield { state: 'ok', what: 'http', text: `PORT ${PORT === 0 ? 'any' : PORT} on ${HOST}` };
  else yield { state: 'failed', what: 'http', text: messageOf(listeningFailed(config, failure)) };
  if (ICE_TCP_PORT === 0) return;
  for (const address of addresses(config)) {
    const refused = await whyNoListening(address, ICE_TCP_PORT);
    if (refused === undefined) yield { state: 'ok', what: 'ice-tcp', text: `ICE_TCP_PORT ${ICE_TCP_PORT} on ${address}` };
    else yield { state: 'failed', what: 'ice-tcp', text: `ICE_TCP_PORT ${ICE_TCP_PORT} on ${address}: ${messageOf(refused)}` };
  }
}

async function whyNoListening(host: string, port: number): Promise<unknown> {
  const server = net.createServer();
  try {
    await once(server.listen({ host, port }), 'listening');
    return undefined;
  } catch (error) {
    return error;
  } finally {
    server.close();
  }
}

/** Media goes by UDP: one address on which it does not is a warning, all of them are a failure. */
export async function* checkUdp(config: Config): AsyncGenerator<Finding> {
  yield* checkSharedPort(config);
  const [first, last] = config.ICE_PORT_RANGE ?? [0, 0];
  const findings: Finding[] = [];
  for (const address of addresses(config)) {
    const failure = await whyNoPacket(address, first, last);
    const text = failure === undefined ? address : `${address}: ${failure}`;
    findings.push({ state: failure === undefined ? 'ok' : 'warning', what: 'udp', text });
  }
  if (findings.some(({ state }) => state === 'ok')) yield* findings;
  else for (const finding of findings) yield { ...finding, state: 'failed' };
  const wanted = config.MAX_CONNECTIONS + config.MAX_PUBLISHERS;
  const ports = last - first + 1;
  if (config.ICE_PORT_RANGE && ports < wanted) {
    yield {
      state: 'warning',
      what: 'udp',
      text: `ICE_PORT_RANGE has ${ports} ports, one for each connection; MAX_CONNECTIONS and MAX_PUBLISHERS allow ${wanted}`,
    };
  }
}

/** One port for all clients: whether it can be had, and whether enough of what many publishers send may wait there. */
async function* checkSharedPort(config: Config): AsyncGenerator<Finding> {
  try {
    const trial = await tryUdpPort(config);
    if (!trial) return;
    yield { state: 'ok', what: 'ice-udp', text: `UDP port ${trial.port === 0 ? 'any' : trial.port} for all clients` };
    yield* checkBuffer(trial);
  } catch (error) {
    yield { state: 'failed', what: 'ice-udp', text: messageOf(error) };
  }
}

/** What the system lets wait at the port that all clients share. */
export function* checkBuffer({ receiveBufferBytes, wantedBufferBytes }: Omit<UdpPortTrial, 'port'>): Generator<Finding> {
  if (receiveBufferBytes >= wantedBufferBytes) return;
  const change =
    process.platform === 'linux'
      ? `net.core.rmem_max allows no more; set it for many publishers: sysctl -w net.core.rmem_max=${wantedBufferBytes}`
      : 'let this system allow more for many publishers';
  const [has, wanted] = [receiveBufferBytes, wantedBufferBytes].map((bytes) => Math.floor(bytes / 1024));
  yield { state: 'warning', what: 'ice-udp', text: `the UDP port may keep ${has} KiB unread instead of ${wanted}: ${change}` };
}

/** Those that are configured, else those of this machine. */
function addresses({ ICE_ADDRESSES }: Config): readonly string[] {
  if (ICE_ADDRESSES.length > 0) return ICE_ADDRESSES;
  const found = Object.values(os.networkInterfaces()).flatMap((entries) => entries ?? []);
  // Link-local addresses of IPv6 are good only together with an interface.
  const outer = found.filter(({ internal, address }) => !internal && !address.startsWith('fe80:')).map(({ address }) => address);
  return outer.length > 0 ? outer : ['127.0.0.1'];
}

async function whyNoPacket(address: string, first: number, last: number): Promise<string | undefined> {
  let failure: unknown;
  for (let port = first; port <= Math.min(last, first + MAX_TRIED_PORTS - 1); port++) {
    const socket = dgram.createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    try {
      socket.bind({ address, port });
      await once(socket, 'listening');
      return await whyNotArrived(socket, address);
    } catch (error) {
      failure = error;
    } finally {
      socket.close();
    }
  }
  return `no port can be opened: ${messageOf(failure)}`;
}

async function whyNotArrived(socket: dgram.Socket, address: string): Promise<string | undefined> {
  const late = new AbortController();
  const timer = systemClock(new ResourceLedger()).after(ARRIVAL_MS, () => late.abort());
  try {
    const arrival = once(socket, 'message', { signal: late.signal });
    socket.send('sightline check', socket.address().port, address);
    await arrival;
    return undefined;
  } catch (error) {
    return late.signal.aborted ? `a packet to itself did not arrive within ${ARRIVAL_MS / 1000} s: a firewall drops it` : messageOf(error);
  } finally {
    timer.cancel();
  }
}
