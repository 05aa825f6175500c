/** `npm run bench -- NAME`: runs one bench and prints its figures as a table, or as JSON. */
import { parseArgs } from 'node:util';
import { machine, renderRows, type BenchOptions, type Row } from './bench.js';
import { run as churn } from './churn.js';
import { run as correctness } from './correctness.js';
import { run as cuts } from './cuts.js';
import { run as events } from './events.js';
import { run as fanOut } from './fan-out.js';
import { run as firstFrame } from './first-frame.js';
import { run as frameExact } from './frame-exact.js';
import { run as glue } from './glue.js';
import { run as joins } from './joins.js';
import { run as live } from './live.js';
import { run as loss } from './loss.js';
import { run as motion } from './motion.js';
import { run as networks } from './networks/index.js';
import { run as scrape } from './scrape.js';
import { run as seek } from './seek.js';
import { run as soak } from './soak.js';
import { run as tracker } from './tracker.js';
import { run as vision } from './vision.js';
import { run as wallPage } from './wall-page.js';
import { wrongUsage } from '../../src/cli/wrong-usage.js';

const BENCHES: Readonly<Record<string, (options: BenchOptions) => Promise<Row[]>>> = {
  'first-frame': firstFrame,
  'fan-out': fanOut,
  correctness,
  'frame-exact': frameExact,
  glue,
  vision,
  tracker,
  motion,
  scrape,
  seek,
  soak,
  joins,
  live,
  loss,
  networks,
  cuts,
  churn,
  events,
  'wall-page': wallPage,
};

const USAGE = `Usage: npm run bench -- NAME [options]

  first-frame   Chromium: time to the first picture, freezes, jitter buffer   [--joins 20]
  fan-out       CPU per packet and memory per viewer beside plain werift      [--clients 1,10,50,100] [--seconds 6]
  correctness   boxes of every real model beside a reference in Python        [--model PART]
  frame-exact   Chromium: does every box belong to the picture it is shown on [--seconds 60]
  glue          CPU per picture beside decoding, net and encoding; stalls     [--seconds 20]
  vision        CPU per picture by stage, and of the whole pipeline           [--seconds 20] [--model FILE]
  tracker       ids and boxes against labels, beside boxes that stand still; CPU
  motion        what the motion gate spares the net, and its CPU              [--seconds 60]
  scrape        CPU and time of GET /metrics while 200 watch                   [--seconds 6]
  seek          Chromium: how soon the frame of a time that was recorded is there [--joins 25] [--seconds 3600]
  soak          memory and leftovers while viewers come and go                [--seconds 600]
  joins         Chromium: WHEP joins with trickle, alone and ten in a second  [--joins 20]
  live          Chromium: how old a published picture is when it is seen      [--seconds 20]
  loss          Chromium: what 5 % loss and 50 ms leave of the picture        [--seconds 30]
  networks      Chromium: rungs, freezes and queues on slow, lossy and shared links
                [--case join,cold,warm,steady,loss,shared,cellular,publishing,aiortc] [--runs 3] [--seconds 30] [--peer WHEP-URL] [--verbose]
  cuts          how soon the picture is back after network, server or camera were away (needs root)
  churn         all doors: joins, leaves, aborts and cuts; leftovers, memory [--joins 1000]
  events        what an event costs, and how soon it is found among 10 000
  wall-page     Chromium: CPU a picture of a wall of four, and of four pages   [--seconds 30]

  --json        print the figures as JSON only`;

function parse(): { name: string; bench: (options: BenchOptions) => Promise<Row[]>; options: BenchOptions; json: boolean } | string {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        joins: { type: 'string' },
        clients: { type: 'string', default: '1,10,50,100' },
        seconds: { type: 'string' },
        model: { type: 'string' },
        case: { type: 'string' },
        runs: { type: 'string' },
        peer: { type: 'string' },
        verbose: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    });
    const [name = '', ...more] = positionals;
    const bench = BENCHES[name];
    if (!bench || more.length > 0) return `name one bench: ${Object.keys(BENCHES).join(', ')}`;
    const clients = values.clients.split(',').map((count) => whole('clients', count, 500));
    const seconds = values.seconds === undefined ? undefined : whole('seconds', values.seconds, 3600);
    return {
      name,
      bench,
      options: {
        joins: values.joins === undefined ? undefined : whole('joins', values.joins, 10_000),
        clients,
        seconds,
        model: values.model,
        only: values.case?.split(','),
        runs: values.runs === undefined ? undefined : whole('runs', values.runs, 100),
        peer: values.peer,
        verbose: values.verbose,
        kept: [],
        failures: [],
      },
      json: values.json,
    };
  } catch (error) {
    return wrongUsage(error, USAGE);
  }
}

function whole(name: string, text: string, max: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > max)
    throw new Error(`invalid --${name}: '${text}' is not a whole number in [1, ${max}]`);
  return value;
}

const parsed = parse();
if (typeof parsed === 'string') {
  console.error(`${parsed}\n\n${USAGE}`);
  process.exitCode = 2;
} else {
  const { name, bench, options, json } = parsed;
  const { kept, failures } = options;
  const rows = await bench(options).catch((error: unknown) => {
    failures.push(`the bench ended early: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    return kept;
  });
  console.log(
    json ? JSON.stringify({ bench: name, machine: machine(), rows, failures }, null, 2) : `${name} on ${machine()}\n\n${renderRows(rows)}`,
  );
  if (!json) for (const failure of failures) console.error(`\nFAILED: ${failure}`);
  if (failures.length > 0) process.exitCode = 1;
}
