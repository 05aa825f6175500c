/**
 * One server alone has a folder. The lock is that of a database file, which the system gives back however the process ends: there
 * are no stale ones, also where a container is started anew under another name.
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { DatabaseError, type Database } from './database.js';
import { openLibsql } from './libsql.js';

/** Another server has the folder. */
export class FolderBusyError extends Error {
  override readonly name = 'FolderBusyError';
}

/** A folder that is held. */
export interface FolderLock {
  /** Gives it back. Idempotent. */
  release(): void;
}

const FILE = 'in-use.db';

/** Takes a folder, which is made. @throws FolderBusyError; DatabaseError or a system error where the folder cannot be used */
export function lockFolder(folder: string): FolderLock {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  let database: Database | undefined = openLibsql(path.join(folder, FILE));
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY');
    // Writes nothing, for a disk that is full has a lock, too: the header that begins a new database is taken back.
    database.exec('BEGIN EXCLUSIVE; ROLLBACK');
  } catch (error) {
    database.close();
    if (error instanceof DatabaseError && error.fault === 'busy')
      throw new FolderBusyError('it is in use by another server', { cause: error });
    throw error;
  }
  return {
    release: () => {
      // A file that was closed is held until it is collected: the lock is given back before.
      database?.exec('PRAGMA locking_mode = NORMAL');
      database?.prepare('PRAGMA user_version').all();
      database?.close();
      database = undefined;
    },
  };
}
