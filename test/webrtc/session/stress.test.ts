import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { MediaPeerError } from '../../../src/base/errors.js';
import { PeerSession } from '../../../src/webrtc/session/session.js';
import { eventually } from '../../helpers/deadline.js';
import { WeriftViewer } from '../../helpers/werift-viewer.js';
import { Rig } from '../rig.js';

/** Handles and timers that keep the process alive. */
function held(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) if (kind === 'Timeout' || kind === 'UDPWRAP') counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise(setImmediate);
};

/** The stages at which a client goes away, or is put out. */
const stages: Record<string, (rig: Rig, viewer: WeriftViewer) => Promise<void>> = {
  'offer refused': async (rig, viewer) => {
    await assert.rejects(rig.accept({ sourceId: 'nowhere' })(await viewer.offer()), MediaPeerError);
  },
  'put out while being accepted': async (rig, viewer) => {
    const sdp = await viewer.offer();
    const clientId = `early-${Math.random()}`;
    const accepting = rig.accept({ clientId })(sdp);
    await Promise.resolve();
    for (const session of rig.manager.snapshot())
      if (session.clientId === clientId) void rig.manager.close(session.sessionId, 'viewer-left');
    await accepting.catch((error: unknown) => assert.ok(error instanceof MediaPeerError));
  },
  'gone before the answer is taken': async (rig, viewer) => {
    const { sessionId } = await rig.accept()(await viewer.offer());
    await rig.manager.close(sessionId, 'viewer-left');
  },
  'put out in the handshake': async (rig, viewer) => {
    const { sdp, sessionId } = await rig.accept()(await viewer.offer());
    await viewer.acceptAnswer(sdp);
    await turns(1 + Math.floor(Math.random() * 60));
    await rig.manager.close(sessionId, 'viewer-left');
  },
  'gone in the handshake': async (rig, viewer) => {
    const { sdp, sessionId } = await rig.accept()(await viewer.offer());
    await viewer.acceptAnswer(sdp);
    await turns(1 + Math.floor(Math.random() * 60));
    await viewer.vanish();
    await rig.manager.close(sessionId, 'ice-failed');
  },
  'put out while the server begins the handshake': async (rig, viewer) => {
    const { sdp, sessionId } = await rig.accept()((await viewer.offer()).replace(/a=setup:actpass/g, 'a=setup:passive'));
    await viewer.acceptAnswer(sdp);
    viewer.dtls.role = 'server';
    await turns(1 + Math.floor(Math.random() * 60));
    await rig.manager.close(sessionId, 'viewer-left');
  },
  'put out while watching': async (rig, viewer) => {
    const { sessionId } = await viewer.join(rig.accept());
    rig.write(2);
    await rig.manager.close(sessionId, 'viewer-left');
  },
  'gone while watching': async (rig, viewer) => {
    const { sessionId } = await viewer.join(rig.accept());
    rig.write(2);
    await viewer.vanish();
    rig.write(2);
    await rig.manager.close(sessionId, 'ice-failed');
  },
  leaves: async (rig, viewer) => {
    await viewer.join(rig.accept());
    rig.write(1);
  },
};

test('300 joins and leaves, ended at every stage, leave no session, socket, timer or lease behind', { timeout: 120_000 }, async () => {
  const rig = new Rig({ maxConnections: 400, source: { hasAudio: true } });
  const baseline = held();
  const names = Object.keys(stages);
  const one = async (i: number): Promise<void> => {
    const viewer = new WeriftViewer({ video: 1 + (i % 2), audio: i % 3 === 0, ...(i % 2 === 0 ? { dataChannel: 'commands' } : {}) });
    await stages[names[i % names.length] ?? 'leaves']?.(rig, viewer);
    await viewer.close();
  };
  for (let i = 0; i < 300; i += 4) await Promise.all([one(i), one(i + 1), one(i + 2), one(i + 3)]);
  await rig.close();
  // Handshake flights of the library end at their next repetition, at most 5.5 s away.
  const isBack = (): boolean => Object.entries(held()).every(([kind, count]) => count <= (baseline[kind] ?? 0));
  await eventually(isBack, 20_000, 'the handles to be given back').catch(() => assert.deepEqual(held(), baseline));
});

test('a session that has ended is forgotten while its tracks go on', { timeout: 30_000 }, async (t) => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const sessions: WeakRef<PeerSession>[] = [];
  const start = Reflect.get(PeerSession.prototype, 'start');
  t.mock.method(PeerSession.prototype, 'start', function (this: PeerSession) {
    sessions.push(new WeakRef(this));
    return start.call(this);
  });
  const rig = new Rig();
  for (let i = 0; i < 3; i++) {
    const viewer = new WeriftViewer();
    const { sessionId } = await viewer.join(rig.accept());
    rig.write(3);
    await rig.manager.close(sessionId, 'viewer-left');
    await viewer.close();
  }
  t.mock.reset();
  assert.equal(sessions.length, 3);
  await eventually(
    () => {
      collectGarbage();
      return sessions.every((session) => session.deref() === undefined);
    },
    10_000,
    'the ended sessions to be collected',
  );
  await rig.close();
});
