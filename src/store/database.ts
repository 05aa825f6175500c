/**
 * What the store needs of an embedded SQL database, and no more: any SQLite can stand behind it. Calls block, so it belongs
 * to a thread of its own.
 */

/** What a column can hold. Integers up to 2^53. */
export type SqlValue = string | number | null | Uint8Array;

/** A row by column name. */
export type SqlRow = Readonly<Record<string, SqlValue>>;

/** A statement that is parsed once. */
export interface Statement {
  /** Runs it for what it changes. @throws DatabaseError */
  run(...parameters: readonly SqlValue[]): void;
  /** Every row of its result. @throws DatabaseError */
  all(...parameters: readonly SqlValue[]): SqlRow[];
}

/** One open database file. */
export interface Database {
  /** Runs statements that have no parameters and whose rows nobody wants. @throws DatabaseError */
  exec(sql: string): void;
  /** @throws DatabaseError */
  prepare(sql: string): Statement;
  /** All of it or nothing: what `work` changed is undone where it throws. Not nested. @throws DatabaseError, and what `work` throws */
  transaction<T>(work: () => T): T;
  /** Gives the file back; everything is in it. */
  close(): void;
}

/**
 * `corrupt`: the file is damaged, or none of a database. `full`: the disk is. `busy`: another process has it. `failed`:
 * anything else, a bug included.
 */
export type DatabaseFault = 'corrupt' | 'full' | 'busy' | 'failed';

/** Why the database did not do what it was told. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError';
  /** What kind of trouble it is. */
  readonly fault: DatabaseFault;

  constructor(fault: DatabaseFault, message: string, cause?: unknown) {
    super(message, { cause });
    this.fault = fault;
  }
}

/** Undoes what `work` did where it throws; for databases that have `exec`. */
export function inTransaction<T>(database: Pick<Database, 'exec'>, work: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    try {
      database.exec('ROLLBACK');
    } catch (rollback) {
      // A full disk has rolled back by itself; the first error says what was wrong.
      if (!(rollback instanceof DatabaseError)) throw rollback;
    }
    throw error;
  }
}
