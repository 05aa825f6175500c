/**
 * Where an answer of a server that nobody here has written may send the next request: not to this machine, whose services trust
 * whoever is on it, nor to what only this link reaches, such as the metadata of a cloud.
 */
import dns from 'node:dns/promises';
import { isIP } from 'node:net';
import { whenAborted } from '../base/abort.js';
import { compileRanges } from '../base/address-ranges.js';
import { Trouble } from './trouble.js';

const isNear = compileRanges(['127.0.0.0/8', '::1', '0.0.0.0/8', '::', '169.254.0.0/16', 'fe80::/10']);
const NEAR_NAME = /(^|\.)localhost\.?$/;

/**
 * Looks at the next address before anything is sent there. What was configured is taken as it is.
 * @param home the configured address @throws Trouble for one of this machine where the configured one is none; the signal's reason; what the system resolver says
 */
export async function refuseNear(to: URL, home: URL, signal: AbortSignal): Promise<void> {
  if (to.origin === home.origin || isNearHost(hostOf(home))) return;
  const host = hostOf(to);
  if (!isNearHost(host) && !(await addressesOf(host, signal)).some(isNear)) return;
  throw new Trouble(`${home.host} redirects to ${to.host}, which is this machine or its own link; that is not followed`, {
    needsPerson: true,
  });
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

function isNearHost(host: string): boolean {
  return isIP(host) === 0 ? NEAR_NAME.test(host) : isNear(host);
}

/** The system resolver may take longer than anybody waits. */
async function addressesOf(host: string, signal: AbortSignal): Promise<string[]> {
  if (isIP(host) !== 0) return [host];
  let stop = (): void => undefined;
  const givenUp = new Promise<never>((_resolve, reject) => (stop = whenAborted(signal, () => reject(signal.reason as Error))));
  try {
    const found = await Promise.race([dns.lookup(host, { all: true }), givenUp]);
    return found.map(({ address }) => address);
  } finally {
    stop();
  }
}
