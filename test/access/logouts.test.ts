import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { Logouts } from '../../src/access/logouts.js';
import { silentLogger } from '../../src/base/logger.js';
import { FakeClock } from '../helpers/fake-clock.js';

describe('a logout', () => {
  it('is undone by no number of others, nor by a restart; logins that began later go on', async (t) => {
    const stateDir = mkdtempSync(path.join(os.tmpdir(), 'sightline-logouts-'));
    t.after(() => rmSync(stateDir, { recursive: true }));
    const init = { stateDir, clock: new FakeClock(Date.now()), logger: silentLogger };
    const logouts = new Logouts(init);
    const fromMs = Math.floor(init.clock.wallClock() / 1000) * 1000 - 60_000;
    const untilMs = fromMs + 3_600_000;
    logouts.add('stolen', { fromMs, untilMs });
    for (let i = 0; i < 50_000; i++) logouts.add(`flood${i}`, { fromMs: fromMs + 10_000, untilMs: untilMs + 10_000 });
    const states = (of: Logouts): boolean[] => [
      of.has('stolen', fromMs),
      of.has('flood0', fromMs + 10_000),
      of.has('flood49999', fromMs + 10_000),
      of.has('honest', fromMs + 5000),
    ];
    assert.deepEqual(states(logouts), [true, true, true, false]);
    await logouts.close();
    assert.deepEqual(states(new Logouts(init)), [true, true, true, false]);
  });
});
