/** What is in the upload folder: plain files directly in it, and what tells that one has changed. */
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '../../base/errors.js';
import { identityOf } from '../../base/file-identity.js';

/** A file as it is in the folder. */
export interface FoundFile {
  /** Of a name that is not UTF-8, with its other bytes as `\\xNN`. */
  readonly name: string;
  /** Absolute path. */
  readonly file: string;
  /** Changes whenever the content may have changed. */
  readonly identity: string;
  /** Size of the file. */
  readonly sizeBytes: number;
  /** Time of its last change, Unix time in milliseconds. */
  readonly modifiedMs: number;
  /** Why it is not even looked into, in words. */
  readonly problem?: string;
}

/** What is directly in the folder, apart from other folders; what may not be opened has its reason. */
export async function findFiles(folder: string): Promise<FoundFile[]> {
  const root = await realpath(folder);
  const names = (await readdir(Buffer.from(root), { encoding: 'buffer' })).map(readName).filter(({ name }) => !isIgnored(name));
  const files = await Promise.all(
    names.map(async (entry) =>
      entry.isText ? await look(root, entry.name) : refuse(root, entry.name, 'its name is not UTF-8; rename it'),
    ),
  );
  return files.filter((file) => file !== undefined);
}

async function look(root: string, name: string): Promise<FoundFile | undefined> {
  const file = path.join(root, name);
  try {
    const isLink = (await lstat(file)).isSymbolicLink();
    const target = isLink ? await realpath(file) : file;
    if (path.dirname(target) !== root)
      return refuse(root, name, 'it is a link that leads out of the folder; copy the file here, or link to one in the same folder');
    const facts = await stat(file);
    if (facts.isDirectory()) return undefined;
    if (!facts.isFile()) return refuse(root, name, 'it is no plain file, but a pipe, a socket or a device');
    return { name, file, identity: identityOf(facts), sizeBytes: facts.size, modifiedMs: facts.mtimeMs };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    // Gone since the folder was listed.
    if (code === 'ENOENT' && !(await lstat(file).catch(() => undefined))) return undefined;
    if (code === 'ENOENT') return refuse(root, name, 'it is a link to a file that is not there');
    if (code === 'ELOOP') return refuse(root, name, 'it is a link that leads back to itself');
    return refuse(
      root,
      name,
      `it cannot be read (${messageOf(error)
        .replaceAll(root, '')
        .replace(/, \w+ .*$/, '')})`,
    );
  }
}

function refuse(root: string, name: string, problem: string): FoundFile {
  return { name, file: path.join(root, name), identity: problem, sizeBytes: 0, modifiedMs: 0, problem };
}

function readName(bytes: Buffer): { readonly name: string; readonly isText: boolean } {
  const name = bytes.toString('utf8');
  if (Buffer.from(name, 'utf8').equals(bytes)) return { name, isText: true };
  return {
    name: [...bytes]
      .map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`))
      .join(''),
    isText: false,
  };
}

/** Dot files, notes about the folder, zones of a source, and downloads that are not complete. */
export function isIgnored(name: string): boolean {
  return (
    name.startsWith('.') ||
    /^readme(\.(txt|rst|html?))?$/i.test(name) ||
    /\.(md|zones\.json|part|partial|crdownload|download|tmp)$/i.test(name)
  );
}
