import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../src/clock.js';
import { silentLogger } from '../../src/logger.js';
import { ConnectionManager } from '../../src/peer/index.js';
import { ResourceLedger } from '../../src/resources.js';
import { WeriftViewer } from '../helpers/werift-viewer.js';
import { FakeGateway } from './fake-gateway.js';

test('a viewer receives the open group of pictures and then live frames under the announced ssrc', async () => {
  const ledger = new ResourceLedger();
  const gateway = new FakeGateway();
  const manager = new ConnectionManager({
    gateway,
    clock: systemClock(ledger),
    logger: silentLogger,
    ledger,
    options: { maxConnections: 10, connectionTimeoutMs: 5000, iceAddresses: ['127.0.0.1'] },
  });
  gateway.timeline.anchor(0, Date.now());
  gateway.writeH264('processed', 0, { keyframe: true });
  const viewer = new WeriftViewer();
  const accepted = await viewer.join((sdp) => manager.accept({ sdp, sourceId: 'street' }));
  gateway.writeH264('processed', 33);
  await viewer.until(() => viewer.packets.length >= 7, 2000, 'both frames');
  const [ssrc] = WeriftViewer.ssrcs(accepted.sdp);
  assert.ok(viewer.packets.every(({ header }) => header.ssrc === ssrc));
  await viewer.close();
  await manager.closeAll('server-closing');
  assert.deepEqual(ledger.snapshot(), { peer_connections: 0, udp_sockets: 0, child_processes: 0, workers: 0, timers: 0 });
  assert.equal(gateway.leases, 0);
});
