/**
 * Which ONVIF cameras there are (WS-Discovery 1.1): one question to everybody on the networks of this machine, or to those that are
 * named, and what is answered within a few seconds. Anybody may answer, so answers are few, small, and to this question.
 */
import { randomUUID } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { delay, type Clock } from '../base/clock.js';
import type { ResourceLedger } from '../base/resources.js';
import { all, at, readXml, type XmlElement } from './xml.js';

/** A camera that has answered. */
export interface DiscoveredDevice {
  /** Address of its device service, to be asked for its streams. */
  readonly address: string;
  /** Where the answer came from. */
  readonly ip: string;
  /** As the camera calls itself; empty where it does not say. */
  readonly name: string;
  /** What it is; empty where it does not say. */
  readonly hardware: string;
}

/** Who is asked, and for how long. */
export interface DiscoveryRequest {
  /** Hosts, with a port or without; empty: everybody on the networks of this machine. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  /** How long answers are waited for. */
  readonly waitMs: number;
  /** Ends it before. */
  readonly signal: AbortSignal;
}

/** The port of WS-Discovery. */
export const DISCOVERY_PORT = 3702;
const GROUP = '239.255.255.250';
const MAX_DEVICES = 64;
/** More than any network of cameras gives; what a flood brings beyond it is not read. */
const MAX_ANSWERS = 512;
const WORDS = 100;

/** Asks, and waits for answers. Never rejects for those who do not answer. */
export async function discover(
  { hosts, waitMs, signal }: DiscoveryRequest,
  clock: Clock,
  ledger: ResourceLedger,
): Promise<DiscoveredDevice[]> {
  const found = new Map<string, DiscoveredDevice>();
  const id = `urn:uuid:${randomUUID()}`;
  let answers = 0;
  const take = (message: Buffer, from: { readonly address: string }): void => {
    if (++answers > MAX_ANSWERS) return;
    for (const device of readMatches(message, id, from.address)) if (found.size < MAX_DEVICES) found.set(device.address, device);
  };
  const probe = Buffer.from(probeMessage(id));
  const targets = hosts.length > 0 ? hosts : [{ host: GROUP, port: DISCOVERY_PORT }];
  const from = hosts.length > 0 ? [undefined] : ownAddresses();
  const sockets = await Promise.all(from.map((address) => open(address, ledger, take)));
  try {
    for (const { socket } of sockets) for (const { host, port } of targets) socket.send(probe, port, host, () => undefined);
    await delay(clock, waitMs, signal);
  } finally {
    for (const { close } of sockets) close();
  }
  signal.throwIfAborted();
  return [...found.values()].sort((a, b) => (a.address < b.address ? -1 : 1));
}

/** Cameras are on the networks that this machine is on; it itself is none. */
function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) =>
    (list ?? []).filter(({ address, internal }) => !internal && isIPv4(address)).map(({ address }) => address),
  );
}

async function open(
  address: string | undefined,
  ledger: ResourceLedger,
  take: (message: Buffer, from: { readonly address: string }) => void,
): Promise<{ readonly socket: Socket; readonly close: () => void }> {
  const socket = createSocket('udp4');
  const release = ledger.acquire('udp_sockets');
  // A network that is down, or a host that is none, gives no answers.
  socket.on('error', () => undefined);
  socket.on('message', take);
  await new Promise<void>((resolve) => {
    socket.once('error', () => resolve());
    socket.bind({ port: 0, ...(address !== undefined && { address }) }, resolve);
  });
  return {
    socket,
    close: () => {
      socket.close();
      release();
    },
  };
}

function probeMessage(id: string): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing">',
    `<s:Header><a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action><a:MessageID>${id}</a:MessageID>`,
    '<a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To></s:Header>',
    '<s:Body><Probe xmlns="http://schemas.xmlsoap.org/ws/2005/04/discovery"><Types xmlns:dn="http://www.onvif.org/ver10/network/wsdl">dn:NetworkVideoTransmitter</Types></Probe></s:Body></s:Envelope>',
  ].join('');
}

/** Answers to the question of that id; none of what is no such answer. */
function readMatches(message: Buffer, id: string, ip: string): DiscoveredDevice[] {
  let envelope: XmlElement;
  try {
    envelope = readXml(message.toString('utf8'));
  } catch {
    return []; // somebody else's, or garbage
  }
  if (at(envelope, 'Header', 'RelatesTo')?.text !== id) return [];
  return all(at(envelope, 'Body', 'ProbeMatches'), 'ProbeMatch').flatMap((match) => {
    const addresses = (at(match, 'XAddrs')?.text ?? '').split(/\s+/).filter(isDeviceAddress);
    // Of several, the one that it answered from is the one that can be reached.
    const address = addresses.find((each) => new URL(each).hostname === ip) ?? addresses[0];
    const scopes = (at(match, 'Scopes')?.text ?? '').split(/\s+/);
    return address === undefined ? [] : [{ address, ip, name: scopeOf(scopes, 'name'), hardware: scopeOf(scopes, 'hardware') }];
  });
}

function isDeviceAddress(text: string): boolean {
  return text.length <= 300 && /^https?:\/\/[^@]+$/i.test(text) && URL.canParse(text);
}

/** `onvif://www.onvif.org/name/Front%20Door` */
function scopeOf(scopes: readonly string[], kind: string): string {
  const prefix = `onvif://www.onvif.org/${kind}/`;
  const written = scopes.find((scope) => scope.startsWith(prefix))?.slice(prefix.length, prefix.length + WORDS * 3) ?? '';
  try {
    return decodeURIComponent(written)
      .replace(/\p{C}+/gu, ' ')
      .slice(0, WORDS);
  } catch {
    return written.slice(0, WORDS); // not percent-encoded
  }
}
