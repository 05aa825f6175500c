/** A process that keeps events as fast as it is told of them, to be killed. */
import { systemClock } from '../../src/base/clock.js';
import { silentLogger } from '../../src/base/logger.js';
import { ResourceLedger } from '../../src/base/resources.js';
import { EventStore } from '../../src/store/index.js';

const ledger = new ResourceLedger();
const clock = systemClock(ledger);
const events = await EventStore.open({
  stateDir: process.argv[2] ?? '',
  isChosen: true,
  retention: { maxAgeMs: Infinity, maxBytes: Infinity },
  clock,
  logger: silentLogger,
  ledger,
});
clock.every(1, () => {
  for (let i = 0; i < 10; i++) {
    const { id, atMs } = events.add({ type: 'enter', sourceId: 'demo', atMs: clock.wallClock(), data: { zone: 'gate', object_id: i } });
    process.send?.({ id, atMs });
  }
});
