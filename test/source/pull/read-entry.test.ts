import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EntryFault } from '../../../src/source/pull/entry-fault.js';
import { readEntry } from '../../../src/source/pull/read-entry.js';

const CONTEXT = { variables: { EMPTY: '' }, whyNoModel: (name: string) => (name === 'nano' ? undefined : `no model '${name}'`) };
const URL_OF = 'rtsp://10.0.0.5/stream1';

function faultsOf(value: unknown): EntryFault[] {
  const faults: EntryFault[] = [];
  const read = readEntry(value, CONTEXT, faults);
  assert.equal(read === undefined, faults.length > 0);
  return faults;
}

/** What is wrong, and where it is said to be. */
const WRONG: readonly [string, unknown, readonly string[]][] = [
  ['no object', 'rtsp://cam/', [' invalid']],
  ['a list', [], [' invalid']],
  ['nothing', {}, ['/name required', ' conflict']],
  ['no name', { url: URL_OF }, ['/name required']],
  ['a name with a slash', { name: 'a/b', url: URL_OF }, ['/name invalid']],
  ['a name of dots', { name: '..', url: URL_OF }, ['/name invalid']],
  ['a name of other letters', { name: 'tür', url: URL_OF }, ['/name invalid']],
  ['a long name', { name: 'a'.repeat(65), url: URL_OF }, ['/name invalid']],
  ['an empty name', { name: '', url: URL_OF }, ['/name invalid']],
  ['a number for a name', { name: 7, url: URL_OF }, ['/name invalid']],
  ['url and device', { name: 'a', url: URL_OF, device: '/dev/video0' }, [' conflict']],
  ['a file', { name: 'a', url: 'file:///etc/passwd' }, ['/url invalid']],
  ['a number for an address', { name: 'a', url: 7 }, ['/url invalid']],
  ['a password that hides the host', { name: 'a', url: 'rtsp://u:p/w@cam/' }, ['/url ambiguous_host']],
  ['a long password', { name: 'a', url: `rtsp://u:${'p'.repeat(300)}@cam/` }, ['/url too_long']],
  ['a variable that is not set', { name: 'a', url: 'rtsp://${NO_SUCH}/' }, ['/url variable']],
  ['an empty variable', { name: 'a', url: 'rtsp://${EMPTY}/' }, ['/url variable']],
  ['the same address twice', { name: 'a', url: URL_OF, low_url: URL_OF }, ['/low_url conflict']],
  ['a second stream of a device', { name: 'a', device: '/dev/video0', low_url: URL_OF }, ['/low_url conflict']],
  ['a second stream that is a file', { name: 'a', url: URL_OF, low_url: '/x' }, ['/low_url invalid']],
  ['a device outside /dev', { name: 'a', device: '/etc/passwd', format: 'v4l2' }, ['/device invalid']],
  ['a device of no format', { name: 'a', device: 'Camera' }, ['/format invalid']],
  ['a format that rtsp has none of', { name: 'a', url: URL_OF, format: 'hls' }, ['/format conflict']],
  ['an unknown format', { name: 'a', url: 'http://cam/', format: 'concat' }, ['/format invalid']],
  ['options that are a text', { name: 'a', url: URL_OF, options: 'tcp' }, ['/options invalid']],
  ['an option that is a list', { name: 'a', url: URL_OF, options: { rtsp_transport: ['tcp'] } }, ['/options invalid']],
  ['an unknown option', { name: 'a', url: URL_OF, options: { i: '/etc/passwd' } }, ['/options/i unknown']],
  ['an option out of range', { name: 'a', url: URL_OF, options: { rtsp_transport: 'pigeon' } }, ['/options/rtsp_transport invalid']],
  ['headers of two lines', { name: 'a', url: 'http://cam/', options: { headers: { A: 'b\r\nc: d' } } }, ['/options/headers invalid']],
  ['audio that is a text', { name: 'a', url: URL_OF, audio: 'no' }, ['/audio invalid']],
  ['always_on that is a number', { name: 'a', url: URL_OF, always_on: 1 }, ['/always_on invalid']],
  ['transcode that is neither', { name: 'a', url: URL_OF, transcode: 'never' }, ['/transcode invalid']],
  ['a model that is not there', { name: 'a', url: URL_OF, model: 'yolo' }, ['/model not_found']],
  ['a model that is a path', { name: 'a', url: URL_OF, model: '../x' }, ['/model invalid']],
  ['a title of two lines', { name: 'a', url: URL_OF, title: 'a\nb' }, ['/title invalid']],
  ['an empty title', { name: 'a', url: URL_OF, title: '' }, ['/title invalid']],
  ['a long group', { name: 'a', url: URL_OF, group: 'g'.repeat(101) }, ['/group invalid']],
  ['an unknown field', { name: 'a', url: URL_OF, 'pass/word': 'x' }, ['/pass~1word unknown']],
  [
    'several faults',
    { name: 'a', url: URL_OF, audio: 'no', transcode: 5, more: 1 },
    ['/audio invalid', '/transcode invalid', '/more unknown'],
  ],
];

describe('the description of a source', () => {
  for (const [what, value, expected] of WRONG) {
    it(`is refused with ${what}: ${expected.join(', ')}`, () => {
      const faults = faultsOf(value);
      assert.deepEqual(
        faults.map(({ path, code }) => `${path} ${code}`),
        expected,
      );
      for (const { text } of faults) assert.ok(text.length > 10 && !/passwd|p\/w/.test(text), text);
    });
  }

  it('has a title and a group in any language, and a model', () => {
    const faults: EntryFault[] = [];
    const read = readEntry({ name: 'a', url: URL_OF, title: 'Tür 🚪 «Süd»', group: '外', model: 'nano' }, CONTEXT, faults);
    assert.deepEqual([read?.title, read?.group, read?.model, faults], ['Tür 🚪 «Süd»', '外', 'nano', []]);
    assert.equal(readEntry({ name: 'a', url: URL_OF, model: 'none' }, CONTEXT, [])?.model, 'none');
  });
});
