import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { projectRoot } from '../helpers/assets.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-telemetry-'));
after(() => rmSync(folder, { recursive: true }));
const moduleAt = (name: string): string => JSON.stringify(path.join(projectRoot, 'dist', name));
const model = JSON.stringify(path.join(projectRoot, 'models/sightline-demo.json'));

/** Runs it in a process whose temporary folder is empty, and returns what that holds afterwards. */
function filesAfter(script: string): string[] {
  execFileSync(process.execPath, ['-e', `void (async () => { ${script} })();`], {
    env: { ...process.env, TMPDIR: folder, ORT_DISABLE_TELEMETRY: '' },
  });
  return readdirSync(folder);
}

describe('the runtime of the detector', () => {
  // Where it reports its use, it writes a log of that into the temporary folder as soon as it is loaded.
  it('reports nothing to anybody where a model is only read', () => {
    assert.deepEqual(
      filesAfter(`const { inspectModel } = await import(${moduleAt('src/detection/index.js')}); await inspectModel(${model});`),
      [],
    );
  });

  it('reports nothing to anybody from the thread of a detector', () => {
    const script = `
      const { Detector } = await import(${moduleAt('src/detection/detector.js')});
      const { systemClock } = await import(${moduleAt('src/base/clock.js')});
      const { ResourceLedger } = await import(${moduleAt('src/base/resources.js')});
      const { silentLogger } = await import(${moduleAt('src/base/logger.js')});
      const ledger = new ResourceLedger();
      await (await Detector.open({ modelPath: ${model}, clock: systemClock(ledger), logger: silentLogger, ledger })).close();`;
    assert.deepEqual(filesAfter(script), []);
  });
});
