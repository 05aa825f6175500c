/** The command line of import: parsed once, every fault with what was expected. */
import { parseArgs } from 'node:util';
import { calling } from '../calling.js';
import { UsageError } from '../errors.js';
import { wrongUsage } from '../wrong-usage.js';

/** What one run does. */
export interface ImportOptions {
  /** The source that it is to be a recording of. */
  readonly sourceId: string;
  /** MP4 files that `export` wrote. */
  readonly inputs: readonly string[];
  /** JSON Lines of what was seen, for one input; undefined: what lies beside each, if anything. */
  readonly detections: string | undefined;
  /** Folder of recordings; undefined: the server's `RECORD_DIR`. */
  readonly recordDir: string | undefined;
}

/** Longest id of a source. */
const MAX_ID_LENGTH = 200;

/** What `--help` prints. */
export const usage = (): string => `Usage: ${calling('import')} SOURCE FILE.mp4... [options]

  Takes what export wrote into the recordings of a source, with FILE.jsonl where that lies beside. A server that uses the
  folder lists it once it is started again.

  --detections FILE      JSON Lines of what was seen                     (FILE.jsonl)
  --record-dir FOLDER    folder of recordings                            (RECORD_DIR)`;

/** @throws UsageError */
export function parseOptions(argv: readonly string[]): ImportOptions | 'help' {
  const { values, positionals } = parse(argv);
  if (values.help) return 'help';
  const [sourceId, ...inputs] = positionals;
  if (sourceId === undefined || inputs.length === 0) throw new UsageError('name a source and the .mp4 files that export wrote');
  if (sourceId === '' || sourceId.length > MAX_ID_LENGTH) throw new UsageError(`the name of a source has 1 to ${MAX_ID_LENGTH} characters`);
  if (/\.mp4$/i.test(sourceId)) throw new UsageError(`'${sourceId}' is expected to be a source; its name comes before the files`);
  if (values.detections !== undefined && inputs.length > 1)
    throw new UsageError('--detections belongs to one file; several are taken with FILE.jsonl each');
  return { sourceId, inputs, detections: values.detections, recordDir: values['record-dir'] };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        detections: { type: 'string' },
        'record-dir': { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(wrongUsage(error, usage()));
  }
}
