import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { MediaPeerError } from '../../../src/base/errors.js';
import { ManagedSources, type ModelChange } from '../../../src/source/pull/managed-sources.js';
import type { PullInput } from '../../../src/source/pull/read-entry.js';
import { shownSettings } from '../../../src/source/pull/shown-settings.js';
import { readChanges } from '../../../src/source/pull/source-changes.js';
import { SourceConfiguration } from '../../../src/source/pull/source-configuration.js';
import { parseSources } from '../../../src/source/pull/sources-file.js';

const VARIABLES = { GATE_PASSWORD: 'Gate/5ecret@7', KEY: 'k3y' };
const FILE = [
  { name: 'gate', url: 'rtsp://viewer:${GATE_PASSWORD}@10.0.0.5/1', title: 'Gate', model: 'nano' },
  { name: 'yard', url: 'https://cam.example/a.m3u8', options: { headers: { 'X-Key': '${KEY}' }, tls_verify: true } },
];
const whyNoModel = (name: string): string | undefined => (name === 'nano' || name === 'tiny' ? undefined : `no model '${name}'`);
const CONTEXT = { variables: VARIABLES, whyNoModel };
const fileOf = (entries: readonly object[]): PullInput[] => parseSources(JSON.stringify({ sources: entries }), CONTEXT);

const DAY_MS = 86_400_000;

/** Sources over what is kept; nothing is connected. */
class Rig {
  kept: unknown;
  models: ModelChange[] = [];
  whyNotKept: Error | undefined;
  applied = 0;
  nowMs = 1_800_000_000_000;
  /** Beside 'street'. */
  readonly files = new Set<string>();
  readonly unreadable: number[] = [];
  readonly managed: ManagedSources;

  constructor(entries: readonly object[] = FILE, kept?: unknown) {
    this.kept = kept;
    const changes = readChanges(kept, (count) => this.unreadable.push(count));
    const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined, child: () => logger };
    this.managed = new ManagedSources({
      configuration: new SourceConfiguration({ fileEntries: fileOf(entries), changes, context: CONTEXT }),
      context: { whyNoModel },
      otherKind: (id) => (id === 'street' || this.files.has(id) ? 'file' : id === 'phone' ? 'live' : undefined),
      whyTaken: (name) => (name === 'street' ? 'a file of the upload folder' : undefined),
      keep: (next, model) => this.#keep(next, model),
      keepRemoval: (sourceId, next) => this.#keep(next, { sourceId, model: undefined, isCamera: true }),
      clock: { wallClock: () => this.nowMs },
      apply: () => this.applied++,
      logger,
    });
  }

  async #keep(next: object[], model?: ModelChange): Promise<void> {
    await Promise.resolve();
    if (this.whyNotKept) throw this.whyNotKept;
    this.kept = JSON.parse(JSON.stringify(next));
    if (model) this.models.push(model);
  }

  get names(): string[] {
    return [...this.managed.configuration.sources.keys()];
  }

  /** As after a restart. */
  again(entries: readonly object[] = FILE): Rig {
    return new Rig(entries, JSON.parse(JSON.stringify(this.kept ?? null)) ?? undefined);
  }
}

async function refusal(promise: Promise<unknown>): Promise<MediaPeerError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof MediaPeerError, String(error));
  return error;
}
const faultsOf = async (promise: Promise<unknown>): Promise<string[]> => {
  const { code, facts, message } = await refusal(promise);
  assert.equal(code, 'SOURCE_INVALID', message);
  for (const secret of Object.values(VARIABLES)) assert.ok(!message.includes(secret), message);
  return (facts?.faults ?? []).map((fault) => `${fault.path} ${fault.code}`);
};

describe('sources that are changed while the server runs', () => {
  let rig: Rig;
  beforeEach(() => (rig = new Rig()));

  it('are added, and are there after a restart', async () => {
    assert.equal(await rig.managed.add({ name: 'desk', url: 'rtsp://u:s3cret@10.0.0.9/1', title: 'Desk', model: 'tiny' }), 'desk');
    assert.deepEqual(rig.models, [{ sourceId: 'desk', model: 'tiny', isCamera: true }]);
    const again = rig.again();
    assert.deepEqual([rig.names, again.names], [Array.of('gate', 'yard', 'desk'), Array.of('gate', 'yard', 'desk')]);
    const { origin, input } = again.managed.get('desk')!;
    assert.deepEqual([origin, input.input.address, input.title], ['api', 'rtsp://u:s3cret@10.0.0.9/1', 'Desk']);
    assert.doesNotMatch(input.input.redact(input.input.address), /s3cret/);
  });

  it('of one name are added once, however many ask at the same time', async () => {
    const asked = Array.from({ length: 8 }, (_, i) => rig.managed.add({ name: 'desk', url: `rtsp://10.0.0.${i}/` }));
    const answers = await Promise.allSettled(asked);
    assert.equal(answers.filter(({ status }) => status === 'fulfilled').length, 1);
    assert.equal(answers[0]?.status, 'fulfilled');
    for (const answer of answers.slice(1))
      assert.equal(answer.status === 'rejected' && (answer.reason as MediaPeerError).code, 'SOURCE_TAKEN');
    assert.equal(rig.applied, 1);
  });

  it('do not take the name of a camera or a file', async () => {
    for (const name of ['gate', 'street']) {
      const { code, message, facts } = await refusal(rig.managed.add({ name, url: 'rtsp://10.0.0.9/' }));
      assert.deepEqual([code, facts], ['SOURCE_TAKEN', { faults: [{ path: '/name', code: 'taken' }] }]);
      assert.match(message, /is the name of a/);
    }
  });

  for (const name of ['__proto__', 'constructor', 'toString', '-', '_', '.a', 'a..b', 'A'.repeat(64), '0', '%41'.slice(1)]) {
    it(`may be called '${name.slice(0, 12)}'`, async () => {
      await rig.managed.add({ name, url: 'rtsp://10.0.0.9/' });
      await rig.managed.change(name, { title: 'one' });
      const again = rig.again();
      assert.equal(again.managed.get(name)?.input.title, 'one');
      await again.managed.remove(name);
      assert.deepEqual([again.managed.get(name), again.again().managed.get(name)], [undefined, undefined]);
    });
  }

  it('are refused with the faults of SOURCES_FILE, and with what only that may hold', async () => {
    const add = (entry: unknown): Promise<string[]> => faultsOf(rig.managed.add(entry));
    assert.deepEqual(await add('x'), [' invalid']);
    assert.deepEqual(await add({ name: 'a', url: 'file:///x', audio: 1 }), ['/audio invalid']);
    assert.deepEqual(await add({ name: 'a', url: 'rtsp://u:${GATE_PASSWORD}@evil/' }), ['/url not_allowed']);
    assert.deepEqual(await add({ name: 'a', url: 'http://evil/', options: { headers: { A: '${KEY}' } } }), [
      '/options/headers not_allowed',
    ]);
    const authority = { url: 'https://cam.example/', options: { ca_file: '/etc/shadow' } };
    assert.deepEqual(await add({ name: 'a', ...authority }), ['/options/ca_file not_allowed']);
    for (const trial of [authority, { ...authority, name: 'yard' }])
      assert.throws(() => rig.managed.readTrial(trial), {
        code: 'SOURCE_INVALID',
        message: /ca_file': files of the server are for SOURCES_FILE/,
      });
    const filter = (device: string): Promise<string[]> => add({ name: 'a', device, format: 'lavfi' });
    for (const device of [
      'movie=/etc/passwd',
      'color,drawtext=textfile=/etc/passwd',
      "testsrc2='x'",
      'life=filename=/etc/passwd',
      'testsrc[out];movie=x',
    ])
      assert.deepEqual(await filter(device), ['/device not_allowed'], device);
    assert.deepEqual(await add({ name: 'a', url: 'rtsp://10.0.0.9/', model: 'yolo' }), ['/model not_found']);
    assert.deepEqual([rig.applied, rig.kept], [0, undefined]);
    await rig.managed.add({ name: 'a', device: 'testsrc2=size=320x180:rate=10', format: 'lavfi' });
  });

  it('are at most 200 beside those of SOURCES_FILE', async () => {
    for (let i = 0; i < 200; i++) await rig.managed.add({ name: `cam-${i}`, url: 'rtsp://10.0.0.9/' });
    const { code, message, facts } = await refusal(rig.managed.add({ name: 'more', url: 'rtsp://10.0.0.9/' }));
    assert.deepEqual([code, facts], ['TOO_MANY_SOURCES', { max: 200 }]);
    assert.match(message, /200 sources were added already; remove some, or name them in SOURCES_FILE/);
    await rig.managed.remove('cam-7');
    await rig.managed.add({ name: 'more', url: 'rtsp://10.0.0.9/' });
  });

  it('are called what they were before once they come back, as long as there is room; a file that is removed is forgotten', async () => {
    const label = (id: string): Promise<void> => rig.managed.change(id, { title: id });
    for (let i = 0; i < 2000; i++) rig.files.add(`file-${i}`);
    for (const id of rig.files) await label(id);
    const { code } = await refusal(label('street'));
    assert.equal(code, 'TOO_MANY_SOURCES');
    rig.files.delete('file-7');
    assert.equal(rig.managed.labelsOf('file-7').title, 'file-7');
    await label('street');
    assert.deepEqual([rig.managed.labelsOf('file-7'), rig.managed.labelsOf('file-8').title], [{}, 'file-8']);

    await rig.managed.forgetLabels('file-8');
    await label('phone');
    const again = rig.again().managed;
    assert.deepEqual([again.labelsOf('file-8'), again.labelsOf('phone').title], [{}, 'phone']);
    rig.whyNotKept = new MediaPeerError('STATE_NOT_KEPT', 'no space');
    await rig.managed.forgetLabels('file-9');
    assert.deepEqual(rig.managed.labelsOf('file-9'), {}, 'also where that cannot be kept');
    await rig.managed.forgetLabels('gate');
    assert.ok(rig.names.includes('gate'), 'cameras have no such labels');
  });

  it('of SOURCES_FILE are changed over the file, with its variables, and keep what they were not changed in', async () => {
    await rig.managed.change('gate', { title: 'Main gate', group: 'Outside' });
    await rig.managed.change('gate', { title: null, audio: false, options: { rtsp_transport: 'udp' } });
    const { input, origin, isChanged } = rig.again().managed.get('gate')!;
    assert.deepEqual([origin, isChanged, input.title, input.group, input.wantsAudio], ['sources_file', true, undefined, 'Outside', false]);
    assert.equal(input.input.address, 'rtsp://viewer:Gate%2F5ecret%407@10.0.0.5/1');
    assert.ok(!JSON.stringify(rig.kept).includes('5ecret'), 'what the file holds is not kept twice');
    // The file changes beneath.
    const moved = rig.again([{ name: 'gate', url: 'rtsp://10.0.0.6/1', title: 'Other' }]).managed.get('gate')!;
    assert.deepEqual([moved.input.input.address, moved.input.title], ['rtsp://10.0.0.6/1', undefined]);
  });

  it('of SOURCES_FILE that were removed stay away until the file has not named them for a day', async () => {
    await rig.managed.change('yard', { title: 'Yard' });
    await rig.managed.remove('gate');
    assert.deepEqual([rig.names, rig.managed.configuration.removed], [['yard'], ['gate']]);
    const again = rig.again();
    assert.deepEqual(again.names, ['yard']);
    await again.managed.reload(fileOf([]), CONTEXT);
    assert.deepEqual([again.names, again.managed.configuration.removed], [[], []]);
    again.nowMs += DAY_MS;
    await again.managed.reload(fileOf(FILE), CONTEXT);
    assert.deepEqual([again.names, again.kept], [['gate', 'yard'], []]);
    assert.equal(again.managed.get('yard')?.input.title, undefined);
    assert.deepEqual((await refusal(again.managed.remove('nobody'))).code, 'SOURCE_NOT_FOUND');
  });

  it('of SOURCES_FILE are as they were changed where the file was cut short for a while, also over a restart', async () => {
    await rig.managed.change('yard', { title: 'Yard' });
    await rig.managed.remove('gate');
    // What an editor has written by then, or a disk had room for, is a whole YAML file all the same.
    const [gate] = FILE;
    await rig.managed.reload(fileOf([gate!]), CONTEXT);
    assert.deepEqual([rig.names, rig.managed.configuration.removed], [[], ['gate']]);
    await rig.managed.reload(fileOf([]), CONTEXT);
    rig.nowMs += DAY_MS - 1;
    const again = rig.again([]);
    again.nowMs = rig.nowMs;
    for (const { managed } of [rig, again]) {
      await managed.reload(fileOf(FILE), CONTEXT);
      assert.deepEqual([[...managed.configuration.sources.keys()], managed.get('yard')?.input.title], [['yard'], 'Yard']);
    }
    // A day begins with each time that the file names it no more.
    again.nowMs += DAY_MS;
    await again.managed.reload(fileOf([]), CONTEXT);
    again.nowMs += DAY_MS / 2;
    await again.managed.reload(fileOf(FILE), CONTEXT);
    assert.deepEqual([again.names, again.managed.get('yard')?.input.title], [['yard'], 'Yard']);
  });

  it('that were removed may be added anew, and count over the file then', async () => {
    await rig.managed.remove('gate');
    await rig.managed.add({ name: 'gate', url: 'rtsp://10.0.0.9/' });
    const again = rig.again();
    assert.deepEqual([again.names, again.managed.get('gate')?.origin], [['gate', 'yard'], 'api']);
    await again.managed.remove('gate');
    assert.deepEqual([again.names, again.managed.configuration.removed], [['yard'], ['gate']]);
  });

  it('change nothing where that cannot be kept', async () => {
    rig.whyNotKept = new MediaPeerError('STATE_NOT_KEPT', 'nothing was changed: the disk is full');
    const asked = [
      rig.managed.add({ name: 'desk', url: 'rtsp://10.0.0.9/' }),
      rig.managed.change('gate', { title: 'x' }),
      rig.managed.remove('gate'),
    ];
    for (const answer of asked) assert.equal((await refusal(answer)).code, 'STATE_NOT_KEPT');
    assert.deepEqual([rig.names, rig.applied, rig.managed.get('gate')?.input.title], [['gate', 'yard'], 0, 'Gate']);
    rig.whyNotKept = undefined;
    await rig.managed.remove('gate');
  });

  it('are refused a change as a whole', async () => {
    const change = (patch: unknown): Promise<string[]> => faultsOf(rig.managed.change('gate', patch));
    assert.deepEqual(await change([]), [' invalid']);
    assert.deepEqual(await change({ name: 'other' }), ['/name not_allowed']);
    assert.deepEqual(await change({ url: null }), [' conflict']);
    assert.deepEqual(await change({ device: '/dev/video0' }), [' conflict']);
    assert.deepEqual(await change({ title: 'x', audio: 'no' }), ['/audio invalid']);
    assert.deepEqual(await change({ url: 'rtsp://${KEY}@10.0.0.5/' }), ['/url not_allowed']);
    assert.deepEqual(await change({ colour: 'red' }), ['/colour unknown']);
    const removals = { junk: null, toString: null, options: { k1: null, constructor: null, headers: null, tls_verify: null } };
    const unknown = ['/junk unknown', '/toString unknown', '/options/k1 unknown', '/options/constructor unknown'];
    assert.deepEqual(await change(removals), unknown);
    const headers = Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`X-${i}`, 'a']));
    for (const many of [headers, { 'X-A': 'a'.repeat(8200) }])
      assert.deepEqual(await faultsOf(rig.managed.change('yard', { options: { headers: many } })), ['/options/headers too_long']);
    assert.equal((await refusal(rig.managed.change('nobody', {}))).code, 'SOURCE_NOT_FOUND');
    assert.deepEqual([rig.applied, rig.kept], [0, undefined]);
  });

  it('give what is secret of one host to no other', async () => {
    const change = (patch: object): Promise<void> => rig.managed.change('yard', patch);
    assert.deepEqual(await faultsOf(change({ url: 'https://evil.example/a.m3u8' })), ['/options/headers required_again']);
    assert.deepEqual(await faultsOf(change({ low_url: 'https://evil.example/low.m3u8' })), ['/options/headers required_again']);
    assert.deepEqual(await faultsOf(change({ url: 'http://cam.example/a.m3u8' })), ['/options/headers required_again']);
    await change({ url: 'https://cam.example/b.m3u8', low_url: 'https://cam.example/low.m3u8' });
    assert.match(rig.managed.get('yard')?.input.input.options['headers'] ?? '', /k3y/);
    await change({ url: 'https://other.example/a.m3u8', low_url: null, options: { headers: null } });
    assert.equal(rig.managed.get('yard')?.input.input.options['headers'], undefined);
  });

  it('give no header to another host but those that come with its address', async () => {
    const evil = 'https://evil.example/a.m3u8';
    const key = { headers: { 'X-Key': 's3cret', 'X-More': 's3cret' } };
    await rig.managed.add({ name: 'desk', url: 'https://desk.example/a.m3u8', low_url: 'https://low.example/a.m3u8', options: key });
    for (const name of ['yard', 'desk'])
      for (const field of ['url', 'low_url']) {
        const patchOf = (headers: object): object => ({ name, [field]: evil, options: { headers } });
        for (const [headers, fault] of [
          [{}, '/options/headers invalid'],
          [{ 'X-Key': null, 'X-A': 'b' }, '/options invalid'],
        ] as const) {
          assert.deepEqual(await faultsOf(rig.managed.change(name, patchOf(headers))), [fault]);
          const trying = Promise.resolve().then(() => rig.managed.readTrial(patchOf(headers)));
          assert.deepEqual(await faultsOf(trying), [fault]);
        }
        const { input, low } = rig.managed.readTrial(patchOf({ 'X-A': 'b' }));
        for (const { options } of low ? [input, low] : [input]) assert.equal(options['headers'], 'X-A: b\r\n');
      }
    const headersOf = ({ managed }: Rig, name: string): unknown => managed.get(name)?.input.input.options['headers'];
    for (const name of ['yard', 'desk']) {
      await rig.managed.change(name, { url: evil, options: { headers: { 'X-A': 'b' } } });
      assert.deepEqual([headersOf(rig, name), headersOf(rig.again(), name)], ['X-A: b\r\n', 'X-A: b\r\n']);
    }
  });

  it('get nothing back that was removed, neither from the file nor after a restart', async () => {
    const headers = { 'X-A': 'b' };
    for (const options of [null, { headers: null }])
      for (const [next, expected] of [
        [{ headers }, 'X-A: b\r\n'],
        [{ tls_verify: false }, undefined],
      ] as const) {
        const here = new Rig();
        await here.managed.change('yard', { url: 'https://other.example/a.m3u8', options });
        await here.managed.change('yard', { options: next });
        for (const { managed } of [here, here.again()])
          assert.equal(managed.get('yard')?.input.input.options['headers'], expected, JSON.stringify([options, next]));
      }
  });

  for (const field of ['url', 'low_url'])
    it(`of SOURCES_FILE keep a secret that is added there from the host of a changed ${field}`, async () => {
      const bare = { name: 'yard', url: 'https://cam.example/a.m3u8' };
      const secrets = [{ headers: { 'X-Key': '${KEY}' } }, { user_agent: '${KEY}' }, { headers: { 'X-A': 'c', 'X-Key': '${KEY}' } }];
      for (const options of secrets) {
        const here = new Rig([bare]);
        await here.managed.change('yard', { [field]: 'https://evil.example/a.m3u8', title: 'Mine' });
        const entries = [{ ...bare, options }];
        const later = here.again(entries);
        await here.managed.reload(fileOf(entries), CONTEXT);
        for (const { managed } of [here, later]) {
          const { input, isChanged } = managed.get('yard')!;
          const streams = [input.input, ...(input.low ? [input.low] : [])];
          assert.deepEqual([streams.map(({ address }) => address), isChanged], [[bare.url], false]);
          const [unusable] = managed.configuration.unusable;
          assert.deepEqual([unusable?.name, unusable?.faults.map(({ code }) => code)], ['yard', ['required_again']]);
          // What is changed now is in force, whatever was before.
          await managed.change('yard', { group: 'Outside' });
          assert.deepEqual([managed.get('yard')?.input.group, managed.configuration.unusable], ['Outside', []]);
        }
      }
    });

  it('may be changed to another host with headers of its own, which the file’s do not join', async () => {
    const bare = { name: 'yard', url: 'https://cam.example/a.m3u8' };
    const here = new Rig([bare]);
    await here.managed.change('yard', { url: 'https://other.example/a.m3u8', options: { headers: { 'X-A': 'b' } } });
    await here.managed.reload(fileOf([{ ...bare, options: { headers: { 'X-Key': '${KEY}' } } }]), CONTEXT);
    assert.equal(here.managed.get('yard')?.input.input.options['headers'], 'X-A: b\r\n');
  });

  it('may lose their second stream without a word about secrets', async () => {
    await rig.managed.change('yard', { low_url: 'https://cam.example/low.m3u8' });
    await rig.managed.change('yard', { low_url: null });
    assert.match(rig.managed.get('yard')?.input.input.options['headers'] ?? '', /k3y/);
  });

  it('show no address and nothing that may be a secret', async () => {
    const shown = shownSettings(rig.managed.get('yard')!.input);
    assert.deepEqual([shown.scheme, shown.options, shown.hiddenOptions], ['https', { tls_verify: true }, ['headers']]);
    await rig.managed.add({ name: 'desk', url: 'rtsp://u:s3cret@10.0.0.9/', options: { user_agent: 's3cret', buffer_size: 4096 } });
    const all = JSON.stringify([...rig.managed.configuration.sources.values()].map(({ input }) => shownSettings(input)));
    assert.doesNotMatch(all, /s3cret|5ecret|k3y|10\.0\.0|example/);
  });

  it('that are files or rooms have a title, a group and a model, and nothing else', async () => {
    await rig.managed.change('street', { title: 'High street', model: 'nano' });
    assert.deepEqual(
      [rig.managed.labelsOf('street').title, rig.models],
      ['High street', [{ sourceId: 'street', model: 'nano', isCamera: false }]],
    );
    assert.equal(rig.again().managed.labelsOf('street').title, 'High street');
    assert.deepEqual(await faultsOf(rig.managed.change('street', { url: 'rtsp://10.0.0.9/' })), ['/url not_allowed']);
    for (const id of ['street', 'phone'])
      for (const name of ['other', null, 7]) {
        assert.deepEqual(await faultsOf(rig.managed.change(id, { name, title: 'x' })), ['/name not_allowed']);
        await rig.managed.change(id, { name: id });
      }
    assert.deepEqual(await faultsOf(rig.managed.change('phone', { title: 5 })), ['/title invalid']);
    await rig.managed.change('street', { title: null, model: null });
    assert.deepEqual([rig.managed.labelsOf('street'), rig.kept, rig.models.at(-1)?.model], [{}, [], undefined]);
    for (const [id, how] of [
      ['street', /a file of the upload folder/],
      ['phone', /ends with its publisher/],
    ] as const) {
      const { code, message } = await refusal(rig.managed.remove(id));
      assert.equal(code, 'SOURCE_NOT_CONFIGURED');
      assert.match(message, how);
    }
  });

  it('that were kept and cannot be used any more are told, and the others are there', () => {
    const kept = [
      { name: 'desk', entry: { name: 'desk', url: 'rtsp://10.0.0.9/', title: 5 } },
      { name: 'gate', patch: { audio: 'no' } },
      { name: 'hall', entry: { name: 'hall', url: 'rtsp://10.0.0.8/' } },
      { name: '../x', removed: true },
      7,
      { name: 'void' },
    ];
    const { managed, names, unreadable } = new Rig(FILE, kept);
    assert.deepEqual([names, unreadable], [['gate', 'yard', 'hall'], [3]]);
    assert.deepEqual(
      managed.configuration.unusable.map(({ name, faults }) => [name, faults[0]?.path]),
      [
        ['gate', '/audio'],
        ['desk', '/title'],
      ],
    );
    assert.equal(managed.get('gate')?.isChanged, false);
    for (const nonsense of [null, 'x', { a: 1 }]) assert.deepEqual(new Rig(FILE, nonsense).unreadable, [1]);
  });
});
