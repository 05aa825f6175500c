import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { CommandError } from '../../../src/cli/errors.js';
import { pull, type PullDeps } from '../../../src/cli/models/pull.js';
import { within } from '../../helpers/deadline.js';
import { onnxModel, onnxWeights, pictureInput } from '../../helpers/onnx.js';
import { breakAfter, FileServer, hangAfter } from './file-server.js';
import { demoOnnx, FakeTerminal, Workshop } from './workshop.js';

const content = readFileSync(demoOnnx);
const HALF = 400_000;
const DONE = ['demo.json', 'demo.onnx'];

describe('models pull', () => {
  let server: FileServer;
  let workshop: Workshop;
  let terminal: FakeTerminal;
  before(async () => (server = await FileServer.open(content)));
  after(() => server.close());
  beforeEach(() => {
    workshop = new Workshop();
    workshop.writeRegistry(server.url);
    terminal = new FakeTerminal();
    Object.assign(server, { behaviour: () => false, content, etag: '"one"' });
    server.ranges.length = 0;
  });
  afterEach(() => workshop.remove());

  const run = (more: Partial<PullDeps> = {}, name = 'demo'): Promise<void> =>
    within(
      pull(
        { name, registry: workshop.registry, models: workshop.models, yes: false },
        { terminal, signal: new AbortController().signal, environment: {}, stallMs: 20_000, retryMs: 1, ...more },
      ),
      30_000,
      'the pull',
    );
  const refused = (message: RegExp): Promise<void> =>
    assert.rejects(run(), (error) => error instanceof CommandError && message.test(error.message));
  const isWhole = (): void => {
    assert.deepEqual(workshop.files, DONE);
    assert.ok(readFileSync(path.join(workshop.models, 'demo.onnx')).equals(content));
  };
  /** What an interrupted run leaves. */
  const interrupt = async (bytes = HALF): Promise<void> => {
    const stop = new AbortController();
    server.behaviour = hangAfter(server, bytes);
    terminal.onProgress = (received) => received >= bytes && stop.abort();
    await assert.rejects(run({ signal: stop.signal }), { name: 'AbortError' });
    terminal.onProgress = () => undefined;
    server.behaviour = () => false;
    server.ranges.length = 0;
  };

  it('shows name, address, size and licence, downloads, writes the JSON, tries the model and says how to use it', async () => {
    await run();
    isWhole();
    assert.match(terminal.text, /name +demo[^]*address +http:\/\/127[^]*size +0\.9 MB[^]*licence +MIT/);
    assert.match(terminal.text, /It works: 3 classes, 384x224[^]*--model \S*demo\.json/);
    const json = JSON.parse(readFileSync(path.join(workshop.models, 'demo.json'), 'utf8')) as Record<string, unknown>;
    assert.deepEqual(
      [json['file'], json['family'], json['strides'], json['score_threshold'], json['licence'], json['source']],
      ['demo.onnx', 'yolox', [8], 0.5, 'MIT', server.url],
    );
  });

  it('downloads the files of weights as well, and only what is missing', async () => {
    const graph = { inputs: [pictureInput(64)], outputs: [{ name: 'output0', dims: [1, 6, 84] }], weightsAt: 'model.onnx_data' };
    const files = new Map([
      ['/model.onnx', onnxModel(graph)],
      ['/weights', onnxWeights(graph)],
    ]);
    server.behaviour = (request, response) => {
      const body = files.get(request.url ?? '') ?? Buffer.alloc(0);
      response.writeHead(200, { 'content-length': body.length }).end(body);
      return true;
    };
    const pinned = (url: string): object => {
      const body = files.get(new URL(url).pathname) as Buffer;
      return { url, bytes: body.length, sha256: createHash('sha256').update(body).digest('hex') };
    };
    const data = { location: 'model.onnx_data', file: 'demo.onnx.data', ...pinned(new URL('/weights', server.url).href) };
    workshop.writeRegistry(server.url, {
      ...pinned(server.url),
      data: [data],
      family: 'yolov8',
      input: { width: 64, height: 64 },
      labels: ['a', 'b'],
      strides: undefined,
    });
    await run();
    assert.deepEqual(workshop.files, ['demo.json', 'demo.onnx', 'demo.onnx.data']);
    assert.match(terminal.text, /address .*model\.onnx\naddress .*weights[^]*It works: 2 classes, 64x64/);
    writeFileSync(path.join(workshop.models, 'demo.onnx.data'), 'damaged');
    server.ranges.length = 0;
    await run();
    assert.equal(server.ranges.length, 1);
    assert.ok(readFileSync(path.join(workshop.models, 'demo.onnx.data')).equals(files.get('/weights') as Buffer));
  });

  it('asks on a terminal, and downloads nothing after a no', async () => {
    terminal = new FakeTerminal('n');
    await refused(/nothing was downloaded/);
    assert.match(terminal.questions[0]!, /licence \(MIT\)\?/);
    assert.equal(server.ranges.length, 0);
    terminal = new FakeTerminal('');
    await run();
    isWhole();
  });

  it('downloads nothing twice', async () => {
    await run();
    await run();
    assert.match(terminal.text, /there already, and intact/);
    assert.equal(server.ranges.length, 1);
  });

  it('replaces a damaged file', async () => {
    await run();
    writeFileSync(path.join(workshop.models, 'demo.onnx'), content.subarray(0, HALF));
    await run();
    isWhole();
  });

  it('keeps a JSON that fits, with its own threshold, and puts one aside that does not', async () => {
    await run();
    const jsonPath = path.join(workshop.models, 'demo.json');
    const own = readFileSync(jsonPath, 'utf8').replace('0.5', '0.25');
    writeFileSync(jsonPath, own);
    await run();
    assert.equal(readFileSync(jsonPath, 'utf8'), own);
    writeFileSync(jsonPath, '{');
    await run();
    assert.deepEqual(workshop.files, ['demo.json', 'demo.json.old', 'demo.onnx']);
  });

  it('goes on where an interrupted run stopped', async () => {
    await interrupt();
    assert.deepEqual(workshop.files, ['.demo.onnx.part', '.demo.onnx.part.json']);
    await run();
    assert.deepEqual(server.ranges, [`bytes=${HALF}-`]);
    assert.match(terminal.text, /going on after 400000 bytes/);
    isWhole();
  });

  it('begins anew where the server ignores ranges', async () => {
    await interrupt();
    server.behaviour = (_request, response) => {
      response.writeHead(200, { 'content-length': content.length }).end(content);
      return true;
    };
    await run();
    isWhole();
  });

  it('begins anew where the file has changed on the server meanwhile', async () => {
    // Other bytes of the same size came first.
    server.content = Buffer.alloc(content.length, 1);
    await interrupt();
    Object.assign(server, { content, etag: '"two"' });
    await run();
    isWhole();
  });

  it('begins anew where the server gave nothing to know the file by', async () => {
    server.etag = 'W/"weak"';
    await interrupt();
    assert.deepEqual(workshop.files, ['.demo.onnx.part']);
    await run();
    assert.deepEqual(server.ranges, [undefined]);
    isWhole();
  });

  it('goes on by itself after a broken connection', async () => {
    server.behaviour = (request, response, number) => number === 1 && breakAfter(server, HALF)(request, response, number);
    await run();
    // What the connection still held when it broke is lost.
    assert.match(server.ranges[1]!, /^bytes=[1-9]\d+-$/);
    assert.equal(server.ranges.length, 2);
    isWhole();
  });

  it('gives up on a server that only ever sends the beginning, and keeps it', async () => {
    server.etag = '"one"';
    server.behaviour = (request, response, number) => {
      if (number === 1) return breakAfter(server, HALF)(request, response, number);
      request.socket.destroy();
      return true;
    };
    await refused(/closed the connection[^]*[1-9]\d+ bytes are kept/);
    assert.deepEqual(workshop.files, ['.demo.onnx.part', '.demo.onnx.part.json']);
  });

  it('refuses a file that ends early without a content-length', async () => {
    server.behaviour = (_request, response) => {
      response.writeHead(200, { 'transfer-encoding': 'chunked' }).end(content.subarray(0, HALF));
      return true;
    };
    await refused(/ended after 400000 of 864543 bytes/);
    assert.ok(!existsSync(path.join(workshop.models, 'demo.onnx')));
  });

  it('refuses a file that is longer than pinned', async () => {
    server.behaviour = (_request, response) => {
      response.writeHead(200, { 'transfer-encoding': 'chunked' });
      response.write(content);
      response.end('more');
      return true;
    };
    await refused(/longer than the 864543 bytes/);
    assert.deepEqual(workshop.files, []);
  });

  it('refuses a file of another size before it downloads it', async () => {
    workshop.writeRegistry(server.url, { bytes: 1000 });
    await refused(/has 864543 bytes, 1000 were expected/);
    assert.deepEqual(workshop.files, []);
  });

  it('deletes a file with the wrong sha256 and shows both', async () => {
    server.content = Buffer.from(content);
    server.content[1000]! ^= 1;
    const found = createHash('sha256').update(server.content).digest('hex');
    await refused(new RegExp(`deleted\\n +sha256 expected: 28f245ba[0-9a-f]+\\n +sha256 found: +${found}`));
    assert.deepEqual(workshop.files, []);
  });

  it('says what a 404 means', () => {
    server.behaviour = (_request, response) => {
      response.writeHead(404).end('no');
      return true;
    };
    return refused(/is not there any more \(HTTP 404\)/);
  });

  it('says that a busy server may be better later', () => {
    server.behaviour = (_request, response) => {
      response.writeHead(503).end();
      return true;
    };
    return refused(/HTTP 503; try again later/);
  });

  it('follows redirects', async () => {
    server.behaviour = (request, response) => {
      if (request.url !== '/model.onnx') return false;
      response.writeHead(302, { location: '/elsewhere' }).end();
      return true;
    };
    await run();
    isWhole();
  });

  it('leaves a circle of redirects', () => {
    server.behaviour = (_request, response) => {
      response.writeHead(302, { location: server.url }).end();
      return true;
    };
    return refused(/redirects in a circle/);
  });

  it('does not follow a redirect that leaves https', () => {
    server.behaviour = (_request, response) => {
      response.writeHead(302, { location: 'http://example.com/model.onnx' }).end();
      return true;
    };
    return refused(/redirects to http:\/\/example\.com\/model\.onnx, which is not https/);
  });

  it('does not take a registry address that is not https', async () => {
    workshop.writeRegistry('http://example.com/model.onnx');
    await refused(/is not https/);
  });

  it('does not wait for a server that says nothing', async () => {
    server.behaviour = () => true;
    await assert.rejects(run({ stallMs: 100 }), /sent nothing for 0\.1 s/);
  });

  it('does not wait for a server that stops in the middle', async () => {
    server.behaviour = (request, response, number) => number > 1 || hangAfter(server, HALF)(request, response, number);
    await assert.rejects(run({ stallMs: 100 }), /sent nothing for 0\.1 s\n400000 bytes are kept/);
  });

  it('says in words that there is no internet, and what a proxy needs', async () => {
    workshop.writeRegistry('https://model.invalid/model.onnx');
    const environment = { HTTPS_PROXY: 'http://proxy:3128' };
    await assert.rejects(
      run({ environment }),
      /(cannot be resolved|no way to)[^]*internet\?[^]*HTTPS_PROXY is set[^]*curl -fL -o \S+demo\.onnx https:\/\/model\.invalid/,
    );
    await assert.rejects(run(), (error: Error) => !error.message.includes('curl'));
  });

  it('says that nothing listens there', async () => {
    const gone = await FileServer.open(content);
    workshop.writeRegistry(gone.url);
    await gone.close();
    await refused(/127\.0\.0\.1:\d+ refuses connections/);
  });

  it('says why it cannot write', async () => {
    const blocked = workshop.write('file', '');
    const options = { name: 'demo', registry: workshop.registry, models: path.join(blocked, 'models'), yes: true };
    await assert.rejects(
      pull(options, { terminal, signal: new AbortController().signal, environment: {} }),
      /cannot be written: a part of that path is a file.*ENOTDIR/,
    );
    assert.equal(server.ranges.length, 0);
  });

  it('downloads once when two pull the same', async () => {
    await Promise.all([run(), run()]);
    isWhole();
    assert.equal(server.ranges.length, 1);
    assert.match(terminal.text, /Another pull of demo is under way \(process \d+\)/);
  });

  it('does not wait for a process that is gone', async () => {
    await interrupt();
    writeFileSync(path.join(workshop.models, '.demo.onnx.lock'), '99999999');
    await run();
    isWhole();
  });

  it('names what there is, and what was perhaps meant', async () => {
    await assert.rejects(run({}, 'dmo'), /no model 'dmo'.*did you mean demo\?[^]*The registry has: demo/);
    await assert.rejects(run({}, 'something-else'), (error: Error) => !error.message.includes('did you mean'));
  });

  for (const [what, text] of [
    ['is missing', undefined],
    ['is no JSON', '{'],
    ['lacks what is needed', '{"models":[{"name":"demo"}]}'],
    [
      'leads out of the folder',
      JSON.stringify({
        models: [
          {
            name: 'demo',
            file: '../demo.onnx',
            url: 'https://a/b',
            bytes: 1,
            sha256: 'a'.repeat(64),
            licence: 'MIT',
            family: 'yolox',
            input: { width: 384, height: 224 },
            labels: 'coco',
          },
        ],
      }),
    ],
  ] as const) {
    it(`refuses a registry that ${what}`, async () => {
      if (text !== undefined) writeFileSync(workshop.registry, text);
      const registry = text === undefined ? workshop.path('nowhere.json') : workshop.registry;
      await assert.rejects(
        pull(
          { name: 'demo', registry, models: workshop.models, yes: true },
          { terminal, signal: new AbortController().signal, environment: {} },
        ),
        /the registry .* (cannot be read|is malformed)/,
      );
    });
  }
});
