/**
 * Where an answer of a server that nobody here has written may send the next request: not to this machine, whose services trust
 * whoever is on it, nor to what only this link reaches, such as the metadata of a cloud.
 */
import dns from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { compileRanges } from '../base/address-ranges.js';
import { Trouble } from './trouble.js';

const isNear = compileRanges(['127.0.0.0/8', '::1', '0.0.0.0/8', '::', '169.254.0.0/16', 'fe80::/10']);
const NEAR_NAME = /(^|\.)localhost\.?$/;

/**
 * Looks at the next address before anything is sent there. What was configured is taken as it is; what a name leads to is seen by `lookupFor`.
 * @param home the configured address @throws Trouble for one of this machine where the configured one is none
 */
export function refuseNear(to: URL, home: URL): void {
  if (!isFree(to, home) && isNearHost(hostOf(to))) throw near(to, home);
}

/**
 * How the host of the next address is looked up by its connection. What was looked at is what is connected to: a name that leads
 * elsewhere the next time that somebody asks gains nothing. Fails with Trouble as `refuseNear` does.
 */
export function lookupFor(to: URL, home: URL): LookupFunction {
  return (host, options, found) =>
    dns.lookup(host, options, (error, address, family) => {
      const addresses = error ? [] : typeof address === 'string' ? [address] : address.map((each) => each.address);
      if (!isFree(to, home) && addresses.some(isNear)) found(near(to, home), '');
      else found(error, address, family);
    });
}

/**
 * Whether a STUN or TURN server that an answer names is one of this machine or its link, by its address or as `localhost`; what was
 * configured there itself may name it.
 */
export function isNearServer(uri: string, home: URL): boolean {
  const [, host = ''] = /^(?:stuns?|turns?):(\[[^\]]*\]|[^:?]*)/i.exec(uri) ?? [];
  if (isNearHost(hostOf(home))) return false;
  // In whatever form an address is written, 127.1 or 0x7f000001.
  const address = `http://${host}/`;
  return !URL.canParse(address) || isNearHost(hostOf(new URL(address)));
}

function isFree(to: URL, home: URL): boolean {
  return to.origin === home.origin || isNearHost(hostOf(home));
}

function near(to: URL, home: URL): Trouble {
  return new Trouble(`${home.host} redirects to ${to.host}, which is this machine or its own link; that is not followed`, {
    needsPerson: true,
  });
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

function isNearHost(host: string): boolean {
  return isIP(host) === 0 ? NEAR_NAME.test(host) : isNear(host);
}
