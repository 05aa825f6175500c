import assert from 'node:assert/strict';
import os from 'node:os';
import { test } from 'node:test';
import { MediaPeerError, type ErrorCode } from '../../../src/base/errors.js';
import { eventually } from '../../helpers/deadline.js';
import { WeriftViewer } from '../../helpers/werift-viewer.js';
import { offer } from '../offers.js';
import { Rig } from '../rig.js';

const code =
  (expected: ErrorCode) =>
  (error: unknown): boolean =>
    error instanceof MediaPeerError && error.code === expected;

test('a viewer receives the open group of pictures and then live frames under the announced ssrc', async () => {
  const rig = new Rig();
  const viewer = new WeriftViewer();
  const accepted = await viewer.join(rig.accept());
  rig.write();
  await viewer.until(() => viewer.packets.length >= 7, 2000, 'both frames');
  const [ssrc] = WeriftViewer.ssrcs(accepted.sdp);
  assert.ok(viewer.packets.every(({ header }) => header.ssrc === ssrc && header.payloadType === 102));
  assert.deepEqual(accepted.renditions, ['processed']);
  await viewer.close();
  await rig.close();
});

test('raw, processed and audio go to their own m-lines over one socket, and a data channel opens', async () => {
  const rig = new Rig({ source: { hasAudio: true } });
  const viewer = new WeriftViewer({ video: 2, audio: true, dataChannel: 'commands' });
  const accepted = await viewer.join(rig.accept());
  await eventually(() => viewer.dataChannel?.readyState === 'open', 3000, 'the data channel to open');
  rig.write();
  rig.gateway.track('audio', 'opus').write({ data: Buffer.alloc(80, 1), mediaTimeMs: 40, keyframe: true });
  const ssrcs = [0, 1, 2].map((i) => WeriftViewer.ssrcs(accepted.sdp, i)[0] ?? 0);
  const received = (ssrc: number): number => viewer.packets.filter(({ header }) => header.ssrc === ssrc).length;
  await viewer.until(() => ssrcs.every((ssrc) => received(ssrc) > 0), 2000, 'all three streams');
  assert.equal(rig.ledger.snapshot().udp_sockets, 1);
  const [snapshot] = rig.manager.snapshot();
  assert.ok(snapshot);
  assert.deepEqual(
    snapshot.video.map(({ rendition, codec }) => [rendition, codec]),
    [
      ['raw', 'h264'],
      ['processed', 'h264'],
    ],
  );
  assert.equal(snapshot.audio.length, 1);
  assert.equal(snapshot.connectionState, 'connected');
  assert.ok(snapshot.bytesSent > 0 && snapshot.hasProcessedTrack);
  await viewer.close();
  await rig.close();
});

test('m-lines outside of a bundle have a transport each, over IPv6 as over IPv4', async () => {
  const rig = new Rig({ source: { hasAudio: true }, iceAddresses: ['::1', '127.0.0.1'] });
  const { sdp } = await rig.accept()(offer('gstreamer-no-bundle'));
  const ports = [...sdp.matchAll(/^a=candidate:\S+ 1 udp [0-9]+ (::1|127\.0\.0\.1) ([0-9]+) typ host/gm)].map((match) => [
    match[1],
    match[2],
  ]);
  assert.deepEqual(ports.map(([address]) => address).sort(), ['127.0.0.1', '127.0.0.1', '::1', '::1']);
  assert.equal(new Set(ports.map(([, port]) => port)).size, 4);
  assert.equal(new Set(sdp.match(/^a=ice-ufrag:.*$/gm)).size, 2);
  assert.equal(rig.ledger.snapshot().udp_sockets, 4);
  await rig.close();
});

test('a restart that cannot be, because m-lines have a transport each, changes nothing', async () => {
  const rig = new Rig({ source: { hasAudio: true } });
  const { sessionId } = await rig.accept()(offer('gstreamer-no-bundle'));
  const tag = rig.manager.iceTag(sessionId);
  await assert.rejects(
    rig.manager.restart(sessionId, { iceUfrag: 'ysXw', icePassword: 'x'.repeat(22), candidates: [] }),
    code('ICE_RESTART_REFUSED'),
  );
  assert.equal(rig.manager.iceTag(sessionId), tag);
  await rig.close();
});

test('ports are taken from the configured range; when it is used up the offer fails and leaves nothing behind', async () => {
  const rig = new Rig({ icePortRange: [47_310, 47_312] });
  const accepted = await Promise.all([1, 2, 3].map(() => rig.accept()(offer('safari'))));
  const ports = accepted.map(({ sdp }) => Number(/127\.0\.0\.1 ([0-9]+) typ host/.exec(sdp)?.[1]));
  assert.deepEqual(ports.sort(), [47_310, 47_311, 47_312]);
  await assert.rejects(rig.accept()(offer('safari')), code('CAPACITY_REACHED'));
  await eventually(() => rig.manager.connections === 3, 1000, 'the refused session to be given back');
  await rig.close();
});

test('a client that offers VP8 alone gets VP8', async () => {
  const rig = new Rig();
  const viewer = new WeriftViewer({ codec: 'VP8' });
  await viewer.join(rig.accept({ renditions: ['raw'] }));
  rig.gateway.track('raw', 'vp8').write({ data: Buffer.alloc(2500, 2), mediaTimeMs: 10, keyframe: true });
  await viewer.until(() => viewer.packets.length === 3, 2000, 'the frame');
  assert.deepEqual(rig.gateway.requests, [{ kind: 'video', rendition: 'raw', codec: 'vp8' }]);
  await viewer.close();
  await rig.close();
});

test('a client that answers DTLS passively is connected to', async () => {
  const rig = new Rig();
  const viewer = new WeriftViewer();
  const sdp = (await viewer.offer()).replace(/a=setup:actpass/g, 'a=setup:passive');
  viewer.dtls.role = 'server';
  const accepted = await rig.accept()(sdp);
  assert.match(accepted.sdp, /a=setup:active/);
  await viewer.acceptAnswer(accepted.sdp);
  viewer.dtls.role = 'server';
  await viewer.connected();
  await viewer.close();
  await rig.close();
});

test('the 11th client is turned away with when to come back, also when all offer at once', async () => {
  const rig = new Rig();
  const results = await Promise.allSettled(Array.from({ length: 14 }, () => rig.accept()(offer('safari'))));
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 10);
  const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as MediaPeerError] : []));
  assert.deepEqual(
    refused.map(({ code: refusedCode, retryAfterS }) => [refusedCode, retryAfterS]),
    Array(4).fill(['CAPACITY_REACHED', 5]),
  );
  const [first] = rig.manager.snapshot();
  assert.equal(await rig.manager.close(first?.sessionId ?? '', 'viewer-left'), true);
  await rig.accept()(offer('safari'));
  await rig.close();
});

test('a client id that is taken gets a suffix and a warning; one that is malformed is refused', async () => {
  const rig = new Rig();
  const ids: string[] = [];
  for (const clientId of ['drone-1', 'drone-1', 'x'.repeat(64), 'x'.repeat(64), undefined]) {
    ids.push((await rig.accept({ clientId })(offer('safari'))).clientId);
  }
  assert.equal(ids[0], 'drone-1');
  assert.match(ids[1] ?? '', /^drone-1-[0-9a-f]{8}$/);
  assert.equal(ids[2], 'x'.repeat(64));
  assert.match(ids[3] ?? '', /^x{55}-[0-9a-f]{8}$/);
  assert.match(ids[4] ?? '', /^viewer-[0-9a-f]{8}$/);
  assert.equal(rig.lines.filter(({ level, message }) => level === 'warn' && message === 'client id collision').length, 2);
  for (const clientId of ['', 'a b', 'x'.repeat(65), 'ä'])
    await assert.rejects(rig.accept({ clientId })(offer('safari')), code('BODY_INVALID'));
  const [first] = rig.manager.snapshot();
  await rig.manager.close(first?.sessionId ?? '', 'viewer-left');
  assert.equal((await rig.accept({ clientId: 'drone-1' })(offer('safari'))).clientId, 'drone-1', 'free again');
  await rig.close();
});

test('what cannot be served is refused before anything is opened', async () => {
  const rig = new Rig({ source: { renditions: ['raw'] } });
  await assert.rejects(rig.accept({ sourceId: 'nowhere' })(offer('safari')), code('SOURCE_NOT_FOUND'));
  await assert.rejects(rig.accept({ renditions: ['processed'] })(offer('safari')), code('DETECTION_OFF'));
  await assert.rejects(rig.accept()('v=0'), code('SDP_INVALID'));
  assert.deepEqual(rig.gateway.requests, []);
  await rig.close();
  await assert.rejects(rig.accept()(offer('safari')), code('SERVER_CLOSING'));
});

test('an offer that cannot be read connects no camera', async (t) => {
  const rig = new Rig();
  const open = t.mock.method(rig.gateway, 'open');
  for (const sdp of ['v=0', 'hello', '']) {
    await assert.rejects(rig.accept()(sdp), code('SDP_INVALID'), sdp.slice(0, 10));
  }
  assert.equal(open.mock.callCount(), 0);
  await rig.close();
});

test('a track that cannot be opened refuses the offer with its own error', async () => {
  const rig = new Rig();
  rig.gateway.gate = Promise.reject(new MediaPeerError('SOURCE_NOT_PLAYABLE', 'no moov atom'));
  await assert.rejects(rig.accept()(offer('safari')), code('SOURCE_NOT_PLAYABLE'));
  await rig.close();
});

test('no DNS is asked and nobody but the peer gets a packet, whatever candidates the offer names', async () => {
  const rig = new Rig();
  const viewer = new WeriftViewer();
  const names = ['5b20c85a-11b0-40ed-8242-2d4c25709c49.local', 'stun.example.com', '224.0.0.251'];
  const lookups = await watchNetwork(async (sentTo) => {
    const sdp = await viewer.offer();
    const withNames = sdp.replace(
      /a=candidate/,
      `${names.map((name, i) => `a=candidate:${i} 1 udp 2113937151 ${name} 5353 typ host`).join('\r\n')}\r\na=candidate`,
    );
    await viewer.acceptAnswer((await rig.accept()(withNames)).sdp);
    await viewer.connected();
    rig.write(5);
    await viewer.until(() => viewer.packets.length > 10, 2000, 'frames');
    for (const target of sentTo) assert.match(target, /^127\.0\.0\.1 /);
  });
  assert.deepEqual(lookups, []);
  await viewer.close();
  await rig.close();
});

/** Runs `action` while every datagram's target and every name look-up in this process is noted. */
async function watchNetwork(action: (sentTo: Set<string>) => Promise<void>): Promise<string[]> {
  const dgram = (await import('node:dgram')).default;
  const dns = (await import('node:dns')).default;
  const sentTo = new Set<string>();
  const lookups: string[] = [];
  const originalSend = Reflect.get(dgram.Socket.prototype, 'send') as () => void;
  const originalLookup = dns.lookup;
  const originalPromiseLookup = dns.promises.lookup;
  dgram.Socket.prototype.send = function (this: unknown, ...args: unknown[]): void {
    const target = args.findIndex((arg) => typeof arg === 'string' && arg.length > 2);
    sentTo.add(`${String(args[target])} ${String(args[target - 1])}`);
    Reflect.apply(originalSend, this, args);
  };
  dns.lookup = function (this: unknown, ...args: unknown[]): void {
    if (typeof args[0] === 'string' && !/^[0-9.:]+$/.test(args[0])) lookups.push(args[0]);
    Reflect.apply(originalLookup, this, args);
  } as typeof originalLookup;
  dns.promises.lookup = function (this: unknown, ...args: unknown[]): unknown {
    lookups.push(String(args[0]));
    return Reflect.apply(originalPromiseLookup, this, args);
  } as typeof originalPromiseLookup;
  try {
    await action(sentTo);
  } finally {
    dgram.Socket.prototype.send = originalSend;
    dns.lookup = originalLookup;
    dns.promises.lookup = originalPromiseLookup;
  }
  return lookups;
}

test('an offer that negotiates a connection again is refused; the same offer once more, or one of another connection, is not', async () => {
  const rig = new Rig();
  const first = offer('chromium');
  const { clientId } = await rig.accept()(first);
  const again = first.replace(/^(o=- [0-9]+) 2 /m, '$1 3 ');
  assert.notEqual(again, first);
  await assert.rejects(rig.accept()(again), {
    code: 'SDP_INVALID',
    message: new RegExp(`renegotiates the connection of client '${clientId}'`),
  });
  await rig.accept()(first);
  await rig.accept()(again.replaceAll(/^a=fingerprint:sha-256 1B/gm, 'a=fingerprint:sha-256 1C'));
  await rig.close();
});

/** An address of this machine that is not loopback. */
const outward = Object.values(os.networkInterfaces())
  .flat()
  .find((entry) => entry && entry.family === 'IPv4' && !entry.internal)?.address;

test(
  "a client may choose a pair of its loopback address and the server's other one",
  { skip: outward === undefined && 'this machine has loopback addresses alone' },
  async () => {
    const rig = new Rig({ iceAddresses: ['127.0.0.1', outward!] });
    const viewer = new WeriftViewer();
    await viewer.join(rig.accept());
    await viewer.close();
    await rig.close();
  },
);
