import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { projectRoot } from './helpers/assets.js';
import { eventually, within } from './helpers/deadline.js';
import { makeVideo } from './helpers/make-video.js';

/** What people install, in a folder of its own: the packed file, beside the project's dependencies. */
describe('the packed file', () => {
  let folder: string;
  let files: string[];
  const installed = (): string => path.join(folder, 'node_modules/sightline');
  const main = (): string => path.join(installed(), 'dist/src/main.js');

  before(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-package-'));
    const packed = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
      cwd: projectRoot,
      encoding: 'utf8',
      maxBuffer: 2 ** 24,
    });
    const [{ filename, files: listed }] = JSON.parse(packed) as [{ filename: string; files: { path: string }[] }];
    files = listed.map((file) => file.path);
    mkdirSync(installed(), { recursive: true });
    execFileSync('tar', ['xzf', path.join(folder, filename), '--strip-components=1', '-C', installed()]);
    symlinkSync(path.join(projectRoot, 'node_modules'), path.join(installed(), 'node_modules'));
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  /** An empty folder to work in. */
  function workplace(name: string): string {
    const made = path.join(folder, name);
    mkdirSync(made);
    return made;
  }

  /** Those of the package; its dependencies are the project's, and others use them meanwhile. */
  function ownFiles(): string[] {
    const own = readdirSync(installed()).filter((name) => name !== 'node_modules');
    return own.flatMap((name) => execFileSync('find', [name], { cwd: installed(), encoding: 'utf8' }).trim().split('\n')).sort();
  }

  const environment = { PATH: process.env['PATH'], HOME: process.env['HOME'], HOST: '127.0.0.1', ICE_ADDRESSES: '127.0.0.1' };

  function run(cwd: string, ...args: string[]): { code: number | null; out: string; err: string } {
    const { status, stdout, stderr } = spawnSync(process.execPath, [main(), ...args], { cwd, env: environment, encoding: 'utf8' });
    return { code: status, out: stdout, err: stderr };
  }

  it('holds what runs, and no sources, tests, maps or tools', () => {
    const unwanted = files.filter((file) => /\.map$|(^|\/)(test|scripts|node_modules)\/|\.ts$/.test(file) && !file.endsWith('.d.ts'));
    assert.deepEqual(unwanted, []);
    const expected = ['dist/src/main.js', 'dist/client/sightline.js', 'dist/client/sightline.d.ts', 'dist/page/index.html'];
    for (const file of [...expected, 'models/sightline-demo.onnx', 'upload/demo.mp4', 'README.md', 'LICENSE', 'CHANGELOG.md']) {
      assert.ok(files.includes(file), file);
    }
    assert.deepEqual(
      files.filter((file) => /^dist\/(?!src\/|client\/|page\/)|^dist\/src\/(client|page)\//.test(file)),
      [],
    );
  });

  it('imports no package that is not among its dependencies', () => {
    const { dependencies } = JSON.parse(readFileSync(path.join(installed(), 'package.json'), 'utf8')) as { dependencies: object };
    const imported = files
      .filter((file) => file.startsWith('dist/src/') && file.endsWith('.js'))
      .flatMap((file) => [
        ...readFileSync(path.join(installed(), file), 'utf8').matchAll(
          /^(?:import|export) [^'"]*from '([^.'][^']*)'|^import '([^.'][^']*)'/gm,
        ),
      ])
      .map((match) =>
        (match[1] ?? match[2] ?? '')
          .split('/')
          .slice(0, (match[1] ?? match[2] ?? '').startsWith('@') ? 2 : 1)
          .join('/'),
      );
    assert.deepEqual(
      [...new Set(imported)].filter((name) => !name.startsWith('node:') && !(name in dependencies)),
      [],
    );
  });

  it('has a command that says its version and its help', () => {
    const { version, bin } = JSON.parse(readFileSync(path.join(installed(), 'package.json'), 'utf8')) as {
      version: string;
      bin: { sightline: string };
    };
    assert.equal(path.join(installed(), bin.sightline), main());
    assert.match(readFileSync(main(), 'utf8'), /^#!\/usr\/bin\/env -S [^\n]*node /);
    const here = workplace('asked');
    assert.deepEqual(run(here, '--version'), { code: 0, out: `${version}\n`, err: '' });
    assert.match(run(here, '--help').out, /^Usage: sightline /);
    assert.deepEqual(readdirSync(here), []);
  });

  it('says in an empty folder what works on this machine, and fails where the server could not run', () => {
    const here = workplace('checked');
    const good = run(here, 'check', '--port', '0');
    assert.equal(good.code, 0, good.out + good.err);
    assert.match(
      good.out,
      /^ok +ffmpeg +\d[^]*^ok +encoder +H\.264$[^]*^ok +encoder +VP8$[^]*^ok +encoder +Opus$[^]*^ok +model +sightline-demo/m,
    );
    assert.match(good.out, /^ok +udp +127\.0\.0\.1$[^]*Sightline can run here\.\n$/m);
    const bad = run(here, 'check', '--port', '0', '--model', 'nothing.json', '--ffmpeg-path', '/nowhere/ffmpeg', '--host', '192.0.2.1');
    assert.equal(bad.code, 1);
    assert.match(
      bad.out,
      /^failed +ffmpeg [^]*^failed +model +there is no [^]*^failed +http +HOST '192\.0\.2\.1' is not an address of this machine/m,
    );
    assert.deepEqual(readdirSync(here), []);
  });

  it('serves the demo out of the package in an empty folder, and the videos that are put there instead', async () => {
    const here = workplace('served');
    const before = ownFiles();
    const server = spawn(process.execPath, [main(), '--port', '0'], { cwd: here, env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
    const closed = once(server, 'close');
    try {
      let log = '';
      server.stdout.on('data', (text) => (log += String(text)));
      await eventually(() => log.includes('is ready'), 30_000, 'the server to get ready');
      const url = /"url":"(http:[^"]+)"/.exec(log)?.[1] ?? '';
      const videos = async (): Promise<string[]> => {
        const listed = (await (await fetch(`${url}/available-videos`)).json()) as { videos: { source: string; playable: boolean }[] };
        return listed.videos.filter(({ playable }) => playable).map(({ source }) => source);
      };
      assert.deepEqual(await videos(), ['demo']);
      for (const file of ['/', '/publish', '/sightline.js']) assert.equal((await fetch(url + file)).status, 200, file);
      const models = (await (await fetch(`${url}/models`)).json()) as object;
      assert.match(JSON.stringify(models), /sightline-demo/);
      cpSync(makeVideo('copyable.mp4'), path.join(here, 'upload/street.mp4'));
      await eventually(async () => (await videos()).join() === 'street', 30_000, 'the video instead of the demo');
    } finally {
      server.kill('SIGTERM');
      await within(closed, 15_000, 'the server to end');
    }
    assert.deepEqual(ownFiles(), before, 'nothing is written into the package');
    assert.ok(existsSync(path.join(here, 'upload')));
  });

  it('gives the client library with its types', () => {
    const here = workplace('typed');
    writeFileSync(path.join(here, 'package.json'), '{ "type": "module" }');
    writeFileSync(
      path.join(here, 'use.ts'),
      "import { watch } from 'sightline/client';\nexport const watching: ReturnType<typeof watch> = watch({ source: 'demo', tracks: ['raw'] });\n// @ts-expect-error there is no such rendition\nwatch({ source: 'demo', tracks: ['cooked'] });\n",
    );
    const options = ['--noEmit', '--strict', '--target', 'es2023', '--module', 'nodenext', '--lib', 'es2023,dom'];
    const compiler = path.join(projectRoot, 'node_modules/typescript/bin/tsc');
    const { status, stdout } = spawnSync(process.execPath, [compiler, ...options, 'use.ts'], { cwd: here, encoding: 'utf8' });
    assert.equal(status, 0, stdout);
  });
});
