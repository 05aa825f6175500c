/** The command line of the load test: parsed once, every fault with what was expected. */
import { parseArgs } from 'node:util';
import { UsageError } from '../../src/cli/errors.js';
import { wrongUsage } from '../../src/cli/wrong-usage.js';

/** What one run does. */
export interface LoadOptions {
  /** The server; default http://127.0.0.1:8001. */
  readonly url: string;
  /** Viewers that join. Default 10. */
  readonly clients: number;
  /** Undefined: the server's default. */
  readonly source: string | undefined;
  /** One video m-line each. Default raw, processed. */
  readonly tracks: readonly ('raw' | 'processed')[];
  /** The only video codec that is offered. Default h264. */
  readonly codec: 'h264' | 'vp8';
  /** Default true. */
  readonly audio: boolean;
  /** Seconds that all stay once the last has joined. Default 20. */
  readonly durationS: number;
  /** Seconds over which the joins are spread. Default 2. */
  readonly rampS: number;
  /** Viewers a child process. Default 5. */
  readonly perProcess: number;
  /** Prints the result as JSON and nothing else. */
  readonly json: boolean;
  readonly maxFirstFrameMs: number | undefined;
  readonly maxLossPercent: number | undefined;
  readonly maxFreezes: number | undefined;
}

export const USAGE = `Usage: npm run load-test -- [options]

  --url URL                 server to load                         (http://127.0.0.1:8001)
  --clients N               viewers that join, 1 to 2000           (10)
  --source NAME             source to watch                        (the server's default)
  --tracks raw,processed    one video m-line each                  (raw,processed)
  --codec h264|vp8          the only video codec that is offered   (h264)
  --no-audio                no audio m-line
  --duration SECONDS        how long all stay, 1 to 86400          (20)
  --ramp SECONDS            time over which they join, 0 to 3600   (2)
  --per-process N           viewers a child process, 1 to 100      (5)
  --json                    print the result as JSON only

Limits; the exit code is 1 when one is passed or a viewer failed:
  --max-first-frame-ms MS   p95 from offer sent to first decodable frame
  --max-loss PERCENT        packets lost, all viewers together
  --max-freezes N           freezes, all viewers together`;

/** @throws UsageError */
export function parseOptions(argv: readonly string[]): LoadOptions | 'help' {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...argv],
      allowPositionals: false,
      options: {
        url: { type: 'string', default: 'http://127.0.0.1:8001' },
        clients: { type: 'string', default: '10' },
        source: { type: 'string' },
        tracks: { type: 'string', default: 'raw,processed' },
        codec: { type: 'string', default: 'h264' },
        'no-audio': { type: 'boolean', default: false },
        duration: { type: 'string', default: '20' },
        ramp: { type: 'string', default: '2' },
        'per-process': { type: 'string', default: '5' },
        json: { type: 'boolean', default: false },
        'max-first-frame-ms': { type: 'string' },
        'max-loss': { type: 'string' },
        'max-freezes': { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }));
  } catch (error) {
    throw new UsageError(wrongUsage(error, USAGE));
  }
  if (values.help) return 'help';
  const limit = (name: 'max-first-frame-ms' | 'max-loss' | 'max-freezes', max: number): number | undefined =>
    values[name] === undefined ? undefined : number(name, values[name], 0, max);
  return {
    url: serverUrl(values.url),
    clients: integer('clients', values.clients, 1, 2000),
    source: values.source,
    tracks: renditions(values.tracks),
    codec: oneOf('codec', values.codec, ['h264', 'vp8'] as const),
    audio: !values['no-audio'],
    durationS: number('duration', values.duration, 1, 86_400),
    rampS: number('ramp', values.ramp, 0, 3600),
    perProcess: integer('per-process', values['per-process'], 1, 100),
    json: values.json,
    maxFirstFrameMs: limit('max-first-frame-ms', 600_000),
    maxLossPercent: limit('max-loss', 100),
    maxFreezes: limit('max-freezes', 1_000_000),
  };
}

function number(name: string, text: string, min: number, max: number): number {
  const value = text.trim() === '' ? NaN : Number(text);
  if (!(value >= min && value <= max)) throw new UsageError(`invalid --${name}: '${text}' is not a number in [${min}, ${max}]`);
  return value;
}

function integer(name: string, text: string, min: number, max: number): number {
  const value = number(name, text, min, max);
  if (!Number.isInteger(value)) throw new UsageError(`invalid --${name}: '${text}' is not a whole number`);
  return value;
}

function oneOf<const T extends string>(name: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((value) => value === text);
  if (found === undefined) throw new UsageError(`invalid --${name}: '${text}' is not one of ${allowed.join(', ')}`);
  return found;
}

function renditions(text: string): ('raw' | 'processed')[] {
  const tracks = text.split(',').map((track) => oneOf('tracks', track.trim(), ['raw', 'processed']));
  if (new Set(tracks).size !== tracks.length) throw new UsageError(`invalid --tracks: '${text}' names a rendition twice`);
  return tracks;
}

function serverUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw new UsageError(`invalid --url: '${text}' is not an http or https address such as http://127.0.0.1:8001`);
  return url.origin;
}
