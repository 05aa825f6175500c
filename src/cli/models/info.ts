/** `sightline models info FILE`: what a model takes and gives, what it is taken for, and the JSON that says so. */
import { calling } from '../calling.js';
import { stat } from 'node:fs/promises';
import { inspectModel, type ModelDescription, type ModelInspection } from '../../detection/index.js';
import { exists, formatJson } from './model-files.js';
import { megabytes, type Terminal } from './terminal.js';
import { tryModel } from './trial.js';

/** @throws MediaPeerError MODEL_INVALID when it is no ONNX model */
export async function info(file: string, terminal: Terminal): Promise<void> {
  const inspection = await inspectModel(file);
  const { onnxPath, dataPaths, inputs, outputs, metadata, model } = inspection;
  const files = await Promise.all([onnxPath, ...dataPaths].map(async (one) => `${one}  ${megabytes((await stat(one)).size)} MB`));
  terminal.print([...files, 'inputs', describeTensors(inputs), 'outputs', describeTensors(outputs)].join('\n'));
  if (metadata.size > 0)
    terminal.print(
      `stored by its exporter\n${[...metadata].map(([name, text]) => `  ${name}: ${text.length > 100 ? `${text.slice(0, 100)}…` : text}`).join('\n')}`,
    );
  if (model) await describeUsable(file, model, inspection, terminal);
  else
    terminal.print(
      `It cannot be used: ${inspection.reason ?? 'nothing is known of it'}\nOr take it into the models folder with what it does not show:\n  ${calling('models')} add ${onnxPath} --family NAME --labels coco`,
    );
}

async function describeUsable(
  file: string,
  model: ModelDescription,
  { assumptions, onnxPath }: ModelInspection,
  terminal: Terminal,
): Promise<void> {
  terminal.print(
    `family   ${model.family}\ninput    ${model.inputWidthPx}x${model.inputHeightPx}\nlabels   ${model.labels.length}: ${model.labels.join(', ')}`,
  );
  for (const assumption of assumptions) terminal.print(`Note: ${assumption}`);
  const jsonPath = onnxPath.replace(/\.onnx$/i, '.json');
  if (await exists(jsonPath)) terminal.print(`JSON     ${jsonPath}`);
  else
    terminal.print(
      `It has no JSON and needs none. One that says the same:\n${formatJson({ name: model.name, family: model.family, input: { width: model.inputWidthPx, height: model.inputHeightPx }, labels: model.labels })}`,
    );
  terminal.print(`it works: ${(await tryModel(file)).inferenceMs.toFixed(1)} ms a picture on this machine`);
}

/** `images  float32  [1,3,416,416]` */
function describeTensors(tensors: ModelInspection['inputs']): string {
  const width = Math.max(0, ...tensors.map(({ name }) => name.length));
  return tensors.map(({ name, type, dims }) => `  ${name.padEnd(width)}  ${type.padEnd(7)}  [${dims.join(',')}]`).join('\n');
}
