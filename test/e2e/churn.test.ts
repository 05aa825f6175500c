/** Viewers and publishers who come and go by all doors, each in its own way, at once: nothing of them is left. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Churn, CHURN_VARIABLES, DECK_SIZE } from '../helpers/churn/churn.js';
import { beyond, readStanding, settled, type Holdings } from '../helpers/churn/leftovers.js';
import { startServerProcess, type ServerProcess } from '../helpers/server-process.js';
import { makePassthroughClip, temporaryFolder, type Folder } from './fixtures.js';

/** Every way of all doors, at least twice. */
const VISITS = 2 * DECK_SIZE;

describe('a server whose clients come and go by all doors', { timeout: 180_000 }, () => {
  let folder: Folder;
  let server: ServerProcess;
  let baseline: Holdings;

  before(async () => {
    folder = await temporaryFolder();
    await makePassthroughClip(path.join(folder.videos, 'clip.mp4'));
    server = await startServerProcess({ ...CHURN_VARIABLES, UPLOAD_DIR: folder.videos });
    baseline = (await readStanding(server.url)).holdings;
  });

  after(async () => {
    await server.close();
    await folder.remove();
  });

  it(`answers ${VISITS} of them as it should, and holds nothing afterwards`, async () => {
    const churn = new Churn({ url: server.url, source: 'clip', seed: 7, concurrency: 5 });
    await churn.run(VISITS);
    assert.deepEqual(churn.failures, []);
    assert.ok(
      Object.values(churn.visits).every((count) => count > 0),
      JSON.stringify(churn.visits),
    );
    const { holdings } = await settled(server.url, baseline, 40_000);
    assert.deepEqual(beyond(baseline, holdings), {});
    assert.equal(holdings['sessions'], 0);
  });

  it('has written no error, and ends well', async () => {
    assert.equal(await server.close(), 0, server.log.slice(-20).join('\n'));
    assert.deepEqual(server.faults, []);
  });
});
