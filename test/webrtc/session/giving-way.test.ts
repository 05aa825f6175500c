import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock, type Clock } from '../../../src/base/clock.js';
import { MediaPeerError } from '../../../src/base/errors.js';
import { ResourceLedger } from '../../../src/base/resources.js';
import { eventually } from '../../helpers/deadline.js';
import { WeriftViewer } from '../../helpers/werift-viewer.js';
import { offer } from '../offers.js';
import { Rig } from '../rig.js';

/** The machine's clock, which a test moves on. */
function skippingClock(): { readonly clock: Clock; readonly skip: (ms: number) => void } {
  const clock = systemClock(new ResourceLedger());
  let skippedMs = 0;
  return { clock: { ...clock, now: () => clock.now() + skippedMs }, skip: (ms) => void (skippedMs += ms) };
}

test('offers that nobody follows up give way after 3 s; who is connected, and who is about to be, stays', async () => {
  const { clock, skip } = skippingClock();
  const rig = new Rig({ clock, maxConnections: 4 });
  const watching = new WeriftViewer();
  await watching.join(rig.accept({ clientId: 'watching', address: '127.0.0.1' }));
  const hollow = await Promise.all([1, 2, 3].map(() => rig.accept({ address: '127.0.0.1' })(offer('safari'))));
  const joining = new WeriftViewer();
  await assert.rejects(
    joining.join(rig.accept({ address: '127.0.0.1' })),
    (error: unknown) => error instanceof MediaPeerError && error.code === 'CAPACITY_REACHED' && error.retryAfterS === 3,
  );
  await joining.close();

  skip(3000);
  const joiner = new WeriftViewer();
  const { sessionId } = await joiner.join(rig.accept({ clientId: 'joiner', address: '127.0.0.1' }));
  assert.equal(await hollow[0]?.ended, 'gave-way');
  const report = rig.manager.report(hollow[0]?.sessionId ?? '');
  assert.match(
    report?.end?.explanation ?? '',
    /^all places were taken, and it was not connected after \d+\.\d s, so it gave way to another client; until then: ICE failed/,
  );
  assert.ok(rig.lines.some(({ message, fields }) => message === 'session failed' && fields['reason'] === 'gave-way'));

  for (let i = 0; i < 6; i++) {
    skip(3000);
    await rig.accept({ address: `192.0.2.${i}` })(offer('safari'));
  }
  assert.deepEqual(
    rig.manager
      .snapshot()
      .filter(({ connectionState }) => connectionState === 'connected')
      .map(({ clientId }) => clientId),
    ['watching', 'joiner'],
  );
  assert.equal(rig.manager.report(sessionId)?.end, undefined);
  assert.equal(rig.manager.connections, 4);
  await watching.close();
  await joiner.close();
  await rig.close();
});

test('a client that finishes ICE and never DTLS is not connected: it gives way, too', async () => {
  const { clock, skip } = skippingClock();
  const rig = new Rig({ clock, maxConnections: 1 });
  const stalled = new WeriftViewer();
  stalled.dtls.start = () => new Promise(() => undefined);
  const sdp = await stalled.offer();
  const opened = await rig.accept({ address: 'a' })(sdp);
  await stalled.acceptAnswer(opened.sdp);
  await eventually(() => rig.manager.report(opened.sessionId)?.steps.some(({ step }) => step === 'ice connected'), 5000, 'ICE to be done');
  skip(3000);
  const joiner = new WeriftViewer();
  await joiner.join(rig.accept({ address: 'b' }));
  assert.equal(await opened.ended, 'gave-way');
  assert.match(rig.manager.report(opened.sessionId)?.end?.explanation ?? '', /DTLS did not finish/);
  await joiner.close();
  await stalled.close();
  await rig.close();
});

test('publishers and viewers take no places from each other', async () => {
  const rig = new Rig({ maxConnections: 1, maxPublishers: 1 });
  const publish = (room: string): ReturnType<typeof rig.manager.publish> =>
    rig.manager.publish({ door: 'whip', sdp: offer('pion').replace(/^a=recvonly/gm, 'a=sendonly'), room, takeover: false });
  await rig.accept()(offer('safari'));
  const { ended } = await publish('gate');
  await assert.rejects(rig.accept()(offer('safari')), /MAX_CONNECTIONS/);
  await assert.rejects(publish('yard'), /MAX_PUBLISHERS/);
  await rig.close();
  assert.equal(await ended, 'server-closing');
});
