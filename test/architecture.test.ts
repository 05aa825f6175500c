import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { projectRoot } from './helpers/assets.js';

/** Which modules (folders of src/) a module may import, beside base/. Types of other modules cross only where listed. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  media: [],
  config: [],
  ffmpeg: ['media'],
  source: ['media', 'ffmpeg', 'recording'],
  detection: ['media'],
  scene: ['media'],
  client: [],
  page: [],
  webhooks: ['media'],
  store: [],
  recording: ['media', 'ffmpeg', 'store'],
  onvif: [],
  mqtt: ['media', 'store'],
  watchdog: [],
  pipeline: ['media', 'ffmpeg', 'source', 'detection', 'recording'],
  webrtc: ['media'],
  forward: ['media', 'webrtc'],
  access: [],
  http: ['media', 'webrtc', 'forward', 'access', 'store', 'recording'],
  ws: ['media', 'webrtc', 'access', 'http'],
  observability: ['media', 'ffmpeg', 'source', 'detection', 'pipeline', 'webrtc', 'forward', 'webhooks', 'mqtt', 'access', 'recording'],
  wiring: [
    'media',
    'ffmpeg',
    'source',
    'detection',
    'scene',
    'webhooks',
    'store',
    'recording',
    'onvif',
    'mqtt',
    'pipeline',
    'webrtc',
    'forward',
    'access',
    'http',
    'ws',
    'observability',
  ],
  cli: ['media', 'ffmpeg', 'source', 'detection', 'recording', 'store', 'watchdog', 'access', 'wiring'],
};
/** The order inside webrtc/: a folder may import those before it. */
const WEBRTC_ORDER = ['api', 'sdp', 'ice', 'congestion', 'transport', 'rtp', 'channels', 'session'];
/** Modules at the top of src/ that a module may import. */
const TOP: Record<string, readonly string[]> = { wiring: ['app', 'config'], cli: ['config', 'server'] };
/** One for each part of werift that is used. */
const WERIFT_ADAPTERS = [
  'webrtc/ice/werift.ts',
  'webrtc/ice/werift-stun.ts',
  'webrtc/transport/werift-dtls.ts',
  'webrtc/transport/werift-sctp.ts',
];
/** Packages and globals that belong to one place. */
const OWNED: readonly { readonly what: RegExp; readonly by: (file: string) => boolean; readonly name: string }[] = [
  { name: 'werift', what: /from 'werift/, by: (file) => WERIFT_ADAPTERS.includes(file) },
  { name: 'child_process', what: /from 'node:child_process'/, by: (file) => file.startsWith('ffmpeg/') },
  { name: 'fluent-ffmpeg', what: /from 'fluent-ffmpeg'/, by: (file) => file === 'ffmpeg/fluent.ts' },
  { name: 'libsql', what: /from 'libsql'/, by: (file) => file === 'store/libsql.ts' },
  { name: 'mqtt', what: /(from |import\()'mqtt'/, by: (file) => file === 'mqtt/broker.ts' },
  { name: 'onnxruntime-node', what: /from 'onnxruntime-node'/, by: (file) => file.startsWith('detection/') },
  {
    name: 'OpenTelemetry',
    what: /(from |import\()'@opentelemetry\//,
    by: (file) => file === 'observability/tracing/otlp.ts',
  },
  { name: 'prom-client', what: /from 'prom-client'/, by: (file) => file.startsWith('observability/metrics/') },
  { name: 'process.env', what: /process\.env/, by: (file) => file === 'config.ts' || file === 'detection/runtime-telemetry.ts' },
  { name: 'fastify', what: /from '(@fastify\/|fastify)/, by: (file) => /^(http|ws|observability)\//.test(file) || file === 'app.ts' },
  {
    name: 'setTimeout and setInterval',
    // A request's own is no timer of ours, but how long its connection may be idle.
    what: /(?<!\braw\.)\bset(Timeout|Interval)\(/,
    by: (file) => file === 'base/clock.ts' || file === 'client/clock.ts' || file.startsWith('page/'),
  },
];

const src = path.join(projectRoot, 'src');
const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => /\.tsx?$/.test(file));

interface Import {
  readonly from: string;
  readonly to: string;
  readonly isTypeOnly: boolean;
}

function sourceOf(module: string): string {
  const file = module.replace(/\.js$/, '.ts');
  return existsSync(path.join(src, `${file}x`)) ? `${file}x` : file;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(path.join(src, file), 'utf8');
  return [...text.matchAll(/^(?:import|export)\s+(type\s)?[^;]*?from '(\.[^']+)';/gms)].map((match) => ({
    from: file,
    to: sourceOf(path.join(path.dirname(file), match[2]!)),
    isTypeOnly: match[1] !== undefined,
  }));
}

const imports = files.flatMap(importsOf);
const moduleOf = (file: string): string | undefined => (file.includes('/') ? file.split('/')[0] : undefined);

describe('architecture', () => {
  it('reads the imports at all', () => {
    assert.ok(files.length > 20 && imports.length > 40, `${files.length} files, ${imports.length} imports`);
  });

  it('lets each module import only the modules it may know', () => {
    const wrong = imports.filter(({ from, to }) => {
      const module = moduleOf(from);
      const other = moduleOf(to);
      if (module === undefined || module === other) return false;
      // They run in browsers; the page has the client library as browsers get it, by its address.
      if (module === 'client' || module === 'page') return true;
      if (other === 'base') return false;
      if (other === undefined) return !(TOP[module] ?? []).includes(path.basename(to, '.ts'));
      return !(MAY_IMPORT[module] ?? []).includes(other);
    });
    assert.deepEqual(wrong, []);
  });

  it('lets others enter a module only by its index, save base', () => {
    const wrong = imports.filter(({ from, to }) => {
      const module = moduleOf(to);
      return module !== undefined && module !== 'base' && moduleOf(from) !== module && path.basename(to) !== 'index.ts';
    });
    assert.deepEqual(wrong, []);
  });

  it('keeps the arrows inside webrtc/ in one direction', () => {
    const rankOf = (file: string): number => WEBRTC_ORDER.indexOf(file.split('/')[1] ?? '');
    const inside = imports.filter(({ from, to }) => moduleOf(from) === 'webrtc' && moduleOf(to) === 'webrtc' && from !== 'webrtc/index.ts');
    assert.deepEqual(
      inside.filter(({ from, to }) => rankOf(from) === -1 || rankOf(to) === -1),
      [],
    );
    assert.deepEqual(
      inside.filter(({ from, to }) => rankOf(to) > rankOf(from)),
      [],
    );
  });

  it('lets observability see types alone', () => {
    const wrong = imports.filter(
      ({ from, to, isTypeOnly }) =>
        moduleOf(from) === 'observability' && moduleOf(to) !== undefined && moduleOf(to) !== 'observability' && !isTypeOnly,
    );
    assert.deepEqual(wrong, []);
  });

  it('keeps base/ free of imports from elsewhere', () => {
    assert.deepEqual(
      imports.filter(({ from, to }) => moduleOf(from) === 'base' && moduleOf(to) !== 'base'),
      [],
    );
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
      assert.deepEqual(
        files.filter((file) => !by(file) && what.test(readFileSync(path.join(src, file), 'utf8'))),
        [],
      );
    });
  }
});
