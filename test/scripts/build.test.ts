import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { projectRoot } from '../helpers/assets.js';
import { eventually, within } from '../helpers/deadline.js';

/** A small project with our own build scripts and compiler. */
let folder: string;

const at = (...parts: string[]): string => path.join(folder, ...parts);

const write = (file: string, text: string): void => {
  mkdirSync(path.dirname(at(file)), { recursive: true });
  writeFileSync(at(file), text);
};

const says = (word: string): string =>
  `declare const console: { log(text: string): void };\nexport const word: string = '${word}';\nconsole.log(word);\n`;

function start(script = 'start.mjs', ...args: string[]) {
  const child = spawn(process.execPath, [at('scripts', script), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const seen = { out: '', err: '' };
  child.stdout.on('data', (data: Buffer) => (seen.out += data.toString()));
  child.stderr.on('data', (data: Buffer) => (seen.err += data.toString()));
  return { child, seen };
}

async function run(script?: string, ...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const { child, seen } = start(script, ...args);
  const [code] = (await within(once(child, 'close'), 60_000, `${script ?? 'start.mjs'} to end`)) as [number | null];
  return { code, out: seen.out.trim(), err: seen.err };
}

const compiled = /^Compiled in /m;

describe('compiling before a command runs', () => {
  before(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-build-'));
    for (const script of ['build.mjs', 'build', 'client', 'page', 'run.mjs', 'start.mjs', 'test.mjs'])
      cpSync(path.join(projectRoot, 'scripts', script), at('scripts', script), { recursive: true });
    mkdirSync(at('node_modules'));
    for (const tool of ['typescript', 'vite']) symlinkSync(path.join(projectRoot, 'node_modules', tool), at('node_modules', tool));
    write('node_modules/.package-lock.json', '{}');
    write('package.json', '{ "type": "module" }');
    const { compilerOptions } = JSON.parse(readFileSync(path.join(projectRoot, 'tsconfig.json'), 'utf8')) as {
      compilerOptions: Record<string, unknown>;
    };
    write(
      'tsconfig.json',
      JSON.stringify({
        compilerOptions: { ...compilerOptions, types: [] },
        include: ['src', 'test', 'scripts'],
        exclude: ['src/client', 'src/page', 'test/client', 'test/page'],
      }),
    );
    for (const part of ['src/client', 'src/page', 'test/client', 'test/page'])
      cpSync(path.join(projectRoot, part, 'tsconfig.json'), at(part, 'tsconfig.json'));
    write('src/client/index.ts', "export { one } from './one.js';\n");
    write('src/client/one.ts', 'export const one = 1;\n');
    write('test/client/one.test.ts', "import { one } from '../../src/client/index.js';\nif (one !== 1) throw new Error();\n");
    write('src/page/app.ts', "import { one } from '/sightline.js';\nexport const two = one + one;\ndocument.title = `two is ${two}`;\n");
    for (const document of ['index', 'publish'])
      write(
        `src/page/${document}.html`,
        '<title>one</title>\n<link rel="stylesheet" href="./style.css">\n<script type="module" src="./app.ts"></script>\n',
      );
    write('src/page/style.css', 'p { color: red; }\n');
    write('test/page/app.test.ts', "import type { two } from '../../src/page/app.js';\nexport type Two = typeof two;\n");
    write('test/two.test.ts', 'export {};\n');
    write(
      'scripts/tool/index.ts',
      "declare const process: { argv: string[] };\ndeclare const console: { log(text: string): void };\nconsole.log(process.argv.slice(2).join(' '));\n",
    );
    write('scripts/test/index.ts', says('tested'));
    write('src/main.ts', says('one'));
    const first = await run();
    assert.deepEqual([first.code, first.out], [0, 'one'], first.err);
    assert.match(first.err, /^Compiling Sightline: .*first time/);
  });

  after(() => rmSync(folder, { recursive: true }));

  it('compiles nothing while nothing has changed, also when files are only touched', async () => {
    utimesSync(at('src/main.ts'), new Date(), new Date());
    assert.deepEqual(await run(), { code: 0, out: 'one', err: '' });
  });

  it('says that it compiles what has changed, even where size and time of the file have not', async () => {
    utimesSync(at('src/main.ts'), 1000, 1000);
    writeFileSync(at('src/main.ts'), says('two'));
    utimesSync(at('src/main.ts'), 1000, 1000);
    const { out, err } = await run();
    assert.equal(out, 'two');
    assert.match(err, /^Compiling what changed in Sightline \(\d+ s last time\) \.\.\.\nCompiled in [\d.]+ s\.\n$/);
  });

  it('makes outputs again that are gone or were changed, though no source was', async () => {
    unlinkSync(at('dist/src/main.js'));
    assert.equal((await run()).out, 'two');
    writeFileSync(at('dist/src/main.js'), 'console.log("not ours");');
    assert.equal((await run()).out, 'two');
    unlinkSync(at('dist/client/sightline.js'));
    assert.match((await run()).err, compiled);
    assert.ok(existsSync(at('dist/client/sightline.js')));
  });

  it('removes what was compiled of a source that is gone, so that it is neither loaded nor tested', async () => {
    write('test/gone.test.ts', "throw new Error('this was removed');\n");
    write('src/gone.ts', 'export {};\n');
    await run();
    assert.ok(existsSync(at('dist/test/gone.test.js')) && existsSync(at('dist/src/gone.js.map')));
    unlinkSync(at('test/gone.test.ts'));
    unlinkSync(at('src/gone.ts'));
    const { code, err, out } = await run('test.mjs', 'test.js');
    assert.deepEqual([code, out], [0, 'tested'], err);
    assert.ok(!existsSync(at('dist/test/gone.test.js')) && !existsSync(at('dist/src/gone.js.map')));
    assert.ok(existsSync(at('dist/test/client/one.test.js')), 'tests of the client are compiled for npm test');
  });

  it('bundles the pages: documents with hashed modules and styles, by addresses that hold below any path', async () => {
    const assets = (): string[] => readdirSync(at('dist/page/assets'));
    const module = (): string => readFileSync(at('dist/page/assets', assets().find((name) => name.endsWith('.js')) ?? ''), 'utf8');
    assert.match(module(), /two is/);
    assert.doesNotMatch(module(), /sightline\.js/);
    const document = readFileSync(at('dist/page/index.html'), 'utf8');
    for (const name of assets()) assert.ok(document.includes(`"./assets/${name}"`), `${name} in ${document}`);

    write('src/page/style.css', 'p { color: blue; }\n');
    write('src/page/public/gone.svg', '<svg xmlns="http://www.w3.org/2000/svg"/>\n');
    assert.match((await run()).err, compiled);
    assert.ok(existsSync(at('dist/page/gone.svg')));
    assert.equal(assets().filter((name) => name.endsWith('.css')).length, 1);
    unlinkSync(at('src/page/public/gone.svg'));
    assert.match((await run()).err, compiled);
    assert.ok(!existsSync(at('dist/page/gone.svg')));
    assert.equal((await run()).err, '');
    unlinkSync(at('dist/page/index.html'));
    assert.match((await run()).err, compiled);
    assert.ok(existsSync(at('dist/page/index.html')));
  });

  it('compiles anew when other versions of packages are installed', async () => {
    write('node_modules/.package-lock.json', '{ "packages": { "x": { "version": "2" } } }');
    assert.match((await run()).err, compiled);
    assert.equal((await run()).err, '');
  });

  it('runs nothing while a source has an error, and goes on as soon as it has none', async () => {
    writeFileSync(at('src/main.ts'), "export const word: number = 'three';\n");
    for (let i = 0; i < 2; i++) {
      const { code, out, err } = await run();
      assert.notEqual(code, 0);
      assert.match(out, /main\.ts.*TS2322/);
      assert.match(err, /could not be compiled/);
    }
    writeFileSync(at('src/main.ts'), says('three'));
    assert.equal((await run()).out, 'three');
  });

  it('a build that was interrupted or killed is done again from the start', async () => {
    for (const signal of ['SIGINT', 'SIGKILL'] as const) {
      writeFileSync(at('src/main.ts'), says(signal));
      const { child, seen } = start();
      await eventually(() => seen.err.includes('Compiling'), 20_000, 'the compiler to start');
      child.kill(signal);
      const [code, endedBy] = (await within(once(child, 'close'), 20_000, 'the build to end')) as [number | null, string | null];
      assert.equal(seen.out, '');
      assert.ok(endedBy === signal || code === 130, `code ${code}, signal ${endedBy}`);
      assert.equal((await run()).out, signal);
    }
  });

  it('lets one build wait for another', async () => {
    writeFileSync(at('src/main.ts'), says('both'));
    const ends = await Promise.all([run(), run()]);
    assert.deepEqual(
      ends.map(({ out }) => out),
      ['both', 'both'],
    );
    assert.equal(ends.filter(({ err }) => compiled.test(err)).length, 1, ends.map(({ err }) => err).join('---'));
  });

  it('takes the lock of a process that is gone, also when its number is in use again', async () => {
    for (const holder of ['999999999 1', `${process.pid} 1`]) {
      writeFileSync(at('src/main.ts'), says(`after ${holder}`));
      writeFileSync(at('dist/.build.lock'), holder);
      assert.equal((await run()).out, `after ${holder}`);
      assert.ok(!existsSync(at('dist/.build.lock')));
    }
  });

  it('gives a tool its arguments alone', async () => {
    assert.equal((await run('run.mjs', 'tool', 'a', '--b')).out, 'a --b');
  });

  it('without a compiler it runs what was compiled, and says when the sources are others', async () => {
    unlinkSync(at('node_modules/typescript'));
    const { out } = await run();
    assert.match(out, /^after/);
    writeFileSync(at('src/main.ts'), says('unseen'));
    const other = await run();
    assert.equal(other.out, out);
    assert.match(other.err, /sources have changed.*TypeScript is not installed/);
    rmSync(at('dist'), { recursive: true });
    const none = await run();
    assert.equal(none.code, 1);
    assert.match(none.err, /npm ci/);
  });
});
