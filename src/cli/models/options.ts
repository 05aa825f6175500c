/** The command line of the model manager: parsed once, every fault with what was expected. */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot } from '../../config.js';
import { FAMILY_NAMES } from '../../detection/index.js';
import { calling } from '../calling.js';
import { UsageError } from '../errors.js';
import type { AddOptions } from './add.js';
import type { PullOptions } from './pull.js';
import { wrongUsage } from '../wrong-usage.js';

/** What was asked for. */
export type Command =
  | { readonly name: 'help' }
  | { readonly name: 'list'; readonly models: string; readonly registry: string }
  | { readonly name: 'info'; readonly file: string }
  | ({ readonly name: 'pull' } & { readonly pull: PullOptions })
  | ({ readonly name: 'add' } & { readonly add: AddOptions });

/** What `--help` prints. */
export const usage = (): string => `Usage: ${calling('models')} COMMAND [options]

  list                what is in the models folder, and what can be downloaded
  info FILE           inputs, outputs, family and labels of an ONNX file, and its JSON
  pull NAME           download a pinned model; its licence is shown before
    --yes             do not ask (without a terminal nobody is asked)
  add FILE            take an ONNX file of your own into the folder
                      what the file does not show, or shows wrongly:
    --family NAME     how its tensors are read: ${FAMILY_NAMES.slice(0, 4).join(', ')},
                      ${FAMILY_NAMES.slice(4).join(', ')}
    --labels LABELS   its classes in order: coco, a,b,c, or a file (a name a line, or a JSON array)
    --input WxH       size of its input
    --name NAME       name in the folder                         (the file's)
    --score N         detections below are not shown, (0, 1]
    --nms N           overlap at which two boxes of a class are one, (0, 1]
    --strides 8,16,32 cell sizes of the output grids
    --decoded         the export gives boxes in pixels
    --licence TEXT    licence of the file
    --link            a link instead of a copy
    --force           replace a model of that name

  --models DIR        the models folder                          (models)
  --registry FILE     pinned downloads                           (those that come with Sightline)`;

/** @param folder that of the models, where none is named @throws UsageError */
export function parseCommand(argv: readonly string[], folder = path.resolve('models')): Command {
  const { values, positionals } = parse(argv);
  const [name, operand, ...more] = positionals;
  if (values.help || name === undefined || name === 'help') return { name: 'help' };
  const models = values.models === undefined ? folder : path.resolve(values.models);
  const registry = path.resolve(values.registry ?? path.join(packageRoot, 'models/registry.json'));
  if (name !== 'list' && name !== 'info' && name !== 'pull' && name !== 'add')
    throw new UsageError(`unknown command '${name}': list, info, pull and add are known`);
  if (more.length > 0 || (name === 'list' && operand !== undefined))
    throw new UsageError(`${name} does not take '${more[0] ?? operand ?? ''}'`);
  if (name === 'list') return { name, models, registry };
  if (operand === undefined) throw new UsageError(name === 'pull' ? 'pull which model? `list` shows what there is' : `${name} which file?`);
  if (name === 'info') return { name, file: operand };
  if (name === 'pull') return { name, pull: { name: operand, registry, models, yes: values.yes } };
  return { name, add: addOptions(operand, models, values) };
}

type Values = ReturnType<typeof parse>['values'];

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        models: { type: 'string' },
        registry: { type: 'string' },
        yes: { type: 'boolean', short: 'y', default: false },
        family: { type: 'string' },
        labels: { type: 'string' },
        input: { type: 'string' },
        name: { type: 'string' },
        score: { type: 'string' },
        nms: { type: 'string' },
        strides: { type: 'string' },
        decoded: { type: 'boolean' },
        licence: { type: 'string' },
        link: { type: 'boolean', default: false },
        force: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(wrongUsage(error, usage()));
  }
}

function addOptions(file: string, models: string, values: Values): AddOptions {
  const { family, labels, name, link, force, decoded, licence } = values;
  return {
    ...{ file, models, family, labels, name, link, force },
    input: values.input === undefined ? undefined : size(values.input),
    members: {
      ...(values.strides !== undefined && { strides: values.strides.split(',').map((text) => whole('strides', text)) }),
      ...(decoded !== undefined && { decoded }),
      ...(values.score !== undefined && { score_threshold: share('score', values.score) }),
      ...(values.nms !== undefined && { nms_iou: share('nms', values.nms) }),
      ...(licence !== undefined && { licence }),
    },
  };
}

function size(text: string): { width: number; height: number } {
  const match = /^(\d{2,4})x(\d{2,4})$/i.exec(text);
  if (!match) throw new UsageError(`invalid --input: '${text}' is not a width and a height such as 640x384`);
  return { width: Number(match[1]), height: Number(match[2]) };
}

function whole(name: string, text: string): number {
  if (!/^\s*\d{1,4}\s*$/.test(text)) throw new UsageError(`invalid --${name}: '${text}' is not a whole number`);
  return Number(text);
}

function share(name: string, text: string): number {
  const value = text.trim() === '' ? NaN : Number(text);
  if (!(value > 0 && value <= 1)) throw new UsageError(`invalid --${name}: '${text}' is not a number in (0, 1]`);
  return value;
}
