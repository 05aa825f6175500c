import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import ts from 'typescript';
import * as modules from '../../src/client/index.js';
import { projectRoot } from '../helpers/assets.js';

const library = path.join(projectRoot, 'dist/client/sightline.js');

describe('the client library as one file', () => {
  it('exports what its modules export, and imports nothing', async () => {
    const bundled = (await import(library)) as Record<string, unknown>;
    assert.deepEqual(Object.keys(bundled).sort(), Object.keys(modules).sort());
    assert.doesNotMatch(readFileSync(library, 'utf8'), /^import /m);
  });

  it('is what a bundler finds as sightline/client', async () => {
    const name = 'sightline/client';
    assert.deepEqual(Object.keys((await import(name)) as object).sort(), Object.keys(modules).sort());
  });

  it('has types that stand on their own', () => {
    const source = `
      import { watch, publish, SightlineError, type StateChange, type DetectionsMessage } from '${library}';
      const video = document.querySelector('video')!;
      const watching = watch({ source: 'demo', tracks: ['raw', 'processed'], video, onState: ({ state, reason, retryInS }: StateChange) => console.log(state, reason?.message, retryInS) });
      watching.on('detections', (message: DetectionsMessage) => console.log(message.objects[0]?.box[3].toFixed()));
      const publishing = publish({ stream: new MediaStream(), room: 'cam', token: 't', maxBitrateBps: 1e6 });
      publishing.on('error', (error: SightlineError) => console.log(error.code, error.retryAfterS));
      // @ts-expect-error a rendition that there is not
      watch({ tracks: ['cooked'] });`;
    const file = path.join(projectRoot, 'dist/client/caller.ts');
    const options: ts.CompilerOptions = {
      strict: true,
      noEmit: true,
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
      types: [],
      exactOptionalPropertyTypes: true,
    };
    const host = ts.createCompilerHost(options);
    const getSourceFile = host.getSourceFile.bind(host);
    host.getSourceFile = (name, ...rest) =>
      name === file ? ts.createSourceFile(name, source, ts.ScriptTarget.ES2022) : getSourceFile(name, ...rest);
    host.fileExists = (name) => name === file || ts.sys.fileExists(name);
    const diagnostics = ts.getPreEmitDiagnostics(ts.createProgram([file], options, host));
    assert.deepEqual(
      diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')),
      [],
    );
  });
});
