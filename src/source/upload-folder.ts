/** What lies in the upload folder: plain files directly in it, and what tells that one has changed. */
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';

/** A file as it lies in the folder. */
export interface FoundFile {
  readonly name: string;
  /** Changes whenever the content may have changed. */
  readonly identity: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

/** Plain files directly in the folder; a link counts when it leads to one in the folder. */
export async function findFiles(folder: string): Promise<FoundFile[]> {
  const root = await realpath(folder);
  const names = (await readdir(root)).filter((name) => !isIgnored(name));
  const files = await Promise.all(
    names.map(async (name): Promise<FoundFile | undefined> => {
      try {
        const file = path.join(root, name);
        if ((await lstat(file)).isSymbolicLink() && path.dirname(await realpath(file)) !== root) return undefined;
        const facts = await stat(file);
        if (!facts.isFile()) return undefined;
        return { name, identity: `${facts.size}/${facts.mtimeMs}/${facts.ino}`, sizeBytes: facts.size, modifiedMs: facts.mtimeMs };
      } catch {
        // Gone since the folder was listed, or a link to nowhere.
        return undefined;
      }
    }),
  );
  return files.filter((file) => file !== undefined);
}

/** Dot files, notes about the folder, zones of a source, and downloads that are not complete. */
function isIgnored(name: string): boolean {
  return name.startsWith('.') || /^readme(\.(txt|rst|html?))?$/i.test(name) || /\.(md|zones\.json|part|partial|crdownload|download|tmp)$/i.test(name);
}
