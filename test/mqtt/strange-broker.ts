/** A broker that does what a test tells it, byte by byte. */
import { once } from 'node:events';
import net from 'node:net';
import type { TestContext } from 'node:test';

/** A packet of ours as the broker gets it. */
export interface Received {
  /** Of the fixed header (MQTT §2.1.2): 1 CONNECT, 3 PUBLISH, 8 SUBSCRIBE, 12 PINGREQ, 14 DISCONNECT. */
  readonly type: number;
  readonly flags: number;
  readonly body: Buffer;
}

/** What it does with a packet. */
type Behaviour = (packet: Received, socket: net.Socket, connection: number) => void;

export const CONNECT = 1;
export const PUBLISH = 3;
export const SUBSCRIBE = 8;

/** Answers of MQTT 5 to what was received. */
export const connack = (reason = 0): Buffer => Buffer.from([0x20, 3, 0, reason, 0]);
/** Of 3.1.1. */
export const oldConnack = (code = 0): Buffer => Buffer.from([0x20, 2, 0, code]);
export const puback = ({ body }: Received, reason = 0): Buffer => {
  const topicBytes = body.readUInt16BE(0);
  return Buffer.from([0x40, 3, ...body.subarray(2 + topicBytes, 4 + topicBytes), reason]);
};
export const suback = ({ body }: Received): Buffer => Buffer.from([0x90, 4, ...body.subarray(0, 2), 0, 0]);
/** QoS 0. */
export const publish = (topic: string, payload: string): Buffer => {
  const body = Buffer.concat([Buffer.from([0, topic.length]), Buffer.from(topic), Buffer.from([0]), Buffer.from(payload)]);
  return Buffer.concat([Buffer.from([0x30]), remainingLength(body.length), body]);
};

/** Listens on 127.0.0.1 until the test is over; its address as a URL. */
export async function strangeBroker(t: TestContext, behave: Behaviour): Promise<string> {
  const sockets = new Set<net.Socket>();
  let connections = 0;
  const server = net.createServer((socket) => {
    const connection = ++connections;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
    let held: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      held = Buffer.concat([held, chunk]);
      for (let found = packetIn(held); found; found = packetIn(held)) {
        held = held.subarray(found.bytes);
        behave(found.packet, socket, connection);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return `mqtt://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
}

function packetIn(held: Buffer): { readonly packet: Received; readonly bytes: number } | undefined {
  let length = 0;
  for (let i = 1; i <= 4 && i < held.length; i++) {
    const byte = held[i] ?? 0;
    length += (byte & 0x7f) << (7 * (i - 1));
    if (byte & 0x80) continue;
    const bytes = 1 + i + length;
    const first = held[0] ?? 0;
    return held.length < bytes ? undefined : { bytes, packet: { type: first >> 4, flags: first & 15, body: held.subarray(1 + i, bytes) } };
  }
  return undefined;
}

/** MQTT §2.1.4. */
export function remainingLength(length: number): Buffer {
  const bytes: number[] = [];
  do {
    bytes.push((length & 0x7f) | (length > 0x7f ? 0x80 : 0));
    length >>= 7;
  } while (length > 0);
  return Buffer.from(bytes);
}
