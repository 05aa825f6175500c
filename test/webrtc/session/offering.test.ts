/** Sessions that this server offers, and ICE restarts of all kinds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TrickledCandidate } from '../../../src/webrtc/index.js';
import { eventually } from '../../helpers/deadline.js';
import { WeriftViewer } from '../../helpers/werift-viewer.js';
import { offer } from '../offers.js';
import { Rig } from '../rig.js';

/** Answers the offer of a session and waits until connected. */
async function answer(rig: Rig, viewer: WeriftViewer, offered: { sdp: string; sessionId: string }): Promise<void> {
  await viewer.pc.setRemoteDescription({ type: 'offer', sdp: offered.sdp });
  await viewer.pc.setLocalDescription(await viewer.pc.createAnswer());
  await rig.manager.answer(offered.sessionId, viewer.pc.localDescription?.sdp ?? '');
  await eventually(() => rig.manager.snapshot()[0]?.connectionState === 'connected', 5000, 'the viewer to connect');
}

test('a viewer that answers an offer gets the picture', async () => {
  const rig = new Rig();
  const viewer = new WeriftViewer();
  const offered = await rig.manager.offer({ door: 'ws', sourceId: 'street', renditions: ['raw'] });
  assert.deepEqual(offered.renditions, ['raw']);
  assert.match(offered.sdp, /a=setup:actpass/);
  assert.match(offered.sdp, /m=application/);
  await answer(rig, viewer, offered);
  rig.write(3);
  await viewer.until(() => viewer.packets.length > 3, 3000, 'the picture');
  assert.ok(WeriftViewer.ssrcs(offered.sdp).includes(viewer.packets[0]?.header.ssrc ?? 0), 'the ssrc of the offer');
  await viewer.close();
  await rig.close();
});

test('an answer without an offer is refused, and so is a second one', async () => {
  const rig = new Rig();
  const viewer = new WeriftViewer();
  const { sessionId } = await viewer.join(rig.accept());
  await assert.rejects(rig.manager.answer(sessionId, viewer.pc.localDescription?.sdp ?? ''), { code: 'NEGOTIATION_STATE' });
  await viewer.close();
  await rig.close();
});

test('an answer that cannot be used ends the session and says why', async () => {
  const rig = new Rig();
  const { sessionId } = await rig.manager.offer({ door: 'ws', sourceId: 'street' });
  await assert.rejects(rig.manager.answer(sessionId, 'v=0\r\n'), { code: 'SDP_INVALID' });
  assert.equal(rig.manager.connections, 0);
  assert.equal(rig.manager.report(sessionId)?.end?.reason, 'negotiation-failed');
  await rig.close();
});

test('an answer that takes the bundle apart is refused', async () => {
  const rig = new Rig();
  const viewer = new WeriftViewer();
  const { sdp, sessionId } = await rig.manager.offer({ door: 'ws', sourceId: 'street' });
  await viewer.pc.setRemoteDescription({ type: 'offer', sdp });
  await viewer.pc.setLocalDescription(await viewer.pc.createAnswer());
  const answer = (viewer.pc.localDescription?.sdp ?? '').replace(/^a=group:BUNDLE.*\r\n/m, '');
  await assert.rejects(rig.manager.answer(sessionId, answer), { code: 'SDP_INVALID' });
  await viewer.close();
  await rig.close();
});

test('an offer that nobody answers ends after the connection timeout', async () => {
  const rig = new Rig({ connectionTimeoutMs: 100 });
  const { ended, sessionId } = await rig.manager.offer({ door: 'ws', sourceId: 'street' });
  assert.equal(await ended, 'ice-timeout');
  assert.equal(rig.manager.report(sessionId)?.end?.explanation, 'the client did not answer the offer in time');
  await rig.close();
});

test('the report of a session tells what was offered, chosen and tried', async () => {
  const rig = new Rig();
  const viewer = new WeriftViewer();
  const { sessionId } = await viewer.join(rig.accept());
  const report = rig.manager.report(sessionId);
  assert.ok(report);
  assert.equal(report.mLines[0]?.chosen, 'h264');
  assert.ok(report.steps.some(({ step }) => step === 'ice connected'));
  assert.equal(report.dtls?.role, 'server');
  const steps = (): string[] => rig.manager.report(sessionId)?.steps.map(({ step }) => step) ?? [];
  rig.write(1, { keyframe: true });
  await eventually(() => steps().includes('first keyframe'), 2000, 'the step of the first keyframe');
  assert.ok(steps().indexOf('connected') < steps().indexOf('first packet'));
  assert.match(report.ice.selected ?? '', /host\//);
  await viewer.close();
  await rig.manager.close(sessionId, 'viewer-left');
  await eventually(() => rig.manager.connections === 0, 2000, 'the session to be given back');
  assert.equal(rig.manager.report(sessionId)?.end?.explanation, 'the viewer left');
  assert.equal(rig.manager.report(sessionId)?.ice.selected, report.ice.selected, 'the pair that was in use');
  await rig.close();
});

test('the end of the candidates is told once for each ICE generation, also where all of them stand in the description', async () => {
  const rig = new Rig({ source: { hasAudio: true } });
  const told: (string | null)[] = [];
  const onCandidate = (candidate: TrickledCandidate | null): void => void told.push(candidate && candidate.candidate);
  const viewer = new WeriftViewer();
  const offered = await rig.manager.offer({ door: 'ws', sourceId: 'street', onCandidate });
  await eventually(() => told.length > 0, 2000, 'the end');
  await answer(rig, viewer, offered);
  await rig.manager.offerRestart(offered.sessionId);
  await eventually(() => told.length > 1, 2000, 'the end of the restart');
  assert.deepEqual(told.splice(0), [null, null]);
  await viewer.close();
  const { sessionId } = await rig.manager.accept({ door: 'ws', sourceId: 'street', sdp: offer('gstreamer-no-bundle'), onCandidate });
  await eventually(() => told.length > 0, 2000, 'the end');
  await new Promise(setImmediate);
  assert.deepEqual(told, [null], 'one for both transports');
  await rig.manager.close(sessionId, 'viewer-left');
  await rig.close();
});
