/** The command line of export: parsed once, every fault with what was expected. */
import { parseArgs } from 'node:util';
import { calling } from '../calling.js';
import { UsageError } from '../errors.js';
import { readTime } from '../time.js';
import { wrongUsage } from '../wrong-usage.js';

/** What detections are written as. */
const FORMATS = ['jsonl', 'coco', 'mot', 'none'] as const;
/** How detections are written; `none`: they are not. */
export type DetectionFormat = (typeof FORMATS)[number];

/** What one run does. */
export interface ExportOptions {
  /** That was recorded. */
  readonly sourceId: string;
  /** Path of the MP4 to write. */
  readonly output: string;
  /** UTC in ms; undefined: from the beginning. */
  readonly fromMs: number | undefined;
  /** UTC in ms; undefined: to the end. */
  readonly toMs: number | undefined;
  /** Of the detections. */
  readonly format: DetectionFormat;
  /** Folder of recordings; undefined: the server's `RECORD_DIR`. */
  readonly recordDir: string | undefined;
  /** True: files that are there are replaced. */
  readonly overwrite: boolean;
}

/** What `--help` prints. */
export const usage = (): string => `Usage: ${calling('export')} SOURCE OUT.mp4 [options]

  Writes what was recorded of a source into one MP4, as it was recorded, and what was seen beside it. A server may go on
  recording meanwhile. Where the picture changes its size or codec, or the clock was set, OUT-2.mp4 goes on, and so on.

  --from TIME            where to begin: 2026-11-30T22:05:00Z, or Unix seconds;
                         at the last keyframe before                     (the beginning)
  --to TIME              where to end                                    (the end)
  --format NAME          of the detections: jsonl, coco, mot, none       (jsonl)
  --record-dir FOLDER    folder of recordings                            (RECORD_DIR)
  --overwrite            replace files that are there`;

/** @throws UsageError */
export function parseOptions(argv: readonly string[]): ExportOptions | 'help' {
  const { values, positionals } = parse(argv);
  if (values.help) return 'help';
  const [sourceId, output, ...more] = positionals;
  if (sourceId === undefined || output === undefined) throw new UsageError('name a source and the .mp4 file to write');
  if (more.length > 0) throw new UsageError(`a source and a file are expected, '${more[0] ?? ''}' is one too many`);
  if (!/\.mp4$/i.test(output)) throw new UsageError(`'${output}' is not an .mp4 file`);
  const format = FORMATS.find((each) => each === values.format);
  if (!format) throw new UsageError(`invalid --format: '${values.format}' is none of ${FORMATS.join(', ')}`);
  const [fromMs, toMs] = [readTime('from', values.from), readTime('to', values.to)];
  if (fromMs !== undefined && toMs !== undefined && fromMs >= toMs) throw new UsageError('--to must be later than --from');
  return { sourceId, output, fromMs, toMs, format, recordDir: values['record-dir'], overwrite: values.overwrite };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        from: { type: 'string' },
        to: { type: 'string' },
        format: { type: 'string', default: 'jsonl' },
        'record-dir': { type: 'string' },
        overwrite: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(wrongUsage(error, usage()));
  }
}
