/** `sightline models list`: what is in the models folder and works, and what can be downloaded. */
import path from 'node:path';
import { calling } from '../calling.js';
import { table } from '../table.js';
import { listModels, type ListedModel } from './model-files.js';
import { filesOf, readRegistry, type RegistryEntry } from './registry.js';
import { megabytes, type Terminal } from './terminal.js';

/** @throws CommandError when the registry or the folder cannot be read */
export async function list(
  { models, registry }: { readonly models: string; readonly registry: string },
  terminal: Terminal,
): Promise<void> {
  const found = await listModels(models);
  terminal.print(
    found.length === 0
      ? `There is no model in ${models}.`
      : `Models in ${models}\n\n${table(['model', 'family', 'input', 'classes', 'MB', 'ms', 'licence'], found.map(row))}`,
  );
  const broken = found.filter(({ problem }) => problem !== undefined);
  if (broken.length > 0)
    terminal.print(`\nNot usable\n\n${broken.map(({ fileName, problem }) => `${fileName}: ${problem ?? ''}`).join('\n')}`);
  const entries = await readRegistry(registry);
  const isThere = (file: string): string => {
    const model = found.find(({ fileName }) => path.parse(fileName).name === path.parse(file).name);
    return model ? (model.trial ? 'yes' : 'yes, but not usable') : 'no';
  };
  terminal.print(
    `\nTo download with \`${calling('models')} pull NAME\`\n\n${table(
      ['name', 'family', 'input', 'MB', 'licence', 'downloaded'],
      entries.map((entry) => registryRow(entry, isThere(entry.file))),
    )}`,
  );
}

function registryRow(entry: RegistryEntry, isThere: string): string[] {
  const { name, family, input, licence } = entry;
  return [
    name,
    family,
    `${input.width}x${input.height}`,
    megabytes(filesOf(entry).reduce((sum, { bytes }) => sum + bytes, 0)),
    licence,
    isThere,
  ];
}

function row({ fileName, bytes, licence, trial }: ListedModel): string[] {
  const size = bytes === undefined ? '–' : megabytes(bytes);
  if (!trial) return [fileName, 'not usable', '–', '–', size, '–', licence ?? '–'];
  const { family, inputWidthPx, inputHeightPx, labels } = trial.model;
  return [fileName, family, `${inputWidthPx}x${inputHeightPx}`, String(labels.length), size, trial.inferenceMs.toFixed(1), licence ?? '–'];
}
