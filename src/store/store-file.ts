/** The file of the store: opened, and set aside where it cannot be used, so that a server always has one. */
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { messageOf } from '../base/errors.js';
import { DatabaseError, type Database } from './database.js';
import { openLibsql } from './libsql.js';
import { migrate, NewerSchemaError } from './schema.js';

/** A file that is kept for somebody to look at. */
export interface SetAside {
  /** Where it is now. */
  readonly file: string;
  /** Why it was not used. */
  readonly reason: string;
}

/** An open store. */
export interface OpenedFile {
  /** With its tables. */
  readonly database: Database;
  /** What was there before and could not be used; undefined where that was nothing. */
  readonly setAside: SetAside | undefined;
}

/** How long a process that ends may hold the file. */
const BUSY_MS = 1000;

/**
 * Opens the store in a folder, which is made; one that is damaged or of a later version is renamed, and a new one begun.
 * @param folder undefined: in memory
 * @param damage what was found to be wrong with it, which its beginning does not show
 * @throws DatabaseError, or a system error where the folder cannot be used
 */
export function openStoreFile(folder: string | undefined, damage?: string): OpenedFile {
  if (folder === undefined) return { database: openTables(':memory:'), setAside: undefined };
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = path.join(folder, 'events.db');
  if (damage !== undefined) return { setAside: { file: moveAside(file, 'corrupt'), reason: damage }, database: openPrivately(file) };
  try {
    return { database: openPrivately(file), setAside: undefined };
  } catch (error) {
    const reason = whyUnusable(error);
    if (reason === undefined) throw error;
    return { setAside: { file: moveAside(file, reason), reason: messageOf(error) }, database: openPrivately(file) };
  }
}

/** Gives the file back, whole: libsql holds a file that was closed until its statements are collected, and with it the lock. */
export function closeStoreFile(database: Database): void {
  try {
    database.exec('PRAGMA journal_mode = DELETE');
    database.exec('PRAGMA locking_mode = NORMAL');
    database.prepare('SELECT count(*) AS n FROM counts').all();
  } catch (error) {
    // Damaged, or full: the log beside it holds what the file does not.
    if (!(error instanceof DatabaseError)) throw error;
  }
  database.close();
}

/** `corrupt` or `newer`; undefined where the file itself is not to blame. */
function whyUnusable(error: unknown): string | undefined {
  if (error instanceof NewerSchemaError) return 'newer';
  return error instanceof DatabaseError && error.fault === 'corrupt' ? 'corrupt' : undefined;
}

/** Its log goes with it: without it the newest of what is in there would be lost. */
function moveAside(file: string, reason: string): string {
  const aside = `${file}.${reason}-${new Date().toISOString().replaceAll(':', '')}`;
  renameSync(file, aside);
  if (existsSync(`${file}-wal`)) renameSync(`${file}-wal`, `${aside}-wal`);
  rmSync(`${file}-shm`, { force: true });
  return aside;
}

/** Events say who was where: nobody else on the machine reads them. SQLite gives its logs the mode of the file. */
function openPrivately(file: string): Database {
  closeSync(openSync(file, 'a', 0o600));
  chmodSync(file, 0o600);
  return openTables(file);
}

function openTables(file: string): Database {
  const database = openLibsql(file);
  try {
    database.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
    // Pages that are free can be given back in slices; only before the first table.
    database.exec('PRAGMA auto_vacuum = INCREMENTAL');
    // One process alone: two would give the same ids, and each count for itself.
    database.exec('PRAGMA locking_mode = EXCLUSIVE');
    database.exec('PRAGMA journal_mode = WAL');
    // Of a power failure the last moments may be lost; of the end of the process nothing that was committed.
    database.exec('PRAGMA synchronous = NORMAL');
    database.exec('PRAGMA journal_size_limit = 8388608');
    migrate(database);
    // Takes the lock now, where it can still be said.
    database.transaction(() => database.exec('DELETE FROM counts WHERE 0'));
    return database;
  } catch (error) {
    closeStoreFile(database);
    throw error;
  }
}
