/** Trouble of the network in words: what happened, and what to do. */
import { messageOf } from '../../base/errors.js';
import { codeOf } from '../errors.js';

const NETWORK: Readonly<Record<string, (host: string) => string>> = {
  ENOTFOUND: (host) => `the name ${host} cannot be resolved: is this machine on the internet?`,
  EAI_AGAIN: (host) => `the name ${host} cannot be resolved: no name server answers. Is this machine on the internet?`,
  ECONNREFUSED: (host) => `${host} refuses connections`,
  ECONNRESET: (host) => `${host} closed the connection`,
  EPIPE: (host) => `${host} closed the connection`,
  UND_ERR_SOCKET: (host) => `${host} closed the connection too early`,
  ETIMEDOUT: (host) => `${host} does not answer`,
  UND_ERR_CONNECT_TIMEOUT: (host) => `${host} does not answer`,
  UND_ERR_HEADERS_TIMEOUT: (host) => `${host} does not answer`,
  UND_ERR_BODY_TIMEOUT: (host) => `${host} stopped sending`,
  ENETUNREACH: (host) => `there is no way to ${host}: is this machine on the internet?`,
  EHOSTUNREACH: (host) => `there is no way to ${host}: is this machine on the internet?`,
  ...Object.fromEntries(
    [
      'SELF_SIGNED_CERT_IN_CHAIN',
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      'CERT_HAS_EXPIRED',
      'ERR_TLS_CERT_ALTNAME_INVALID',
    ].map((code) => [
      code,
      (host: string) =>
        `the certificate of ${host} is not trusted (${code}); where a company's proxy replaces certificates, name its authority in NODE_EXTRA_CA_CERTS`,
    ]),
  ),
};

/** Why an address could not be read. */
export function networkTrouble(error: unknown, url: URL): string {
  const code = codeOf(error);
  const known = code === undefined ? undefined : NETWORK[code];
  if (known) return known(url.host);
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return `${url.host} could not be read: ${messageOf(cause)}`;
}

/** What a person behind a proxy must know: Node's fetch goes past it. Undefined where no proxy is set. */
export function proxyAdvice(environment: Readonly<Record<string, string | undefined>>, url: string, file: string): string | undefined {
  const name = ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'].find((variable) => environment[variable]);
  if (name === undefined) return undefined;
  return `${name} is set, but Node connects without it. Fetch the file through the proxy, then run this command again, which checks it and writes its JSON:\n  curl -fL -o ${file} ${url}`;
}
