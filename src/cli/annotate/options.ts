/** The command line of annotate: parsed once, every fault with what was expected. */
import { parseArgs } from 'node:util';
import { calling } from '../calling.js';
import { UsageError } from '../errors.js';
import { wrongUsage } from '../wrong-usage.js';

/** What one run does. */
export interface AnnotateOptions {
  /** Path of the video. */
  readonly input: string;
  /** Path of the MP4 to write. */
  readonly output: string;
  /** An `.onnx` or the JSON beside it; undefined: the server's `MODEL`. */
  readonly model: string | undefined;
  /** Detections a second of the video, or every picture; undefined: the server's `DETECT_FPS`. */
  readonly detectFps: number | 'all' | undefined;
  /** JSON Lines file of the detections. */
  readonly detections: string | undefined;
  /** Replaces the model's threshold, (0, 1]. */
  readonly minScore: number | undefined;
  /** Where to begin, in seconds of the input. Default 0. */
  readonly fromS: number;
  /** How much of it, in seconds; undefined: to the end. */
  readonly durationS: number | undefined;
  /** True: a file that is there is replaced. */
  readonly overwrite: boolean;
}

/** What `--help` prints. */
export const usage = (): string => `Usage: ${calling('annotate')} IN OUT.mp4 [options]

  Draws what is detected into every picture of a video, as fast as this machine can.

  --model FILE           an .onnx with its JSON beside it, or the JSON   (MODEL)
  --detect-fps N|all     detections a second of the video, or every picture;
                         boxes are predicted in between                  (DETECT_FPS)
  --detections FILE      a JSON line for each picture that was looked at
  --min-score N          weakest detection that counts, (0, 1]           (the model's)
  --from SECONDS         where to begin                                  (0)
  --duration SECONDS     how much                                        (to the end)
  --overwrite            replace files that are there`;

/** @throws UsageError */
export function parseOptions(argv: readonly string[]): AnnotateOptions | 'help' {
  const { values, positionals } = parse(argv);
  if (values.help) return 'help';
  const [input, output, ...more] = positionals;
  if (input === undefined || output === undefined) throw new UsageError('name a video and the .mp4 file to write');
  if (more.length > 0) throw new UsageError(`two files are expected, '${more[0] ?? ''}' is one too many`);
  if (!/\.mp4$/i.test(output)) throw new UsageError(`'${output}' is not an .mp4 file; H.264 in MP4 is what is written`);
  return {
    ...{ input, output, model: values.model, detections: values.detections, overwrite: values.overwrite },
    detectFps:
      values['detect-fps'] === undefined || values['detect-fps'] === 'all'
        ? values['detect-fps']
        : number('detect-fps', values['detect-fps'], 0.01, 1000),
    minScore: values['min-score'] === undefined ? undefined : number('min-score', values['min-score'], 0.01, 1),
    fromS: number('from', values.from, 0, 1e6),
    durationS: values.duration === undefined ? undefined : number('duration', values.duration, 0.001, 1e6),
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        model: { type: 'string' },
        'detect-fps': { type: 'string' },
        detections: { type: 'string' },
        'min-score': { type: 'string' },
        from: { type: 'string', default: '0' },
        duration: { type: 'string' },
        overwrite: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(wrongUsage(error, usage()));
  }
}

function number(name: string, text: string, min: number, max: number): number {
  const value = text.trim() === '' ? NaN : Number(text);
  if (!(value >= min && value <= max)) throw new UsageError(`invalid --${name}: '${text}' is not a number in [${min}, ${max}]`);
  return value;
}
