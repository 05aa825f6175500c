/** Uploads with real tools and a real library; how much is free, and the time, are the test's where they matter. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { describe, it, type TestContext } from 'node:test';
import { MediaPeerError } from '../../../src/base/errors.js';
import { SourceLibrary, Uploads } from '../../../src/source/index.js';
import { eventually, within } from '../../helpers/deadline.js';
import { FakeClock } from '../../helpers/fake-clock.js';
import { assertNothingHeld, realDeps } from '../../helpers/ffmpeg-deps.js';
import { makeVideo } from '../../helpers/make-video.js';

const VIDEO = readFileSync(makeVideo('copyable.mp4'));
const OTHER = readFileSync(makeVideo('silent.mp4'));
const GB = 1e9;

type Init = ConstructorParameters<typeof Uploads>[0];
type Put = Parameters<Uploads['put']>[0];

interface Rig {
  readonly uploadDir: string;
  readonly library: SourceLibrary;
  readonly uploads: Uploads;
}

async function open(
  uploadDir: string,
  deps: ReturnType<typeof realDeps>,
  overrides: Partial<Init>,
): Promise<Rig & { readonly close: () => Promise<void> }> {
  const library = await SourceLibrary.open({ ...deps, uploadDir });
  await library.ready;
  const uploads = new Uploads({ ...deps, uploadDir, library, maxBytes: GB, ...overrides });
  return {
    uploadDir,
    library,
    uploads,
    close: async () => {
      await uploads.close();
      await library.close();
    },
  };
}

async function rig(t: TestContext, overrides: Partial<Init> = {}, folder?: string): Promise<Rig> {
  const deps = realDeps();
  const uploadDir = folder ?? mkdtempSync(path.join(os.tmpdir(), 'sightline-uploads-'));
  const opened = await open(uploadDir, deps, overrides);
  t.after(async () => {
    await opened.close();
    if (folder === undefined) rmSync(uploadDir, { recursive: true });
    assertNothingHeld(deps);
  });
  return opened;
}

/** A whole file at once, unless it says otherwise. */
function bytes(name: string, data: Buffer, others: Partial<Put> = {}): Put {
  return {
    name,
    firstByte: 0,
    totalBytes: data.length,
    lengthBytes: data.length,
    expected: undefined,
    openBody: () => Readable.from(data.length === 0 ? [] : [data]),
    ...others,
  };
}

/** From there on, to the end or so far. */
function piece(name: string, data: Buffer, from: number, to = data.length): Put {
  const part = data.subarray(from, to);
  return { ...bytes(name, part), firstByte: from, totalBytes: data.length };
}

/** A body that begins, and goes on when the test says so. */
function slowly(data: Buffer): { readonly body: Readable; readonly finish: (error?: Error) => void } {
  const body = new Readable({ read: () => undefined });
  body.push(data.subarray(0, 1000));
  return {
    body,
    finish(error) {
      if (error) body.destroy(error);
      else {
        body.push(data.subarray(1000));
        body.push(null);
      }
    },
  };
}

const refusedBy = (code: string, words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof MediaPeerError, String(error));
  assert.deepEqual([error.code, words.test(error.message)], [code, true], error.message);
  return true;
};
const partsIn = (uploadDir: string): string[] => {
  const folder = path.join(uploadDir, '.uploads');
  return existsSync(folder) ? readdirSync(folder) : [];
};
const visibleIn = (uploadDir: string): string[] => readdirSync(uploadDir).filter((name) => !name.startsWith('.'));

describe('an upload', () => {
  it('is listed with its last byte, as what it is, and leaves nothing else behind', async (t) => {
    const { uploads, library, uploadDir } = await rig(t);
    const result = await uploads.put(bytes('street.mp4', VIDEO));
    assert.ok(result.isComplete && result.isNew);
    const listed = library.list();
    assert.deepEqual(
      listed.map(({ name, id, playable, sizeBytes }) => ({ name, id, playable, sizeBytes })),
      [{ name: 'street.mp4', id: 'street', playable: true, sizeBytes: VIDEO.length }],
    );
    assert.equal(result.file, listed[0]);
    assert.ok(readFileSync(path.join(uploadDir, 'street.mp4')).equals(VIDEO));
    assert.deepEqual([visibleIn(uploadDir), partsIn(uploadDir)], [['street.mp4'], []]);
    assert.deepEqual(await uploads.status('street.mp4'), {
      receivedBytes: VIDEO.length,
      totalBytes: VIDEO.length,
      isComplete: true,
      tag: result.tag,
    });
  });

  it('may come in pieces; nothing is listed before the last, and each goes on where the one before ended', async (t) => {
    const { uploads, library, uploadDir } = await rig(t);
    const [third, half] = [Math.floor(VIDEO.length / 3), Math.floor(VIDEO.length / 2)];
    assert.deepEqual(await uploads.put(piece('street.mp4', VIDEO, 0, third)), {
      isComplete: false,
      receivedBytes: third,
      totalBytes: VIDEO.length,
    });
    await assert.rejects(uploads.put(piece('street.mp4', VIDEO, half)), refusedBy('UPLOAD_OFFSET', new RegExp(`go on at byte ${third}`)));
    await assert.rejects(uploads.put(piece('street.mp4', VIDEO, third - 1)), refusedBy('UPLOAD_OFFSET', /go on at byte/));
    await assert.rejects(
      uploads.put({ ...piece('street.mp4', VIDEO, third), totalBytes: VIDEO.length + 1 }),
      refusedBy('UPLOAD_OFFSET', /belongs to a file of/),
    );
    await uploads.put(piece('street.mp4', VIDEO, third, half));
    assert.deepEqual(await uploads.status('street.mp4'), {
      receivedBytes: half,
      totalBytes: VIDEO.length,
      isComplete: false,
      tag: undefined,
    });
    await library.refresh();
    assert.deepEqual([library.list(), visibleIn(uploadDir)], [[], []]);
    assert.ok((await uploads.put(piece('street.mp4', VIDEO, half))).isComplete);
    assert.ok(readFileSync(path.join(uploadDir, 'street.mp4')).equals(VIDEO));
  });

  it('of which all bytes are there is completed without another one', async (t) => {
    const { uploads, uploadDir } = await rig(t);
    mkdirSync(path.join(uploadDir, '.uploads'));
    await uploads.put(piece('street.mp4', VIDEO, 0, VIDEO.length - 1));
    const [part = ''] = partsIn(uploadDir);
    writeFileSync(path.join(uploadDir, '.uploads', part), VIDEO);
    const nothing = { firstByte: undefined, lengthBytes: 0, openBody: () => undefined };
    await assert.rejects(uploads.put(bytes('other.mp4', VIDEO, nothing)), refusedBy('UPLOAD_OFFSET', /nothing of 'other\.mp4' yet/));
    assert.ok((await uploads.put(bytes('street.mp4', VIDEO, nothing))).isComplete);
  });

  it('that is interrupted keeps what has come, also over a restart', async (t) => {
    const first = await rig(t);
    const { body, finish } = slowly(VIDEO);
    const broken = first.uploads.put(bytes('street.mp4', VIDEO, { openBody: () => body }));
    const beginsWith1000 = (name: string) =>
      eventually(async () => (await first.uploads.status(name).catch(() => undefined))?.receivedBytes === 1000, 3000, 'its first bytes');
    await beginsWith1000('street.mp4');
    finish(new Error('gone'));
    await assert.rejects(broken, /gone/);
    const running = slowly(OTHER);
    const closed = first.uploads.put(bytes('yard.mp4', OTHER, { openBody: () => running.body }));
    const rejected = assert.rejects(closed, refusedBy('SERVER_CLOSING', /shutting down/));
    await beginsWith1000('yard.mp4');
    await first.uploads.close();
    await rejected;
    assert.ok(running.body.destroyed);
    assert.deepEqual(visibleIn(first.uploadDir), []);

    const { uploads, library } = await rig(t, {}, first.uploadDir);
    for (const [name, data] of [
      ['street.mp4', VIDEO],
      ['yard.mp4', OTHER],
    ] as const) {
      assert.equal((await uploads.status(name)).receivedBytes, 1000);
      assert.ok((await uploads.put(piece(name, data, 1000))).isComplete);
    }
    assert.deepEqual(
      library.list().map(({ name, playable }) => [name, playable]),
      [
        ['street.mp4', true],
        ['yard.mp4', true],
      ],
    );
  });

  it('that begins anew takes the place of what has come with its first byte, and not before', async (t) => {
    const free = { bytes: GB };
    const { uploads, uploadDir } = await rig(t, { spaceOf: () => Promise.resolve({ freeBytes: free.bytes, sizeBytes: 1e8 }) });
    const half = Math.floor(VIDEO.length / 2);
    await uploads.put(piece('street.mp4', VIDEO, 0, half));
    const received = async (): Promise<number> => (await uploads.status('street.mp4')).receivedBytes;
    for (const anew of [bytes('street.mp4', VIDEO), bytes('street.mp4', OTHER), bytes('street.mp4', VIDEO, { totalBytes: undefined })]) {
      // Its client is gone before anything of it has come.
      const body = new Readable({ read: () => undefined });
      const broken = uploads.put({ ...anew, openBody: () => (queueMicrotask(() => body.destroy(new Error('gone'))), body) });
      await assert.rejects(broken, /gone/);
      assert.equal(await received(), half);
    }
    free.bytes = 1e6;
    await assert.rejects(uploads.put(bytes('street.mp4', VIDEO)), refusedBy('DISK_FULL', /needs/));
    assert.equal(await received(), half);
    // What it takes the place of is free then.
    free.bytes = 1e6 + Math.max(1, OTHER.length - half);
    assert.ok((await uploads.put(bytes('street.mp4', OTHER))).isComplete);
    assert.deepEqual([visibleIn(uploadDir), partsIn(uploadDir)], [['street.mp4'], []]);
  });

  it('that is being looked into holds up no end of the server, and is complete by its next look', async (t) => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-look-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const [mark, ffprobePath] = [path.join(folder, 'runs'), path.join(folder, 'ffprobe')];
    writeFileSync(ffprobePath, `#!/bin/sh\necho > '${mark}'\nexec sleep 600\n`, { mode: 0o755 });
    const uploadDir = path.join(folder, 'upload');
    mkdirSync(uploadDir);
    const slow = await rig(t, { tools: { ...realDeps().tools, ffprobePath } }, uploadDir);
    const ended = assert.rejects(slow.uploads.put(bytes('street.mp4', VIDEO)), refusedBy('SERVER_CLOSING', /shutting down/));
    await eventually(() => existsSync(mark), 10_000, 'the look');
    await within(slow.uploads.close(), 5000, 'the end');
    await ended;
    const { uploads } = await rig(t, {}, uploadDir);
    assert.equal((await uploads.status('street.mp4')).receivedBytes, VIDEO.length);
    const rest = { firstByte: undefined, lengthBytes: 0, openBody: () => undefined };
    assert.ok((await uploads.put(bytes('street.mp4', VIDEO, rest))).isComplete);
  });

  it('of unknown length is taken until its end', async (t) => {
    const { uploads, library } = await rig(t);
    const unknown = { totalBytes: undefined, lengthBytes: undefined };
    assert.ok((await uploads.put(bytes('street.mp4', VIDEO, unknown))).isComplete);
    assert.equal(library.list()[0]?.sizeBytes, VIDEO.length);
  });

  it('that is no video is refused with the reason, and not kept; a path is in no message', async (t) => {
    const { uploads, library, uploadDir } = await rig(t);
    for (const data of [Buffer.from('nothing of a video\n'.repeat(100)), Buffer.alloc(0), readFileSync(makeVideo('no-index.mp4'))]) {
      await assert.rejects(uploads.put(bytes('street.mp4', data)), (error: unknown) => {
        refusedBy('UPLOAD_NOT_PLAYABLE', /^'street\.mp4' is no video that can be played: .+; it was not kept$/)(error);
        assert.ok(!String(error).includes('.uploads') && !String(error).includes(uploadDir), String(error));
        return true;
      });
    }
    await library.refresh();
    assert.deepEqual([library.list(), visibleIn(uploadDir), partsIn(uploadDir)], [[], [], []]);
  });

  it('that is larger than allowed, or than announced, is refused, whenever that shows', async (t) => {
    const { uploads, uploadDir } = await rig(t, { maxBytes: VIDEO.length - 1 });
    const isOpened = { openBody: () => assert.fail('its body is not needed') };
    await assert.rejects(uploads.put(bytes('a.mp4', VIDEO, isOpened)), refusedBy('UPLOAD_TOO_LARGE', /MAX_UPLOAD_BYTES/));
    await assert.rejects(
      uploads.put(bytes('b.mp4', VIDEO, { totalBytes: undefined, lengthBytes: undefined })),
      refusedBy('UPLOAD_TOO_LARGE', new RegExp(`${VIDEO.length - 1} bytes`)),
    );
    assert.deepEqual(partsIn(uploadDir), []);
    await assert.rejects(
      uploads.put(bytes('c.mp4', VIDEO, { totalBytes: 5000, lengthBytes: 1000 })),
      refusedBy('UPLOAD_RANGE_INVALID', /more than the 1000 bytes/),
    );
  });
});

describe('an upload of a name that is taken', () => {
  it('is refused, or replaces the file that it means and no other', async (t) => {
    const { uploads, library, uploadDir } = await rig(t);
    const first = await uploads.put(bytes('street.mp4', VIDEO));
    assert.ok(first.isComplete);
    const changes: string[] = [];
    library.onChange(({ kind, file }) => changes.push(`${kind} ${file.id}`));
    await assert.rejects(uploads.put(bytes('street.mp4', OTHER)), refusedBy('UPLOAD_EXISTS', /If-Match/));
    await assert.rejects(
      uploads.put(bytes('street.mp4', OTHER, { expected: () => false })),
      refusedBy('PRECONDITION_FAILED', /has changed/),
    );
    await assert.rejects(
      uploads.put(bytes('yard.mp4', OTHER, { expected: () => true })),
      refusedBy('PRECONDITION_FAILED', /there is none/),
    );
    assert.deepEqual([changes, partsIn(uploadDir)], [[], []]);
    const second = await uploads.put(bytes('street.mp4', OTHER, { expected: (tag) => tag === first.tag }));
    assert.ok(second.isComplete && !second.isNew && second.tag !== first.tag);
    assert.deepEqual(changes, ['replaced street']);
    assert.equal(library.list()[0]?.sizeBytes, OTHER.length);
  });

  it('does not replace what somebody has put there meanwhile', async (t) => {
    const { uploads, uploadDir } = await rig(t);
    const { body, finish } = slowly(OTHER);
    const late = uploads.put(bytes('street.mp4', OTHER, { openBody: () => body }));
    const rejected = assert.rejects(late, refusedBy('UPLOAD_EXISTS', /already/));
    await eventually(() => partsIn(uploadDir).length === 1, 3000, 'its first bytes');
    writeFileSync(path.join(uploadDir, 'street.mp4'), VIDEO);
    finish();
    await rejected;
    assert.ok(readFileSync(path.join(uploadDir, 'street.mp4')).equals(VIDEO));
    assert.equal((await uploads.status('street.mp4')).receivedBytes, OTHER.length, 'what has come is kept');
  });

  it('that somebody else is uploading is refused; others are not', async (t) => {
    const { uploads } = await rig(t);
    const { body, finish } = slowly(VIDEO);
    const first = uploads.put(bytes('street.mp4', VIDEO, { openBody: () => body }));
    await assert.rejects(uploads.put(bytes('street.mp4', VIDEO)), refusedBy('UPLOAD_RUNNING', /'street\.mp4'/));
    assert.ok((await uploads.put(bytes('yard.mp4', OTHER))).isComplete);
    finish();
    assert.ok((await first).isComplete);
  });

  it('of a folder, or of a link, is refused', async (t) => {
    const { uploads, uploadDir } = await rig(t);
    mkdirSync(path.join(uploadDir, 'folder.mp4'));
    symlinkSync('/etc/hostname', path.join(uploadDir, 'link.mp4'));
    for (const name of ['folder.mp4', 'link.mp4']) {
      for (const ask of [
        () => uploads.put(bytes(name, VIDEO, { expected: () => true })),
        () => uploads.status(name),
        () => uploads.remove(name, undefined),
      ])
        await assert.rejects(ask, refusedBy('UPLOAD_EXISTS', /no plain file/));
    }
    assert.deepEqual(visibleIn(uploadDir), ['folder.mp4', 'link.mp4']);
  });
});

it('names that lead elsewhere, are never listed, or cannot be written are refused with what is wrong', async (t) => {
  const { uploads, uploadDir } = await rig(t);
  for (const [name, words] of [
    ['../street.mp4', /without folders/],
    ['a\\b.mp4', /without folders/],
    ['/etc/passwd', /without folders/],
    ['..', /never listed/],
    ['.hidden.mp4', /never listed/],
    ['.sightline-ids.json', /never listed/],
    ['street.zones.json', /never listed/],
    ['street.mp4.part', /never listed/],
    ['README.md', /never listed/],
    ['two\nlines.mp4', /control character/],
    ['nul\0.mp4', /control character/],
    ['\u0085.mp4', /control character/],
    ['   ', /blank/],
    [`${'ü'.repeat(126)}.mp4`, /256 bytes in UTF-8; at most 255/],
  ] as const) {
    for (const ask of [() => uploads.put(bytes(name, VIDEO)), () => uploads.status(name), () => uploads.remove(name, undefined)])
      await assert.rejects(ask, refusedBy('QUERY_INVALID', words), JSON.stringify(name));
  }
  assert.deepEqual([visibleIn(uploadDir), partsIn(uploadDir)], [[], []]);
  for (const name of [`${'ü'.repeat(125)}.mp4`, 'it\'s 50% of "$HOME"; -rf.mp4', '-i.mp4', 'Straße 🚗', '%2e%2e%2fx.mp4']) {
    assert.ok((await uploads.put(bytes(name, VIDEO))).isComplete, name);
    await uploads.remove(name, undefined);
  }
});

describe('a removed upload', () => {
  it('is gone, with what is on its way; whoever plays it is told', async (t) => {
    const { uploads, library, uploadDir } = await rig(t);
    const placed = await uploads.put(bytes('street.mp4', VIDEO));
    assert.ok(placed.isComplete);
    await uploads.put({ ...piece('street.mp4', OTHER, 0, 1000), expected: () => true });
    const told = new Promise<string>((resolve) => placed.file?.watch?.onChange(resolve));
    await assert.rejects(
      uploads.remove('street.mp4', (tag) => tag !== placed.tag),
      refusedBy('PRECONDITION_FAILED', /has changed/),
    );
    await uploads.remove('street.mp4', (tag) => tag === placed.tag);
    assert.equal(await within(told, 3000, 'the end'), 'removed');
    assert.deepEqual([library.list(), visibleIn(uploadDir), partsIn(uploadDir)], [[], [], []]);
    for (const ask of [() => uploads.remove('street.mp4', undefined), () => uploads.status('street.mp4')])
      await assert.rejects(ask, refusedBy('UPLOAD_NOT_FOUND', /street\.mp4/));
  });

  it('ends while it is being sent', async (t) => {
    const { uploads, uploadDir } = await rig(t);
    const { body } = slowly(VIDEO);
    const ended = assert.rejects(
      uploads.put(bytes('street.mp4', VIDEO, { openBody: () => body })),
      refusedBy('UPLOAD_NOT_FOUND', /deleted while/),
    );
    await eventually(() => partsIn(uploadDir).length === 1, 3000, 'its part');
    await uploads.remove('street.mp4', undefined);
    await ended;
    assert.deepEqual([partsIn(uploadDir), body.destroyed], [[], true]);
  });
});

describe('a removal of a file that is meant by its tag', () => {
  it('leaves what has taken its place while it waited', async (t) => {
    const { uploads, library, uploadDir } = await rig(t);
    const before = await uploads.put(bytes('street.mp4', VIDEO));
    assert.ok(before.isComplete);
    const isBefore = (tag: string): boolean => tag === before.tag;
    let removal: Promise<void> | undefined;
    let asked = 0;
    const replacing = uploads.put(
      bytes('street.mp4', OTHER, {
        // The second time it is about to take its place.
        expected: (tag) => {
          if (++asked === 2) removal = uploads.remove('street.mp4', isBefore);
          return isBefore(tag);
        },
      }),
    );
    assert.ok((await replacing).isComplete);
    assert.ok(removal);
    await assert.rejects(removal, refusedBy('PRECONDITION_FAILED', /has changed/));
    assert.ok(readFileSync(path.join(uploadDir, 'street.mp4')).equals(OTHER));
    assert.equal(library.list()[0]?.sizeBytes, OTHER.length);
    await uploads.remove('street.mp4', undefined);
    assert.deepEqual(visibleIn(uploadDir), []);
  });

  it('is refused without an end of what is being sent', async (t) => {
    const { uploads } = await rig(t);
    const { body, finish } = slowly(VIDEO);
    const first = uploads.put(bytes('street.mp4', VIDEO, { openBody: () => body }));
    await assert.rejects(
      uploads.remove('street.mp4', () => true),
      refusedBy('PRECONDITION_FAILED', /there is none/),
    );
    finish();
    assert.ok((await first).isComplete);
  });
});

describe('a disk that is full', () => {
  it('takes nothing that would not fit beside what others are about to write', async (t) => {
    const { body, finish } = slowly(VIDEO);
    // What has come of the first one is taken from what is free, as on a disk.
    const receivedBytes = async (): Promise<number> =>
      (await opened.uploads.status('street.mp4').catch(() => undefined))?.receivedBytes ?? 0;
    const spaceOf = async () => ({ freeBytes: 1e6 + VIDEO.length + OTHER.length - (await receivedBytes()), sizeBytes: 1e8 });
    const opened: Rig = await rig(t, { spaceOf });
    const { uploads } = opened;
    const first = uploads.put(bytes('street.mp4', VIDEO, { openBody: () => body }));
    await eventually(async () => (await receivedBytes()) === 1000, 3000, 'the first piece of the first one');
    const tooMuch = Buffer.alloc(OTHER.length + 1);
    const refused = (): Promise<string> =>
      uploads.put(bytes('yard.mp4', tooMuch)).then(
        () => 'taken',
        (error: unknown) => (error instanceof MediaPeerError ? `${error.code}: ${error.message}` : String(error)),
      );
    const expected = new RegExp(`^DISK_FULL: .*needs ${tooMuch.length} bytes, and ${OTHER.length} bytes are free`);
    await eventually(async () => expected.test(await refused()), 3000, 'what is left beside the rest of the first one');
    assert.ok((await uploads.put(bytes('yard.mp4', OTHER))).isComplete);
    finish();
    assert.ok((await first).isComplete);
  });

  it('before the last byte is told, and nothing of it stays', async (t) => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-full-'));
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder], { stdio: 'ignore' });
    } catch {
      rmSync(folder, { recursive: true });
      return t.skip('mounting a small disk needs root');
    }
    const { uploads, library, uploadDir } = await rig(t, { spaceOf: () => Promise.resolve({ freeBytes: GB, sizeBytes: GB }) }, folder);
    t.after(() => {
      execFileSync('umount', ['-l', folder]);
      rmSync(folder, { recursive: true });
    });
    const large = Buffer.alloc(1e6);
    await assert.rejects(
      uploads.put(bytes('street.mp4', large, { openBody: () => Readable.from([large.subarray(0, 1e5), large.subarray(1e5)]) })),
      refusedBy('DISK_FULL', /needs 1000000 bytes/),
    );
    assert.deepEqual([library.list(), visibleIn(uploadDir), partsIn(uploadDir)], [[], [], []]);
  });
});

it('a part that nobody went on with for a day is removed; one that grows is not', async (t) => {
  const clock = new FakeClock(Date.now());
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-stale-'));
  const { uploads, uploadDir } = await rig(t, { clock }, folder);
  t.after(() => rmSync(folder, { recursive: true }));
  for (const name of ['old.mp4', 'new.mp4']) await uploads.put(piece(name, VIDEO, 0, 100));
  const { body, finish } = slowly(VIDEO);
  const running = uploads.put(bytes('slow.mp4', VIDEO, { openBody: () => body }));
  await eventually(() => partsIn(uploadDir).length === 3, 3000, 'the parts');
  const nowS = Date.now() / 1000;
  for (const part of partsIn(uploadDir)) utimesSync(path.join(uploadDir, '.uploads', part), nowS, nowS - 23.5 * 3600);
  await uploads.put(piece('new.mp4', VIDEO, 100, 200));
  await clock.advance(3_600_000);
  await eventually(() => partsIn(uploadDir).length === 2, 3000, 'the old one to be gone');
  await assert.rejects(uploads.status('old.mp4'), refusedBy('UPLOAD_NOT_FOUND', /old/));
  assert.equal((await uploads.status('new.mp4')).receivedBytes, 200);
  finish();
  assert.ok((await running).isComplete);
});
