/** One build at a time in one tree: two compilers that write the same files leave halves of both. */
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const POLL_MS = 100;
/** A lock is empty for the moment in which it is written; one that stays so was left by a machine that stopped. */
const WRITING_MS = 5000;

/**
 * Takes the lock, waiting for a build that runs; that of a process that is gone is taken over.
 * @param {string} file @param {(pid: number) => void} onWait called once @returns {Promise<() => void>} gives it back,
 * as the end of the process does
 */
export async function lock(file, onWait) {
  mkdirSync(path.dirname(file), { recursive: true });
  const own = identity(process.pid);
  for (let told = false; !create(file, own);) {
    const holder = read(file);
    if (holder === undefined) continue;
    if (!(holder === '' ? isNew(file) : isAlive(holder))) removeStale(file, holder);
    else {
      if (!told && holder !== '') onWait(Number.parseInt(holder, 10));
      told ||= holder !== '';
      await wait(POLL_MS);
    }
  }
  const unlock = () => rmSync(file, { force: true });
  process.once('exit', unlock);
  return () => {
    process.off('exit', unlock);
    unlock();
  };
}

function create(file, content) {
  try {
    writeFileSync(file, content, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Another process may have taken it over in between: then it gets its lock back. */
function removeStale(file, holder) {
  const aside = `${file}.${process.pid}`;
  try {
    renameSync(file, aside);
    if (read(aside) !== holder) linkSync(aside, file);
    rmSync(aside);
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error;
    rmSync(aside, { force: true });
  }
}

/** A process number is used again after a restart of the machine; the number with the time of its start is not. */
function identity(pid) {
  return `${pid} ${startOf(pid)}`;
}

function startOf(pid) {
  const stat = read(`/proc/${pid}/stat`);
  // The name in parentheses may hold spaces; the time of the start is the 20th field after it (proc(5)).
  return stat === undefined ? 'unknown' : stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

function isNew(file) {
  return Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0) < WRITING_MS;
}

function isAlive(holder) {
  const pid = Number.parseInt(holder, 10);
  if (Number.isNaN(pid)) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code === 'ESRCH') return false;
  }
  return holder === identity(pid);
}
