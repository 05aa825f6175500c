/**
 * Writes the compiled client library as one ES module, so that it can be served, copied and read as one file. Its modules
 * import nothing but each other, by name, and have no two top-level names in common: then joining them in the order of
 * their imports is all that a bundler would do. What does not hold is an error of the module that comes out.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const IMPORT = /^import\s+[^;]*?from '\.\/([\w-]+)\.js';\n/gms;
const EXPORT_FROM = /^export\s+(type\s+)?\{([^}]*)\} from '\.\/([\w-]+)\.js';\n/gms;

/** @param {string} from folder of the compiled modules @param {string} to folder of `sightline.js` and `sightline.d.ts` */
export function bundleClient(from, to) {
  mkdirSync(to, { recursive: true });
  for (const extension of ['.js', '.d.ts']) writeFileSync(path.join(to, `sightline${extension}`), bundle(from, extension));
}

/** @param {string} folder @param {'.js' | '.d.ts'} extension @returns {string} one module */
function bundle(folder, extension) {
  const parts = [];
  const seen = new Set();
  const visit = (name) => {
    if (seen.has(name)) return;
    seen.add(name);
    const text = readFileSync(path.join(folder, name + extension), 'utf8').replace(/\r\n/g, '\n');
    for (const [, other] of text.matchAll(IMPORT)) visit(other);
    for (const [, , , other] of text.matchAll(EXPORT_FROM)) visit(other);
    const own = text
      .replace(IMPORT, '')
      .replace(EXPORT_FROM, '')
      .replace(/^export \{\};\n/gm, '')
      .replace(/^export (?=(declare|abstract|async|class|const|function|interface|let|type)\b)/gm, '')
      .replace(/^\/\/# sourceMappingURL=.*\n?/gm, '');
    if (own.trim() !== '') parts.push(own.trim());
  };
  visit('index');
  const index = readFileSync(path.join(folder, `index${extension}`), 'utf8');
  const exported = [...index.matchAll(EXPORT_FROM)].flatMap(([, type, names]) =>
    names
      .split(',')
      .map((name) => name.trim())
      .filter(Boolean)
      .map((name) => (type ? `type ${name}` : name)),
  );
  return `${parts.join('\n\n')}\n\nexport { ${exported.join(', ')} };\n`;
}
