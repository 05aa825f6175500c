/** A process that queues events for a receiver that is down, and says which are safe, until it is killed. */
import { systemClock } from '../../src/base/clock.js';
import { silentLogger } from '../../src/base/logger.js';
import { ResourceLedger } from '../../src/base/resources.js';
import { WebhookSender } from '../../src/webhooks/index.js';
import { picture } from './webhook-rig.js';

const [queueDir = '', url = ''] = process.argv.slice(2);
const sender = await WebhookSender.open({
  urls: [url],
  secret: '',
  queueDir,
  clock: systemClock(new ResourceLedger()),
  logger: silentLogger,
});
for (let frame = 1; ; frame++) {
  await sender.report(picture(frame));
  process.stdout.write(`${frame}\n`);
}
