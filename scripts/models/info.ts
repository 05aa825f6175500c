/** `npm run models -- info FILE`: what a model takes and gives, what it is taken for, and the JSON it needs. */
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { loadModelDescription } from '../../src/detection/index.js';
import { messageOf } from '../../src/errors.js';
import { CommandError } from './failures.js';
import { describeTensors, inspect, pictureSize } from './inspection.js';
import { exists } from './model-files.js';
import { megabytes, type Terminal } from './terminal.js';
import { tryModel } from './trial.js';

/** @throws CommandError */
export async function info(file: string, terminal: Terminal): Promise<void> {
  const { onnxPath, jsonPath } = await pathsOf(file);
  const bytes = await stat(onnxPath).then(({ size }) => size, (error: unknown) => {
    throw new CommandError(`${onnxPath} cannot be read: ${messageOf(error)}`, { cause: error });
  });
  const inspection = await inspect(onnxPath);
  terminal.print([`${onnxPath}  ${megabytes(bytes)} MB`, 'inputs', describeTensors(inspection.inputs), 'outputs', describeTensors(inspection.outputs)].join('\n'));
  if (await exists(jsonPath)) await describeKnown(jsonPath, terminal);
  else terminal.print(adviceFor(onnxPath, pictureSize(inspection)));
}

async function describeKnown(jsonPath: string, terminal: Terminal): Promise<void> {
  const json = await readFile(jsonPath, 'utf8');
  terminal.print(`JSON     ${jsonPath}\n${json.length > 2000 ? `${json.slice(0, 2000).trim()} …` : json.trim()}`);
  try {
    const { model, inferenceMs } = await tryModel(jsonPath);
    terminal.print(`family   ${model.family}\nlabels   ${model.labels.length}: ${model.labels.join(', ')}\nit works: ${inferenceMs.toFixed(1)} ms a picture on this machine`);
  } catch (error) {
    terminal.print(`it does not work: ${messageOf(error)}`);
  }
}

function adviceFor(onnxPath: string, input: { width: number; height: number } | undefined): string {
  const size = input ? '' : ' --input 640x640';
  return `It has no JSON beside it that says what its tensors mean. Take it into the models folder with the family it was trained as and its classes:\n  npm run models -- add ${onnxPath} --family FAMILY --labels coco${size}`;
}

async function pathsOf(file: string): Promise<{ onnxPath: string; jsonPath: string }> {
  if (/\.onnx$/i.test(file)) return { onnxPath: path.resolve(file), jsonPath: path.resolve(file.replace(/\.onnx$/i, '.json')) };
  if (!/\.json$/i.test(file)) throw new CommandError(`${file} is neither an .onnx file nor the .json beside one`);
  if (!(await exists(file))) throw new CommandError(`${file} does not exist`);
  return { onnxPath: loadModelDescription(file).onnxPath, jsonPath: path.resolve(file) };
}
