/**
 * For a test whose network namespace this runs in: a port of all sessions on the addresses of the argument, joined on those of
 * each line of standard input by an agent that leaves at once.
 */
import { createInterface } from 'node:readline';
import { systemClock } from '../../../src/base/clock.js';
import { ResourceLedger } from '../../../src/base/resources.js';
import { hostAddresses } from '../../../src/webrtc/ice/host-addresses.js';
import { IceUdpPort } from '../../../src/webrtc/ice/udp-port.js';

const ledger = new ResourceLedger();
const port = await IceUdpPort.open({ iceAddresses: addressesIn(process.argv[2]), port: 0, clock: systemClock(ledger), ledger });
console.log('open');
let joins = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const agent = { localUfrag: `agent${joins++}`, transport: {}, datagram: () => undefined };
  const joined = await port.join(agent, hostAddresses(addressesIn(line)));
  const addresses = joined.flatMap(({ advertised }) => advertised.map(({ address }) => address));
  console.log(JSON.stringify({ addresses, sockets: ledger.snapshot().udp_sockets, bound: port.addresses }));
  for (const { socket } of joined) await socket.close();
}
await port.close();

function addressesIn(list = ''): string[] {
  return list.split(',').filter((address) => address !== '');
}
