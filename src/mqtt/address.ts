/** Where a broker is, and who we are there. */

/** A broker's address and our credentials. */
export interface BrokerAddress {
  /** Name or IP address, IPv6 without brackets. */
  readonly host: string;
  /** Default 1883, 8883 for TLS. */
  readonly port: number;
  /** By TLS. */
  readonly isSecure: boolean;
  /** Undefined: none is sent. */
  readonly username: string | undefined;
  /** Undefined: none is sent. */
  readonly password: string | undefined;
  /** `mqtt://broker:1883`: for people, without credentials. */
  readonly shown: string;
}

/** Reads `mqtt://user:password@host:port` or `mqtts://...`, which the configuration has checked. */
export function brokerAddress(url: string): BrokerAddress {
  const { protocol, hostname, port, username, password } = new URL(url);
  const isSecure = protocol === 'mqtts:';
  const portNumber = port === '' ? (isSecure ? 8883 : 1883) : Number(port);
  return {
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: portNumber,
    isSecure,
    username: username === '' ? undefined : decoded(username),
    password: password === '' ? undefined : decoded(password),
    shown: `${protocol}//${hostname}:${portNumber}`,
  };
}

/** What was percent-encoded; as it is where it was not. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return text;
    throw error;
  }
}
