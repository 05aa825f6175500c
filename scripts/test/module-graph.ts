/**
 * Which packages and built-in modules a compiled module makes use of, directly or by others. A module that only hands on
 * what others export (an `index.js`) is followed by name: who takes a parser out of it does not use the socket beside it.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** What a module takes from another one: exported names, or all that it has. */
interface Link {
  readonly specifier: string;
  readonly names: readonly string[] | 'all';
}

interface HandedOn {
  readonly specifier: string;
  /** Exported name to the name in the other module; `'all'` for `export *`. */
  readonly names: ReadonlyMap<string, string> | 'all';
}

interface Module {
  readonly links: readonly Link[];
  readonly handedOn: readonly HandedOn[];
  /** It has no code of its own. */
  readonly isDoor: boolean;
}

const IMPORT = /^import\s+(?:([^;'"]+?)\s+from\s+)?['"]([^'"]+)['"];?/gm;
const EXPORT_FROM = /^export\s+(\*(?:\s+as\s+\w+)?|\{[^}]*\})\s+from\s+['"]([^'"]+)['"];?/gm;
/** `import('./x.js')`, and a worker's `new URL('./x.js', import.meta.url)`. */
const LOADED_LATER = /(?:\bimport\(\s*|\bnew URL\(\s*)['"](\.[^'"]+\.m?js)['"]|\bimport\(\s*['"]([^'"./][^'"]*)['"]/g;
const COMMENT = /\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm;

/** Reads each module once. */
export class ModuleGraph {
  readonly #modules = new Map<string, Module>();

  /**
   * Everything that is reached: packages and built-in modules by their specifiers, other modules by their absolute paths.
   * Each with the modules on the way to it, the last one first.
   */
  reachedBy(file: string): ReadonlyMap<string, readonly string[]> {
    const reached = new Map<string, readonly string[]>();
    const done = new Set<string>();
    const visit = (target: string, from: string, names: Link['names'], trail: readonly string[]): void => {
      if (!target.startsWith('.')) {
        if (!reached.has(target)) reached.set(target, trail);
        return;
      }
      const next = path.resolve(path.dirname(from), target);
      if (!existsSync(next) || !/\.m?js$/.test(next)) return;
      for (const name of names === 'all' ? ['*'] : names) enter(next, name, trail);
    };
    const enter = (module: string, name: string, trail: readonly string[]): void => {
      const read = this.#read(module);
      const key = read.isDoor ? `${module} ${name}` : module;
      if (done.has(key)) return;
      done.add(key);
      if (!reached.has(module)) reached.set(module, trail);
      for (const { specifier, names } of linksFor(read, name)) visit(specifier, module, names, [module, ...trail]);
    };
    enter(path.resolve(file), '*', []);
    return reached;
  }

  #read(file: string): Module {
    let module = this.#modules.get(file);
    if (!module) this.#modules.set(file, (module = parse(readFileSync(file, 'utf8'))));
    return module;
  }
}

/** What of other modules is used by whoever takes `name` out of this one; `*` is everything. */
function linksFor({ links, handedOn, isDoor }: Module, name: string): readonly Link[] {
  if (!isDoor || name === '*') {
    return [...links, ...handedOn.map(({ specifier, names }) => ({ specifier, names: names === 'all' ? names : [...names.values()] }))];
  }
  const named = handedOn.flatMap(({ specifier, names }) => {
    const original = names === 'all' ? undefined : names.get(name);
    return original === undefined ? [] : [{ specifier, names: [original] }];
  });
  if (named.length > 0) return named;
  return handedOn.filter(({ names }) => names === 'all').map(({ specifier }) => ({ specifier, names: [name] }));
}

function parse(text: string): Module {
  const links: Link[] = [];
  for (const [, clause = '', specifier = ''] of text.matchAll(IMPORT)) links.push({ specifier, names: importedNames(clause) });
  for (const [, file, name] of text.matchAll(LOADED_LATER)) links.push({ specifier: file ?? name ?? '', names: 'all' });
  const handedOn: HandedOn[] = [];
  for (const [, clause = '', specifier = ''] of text.matchAll(EXPORT_FROM)) {
    handedOn.push({ specifier, names: clause.startsWith('{') ? new Map(namesIn(clause).map(([from, as]) => [as, from])) : 'all' });
  }
  const rest = text.replace(COMMENT, '').replace(EXPORT_FROM, '').replace('export {};', '').trim();
  return { links, handedOn, isDoor: rest === '' };
}

/** Of `{ a, b as c }`, `* as d` or `e`: names in the other module. */
function importedNames(clause: string): Link['names'] {
  if (!clause.startsWith('{')) return 'all';
  return namesIn(clause).map(([from]) => from);
}

/** Of `{ a, b as c }`: `[['a', 'a'], ['b', 'c']]`. */
function namesIn(clause: string): [from: string, as: string][] {
  const entries = clause
    .replace(/[{}]/g, '')
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  return entries.map((entry) => {
    const [from = '', as = from] = entry.split(/\s+as\s+/);
    return [from, as];
  });
}
