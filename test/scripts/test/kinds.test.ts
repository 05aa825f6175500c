import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { sortByKind, type Kind } from '../../../scripts/test/kinds.js';
import { projectRoot } from '../../helpers/assets.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'kinds-'));
after(() => rmSync(folder, { recursive: true }));

/** What a test file is that has this text, among these modules. */
function kindOf(text: string, modules: Readonly<Record<string, string>> = {}): { kind: Kind; because: readonly string[] } {
  const dist = mkdtempSync(path.join(folder, 'dist-'));
  for (const [name, content] of Object.entries({ ...modules, 'test/x.test.js': text })) {
    mkdirSync(path.dirname(path.join(dist, name)), { recursive: true });
    writeFileSync(path.join(dist, name), content);
  }
  const [sorted] = sortByKind([path.join(dist, 'test/x.test.js')], dist);
  return { kind: sorted!.kind, because: sorted!.because.map((module) => (path.isAbsolute(module) ? path.relative(dist, module) : module)) };
}

const SPAWNING = "import { spawn } from 'node:child_process';\nexport const run = () => spawn('ffmpeg');\n";
const COMPUTING = 'export const add = (a, b) => a + b;\n';

describe('what a test file may touch is read from its imports', () => {
  it('a file that reaches no process, peer or browser runs beside others', () => {
    assert.equal(kindOf("import { add } from '../src/add.js';\nimport http from 'node:http';\n", { 'src/add.js': COMPUTING }).kind, 'unit');
  });

  for (const [what, line] of [
    ['a process', "import { spawn } from 'node:child_process';"],
    ['a process, by everything of a module', "import * as processes from 'node:child_process';"],
    ['a UDP socket', "import dgram from 'node:dgram';"],
    ['a peer', "import { RTCPeerConnection } from 'werift';"],
    ['a part of a package', "import { x } from 'werift/lib/ice.js';"],
    ['a package without a name', "import 'werift';"],
    ['a package that is loaded later', "const loaded = await import('werift');"],
    ['a package that is handed on', "export { RTCPeerConnection } from 'werift';"],
  ] as const) {
    it(`one that reaches ${what} is live`, () => assert.equal(kindOf(`${line}\n`).kind, 'live'));
  }

  it('one that drives a browser is told from other live ones', () => {
    assert.equal(kindOf("import { spawn } from 'node:child_process';\nimport { chromium } from 'playwright-core';\n").kind, 'browser');
  });

  it('one that asks for the machine gets it', () => {
    const { kind } = kindOf("import './helpers/alone.js';\nimport { chromium } from 'playwright-core';\n", {
      'test/helpers/alone.js': 'export {};\n',
    });
    assert.equal(kind, 'alone');
  });

  it('modules are followed however far, also in a circle, and the way is told', () => {
    const modules = {
      'src/a.js': "import { b } from './b.js';\nexport const a = b;\n",
      'src/b.js': "import { a } from './a.js';\nimport { run } from './run.js';\nexport const b = () => [a, run];\n",
      'src/run.js': SPAWNING,
    };
    assert.deepEqual(kindOf("import { a } from '../src/a.js';\n", modules).because, [
      'test/x.test.js',
      'src/a.js',
      'src/b.js',
      'src/run.js',
      'node:child_process',
    ]);
  });

  it('a worker and a module that is loaded later count', () => {
    const modules = { 'src/run.js': SPAWNING };
    assert.equal(kindOf("new Worker(new URL('../src/run.js', import.meta.url));\n", modules).kind, 'live');
    assert.equal(kindOf("await import('../src/run.js');\n", modules).kind, 'live');
  });

  it('of a module that only hands on, what is taken counts', () => {
    const modules = {
      'src/index.js':
        "/** A door. */\nexport { add as sum } from './add.js';\nexport * from './run.js';\n//# sourceMappingURL=index.js.map\n",
      'src/add.js': COMPUTING,
      'src/run.js': SPAWNING,
    };
    assert.equal(kindOf("import { sum } from '../src/index.js';\n", modules).kind, 'unit');
    assert.equal(kindOf("import { run } from '../src/index.js';\n", modules).kind, 'live');
    assert.equal(kindOf("import * as all from '../src/index.js';\n", modules).kind, 'live');
    assert.equal(kindOf("await import('../src/index.js');\n", modules).kind, 'live');
  });

  it('a module with code of its own counts whole', () => {
    const modules = { 'src/index.js': `export { run } from './run.js';\n${COMPUTING}`, 'src/run.js': SPAWNING };
    assert.equal(kindOf("import { add } from '../src/index.js';\n", modules).kind, 'live');
  });
});

describe('the test files of this project', () => {
  const dist = path.join(projectRoot, 'dist');
  const names = readdirSync(path.join(dist, 'test'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.test.js'));
  const sorted = sortByKind(
    names.map((name) => path.join(dist, 'test', name)),
    dist,
  );
  const namesOf = (...kinds: Kind[]): string[] =>
    sorted.filter(({ kind }) => kinds.includes(kind)).map(({ file }) => path.relative(path.join(dist, 'test'), file));

  it('need no browser, peer or process for the most part', () => {
    assert.ok(namesOf('unit').length > sorted.length / 3, `${namesOf('unit').length} of ${sorted.length}`);
    for (const name of ['media/track.test.js', 'client/reconnecting.test.js']) assert.ok(namesOf('unit').includes(name), name);
  });

  it('are live where they are end-to-end tests', () => {
    const endToEnd = names.filter((name) => name.startsWith('e2e/'));
    assert.ok(endToEnd.length > 5);
    assert.deepEqual(
      endToEnd.filter((name) => namesOf('unit').includes(name)),
      [],
    );
  });
});
