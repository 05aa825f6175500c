import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { runTool } from '../../../src/ffmpeg/index.js';
import { RepeatedLooks } from '../../../src/source/file/repeated-looks.js';
import { SourceLibrary } from '../../../src/source/index.js';
import { eventually, within } from '../../helpers/deadline.js';
import { FakeClock } from '../../helpers/fake-clock.js';
import { assertNothingHeld, realDeps } from '../../helpers/ffmpeg-deps.js';
import { copyVideo } from '../../helpers/make-video.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-interrupted-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const NODE = process.execPath;

/** A program that ends by a signal the first time that its arguments match, and is `program` otherwise. */
function interruptedOnce(program: string, signal: string, matching: string): string {
  const [file, mark] = [
    path.join(folder, `${path.basename(program)}-${signal}-${matching}`),
    path.join(folder, `${signal}-${matching}-was-run`),
  ];
  writeFileSync(
    file,
    `#!/bin/sh\ncase "$*" in *${matching}*) if [ ! -e '${mark}' ]; then : > '${mark}'; kill -${signal} $$; fi;; esac\nexec ${program} "$@"\n`,
    { mode: 0o755 },
  );
  return file;
}

for (const [tool, program, signal, matching, video] of [
  ['ffprobePath', 'ffprobe', 'KILL', 'show_format', 'copyable.mp4'],
  ['ffprobePath', 'ffprobe', 'TERM', 'show_format', 'copyable.mp4'],
  ['ffprobePath', 'ffprobe', 'KILL', 'packet', 'copyable.mp4'],
  ['ffmpegPath', 'ffmpeg', 'KILL', 'frames:v', 'b-frames.mp4'],
] as const) {
  test(`a file whose ${matching} was ended by SIG${signal} is not damaged: it is looked into again`, async () => {
    const real = realDeps();
    const deps = { ...real, tools: { ...real.tools, [tool]: interruptedOnce(program, signal, matching) } };
    const uploadDir = mkdtempSync(path.join(folder, 'upload-'));
    const longAgo = Date.now() / 1000 - 60;
    // Not still being written, which would be reason enough to look again.
    utimesSync(copyVideo(video, uploadDir, 'street.mp4'), longAgo, longAgo);
    const library = await SourceLibrary.open({ ...deps, uploadDir, pollMs: 100 });
    const reasons: string[] = [];
    library.onChange(({ file: { reason } }) => reasons.push(reason ?? ''));
    await within(library.ready, 15_000, 'the first look');
    await eventually(() => library.get('street')?.playable === true && library.get('street')?.durationS !== null, 15_000, 'another look');
    assert.ok(existsSync(path.join(folder, `${signal}-${matching}-was-run`)));
    assert.ok(
      reasons.every((reason) => !/damaged|understand|cannot be decoded/.test(reason)),
      reasons.join('; '),
    );
    await library.close();
    assertNothingHeld(real);
  });
}

test('looks are repeated with growing delays and more time, and not without end', async () => {
  const clock = new FakeClock();
  const looks = new RepeatedLooks(clock);
  const file = { name: 'a.mp4', file: '/videos/a.mp4', identity: '1', sizeBytes: 1, modifiedMs: 0 };
  const unsettled = { container: '', durationS: undefined, video: undefined, audio: undefined, problem: 'x', isUnsettled: true };
  const timeouts = [looks.timeoutMs(file)];
  let said: string | undefined = looks.settle(file, unsettled).problem;
  assert.match(said ?? '', /not examined yet.*tried again/);
  assert.equal(looks.isDue(file), false, 'not at once');
  let repeated = 0;
  for (; repeated < 100; repeated++) {
    await clock.advance(60_000);
    if (!looks.isDue(file)) break;
    timeouts.push(looks.timeoutMs(file));
    said = looks.settle(file, unsettled).problem;
  }
  assert.equal(repeated, 7);
  assert.deepEqual(timeouts.slice(0, 3), [10_000, 20_000, 30_000]);
  assert.match(said ?? '', /given up after 8 times/);
  const changed = { ...file, identity: '2' };
  assert.match(looks.settle(changed, unsettled).problem ?? '', /tried again/);
});

test('a tool tells a deadline and a signal from too much output and from a crash', async () => {
  const run = (script: string, options = {}) => runTool(NODE, ['-e', script], { timeoutMs: 10_000, ...options });
  assert.equal((await run('setInterval(() => 0, 1000)', { timeoutMs: 200 })).interruption, 'deadline');
  assert.equal((await run("process.kill(process.pid, 'SIGTERM'); setInterval(() => 0, 1000)")).interruption, 'killed');
  assert.equal(
    (await run("process.stdout.write('x'.repeat(100000)); setInterval(() => 0, 1000)", { maxBytes: 1000 })).interruption,
    undefined,
  );
  assert.equal((await run("process.kill(process.pid, 'SIGSEGV'); setInterval(() => 0, 1000)")).interruption, undefined);
  assert.equal((await run('0')).interruption, undefined);
});
