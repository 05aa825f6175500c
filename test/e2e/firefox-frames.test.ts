/** Boxes belong to the very picture in Firefox, too, which gets both renditions encoded as VP8. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pair } from '../../scripts/bench/frame-exact-pairing.js';
import type { Rendition } from '../../src/media/index.js';
import '../helpers/alone.js';
import { projectRoot } from '../helpers/assets.js';
import type { JoinOptions, NumberedFrame, ReceivedMessage } from '../helpers/chromium.js';
import { Firefox, noFirefox, type FirefoxPage } from '../helpers/firefox/index.js';
import { FRAME_NUMBER_MODEL } from '../helpers/frame-number-model.js';
import { makeNumberedClip } from '../helpers/numbered-clip.js';
import { startServerProcess, type ServerProcess } from '../helpers/server-process.js';
import { temporaryFolder, type Folder } from './fixtures.js';

const RENDITIONS: readonly Rendition[] = ['raw', 'processed'];

describe('detections in Firefox', { skip: noFirefox, timeout: 120_000 }, () => {
  let folder: Folder;
  let server: ServerProcess;
  let firefox: Firefox;

  before(async () => {
    folder = await temporaryFolder();
    await makeNumberedClip(path.join(folder.videos, 'copied.mp4'), { seconds: 3, keyframeS: 1 });
    server = await startServerProcess({ UPLOAD_DIR: folder.videos, MODEL: FRAME_NUMBER_MODEL, DETECT_FPS: '30', IDLE_GRACE: '0' });
    firefox = await Firefox.launch();
  });

  after(async () => {
    await firefox.close();
    await server.close();
    await folder.remove();
  });

  it('belong to the very picture they come with, across the loop of the file', async () => {
    const page = await firefox.emptyPage(server.url);
    await page.evaluate(
      `${readFileSync(path.join(projectRoot, 'test/helpers/browser-viewer.js'), 'utf8').replace(/;\s*$/, '')}, undefined`,
    );
    const options: JoinOptions = {
      ...{ video: 2, detections: true, numbers: true, keepFirstPicture: false, waitForCandidates: true },
      body: { source: 'copied', tracks: RENDITIONS },
    };
    assert.equal(await page.evaluate(`sightlineViewers.join(${JSON.stringify(options)}).then(({ status }) => status)`), 200);
    await page.until('sightlineViewers.state(0).frames.every((count) => count >= 120)', 30_000);
    for (const [index, rendition] of RENDITIONS.entries()) await assertExact(page, index, rendition);
    assert.deepEqual(page.troubles, []);
  });
});

/**
 * Of pictures whose callback came in time. Firefox does not tell which picture it hands out: while the machine is busy that is now
 * and then the next one already. What is wrong by rule is wrong of all of them.
 */
async function assertExact(page: FirefoxPage, index: number, rendition: Rendition): Promise<void> {
  const frames = await page.evaluate<NumberedFrame[]>(`sightlineViewers.numbers(0)[${index}].filter(({ isLate }) => !isLate)`);
  // What was shown last has its message by now, or will not count.
  const messages = await page.evaluate<ReceivedMessage[]>('sightlineViewers.messages(0)');
  const { withMessage, paired, wrong, unreadable, faults } = pair(frames.slice(0, -15), messages, rendition);
  assert.ok(
    withMessage >= 30,
    `${withMessage} of ${frames.length} pictures of ${rendition} had a message, ${unreadable} could not be read`,
  );
  assert.ok(paired - wrong >= 0.9 * withMessage, `${rendition}: ${paired - wrong} of ${withMessage} are right\n${faults.join('\n')}`);
}
