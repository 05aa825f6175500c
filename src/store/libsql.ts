/**
 * libsql behind the store's interface: it comes compiled for every platform and Node version that Sightline runs on, without
 * an install script. A parameter of another type than it knows ends the whole process, so each one is looked at before.
 */
import Libsql from 'libsql';
import { DatabaseError, inTransaction, type Database, type DatabaseFault, type SqlRow, type SqlValue, type Statement } from './database.js';

const FAULTS: readonly (readonly [code: RegExp, fault: DatabaseFault])[] = [
  [/^SQLITE_(NOTADB|CORRUPT)/, 'corrupt'],
  [/^SQLITE_FULL/, 'full'],
  [/^SQLITE_(BUSY|LOCKED)/, 'busy'],
];

/** Opens a file, or `:memory:`. @throws DatabaseError */
export function openLibsql(file: string): Database {
  const database = guarded(() => new Libsql(file));
  const opened: Database = {
    exec: (sql) => guarded(() => void database.exec(sql)),
    prepare: (sql) => statement(guarded(() => database.prepare(sql))),
    transaction: (work) => inTransaction(opened, work),
    close: () => guarded(() => void database.close()),
  };
  return opened;
}

function statement(prepared: Libsql.Statement): Statement {
  return {
    run: (...parameters) => guarded(() => void prepared.run(checked(parameters))),
    all: (...parameters) => guarded(() => prepared.all(checked(parameters)).map(rowOf)),
  };
}

function checked(parameters: readonly unknown[]): SqlValue[] {
  const isKnown = (value: unknown): value is SqlValue =>
    value === null || typeof value === 'string' || typeof value === 'number' || value instanceof Uint8Array;
  const wrong = parameters.find((value) => !isKnown(value));
  if (wrong !== undefined || parameters.includes(undefined)) throw new TypeError(`a database cannot hold ${typeof wrong} values`);
  return parameters as SqlValue[];
}

/** Blobs come as ArrayBuffers. */
function rowOf(row: unknown): SqlRow {
  const columns = Object.entries(row as Readonly<Record<string, SqlValue | ArrayBuffer>>);
  return Object.fromEntries(columns.map(([name, value]) => [name, value instanceof ArrayBuffer ? new Uint8Array(value) : value]));
}

function guarded<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (!(error instanceof Error) || error instanceof TypeError) throw error;
    const { code = '' } = error as { readonly code?: string };
    const fault = FAULTS.find(([pattern]) => pattern.test(code))?.[1] ?? 'failed';
    throw new DatabaseError(fault, error.message, error);
  }
}
