/** Variables that do not go together, and a server that would be open by mistake. */
import { isIP } from 'node:net';
import { MediaPeerError } from '../base/errors.js';
import { MIN_TOKEN_CHARS } from './tokens.js';
import type { Config } from './variables.js';

/** What is wrong with several variables together, though each is well. @returns all of it, in words */
export function conflicts(config: Config): string[] {
  return [portFaults, turnFaults, tlsFaults, jwtFaults, tokenFaults, mqttFaults].flatMap((faultsOf) => faultsOf(config));
}

/** Ports that exclude each other. */
function portFaults({ PORT, ICE_UDP_PORT, ICE_PORT_RANGE, ICE_TCP_PORT }: Config): string[] {
  const faults: string[] = [];
  if (ICE_UDP_PORT !== undefined && ICE_PORT_RANGE)
    faults.push(
      'ICE_UDP_PORT and ICE_PORT_RANGE exclude each other: set the first for one port for all clients, the second for one for each',
    );
  if (ICE_TCP_PORT !== 0 && ICE_TCP_PORT === PORT)
    faults.push(`ICE_TCP_PORT ${ICE_TCP_PORT} is PORT, on which HTTP is served: choose another one (that of ICE_UDP_PORT may be the same)`);
  return faults;
}

/** TURN servers without credentials would be left out without a word: browsers refuse them. */
function turnFaults({ TURN_URLS, TURN_USERNAME, TURN_CREDENTIAL, TURN_SECRET }: Config): string[] {
  const faults: string[] = [];
  if ((TURN_USERNAME === '') !== (TURN_CREDENTIAL === '')) faults.push('TURN_USERNAME and TURN_CREDENTIAL go together: set both or none');
  const hasCredentials = TURN_SECRET !== '' || TURN_USERNAME !== '' || TURN_CREDENTIAL !== '';
  if (TURN_URLS.length > 0 && !hasCredentials) faults.push('TURN_URLS needs TURN_SECRET, or TURN_USERNAME and TURN_CREDENTIAL');
  if (TURN_URLS.length === 0 && hasCredentials)
    faults.push(`${TURN_SECRET !== '' ? 'TURN_SECRET is' : 'TURN_USERNAME and TURN_CREDENTIAL are'} set, but TURN_URLS names no server`);
  return faults;
}

/** One without the other would serve everybody in the clear. */
function tlsFaults({ TLS_CERT, TLS_KEY }: Config): string[] {
  if ((TLS_CERT === '') === (TLS_KEY === '')) return [];
  return [`TLS_CERT and TLS_KEY go together: set ${TLS_CERT === '' ? 'TLS_CERT' : 'TLS_KEY'}, too, or none`];
}

/** What narrows tokens down says nothing where none are taken. */
function jwtFaults({ JWT_SECRET, JWT_JWKS_URL, JWT_AUDIENCE, JWT_ISSUER }: Config): string[] {
  if (JWT_SECRET !== '' || JWT_JWKS_URL !== '' || (JWT_AUDIENCE === '' && JWT_ISSUER === '')) return [];
  return [`${JWT_AUDIENCE === '' ? 'JWT_ISSUER' : 'JWT_AUDIENCE'} needs JWT_SECRET or JWT_JWKS_URL`];
}

/** What is for the broker does nothing without one. */
function mqttFaults({ MQTT_URL, MQTT_CA_FILE, MQTT_DETECTIONS }: Config): string[] {
  if (MQTT_URL === '') {
    const names = [...(MQTT_CA_FILE === '' ? [] : ['MQTT_CA_FILE']), ...(MQTT_DETECTIONS.length === 0 ? [] : ['MQTT_DETECTIONS'])];
    return names.map((name) => `${name} needs MQTT_URL`);
  }
  return MQTT_CA_FILE !== '' && !MQTT_URL.startsWith('mqtts:') ? ['MQTT_CA_FILE is for TLS: MQTT_URL has to begin with mqtts://'] : [];
}

/** Who has the token of others must not administer by it. */
function tokenFaults({ ADMIN_TOKEN, VIEWER_TOKEN, PUBLISH_TOKENS }: Config): string[] {
  if (ADMIN_TOKEN === '') return [];
  const same = [
    ...(VIEWER_TOKEN === ADMIN_TOKEN ? ['VIEWER_TOKEN'] : []),
    ...([...PUBLISH_TOKENS.values()].includes(ADMIN_TOKEN) ? ['PUBLISH_TOKENS'] : []),
  ];
  return same.map((name) => `ADMIN_TOKEN stands in ${name}, too, which would let its holders administer this server: set another one`);
}

/**
 * A server that others can reach serves those who are named, or everybody where somebody says so.
 * @throws MediaPeerError CONFIG_INVALID
 */
export function throwIfOpen(config: Config): void {
  const { HOST, TRUST_PROXY, PUBLISH_TOKENS, ALLOW_ANONYMOUS } = config;
  const isLocal = HOST === 'localhost' || HOST === '::1' || (isIP(HOST) === 4 && HOST.startsWith('127.'));
  const { ADMIN_TOKEN, VIEWER_TOKEN, AUTH_FILE, JWT_SECRET, JWT_JWKS_URL, AUTH_URL } = config;
  const named = [ADMIN_TOKEN, VIEWER_TOKEN, AUTH_FILE, JWT_SECRET, JWT_JWKS_URL, AUTH_URL];
  const hasPrincipals = PUBLISH_TOKENS.size > 0 || named.some((value) => value !== '');
  if (hasPrincipals || ALLOW_ANONYMOUS !== 'off' || (isLocal && TRUST_PROXY.length === 0)) return;
  const why = isLocal ? 'TRUST_PROXY is set, so others reach this server' : `HOST ${HOST} lets others reach this server`;
  throw new MediaPeerError(
    'CONFIG_INVALID',
    `${why}, and nobody is named who may use it: set ADMIN_TOKEN to ${MIN_TOKEN_CHARS} characters or more (openssl rand -hex 32), or ALLOW_ANONYMOUS=watch or ALLOW_ANONYMOUS=all to let everybody in`,
  );
}
