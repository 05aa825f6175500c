import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { describe, it } from 'node:test';
import { Passwords } from '../../src/access/passwords.js';
import { projectRoot } from '../helpers/assets.js';
import { within } from '../helpers/deadline.js';

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

async function run(input: string, ...args: string[]): Promise<Ended> {
  const child = spawn(process.execPath, [path.join(projectRoot, 'dist/src/main.js'), 'hash-password', ...args]);
  child.stdin.on('error', () => undefined); // it may end before it has read
  child.stdin.end(input);
  const text = async (stream: NodeJS.ReadableStream): Promise<string> => {
    let all = '';
    for await (const chunk of stream) all += String(chunk);
    return all;
  };
  const code = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [out, err] = await within(Promise.all([text(child.stdout), text(child.stderr), code]), 30_000, 'the end of the command');
  return { code: await code, out, err };
}

describe('sightline hash-password', () => {
  it('prints what AUTH_FILE takes of what comes by standard input', async () => {
    const { code, out, err } = await run('correct horse battery\n');
    assert.deepEqual([code, err], [0, '']);
    assert.ok(await new Passwords().isRight('correct horse battery', { hash: out.trim(), owner: '' }));
    const token = await run('sixteen-letters!\r\nanother line', '--token');
    assert.equal(token.out, 'sha256:e178cfa9fadaf72ddef299ee2db3c05d7be0a6a6049afb2b153b5fbf136c472d\n');
  });

  it('takes no secret as an argument and no short one, and repeats none', async () => {
    for (const [input, args, expected] of [
      ['', ['s3cret-as-argument'], [2, /is not an argument/]],
      ['', [], [1, /there is no password on standard input/]],
      ['s3cret\n', [], [1, /has 6 characters; expected 12 to 1024/]],
      ['s3cret\n', ['--token'], [1, /openssl rand -hex 32/]],
    ] as const) {
      const { code, out, err } = await run(input, ...args);
      assert.deepEqual([code, out], [expected[0], ''], err);
      assert.match(err, expected[1]);
      assert.doesNotMatch(err, /s3cret/);
    }
  });
});
