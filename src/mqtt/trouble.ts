/** What goes wrong with a broker, in words that say what to do. */
import { messageOf } from '../base/errors.js';
import type { BrokerAddress } from './address.js';

/**
 * `lost`: the connection is over, or never came about; another one may do. `refused`: the broker answers, and does not do what
 * it was asked for.
 */
export type BrokerFault = 'lost' | 'refused';

/** Why the broker did not do what it was asked for. */
export class BrokerError extends Error {
  override readonly name = 'BrokerError';
  /** What kind of trouble it is. */
  readonly fault: BrokerFault;
  /** Of MQTT; undefined where the broker gave none. */
  readonly reasonCode: number | undefined;

  constructor(
    fault: BrokerFault,
    message: string,
    { reasonCode, cause }: { readonly reasonCode?: number | undefined; readonly cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.fault = fault;
    this.reasonCode = reasonCode;
  }
}

/** The broker knows an older version of the protocol alone (CONNACK of 3.1.1 and of 5). */
export function isOtherVersion(error: unknown): boolean {
  return error instanceof BrokerError && (error.reasonCode === 1 || error.reasonCode === 132);
}

/** The broker may take later what it refuses now: its quota is used up, or it does not say why. */
export function isPassing({ reasonCode }: BrokerError): boolean {
  return reasonCode !== undefined && PASSING.has(reasonCode);
}

/** Of those that a PUBACK may have (MQTT 5 §3.4.2.1): unspecified, implementation specific, quota exceeded. */
const PASSING: ReadonlySet<number> = new Set([128, 131, 151]);

/** By reason code of MQTT 5 §2.4, and of 3.1.1 below 128. */
const REASONS: Readonly<Record<number, string>> = {
  1: 'it does not speak this version of MQTT',
  2: 'it does not take the name of this client',
  3: 'it is not available',
  4: 'user name or password is wrong: see MQTT_URL',
  5: 'this user may not connect: see MQTT_URL and the rights at the broker',
  128: 'it does not say why',
  132: 'it does not speak this version of MQTT',
  133: 'it does not take the name of this client',
  134: 'user name or password is wrong: see MQTT_URL',
  135: 'this user has no right to: see the rights (ACL) at the broker',
  136: 'it is not available',
  137: 'it is busy',
  138: 'this client is banned there',
  139: 'it is shutting down',
  141: 'it heard nothing of us for too long',
  142: 'another client has connected by the same name',
  144: 'it does not take this topic',
  147: 'more was sent at a time than it takes',
  149: 'the message is larger than it takes',
  150: 'more is sent a second than it takes',
  151: 'its quota is used up',
  152: 'its administrator ended the connection',
  153: 'it does not take this content',
  154: 'it keeps no retained messages',
  155: 'it takes no message that is to be acknowledged',
  156: 'another server is to be used: see MQTT_URL',
  157: 'it has moved: see MQTT_URL',
  159: 'too many connect there',
  160: 'the connection has lasted as long as it allows',
};

/** What a reason code says. */
export function reasonWords(code: number): string {
  return REASONS[code] ?? `reason code ${code}`;
}

const ADVICE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there: is the broker running, and is the port right?',
  ENOTFOUND: 'no such host is known: is the name in MQTT_URL right?',
  EAI_AGAIN: 'the name of the host cannot be looked up at the moment',
  EHOSTUNREACH: 'no way leads to that host',
  ENETUNREACH: 'no way leads to that host',
  ETIMEDOUT: 'no answer',
  ECONNRESET: 'the connection was cut: does it speak the other one of mqtt:// and mqtts://?',
  ERR_SSL_WRONG_VERSION_NUMBER: 'no TLS is spoken there: mqtt:// in MQTT_URL, or another port (8883 as a rule)',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name than the host in MQTT_URL',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'nobody that is trusted has signed its certificate: name that of its authority by MQTT_CA_FILE',
  SELF_SIGNED_CERT_IN_CHAIN: 'nobody that is trusted has signed its certificate: name that of its authority by MQTT_CA_FILE',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'nobody that is trusted has signed its certificate: name that of its authority by MQTT_CA_FILE',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'nobody that is trusted has signed its certificate: name that of its authority by MQTT_CA_FILE',
  CERT_SIGNATURE_FAILURE: 'its certificate is not signed by the authority of MQTT_CA_FILE',
};

/** Why no connection to a broker came about. */
export function unreachable({ shown }: BrokerAddress, error: unknown): BrokerError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const advice = ADVICE[code] ?? (code.includes('WRONG_VERSION') ? ADVICE.ERR_SSL_WRONG_VERSION_NUMBER : undefined);
  return new BrokerError('lost', `${shown} cannot be reached: ${advice ?? (messageOf(error) || code)}`, { cause: error });
}
