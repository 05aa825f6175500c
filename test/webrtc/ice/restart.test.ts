/** ICE restarts that meet trouble: each leaves what works as it was, and nothing behind. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../helpers/deadline.js';
import { WeriftViewer } from '../../helpers/werift-viewer.js';
import { offer } from '../offers.js';
import { Rig } from '../rig.js';

const REMOTE = { iceUfrag: 'ysXw', icePassword: 'x'.repeat(22), candidates: [] } as const;

/** The same description after the client's ICE restart. */
function restarted(sdp: string, ufrag = 'ysXw'): string {
  return sdp.replace(/^a=ice-ufrag:.*$/gm, `a=ice-ufrag:${ufrag}`).replace(/^a=ice-pwd:.*$/gm, `a=ice-pwd:${'x'.repeat(24)}`);
}

test('of restarts that are begun at the same time the last one holds, and the agents of the others are closed', async () => {
  const rig = new Rig();
  const viewer = new WeriftViewer();
  const { sessionId } = await viewer.join(rig.accept());
  const results = await Promise.allSettled([1, 2, 3, 4].map((i) => rig.manager.restart(sessionId, { ...REMOTE, iceUfrag: `ufr${i}` })));
  const answered = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  assert.equal(answered.length, 1, 'one answer');
  for (const result of results)
    if (result.status === 'rejected') assert.equal((result.reason as { code: string }).code, 'ICE_RESTART_REFUSED');
  assert.equal(rig.manager.iceTag(sessionId), answered[0]?.iceUfrag, 'the answer tells of the agent that is there');
  await eventually(() => rig.ledger.snapshot().udp_sockets === 2, 2000, 'the agents in use and the one of the restart alone');
  await viewer.close();
  await rig.close();
});

test('a restart that is begun while another one is being given up, and a session that ends meanwhile, leave nothing behind', async () => {
  const rig = new Rig();
  const viewer = new WeriftViewer();
  const { sessionId } = await viewer.join(rig.accept());
  await rig.manager.restart(sessionId, REMOTE);
  const second = rig.manager.restart(sessionId, { ...REMOTE, iceUfrag: 'abcd' });
  const third = rig.manager.restart(sessionId, { ...REMOTE, iceUfrag: 'efgh' });
  const closed = rig.manager.close(sessionId, 'viewer-left');
  await Promise.allSettled([second, third, closed]);
  await viewer.close();
  await eventually(() => rig.ledger.snapshot().udp_sockets === 0, 2000, 'every socket to be given back');
  await rig.close();
});

test('a restart offers the addresses that the machine has by then', async () => {
  const iceAddresses = ['127.0.0.1'];
  const rig = new Rig({ iceAddresses });
  const viewer = new WeriftViewer();
  const { sessionId } = await viewer.join(rig.accept());
  iceAddresses.splice(0, 1, '127.0.0.2', '127.0.0.3');
  const { candidates } = await rig.manager.restart(sessionId, REMOTE);
  const addresses = candidates.map((line) => line.split(' ')[4]);
  assert.deepEqual(addresses, ['127.0.0.2', '127.0.0.3']);
  await viewer.close();
  await rig.close();
});

test('a restart that gets no port is refused, and changes nothing', async () => {
  const rig = new Rig({ source: { hasAudio: true }, icePortRange: [47_340, 47_342] });
  const sdp = offer('gstreamer-no-bundle');
  const { sessionId } = await rig.accept()(sdp);
  const tag = rig.manager.iceTag(sessionId);
  // Two ports are in use: the third is enough for one of the two transports.
  await assert.rejects(rig.manager.restartByOffer(sessionId, restarted(sdp)), { code: 'CAPACITY_REACHED' });
  assert.equal(rig.manager.iceTag(sessionId), tag);
  await eventually(() => rig.ledger.snapshot().udp_sockets === 2, 2000, 'the half that was opened to be closed');
  await rig.close();
});

test('a restart that gets no port does not stop the one before it', async () => {
  const rig = new Rig({ icePortRange: [47_343, 47_344] });
  const viewer = new WeriftViewer();
  const { sessionId } = await viewer.join(rig.accept());
  const { iceUfrag } = await rig.manager.restart(sessionId, REMOTE);
  await assert.rejects(rig.manager.restart(sessionId, { ...REMOTE, iceUfrag: 'abcd' }), { code: 'CAPACITY_REACHED' });
  assert.equal(rig.manager.iceTag(sessionId), iceUfrag);
  await viewer.close();
  await rig.close();
});

test('an answer to a restart that cannot be used gives the restart up, and the session goes on', async () => {
  const rig = new Rig();
  const viewer = new WeriftViewer();
  const { sdp, sessionId } = await rig.manager.offer({ door: 'ws', sourceId: 'street' });
  await viewer.pc.setRemoteDescription({ type: 'offer', sdp });
  await viewer.pc.setLocalDescription(await viewer.pc.createAnswer());
  await rig.manager.answer(sessionId, viewer.pc.localDescription?.sdp ?? '');
  await eventually(() => rig.manager.snapshot()[0]?.connectionState === 'connected', 5000, 'the viewer to connect');
  const tag = rig.manager.iceTag(sessionId);
  await rig.manager.offerRestart(sessionId);
  assert.notEqual(rig.manager.iceTag(sessionId), tag);
  await assert.rejects(rig.manager.answer(sessionId, 'v=0\r\n'), { code: 'SDP_INVALID' });
  assert.equal(rig.manager.iceTag(sessionId), tag);
  await eventually(() => rig.ledger.snapshot().udp_sockets === 1, 2000, 'the agent of the restart to be closed');
  assert.equal(rig.manager.snapshot()[0]?.connectionState, 'connected');
  await viewer.close();
  await rig.close();
});

test('a client that restarts ICE itself needs not answer the offer of a restart any more', async () => {
  const rig = new Rig();
  const viewer = new WeriftViewer();
  const { sdp, sessionId } = await rig.manager.offer({ door: 'ws', sourceId: 'street' });
  await viewer.pc.setRemoteDescription({ type: 'offer', sdp });
  await viewer.pc.setLocalDescription(await viewer.pc.createAnswer());
  const answer = viewer.pc.localDescription?.sdp ?? '';
  await rig.manager.answer(sessionId, answer);
  await rig.manager.offerRestart(sessionId);
  await rig.manager.restart(sessionId, REMOTE);
  await assert.rejects(rig.manager.answer(sessionId, restarted(answer)), { code: 'NEGOTIATION_STATE' });
  await viewer.close();
  await rig.close();
});
