/** Tells losses on the way from losses at home: datagrams that arrived and were dropped because nobody read them. */
import { readFileSync } from 'node:fs';

/** The machine's count since boot, of all processes (Linux, /proc/net/snmp `RcvbufErrors`); undefined elsewhere. */
export function receiveBufferDrops(file = '/proc/net/snmp'): number | undefined {
  let text;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return undefined; // not Linux
  }
  const [names = [], values = []] = text
    .split('\n')
    .filter((line) => line.startsWith('Udp:'))
    .map((line) => line.split(' '));
  const value = Number(values[names.indexOf('RcvbufErrors')]);
  return Number.isFinite(value) ? value : undefined;
}
