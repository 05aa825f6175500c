/** What tests of processes need: real tools, a real clock, and a ledger that must be empty at the end. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { systemClock } from '../../src/base/clock.js';
import { findFfmpeg, type FfmpegDeps, type FfmpegTools } from '../../src/ffmpeg/index.js';
import { silentLogger } from '../../src/base/logger.js';
import { ResourceLedger } from '../../src/base/resources.js';

const tools = await findFfmpeg();

export function realDeps(): FfmpegDeps {
  const ledger = new ResourceLedger();
  return { tools, ledger, clock: systemClock(ledger), logger: silentLogger };
}

/** What a machine without ffmpeg of its own gets; undefined where the packages ship none for this platform. */
export async function bundledTools(): Promise<FfmpegTools | undefined> {
  const pathOf = (name: string): string => (createRequire(import.meta.url)(name) as { readonly path: string }).path;
  try {
    return await findFfmpeg({ ffmpegPath: pathOf('@ffmpeg-installer/ffmpeg'), ffprobePath: tools.ffprobePath });
  } catch {
    return undefined;
  }
}

/** Fails when anything is still held. */
export function assertNothingHeld(deps: FfmpegDeps): void {
  const held = Object.entries(deps.ledger.snapshot()).filter(([, count]) => count !== 0);
  assert.deepEqual(held, []);
}

/** The data in pieces of random size. */
export function* chunksOf(data: Buffer, random: () => number, maxBytes = 3000): Generator<Buffer> {
  for (let at = 0; at < data.length;) {
    const end = at + 1 + Math.floor(random() ** 3 * maxBytes);
    yield data.subarray(at, end);
    at = end;
  }
}
