/** The tables, and how those of an earlier version become them. Each step is one transaction and is never changed again. */
import type { Database } from './database.js';

const STEPS: readonly string[] = [
  `CREATE TABLE events (
     id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, type TEXT NOT NULL, source TEXT, still INTEGER, data TEXT NOT NULL
   );
   CREATE INDEX events_by_source ON events (source, id);
   CREATE INDEX events_by_source_and_time ON events (source, at_ms);
   CREATE INDEX events_by_time ON events (at_ms);
   CREATE TABLE stills (id INTEGER PRIMARY KEY, jpeg BLOB NOT NULL);
   CREATE TABLE counts (source TEXT PRIMARY KEY, state TEXT NOT NULL);`,
  `CREATE TABLE positions (
     reader TEXT NOT NULL, source TEXT NOT NULL, last_id INTEGER NOT NULL, PRIMARY KEY (reader, source)
   ) WITHOUT ROWID;
   CREATE TABLE notes (name TEXT PRIMARY KEY, text TEXT NOT NULL);`,
  `CREATE TABLE segments (
     id INTEGER PRIMARY KEY, source TEXT NOT NULL, run INTEGER NOT NULL, from_ms REAL NOT NULL, to_ms REAL NOT NULL,
     file TEXT NOT NULL, bytes INTEGER NOT NULL, format TEXT NOT NULL, transcoded INTEGER NOT NULL, open INTEGER NOT NULL
   );
   CREATE INDEX segments_by_source_and_time ON segments (source, from_ms);
   CREATE INDEX segments_by_end ON segments (to_ms);
   CREATE TABLE groups (segment INTEGER PRIMARY KEY, places BLOB NOT NULL);
   CREATE TABLE keeps (
     source TEXT NOT NULL, from_ms REAL NOT NULL, to_ms REAL NOT NULL, PRIMARY KEY (source, from_ms)
   ) WITHOUT ROWID;`,
  `CREATE TABLE objects (
     id INTEGER PRIMARY KEY, source TEXT NOT NULL, object_id INTEGER NOT NULL, label TEXT NOT NULL,
     first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, score REAL NOT NULL, best_ms INTEGER NOT NULL
   );
   CREATE INDEX objects_by_source_and_first ON objects (source, first_ms);
   CREATE INDEX objects_by_source_and_last ON objects (source, last_ms);
   CREATE TABLE visits (
     object INTEGER NOT NULL, n INTEGER NOT NULL, place TEXT NOT NULL, direction TEXT, at_ms INTEGER NOT NULL, left_ms INTEGER,
     PRIMARY KEY (object, n)
   ) WITHOUT ROWID;
   CREATE INDEX visits_by_place_and_time ON visits (place, at_ms);
   CREATE TABLE minutes (
     source TEXT NOT NULL, minute INTEGER NOT NULL, motion REAL, counts TEXT NOT NULL, PRIMARY KEY (source, minute)
   ) WITHOUT ROWID;`,
  'ALTER TABLE minutes ADD COLUMN stream_motion REAL;',
];

/** The file is of a later version of Sightline, which may have put anything into it. */
export class NewerSchemaError extends Error {
  override readonly name = 'NewerSchemaError';
}

/** Brings the tables up to date. @throws NewerSchemaError, DatabaseError */
export function migrate(database: Database): void {
  const version = Number(database.prepare('PRAGMA user_version').all()[0]?.user_version);
  if (version > STEPS.length)
    throw new NewerSchemaError(`it is of a later version of Sightline (schema ${version}; this one knows ${STEPS.length})`);
  for (const [before, sql] of STEPS.entries()) {
    if (before < version) continue;
    database.transaction(() => {
      database.exec(sql);
      database.exec(`PRAGMA user_version = ${before + 1}`);
    });
  }
}
