import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { projectRoot } from '../helpers/assets.js';

/** What a line of JSON holds of an error. */
interface Logged {
  readonly level: number;
  readonly component: string;
  readonly msg: string;
  readonly err: { readonly type: string; readonly message: string; readonly stack: string; readonly code?: string };
}

describe('the log', () => {
  it('tells of an error its message, its code, its stack and what caused it', () => {
    const script = `
      const { createLoggers } = await import(${JSON.stringify(path.join(projectRoot, 'dist/src/base/loggers.js'))});
      const { MediaPeerError } = await import(${JSON.stringify(path.join(projectRoot, 'dist/src/base/errors.js'))});
      const logger = createLoggers({ level: 'info', components: {} }).of('webrtc');
      function where() { return new MediaPeerError('FFMPEG_FAILED', 'outer', { cause: new RangeError('inner') }); }
      logger.warn({ err: where() }, 'media could not be opened');
    `;
    const line = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    const { level, component, msg, err } = JSON.parse(line) as Logged;
    assert.deepEqual(
      [level, component, msg, err.type, err.code],
      [40, 'webrtc', 'media could not be opened', 'MediaPeerError', 'FFMPEG_FAILED'],
    );
    assert.match(err.message, /^outer: inner$/);
    assert.match(err.stack, /at where [^]*caused by: RangeError: inner/);
  });

  it('is given errors as `err` everywhere: under any other name they print as {}', () => {
    const src = path.join(projectRoot, 'src');
    const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
    // A call of a logger up to its message, which is a constant text.
    const call = /\b(?:logger|log)(?:\.(?:debug|info|warn|error)|\[[^\]]*\])\(\s*(\{[^]*?\}),\s*['"`]/gi;
    const calls = files.flatMap((file) =>
      [...readFileSync(path.join(src, file), 'utf8').matchAll(call)].map(([, fields]) => ({ file, fields: fields ?? '' })),
    );
    assert.ok(calls.length > 50, `${calls.length} calls were found`);
    assert.deepEqual(
      calls.filter(({ fields }) => /[{,]\s*(error|cause)\s*[:,}]/.test(fields) || /\berr: (messageOf|String)\(/.test(fields)),
      [],
    );
  });
});
