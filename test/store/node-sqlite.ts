/** Node's own SQLite behind the store's interface: shows that the interface asks for nothing that libsql alone has. */
import { DatabaseError, inTransaction, type Database, type DatabaseFault, type SqlRow } from '../../src/store/database.js';

interface NodeDatabase {
  exec(sql: string): void;
  prepare(sql: string): { run(...parameters: readonly unknown[]): void; all(...parameters: readonly unknown[]): SqlRow[] };
  close(): void;
}

/** Node's module; undefined where this version has none. */
export async function nodeSqlite(): Promise<((file: string) => Database) | undefined> {
  const name = 'node:sqlite';
  try {
    const { DatabaseSync } = (await import(name)) as { readonly DatabaseSync: new (file: string) => NodeDatabase };
    return (file) => open(new DatabaseSync(file));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_UNKNOWN_BUILTIN_MODULE') return undefined;
    throw error;
  }
}

function open(database: NodeDatabase): Database {
  const opened: Database = {
    exec: (sql) => guarded(() => database.exec(sql)),
    prepare: (sql) => {
      const prepared = guarded(() => database.prepare(sql));
      return {
        run: (...parameters) => guarded(() => prepared.run(...parameters)),
        all: (...parameters) => guarded(() => prepared.all(...parameters)),
      };
    },
    transaction: (work) => inTransaction(opened, work),
    close: () => database.close(),
  };
  return opened;
}

/** SQLite's primary result codes. */
const FAULTS: Readonly<Record<number, DatabaseFault>> = { 11: 'corrupt', 26: 'corrupt', 13: 'full', 5: 'busy', 6: 'busy' };

function guarded<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    const { errcode, code, message } = error as { readonly errcode?: number; readonly code?: string; readonly message: string };
    if (code !== 'ERR_SQLITE_ERROR') throw error instanceof TypeError ? error : new TypeError(message, { cause: error });
    throw new DatabaseError(FAULTS[(errcode ?? 0) & 0xff] ?? 'failed', message, error);
  }
}
