/** `npm run load-test`: many real WebRTC viewers against a running server, and what they saw as a table. */
import { Presets, SingleBar } from 'cli-progress';
import { setTimeout as wait } from 'node:timers/promises';
import { UsageError } from '../../src/cli/errors.js';
import { Fleet } from './fleet.js';
import { USAGE, parseOptions, type LoadOptions } from './options.js';
import { receiveBufferDrops } from './receive-buffer.js';
import { render, summarize } from './report.js';
import { ServerWatch, readHealth } from './server-figures.js';

/** Longer than the server's own CONNECTION_TIMEOUT, whose answer is worth more than ours. */
const CONNECT_TIMEOUT_MS = 35_000;
const TICK_MS = 200;

async function run(options: LoadOptions): Promise<number> {
  await readHealth(options.url).catch((error: unknown) => {
    throw new UsageError(`no server answers at ${options.url}: start it with 'npm start' or name another one with --url`, { cause: error });
  });
  const bar = new SingleBar(
    { format: '{phase} [{bar}] {value}/{total} {unit}', hideCursor: true, noTTYOutput: false, stream: process.stderr },
    Presets.shades_classic,
  );
  const isShown = !options.json && process.stderr.isTTY;
  const startedAtMs = performance.now();
  const dropsBefore = receiveBufferDrops();
  if (isShown) bar.start(options.clients, 0, { phase: 'joining', unit: 'viewers' });
  const fleet = new Fleet(
    Array.from({ length: options.clients }, (_unused, index) => ({
      index,
      url: options.url,
      source: options.source,
      tracks: options.tracks,
      codec: options.codec,
      audio: options.audio,
      delayMs: (index * options.rampS * 1000) / options.clients,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      countOnly: false,
    })),
    options.perProcess,
    (settled, failed) => isShown && bar.update(settled, { phase: failed > 0 ? `joining (${failed} failed)` : 'joining' }),
  );
  process.once('SIGINT', () => {
    fleet.kill();
    process.exit(130);
  });
  const { failed } = await fleet.settled();
  const watch = new ServerWatch(options.url);
  if (failed < options.clients) {
    if (isShown) bar.stop();
    if (isShown) bar.start(Math.round(options.durationS), 0, { phase: 'watching', unit: 's' });
    const endMs = performance.now() + options.durationS * 1000;
    for (let leftMs = endMs - performance.now(); leftMs > 0; leftMs = endMs - performance.now()) {
      await wait(Math.min(TICK_MS, leftMs));
      if (isShown) bar.update(Math.round(options.durationS - (endMs - performance.now()) / 1000));
    }
  }
  const server = await watch.stop();
  const results = await fleet.stop();
  if (isShown) bar.stop();
  const report = summarize(options, {
    results,
    server,
    spanS: (performance.now() - startedAtMs) / 1000,
    receiveBufferDrops: dropsBefore === undefined ? undefined : (receiveBufferDrops() ?? dropsBefore) - dropsBefore,
  });
  console.log(options.json ? JSON.stringify(report, null, 2) : render(report));
  return report.failed > 0 || report.limits_passed.length > 0 ? 1 : 0;
}

async function main(): Promise<number> {
  try {
    const options = parseOptions(process.argv.slice(2));
    if (options !== 'help') return await run(options);
    console.log(USAGE);
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(error.cause === undefined ? `${error.message}\n\n${USAGE}` : error.message);
    return 2;
  }
}

process.exitCode = await main();
