/**
 * `npm run build`: compiles the server, its tests, the client library and the page, and writes what browsers get. Whatever runs
 * compiled code calls `build` first. A stamp tells what `dist` was made of; while it holds, nothing is compiled.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { fingerprint, outputs, removeStaleOutputs } from './build/fingerprint.mjs';
import { lock } from './build/lock.mjs';
import { bundleClient } from './client/bundle.mjs';

export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const dist = path.join(root, 'dist');
const stampFile = path.join(dist, '.stamp.json');

/** In the order in which they need each other's types; those of one line are compiled at the same time. */
const STAGES = [
  ['src/client/tsconfig.json'],
  ['tsconfig.json', 'src/page/tsconfig.json'],
  ['test/client/tsconfig.json', 'test/page/tsconfig.json'],
];
/** The client library, the server with its tools, and the page. */
const RUNNING = STAGES.slice(0, 2).flat();
/** Tests of what runs in browsers, beside them. */
export const EVERYTHING = STAGES.flat();

/** Where the compiler remembers what it compiled: it writes no output twice, not even one that is gone. */
const MEMORIES = ['', '-client', '-page', '-test-client', '-test-page'].map((name) => `.tsbuildinfo${name}`);

/**
 * Compiles what changed; tells on standard error what it does. Ends the process where that fails or is interrupted: there is
 * nothing to run then.
 */
export async function build(projects = RUNNING) {
  if (isFresh(projects)) return;
  const compiler = findCompiler();
  if (compiler === undefined) return withoutCompiler();
  const unlock = await lock(path.join(dist, '.build.lock'), (pid) =>
    console.error(`Another build of Sightline runs (process ${pid}); waiting for it ...`),
  );
  try {
    if (!isFresh(projects)) await compile(compiler, projects);
  } finally {
    unlock();
  }
}

/** The compiler's command line; undefined where only the packages for production are installed. */
function findCompiler() {
  try {
    return createRequire(import.meta.url).resolve('typescript/bin/tsc');
  } catch (error) {
    if (error.code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

function isFresh(projects) {
  const stamp = readStamp();
  if (stamp === undefined || stamp.failed || !projects.every((project) => stamp.projects.includes(project))) return false;
  const now = fingerprint(root);
  return stamp.sources === now.sources && stamp.tools === now.tools && isSame(stamp.outputs, outputs(root));
}

function isSame(left, right) {
  const names = Object.keys(left);
  return names.length === Object.keys(right).length && names.every((name) => left[name] === right[name]);
}

/** Undefined where nothing was compiled, or compiling was interrupted. */
function readStamp() {
  try {
    return JSON.parse(readFileSync(stampFile, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function writeStamp(stamp) {
  writeFileSync(`${stampFile}.new`, JSON.stringify(stamp));
  renameSync(`${stampFile}.new`, stampFile);
}

/** An image for production has no compiler: it runs what was compiled when it was made. */
function withoutCompiler() {
  const stamp = readStamp();
  if (!existsSync(path.join(dist, 'src/main.js')) || stamp === undefined || stamp.failed) {
    console.error(
      'Sightline is not compiled, and TypeScript is not installed. Run `npm ci` (with development packages), then the same command.',
    );
    process.exit(1);
  }
  if (stamp.sources !== fingerprint(root).sources)
    console.error('The sources have changed since Sightline was compiled, and TypeScript is not installed: what was compiled then runs.');
}

async function compile(compiler, projects) {
  const before = fingerprint(root);
  const stamp = readStamp();
  const isWhole = stamp !== undefined && isSame(stamp.outputs, outputs(root));
  console.error(
    isWhole
      ? `Compiling what changed in Sightline (${Math.ceil(stamp.tookS)} s last time) ...`
      : 'Compiling Sightline: 10 to 60 s the first time, later only what changed ...',
  );
  mkdirSync(dist, { recursive: true });
  rmSync(stampFile, { force: true });
  if (!isWhole) for (const memory of MEMORIES) rmSync(path.join(dist, memory), { force: true });
  removeStaleOutputs(root);
  const startedMs = performance.now();
  let code = await runCompiler(compiler, projects);
  if (code === 0) {
    bundleClient(path.join(dist, 'src/client'), path.join(dist, 'client'));
    code = await bundlePages();
  }
  const tookS = (performance.now() - startedMs) / 1000;
  writeStamp({ ...before, projects, failed: code !== 0, tookS, outputs: outputs(root) });
  if (code !== 0) {
    console.error('Sightline could not be compiled; what is wrong stands above.');
    process.exit(code);
  }
  console.error(`Compiled in ${tookS.toFixed(1)} s.`);
}

/** Exit code of the first stage that fails, else 0. */
async function runCompiler(compiler, projects) {
  for (const stage of STAGES) {
    const codes = await Promise.all(
      stage.filter((project) => projects.includes(project)).map((project) => compileProject(compiler, project)),
    );
    const failed = codes.find((code) => code !== 0);
    if (failed !== undefined) return failed;
  }
  return 0;
}

function compileProject(compiler, project) {
  return runTool(compiler, '-p', path.join(root, project));
}

/** In a process of its own: what the bundler takes, some 200 MiB, the server that starts next would keep. */
function bundlePages() {
  return runTool(
    path.join(root, 'scripts/page/publish.mjs'),
    path.join(root, 'src/page'),
    path.join(root, 'src/client/index.ts'),
    path.join(dist, 'page'),
  );
}

/** Exit code. A signal to this process ends the tool and then this process. */
async function runTool(script, ...args) {
  const child = spawn(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' });
  let stoppedBy;
  const stop = (signal) => {
    stoppedBy = signal;
    child.kill('SIGKILL');
  };
  process.on('SIGINT', stop).on('SIGTERM', stop).on('exit', stop);
  const [code, signal] = await once(child, 'exit');
  process.off('SIGINT', stop).off('SIGTERM', stop).off('exit', stop);
  if (stoppedBy !== undefined || signal !== null) process.exit(128 + os.constants.signals[stoppedBy ?? signal]);
  return code;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await build(EVERYTHING);
