import assert from 'node:assert/strict';
import { createCipheriv, type CipherGCMTypes } from 'node:crypto';
import { test } from 'node:test';
import { eventually, within } from '../../helpers/deadline.js';
import { FakeClock } from '../../helpers/fake-clock.js';
import { WeriftViewer } from '../../helpers/werift-viewer.js';
import { offer } from '../offers.js';
import { Rig } from '../rig.js';

test('a viewer that closes is gone at once', async () => {
  const rig = new Rig();
  const viewer = new WeriftViewer({ dataChannel: 'commands' });
  await viewer.join(rig.accept());
  await eventually(() => viewer.dataChannel?.readyState === 'open', 3000, 'the data channel to open');
  await viewer.close();
  assert.equal(await rig.endReason(1000), 'viewer-left');
  await eventually(() => rig.manager.snapshot().length === 0, 1000, 'the session to be given back');
  await rig.close();
});

test('a client that never answers ICE is gone after the connection timeout', async () => {
  const clock = new FakeClock();
  const rig = new Rig({ clock, connectionTimeoutMs: 30_000 });
  await rig.accept()(offer('safari'));
  await clock.advance(29_999);
  assert.equal(rig.manager.snapshot()[0]?.connectionState, 'connecting');
  await clock.advance(2);
  assert.equal(await rig.endReason(), 'ice-timeout');
  await eventually(() => rig.manager.connections === 0, 1000, 'the session to be given back');
  assert.equal(clock.pendingTimers, 0);
  await rig.close();
});

test('a viewer killed without goodbye is disconnected after 7 s, and ended after the grace time', async () => {
  const clock = new FakeClock();
  const rig = new Rig({ clock, disconnectGraceMs: 10_000 });
  const viewer = new WeriftViewer();
  await viewer.join(rig.accept());
  await viewer.vanish();
  const state = (): string | undefined => rig.manager.snapshot()[0]?.connectionState;
  await clock.advance(6000);
  assert.equal(state(), 'connected');
  rig.write(20, { bytes: 5000 });
  await clock.advance(2000);
  assert.equal(state(), 'disconnected');
  assert.equal(rig.manager.snapshot()[0]?.iceState, 'disconnected');
  await clock.advance(8000);
  assert.equal(state(), 'disconnected');
  await clock.advance(3000);
  assert.equal(await rig.endReason(), 'ice-failed');
  await rig.close();
});

test('a viewer that was silent and is heard again stays', async () => {
  const clock = new FakeClock();
  const rig = new Rig({ clock });
  const viewer = new WeriftViewer();
  const { sdp } = await viewer.join(rig.accept());
  const speak = viewer.fallSilent();
  await clock.advance(10_000);
  assert.equal(rig.manager.snapshot()[0]?.connectionState, 'disconnected');
  speak();
  await viewer.sendPli(WeriftViewer.ssrcs(sdp)[0] ?? 0);
  await eventually(
    async () => {
      await clock.advance(1000);
      return rig.manager.snapshot()[0]?.connectionState === 'connected';
    },
    1000,
    'the viewer to be connected again',
  );
  await viewer.close();
  await rig.close();
});

test('what is measured of a session is what its snapshot tells, before it is connected, while it flows and on a wall', async () => {
  const rig = new Rig({ source: { hasAudio: true } });
  const viewer = new WeriftViewer({ video: 2, audio: true, dataChannel: 'commands' });
  const compare = (): void => {
    const [measured, snapshot] = [rig.manager.measure(), rig.manager.snapshot()];
    assert.equal(measured.length, 1);
    const { video, audio, quality, ...others } = measured[0] ?? assert.fail();
    const told: Readonly<Record<string, unknown>> = { ...(snapshot[0] ?? assert.fail()) };
    for (const [name, value] of Object.entries(others)) assert.deepEqual(value, told[name] ?? (value === 0 ? 0 : undefined), name);
    assert.equal(quality?.queueMs, snapshot[0]?.quality?.queueMs);
    for (const [streams, of] of [
      [video, snapshot[0]?.video],
      [audio, snapshot[0]?.audio],
    ] as const) {
      assert.equal(streams.length, of?.length);
      streams.forEach((stream, i) => assert.deepEqual({ ...of?.[i], ...stream }, of?.[i]));
    }
  };
  await viewer.join(async (sdp) => {
    const answer = await rig.accept()(sdp);
    compare();
    return answer;
  });
  rig.write(10);
  await viewer.until(() => viewer.packets.length > 20, 3000, 'packets');
  compare();
  const [measured] = rig.manager.measure();
  assert.ok(measured?.video.every(({ packetsSent, sourceId }) => packetsSent > 0 && sourceId === 'street'));
  await viewer.close();
  await rig.close();
});

test('the end of the track ends the session with its reason', async () => {
  const rig = new Rig();
  const viewer = new WeriftViewer();
  await viewer.join(rig.accept());
  rig.gateway.track('processed').close('source-ended');
  assert.equal(await rig.endReason(), 'source-ended');
  await viewer.close();
  await rig.close();
});

test('a viewer is told at once when the server closes', async () => {
  const rig = new Rig();
  const viewer = new WeriftViewer();
  await viewer.join(rig.accept());
  const closed = new Promise<void>((resolve) => {
    viewer.dtls.onStateChange.subscribe((state) => {
      if (state === 'closed') resolve();
    });
  });
  await rig.close();
  await within(closed, 1000, 'the DTLS close_notify');
  assert.equal(await rig.endReason(), 'server-closing');
  await viewer.close();
});

test('a goodbye is heard whatever the random bytes before it look like', async () => {
  const rig = new Rig();
  const viewer = new WeriftViewer();
  await viewer.join(rig.accept());
  // The library's own are never random; OpenSSL's look like a plain handshake_failure (40) now and then.
  await viewer.dtls.iceTransport.connection.send(encryptedCloseNotify(viewer, Buffer.from([20, 40, 0, 0, 0, 0, 0, 1])));
  assert.equal(await within(rig.endReason(), 2000, 'the end of the session'), 'viewer-left');
  await viewer.close();
  await rig.close();
});

/** A DTLS 1.2 record of AES-GCM (RFC 5288 §3) with an explicit nonce of one's own. */
function encryptedCloseNotify(viewer: WeriftViewer, explicitNonce: Buffer): Buffer {
  const { cipher } = (
    viewer.dtls.dtls as unknown as { cipher: { cipher: { blockAlgorithm: CipherGCMTypes; clientWriteKey: Buffer; clientNonce: Buffer } } }
  ).cipher;
  const header = Buffer.from([21, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 9, 9, 0, 26]);
  const seal = createCipheriv(
    cipher.blockAlgorithm,
    cipher.clientWriteKey,
    Buffer.concat([cipher.clientNonce.subarray(0, 4), explicitNonce]),
  );
  seal.setAAD(Buffer.concat([header.subarray(3, 11), header.subarray(0, 3), Buffer.from([0, 2])]));
  const sealed = Buffer.concat([seal.update(Buffer.from([1, 0])), seal.final()]);
  return Buffer.concat([header, explicitNonce, sealed, seal.getAuthTag()]);
}

test('a certificate that is not the announced one is not talked to', async () => {
  const rig = new Rig();
  const viewer = new WeriftViewer();
  const sdp = (await viewer.offer()).replace(/a=fingerprint:sha-256 ..:..:/g, 'a=fingerprint:sha-256 00:00:');
  await viewer.acceptAnswer((await rig.accept()(sdp)).sdp);
  assert.equal(await rig.endReason(), 'dtls-failed');
  assert.equal(viewer.packets.length, 0);
  await viewer.close();
  await rig.close();
});

test('a session that ends while its track is being opened gives the lease back when it comes', async () => {
  const rig = new Rig();
  let open: () => void = () => undefined;
  rig.gateway.gate = new Promise((resolve) => (open = resolve));
  const viewer = new WeriftViewer();
  const { sessionId } = await viewer.join(rig.accept());
  await rig.manager.close(sessionId, 'viewer-left');
  open();
  await eventually(() => rig.gateway.requests.length === 1 && rig.gateway.leases === 0, 1000, 'the lease to be given back');
  await viewer.close();
  await rig.close();
});

test('a track that opens after the connection is sent from then on', async () => {
  const rig = new Rig();
  let open: () => void = () => undefined;
  rig.gateway.gate = new Promise((resolve) => (open = resolve));
  const viewer = new WeriftViewer();
  await viewer.join(rig.accept());
  assert.equal(viewer.packets.length, 0);
  open();
  await viewer.until(() => viewer.packets.length > 2, 1000, 'the picture');
  await viewer.close();
  await rig.close();
});

test('logs tell beginning and end, and no address or session description above debug', async () => {
  const rig = new Rig();
  const viewer = new WeriftViewer({ dataChannel: 'commands' });
  await viewer.join(rig.accept({ clientId: 'drone-1' }));
  await eventually(() => viewer.dataChannel?.readyState === 'open', 3000, 'the data channel to open');
  await viewer.close();
  await rig.endReason();
  const loud = rig.lines.filter(({ level }) => level !== 'debug');
  assert.deepEqual(
    loud.map(({ message }) => message),
    ['session started', 'session ended'],
  );
  assert.equal(loud[1]?.fields['clientId'], 'drone-1');
  assert.doesNotMatch(JSON.stringify(loud), /127\.0\.0\.1|a=|ice-pwd/);
  assert.ok(rig.lines.some(({ message }) => message === 'dtls connected'));
  await rig.close();
});

test('a source that ends while an offer is being answered is told as such, with when to try again', async () => {
  const rig = new Rig();
  rig.gateway.track('raw').close('source-ended');
  await assert.rejects(rig.accept({ renditions: ['raw'] })(offer('safari')), {
    code: 'SOURCE_NOT_LIVE',
    retryAfterS: 1,
    message: /source-ended/,
  });
  await rig.close();
});
