import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { projectRoot } from './helpers/assets.js';

/** Which rooms a room may import, beside the leaf modules. Types of other rooms cross only where listed. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  media: [],
  ffmpeg: ['media'],
  source: ['media', 'ffmpeg'],
  detection: ['media'],
  scene: ['media'],
  client: [],
  webhooks: ['media'],
  watchdog: [],
  pipeline: ['media', 'ffmpeg', 'source', 'detection'],
  peer: ['media'],
  signalling: ['media', 'peer'],
  observability: ['media', 'ffmpeg', 'source', 'detection', 'pipeline', 'peer', 'webhooks'],
  wiring: ['media', 'ffmpeg', 'source', 'detection', 'scene', 'webhooks', 'pipeline', 'peer', 'signalling'],
};
/** Modules at the top of src/ that the wiring may import, beside the leaves. */
const WIRED = ['app', 'config', 'log'];
/** Modules at the top of src/ that anybody may import. */
const LEAVES = ['backoff', 'errors', 'clock', 'logger', 'near-miss', 'resources', 'turns'];
/** Packages and globals that belong to one place. */
const OWNED: readonly { readonly what: RegExp; readonly by: (file: string) => boolean; readonly name: string }[] = [
  { name: 'werift', what: /from 'werift/, by: (file) => file.startsWith('peer/') },
  { name: 'child_process', what: /from 'node:child_process'/, by: (file) => file.startsWith('ffmpeg/') },
  { name: 'fluent-ffmpeg', what: /from 'fluent-ffmpeg'/, by: (file) => file === 'ffmpeg/fluent.ts' },
  { name: 'onnxruntime-node', what: /from 'onnxruntime-node'/, by: (file) => file.startsWith('detection/') },
  { name: 'process.env', what: /process\.env/, by: (file) => file === 'config.ts' },
  { name: 'fastify', what: /from '(@fastify\/|fastify)/, by: (file) => /^(signalling|observability)\//.test(file) || file === 'app.ts' },
  { name: 'setTimeout and setInterval', what: /\bset(Timeout|Interval)\(/, by: (file) => file === 'clock.ts' || file === 'client/clock.ts' },
];

const src = path.join(projectRoot, 'src');
const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));

interface Import {
  readonly from: string;
  readonly to: string;
  readonly isTypeOnly: boolean;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(path.join(src, file), 'utf8');
  return [...text.matchAll(/^(?:import|export)\s+(type\s)?[^;]*?from '(\.[^']+)';/gms)].map((match) => ({
    from: file,
    to: path.join(path.dirname(file), match[2]!.replace(/\.js$/, '.ts')),
    isTypeOnly: match[1] !== undefined,
  }));
}

const imports = files.flatMap(importsOf);
const roomOf = (file: string): string | undefined => (file.includes('/') ? file.split('/')[0] : undefined);

describe('architecture', () => {
  it('reads the imports at all', () => {
    assert.ok(files.length > 20 && imports.length > 40, `${files.length} files, ${imports.length} imports`);
  });

  it('lets each room import only the rooms it may know', () => {
    const wrong = imports.filter(({ from, to }) => {
      const room = roomOf(from);
      const other = roomOf(to);
      if (room === undefined || room === other) return false;
      // It runs in browsers.
      if (room === 'client') return true;
      if (other === undefined) return ![...LEAVES, ...(room === 'wiring' ? WIRED : [])].includes(path.basename(to, '.ts'));
      return !(MAY_IMPORT[room] ?? []).includes(other);
    });
    assert.deepEqual(wrong, []);
  });

  it('lets others enter a room only by its index', () => {
    const wrong = imports.filter(({ from, to }) => roomOf(to) !== undefined && roomOf(from) !== roomOf(to) && path.basename(to) !== 'index.ts');
    assert.deepEqual(wrong, []);
  });

  it('lets observability see types alone', () => {
    const wrong = imports.filter(({ from, to, isTypeOnly }) => roomOf(from) === 'observability' && roomOf(to) !== undefined && roomOf(to) !== 'observability' && !isTypeOnly);
    assert.deepEqual(wrong, []);
  });

  it('keeps leaf modules free of imports other than leaves', () => {
    const wrong = imports.filter(({ from, to }) => LEAVES.includes(path.basename(from, '.ts')) && roomOf(from) === undefined && !LEAVES.includes(path.basename(to, '.ts')));
    assert.deepEqual(wrong, []);
  });

  it('has no import cycle', () => {
    const graph = new Map<string, string[]>();
    for (const { from, to } of imports) graph.set(from, [...(graph.get(from) ?? []), to]);
    const done = new Set<string>();
    const visit = (file: string, trail: readonly string[]): void => {
      assert.ok(!trail.includes(file), `cycle: ${[...trail, file].join(' -> ')}`);
      if (done.has(file)) return;
      for (const next of graph.get(file) ?? []) visit(next, [...trail, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
  });

  for (const { name, what, by } of OWNED) {
    it(`keeps ${name} where it belongs`, () => {
      assert.deepEqual(files.filter((file) => !by(file) && what.test(readFileSync(path.join(src, file), 'utf8'))), []);
    });
  }
});
