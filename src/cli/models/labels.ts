/** Class names as people have them: a file, a list on the command line, or a known set. */
import { readFile } from 'node:fs/promises';
import { messageOf } from '../../base/errors.js';
import { codeOf, CommandError } from '../errors.js';

const MAX_CHARS = 64;

/**
 * `coco`, `car,person,drone`, or a file: one name a line, or a JSON array. The names in order, or `coco`.
 * @throws CommandError
 */
export async function readLabels(text: string): Promise<'coco' | string[]> {
  if (text === 'coco') return 'coco';
  const content = await readFile(text, 'utf8').catch((error: unknown) => {
    if (text.includes(',') && codeOf(error) !== undefined) return undefined;
    throw new CommandError(
      `the labels file ${text} cannot be read: ${messageOf(error)}. Classes can also be given as a list: --labels car,person (one class: --labels 'car,')`,
      { cause: error },
    );
  });
  if (content === undefined)
    return checked(
      text
        .replace(/,\s*$/, '')
        .split(',')
        .map((name) => name.trim()),
      '--labels',
    );
  const plain = content.replace(/^\uFEFF/, '').trim();
  return checked(plain.startsWith('[') ? jsonArray(plain, text) : plain.split(/\r?\n/).map((name) => name.trim()), text);
}

function jsonArray(json: string, file: string): unknown[] {
  try {
    const value: unknown = JSON.parse(json);
    if (Array.isArray(value)) return value as unknown[];
  } catch (error) {
    throw new CommandError(`${file} looks like JSON, but is not: ${messageOf(error)}`, { cause: error });
  }
  throw new CommandError(`${file} is JSON, but no array of names`);
}

function checked(names: readonly unknown[], where: string): string[] {
  return names.map((name, i) => {
    if (typeof name !== 'string' || name.trim() === '')
      throw new CommandError(
        `${where}: name ${i + 1} of ${names.length} is ${JSON.stringify(name)}; every class needs a name, in the order of the model's classes`,
      );
    if (name.length > MAX_CHARS)
      throw new CommandError(
        `${where}: name ${i + 1} has ${name.length} characters, at most ${MAX_CHARS} are allowed; one name a line was expected`,
      );
    return name;
  });
}
