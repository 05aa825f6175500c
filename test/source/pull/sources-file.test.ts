import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { MediaPeerError } from '../../../src/base/errors.js';
import { parseSources, readSourcesFile } from '../../../src/source/pull/sources-file.js';
import { seededRandom } from '../../helpers/random.js';

const ENVIRONMENT = { CAM_PASSWORD: 'p@ss/w?rd:#1 ü', TOKEN: 'a&b=c', CAM_URL: 'rtsp://u:w@10.0.0.9/x', HOST: '10.0.0.7:8554', EMPTY: '' };
const CONTEXT = { variables: ENVIRONMENT };

function faultsOf(text: string): string[] {
  try {
    parseSources(text, CONTEXT);
  } catch (error) {
    assert.ok(error instanceof MediaPeerError, String(error));
    assert.equal(error.code, 'CONFIG_INVALID');
    return error.message.split('\n');
  }
  return [];
}
const one = (fields: object): string => JSON.stringify({ sources: [{ name: 'gate', ...fields }] });

test('YAML and JSON say the same', () => {
  const yaml = [
    'sources:',
    '  - name: gate',
    '    url: rtsp://viewer:${CAM_PASSWORD}@10.0.0.5/stream1 # the gate',
    '    options: { rtsp_transport: udp }',
    '    always_on: true',
  ].join('\n');
  const json = JSON.stringify(
    {
      sources: [
        { name: 'gate', url: 'rtsp://viewer:${CAM_PASSWORD}@10.0.0.5/stream1', options: { rtsp_transport: 'udp' }, always_on: true },
      ],
    },
    null,
    '\t',
  );
  const [fromYaml, fromJson] = [yaml, `\uFEFF${json}`].map((text) => JSON.stringify(parseSources(text, CONTEXT)));
  assert.equal(fromYaml, fromJson);
  assert.equal(fromYaml?.includes('"isAlwaysOn":true'), true);
});

test('a password may be anything: it is percent-encoded in user name, password and query, and taken as it is elsewhere', () => {
  const addressOf = (url: string): string | undefined => parseSources(one({ url }), CONTEXT)[0]?.input.address;
  assert.equal(addressOf('rtsp://viewer:${CAM_PASSWORD}@10.0.0.5/a'), 'rtsp://viewer:p%40ss%2Fw%3Frd%3A%231%20%C3%BC@10.0.0.5/a');
  assert.equal(addressOf('http://cam/live?token=${TOKEN}'), 'http://cam/live?token=a%26b%3Dc');
  assert.equal(addressOf('rtsp://${HOST}/a'), 'rtsp://10.0.0.7:8554/a');
  assert.equal(addressOf('${CAM_URL}'), 'rtsp://u:w@10.0.0.9/x');
});

test('what an input holds is taken out of what is said of it', () => {
  const [source] = parseSources(
    one({ url: 'https://viewer:${CAM_PASSWORD}@cam/a.m3u8?token=q1w2e3', options: { headers: { 'X-Key': 'k3y-of-door' } } }),
    CONTEXT,
  );
  assert.ok(source);
  const said = source.input.redact(`${source.input.address} X-Key: k3y-of-door ${ENVIRONMENT.CAM_PASSWORD} q1w2e3 viewer`);
  for (const secret of ['p@ss', 'p%40ss', 'q1w2e3', 'k3y-of-door', 'viewer']) assert.ok(!said.includes(secret), said);
});

test('devices are taken by their format', () => {
  const text = JSON.stringify({
    sources: [
      { name: 'usb', device: '/dev/video0', options: { video_size: '1280x720', framerate: 30, input_format: 'mjpeg' } },
      { name: 'mac', device: '0', format: 'avfoundation' },
      { name: 'pc', device: 'video=Integrated Camera', format: 'dshow' },
    ],
  });
  assert.deepEqual(
    parseSources(text, { variables: {} }).map(({ input }) => [input.kind, input.address]),
    [
      ['v4l2', '/dev/video0'],
      ['avfoundation', '0'],
      ['dshow', 'video=Integrated Camera'],
    ],
  );
});

const REFUSED: readonly [string, object | string, RegExp][] = [
  [
    'a missing variable is named',
    { url: 'rtsp://u:${NO_SUCH}@cam/' },
    /source 1 'gate': field 'url': the environment variable NO_SUCH is not set/,
  ],
  ['an empty variable is missing', { url: 'rtsp://u:${EMPTY}@cam/' }, /variable EMPTY is not set/],
  ['a reference without a name', { url: 'rtsp://u:${}@cam/' }, /expects the name of an environment variable/],
  ['neither url nor device', {}, /either 'url' or 'device'/],
  ['both url and device', { url: 'rtsp://cam/', device: '/dev/video0' }, /either 'url' or 'device'/],
  ['an unknown field', { url: 'rtsp://cam/', pasword: 'x' }, /unknown field 'pasword'; known fields: name, url/],
  ['an unknown option', { url: 'rtsp://cam/', options: { i: '/etc/passwd' } }, /option 'i' is not known for rtsp; known: .*rtsp_transport/],
  ['an option of another kind', { url: 'http://cam/', options: { rtsp_transport: 'tcp' } }, /not known for http/],
  ['an option of the prototype', { url: 'rtsp://cam/', options: { constructor: 'x' } }, /not known for rtsp/],
  [
    'an option out of range',
    { url: 'rtsp://cam/', options: { rtsp_transport: 'pigeon' } },
    /option 'rtsp_transport': expected one of tcp, udp/,
  ],
  [
    'headers that bring their own lines',
    { url: 'http://cam/', options: { headers: { 'X-A': 'b\r\nHost: evil' } } },
    /option 'headers': expected one line/,
  ],
  ['a format that the scheme has none of', { url: 'rtsp://cam/', format: 'hls' }, /field 'format': expected nothing, rtsp needs none/],
  ['an unknown format', { url: 'http://cam/', format: 'concat' }, /field 'format': expected one of mpjpeg, mjpeg,/],
  ['a device without a format', { device: 'Camera' }, /field 'format': expected one of v4l2/],
  ['a device that is an option', { device: '-i', format: 'dshow' }, /field 'device'/],
  ['a v4l2 device outside /dev', { device: '/etc/passwd', format: 'v4l2' }, /below \/dev/],
  ['audio that is no truth', { url: 'rtsp://cam/', audio: 'yes' }, /field 'audio': expected true or false/],
  ['transcode that is neither', { url: 'rtsp://cam/', transcode: 'never' }, /field 'transcode': expected auto or always/],
  ['a name with a slash', { name: 'a/b', url: 'rtsp://cam/' }, /field 'name': expected 1 to 64/],
  ['a number for a name', 'sources: [{name: 1, url: "rtsp://cam/"}]', /field 'name'/],
  ['no list', 'cameras: []', /expected `sources:` with a list/],
  ['something beside the list', 'sources: []\nother: 1', /unknown at the top: 'other'/],
  ['an entry that is no object', 'sources: [rtsp://cam/]', /source 1: expected an object/],
  [
    'two of a name',
    'sources: [{name: a, url: "rtsp://cam/"}, {name: a, url: "rtsp://cam2/"}]',
    /the name 'a' is given to more than one source/,
  ],
  ['nothing', '', /expected `sources:`/],
  ['an alias to nowhere', 'sources: *s3cret', /(alias|bad alias)/],
  ['broken YAML', 'sources:\n  - name: a\n   url: "rtsp://u:s3cret@cam', /line 3, column \d+: [a-z ]+ \(expected YAML or JSON\)/],
];
for (const [what, given, message] of REFUSED) {
  test(`refused: ${what}`, () => {
    const text = typeof given === 'string' ? given : one(given);
    const faults = faultsOf(text).join('\n');
    assert.match(faults, message);
    assert.ok(!faults.includes('s3cret'), faults);
  });
}

for (const address of [
  'file:///etc/passwd',
  '/etc/passwd',
  'concat:a|b',
  'subfile,,start,0,end,9,,:/etc/passwd',
  'data:text/plain,x',
  'pipe:0',
  'unix:/run/x',
  'crypto:x',
  'tcp://cam:1',
  'udp://239.0.0.1:1',
  'ftp://cam/x',
  'rtsp:///x',
  'rtsp://',
  'http://a b/',
  'rtsp://cam/"x',
  'hls+file:///x',
  'rtsp://cam/{x}',
  'RTSP+x://cam/',
]) {
  test(`'${address}' is no address of a camera`, () => {
    assert.match(faultsOf(one({ url: address })).join(), /field 'url': expected a URL that begins with one of rtsp:\/\//);
  });
}

for (const password of ['1234/s3cret', 's3cret/1', '12?s3cret', '12#s3cret', 's3cret@b/c']) {
  for (const scheme of ['rtsp', 'http', 'rtmp']) {
    test(`a password as '${password}' that is not percent-encoded in an address of ${scheme} is refused with what to write`, () => {
      const faults = faultsOf(one({ url: `${scheme}://admin:${password}@10.0.0.5/live` })).join('\n');
      assert.match(faults, /cannot be told where the host is.*%2F for '\/'.*%40 for '@'/);
      assert.ok(!faults.includes('s3cret'), faults);
    });
  }
}

test('a password may be anything in a variable, and an address may hold a percent-encoded @', () => {
  assert.deepEqual(faultsOf(one({ url: 'rtsp://admin:a%2Fb%40c@10.0.0.5/live?user=x%40y' })), []);
  const [entry] = parseSources(one({ url: 'rtsp://admin:${P}@10.0.0.5/live' }), { variables: { P: '12/34?#@56' } });
  assert.equal(new URL(entry?.input.address ?? '').hostname, '10.0.0.5');
});

test('all faults come together, each with its source', () => {
  const faults = faultsOf(
    JSON.stringify({
      sources: [{ name: 'a', url: 'x' }, { url: 'rtsp://cam/' }, { name: 'b', device: '/dev/video0', options: { framerate: 'fast' } }, 7],
    }),
  );
  assert.equal(faults.length, 4);
  for (const [i, part] of [
    "source 1 'a': field 'url'",
    "source 2: field 'name'",
    "source 3 'b': option 'framerate'",
    'source 4: expected an object',
  ].entries())
    assert.ok(faults[i]?.includes(part), faults[i]);
});

test('no malformed file brings down the parser, or shows what is in it', () => {
  const random = seededRandom(11);
  const good = [
    'sources:',
    '  - name: gate',
    '    url: rtsp://viewer:Xs3cretX@10.0.0.5/a?t=Xs3cretX',
    '    options: {rtsp_transport: tcp}',
    '  - {name: b, device: /dev/video0, options: {headers: {K: Xs3cretX}}}',
    '',
  ].join('\n');
  const junk = [...Array.from('{}[]:,-&*!|>%@`"\'#\n\t ${}'), '&a ', '*a', '<<: *a', '- ', '? ', '--- ', '!!binary ', '\u0000', '\ud800'];
  let refusals = 0;
  for (let round = 0; round < 1500; round++) {
    let text = good;
    for (let n = 0; n <= random() * 4; n++) {
      const at = Math.floor(random() * text.length);
      text = text.slice(0, at) + (junk[Math.floor(random() * junk.length)] as string) + text.slice(at + Math.floor(random() * 4));
    }
    const faults = faultsOf(text).join('\n');
    if (faults !== '') refusals++;
    assert.ok(!faults.includes('s3cret'), `${text}\n${faults}`);
  }
  assert.ok(refusals > 500, `${refusals} refusals`);
});

test('a file that cannot be read is told by its name', () => {
  assert.throws(
    () => readSourcesFile('/nowhere/sources.yml', CONTEXT),
    (error: unknown) =>
      error instanceof MediaPeerError &&
      error.code === 'CONFIG_INVALID' &&
      /SOURCES_FILE '\/nowhere\/sources\.yml' cannot be read/.test(error.message),
  );
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sightline-sources-'));
  writeFileSync(path.join(folder, 'big.yml'), Buffer.alloc((1 << 20) + 1, 0x20));
  assert.throws(() => readSourcesFile(path.join(folder, 'big.yml'), CONTEXT), /larger than/);
  rmSync(folder, { recursive: true });
});

test('a second stream stands beside a url, is checked like one, and shares what both know of the options', () => {
  const low = (fields: object) => parseSources(one({ url: 'rtsp://10.0.0.5/1', ...fields }), CONTEXT)[0]?.low;
  assert.equal(low({}), undefined);
  const read = low({ low_url: 'rtsp://viewer:${CAM_PASSWORD}@10.0.0.5/2?t=q1w2', options: { rtsp_transport: 'udp' } });
  assert.equal(read?.address, 'rtsp://viewer:p%40ss%2Fw%3Frd%3A%231%20%C3%BC@10.0.0.5/2?t=q1w2');
  assert.deepEqual(read.options, { rtsp_transport: 'udp' });
  assert.doesNotMatch(read.redact(`${read.address} ${ENVIRONMENT.CAM_PASSWORD} q1w2`), /ss%2F|p@ss|q1w2/);
  const overHttp = low({ low_url: 'http://10.0.0.5/low.flv', options: { rtsp_transport: 'udp' } });
  assert.deepEqual([overHttp?.kind, overHttp?.options], ['http', {}]);
  const faults = (fields: object): string => faultsOf(one(fields)).join('\n');
  const expected = /field 'low_url': expected the URL of the camera's second, smaller stream/;
  assert.match(faults({ device: '/dev/video0', low_url: 'rtsp://cam/2' }), expected);
  assert.match(faults({ url: 'rtsp://cam/1', low_url: 'rtsp://cam/1' }), expected);
  assert.match(faults({ url: 'rtsp://cam/1', low_url: '' }), expected);
  assert.match(faults({ url: 'rtsp://cam/1', low_url: 5 }), expected);
  assert.match(faults({ url: 'rtsp://cam/1', low_url: 'file:///etc/passwd' }), /field 'low_url': expected a URL that begins with/);
  assert.match(faults({ url: 'rtsp://cam/1', low_url: 'rtsp://u:a/b@cam/2' }), /field 'low_url': an '@' stands behind/);
  assert.match(faults({ url: 'rtsp://cam/1', low_url: 'rtsp://${NOBODY}/2' }), /low_url.*NOBODY/);
});
