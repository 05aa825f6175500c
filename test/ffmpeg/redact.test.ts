import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redactor, redactShapes } from '../../src/ffmpeg/index.js';
import { StderrTail } from '../../src/ffmpeg/stderr-tail.js';
import { chunksOf } from '../helpers/ffmpeg-deps.js';
import { seededRandom } from '../helpers/random.js';

/** What ffmpeg 4.1 and 5.1 write with an address in it. */
const SAID: readonly ((address: string) => string)[] = [
  (url) => `${url}: Connection refused`,
  (url) => `[in#0 @ 0x5581] Error opening input: ${url}`,
  (url) => `[tcp @ 0x5f3] Connection to ${url}&timeout=0 failed: No route to host`,
  (url) => `[hls @ 0x1] Opening '${url}' for reading`,
  (url) => `[http @ 0x2] HTTP error 401 Unauthorized (${url})`,
  (url) => `Input #0, hls, from "${url}":`,
  (url) => `ffmpeg -rtsp_transport tcp -i ${url} -map 0:0 -c copy -f flv pipe:1`,
  (url) => `[rtsp @ 0x3] redirecting to ${encodeURIComponent(Buffer.from(url).toString())}`,
  (url) => `{"url":${JSON.stringify(url)}}`,
];

const SHAPES: readonly [string, RegExp][] = [
  ['rtsp://admin:hunter2@10.0.0.5/stream1: Connection refused', /^rtsp:\/\/\*\*\*@10\.0\.0\.5\/stream1: Connection refused$/],
  ['http://u:p%40ss@cam/x?token=hunter2&y=1 not found', /^http:\/\/\*\*\*@cam\/x\?\*\*\* not found$/],
  ['rtsp://admin:hun@ter2@cam/a', /^rtsp:\/\/\*\*\*@cam\/a$/],
  ['rtsp://admin:hun/ter2@cam/a', /^rtsp:\/\/\*\*\*@cam\/a$/],
  ['> Authorization: Digest username="admin", response="hunter2"', /^> Authorization: \*\*\*$/],
  ['proxy-authorization: Basic aHVudGVyMjpo', /^proxy-authorization: \*\*\*$/],
  ['Set-Cookie: sid=hunter2; path=/', /^Set-Cookie: \*\*\*$/],
  ['sending Basic aHVudGVyMjpo now', /^sending Basic \*\*\* now$/],
  ['password=hunter2, access_token: "hunter2"', /^password=\*\*\*, access_token: \*\*\*$/],
];

test('what looks like a credential is taken out, whoever it belongs to', () => {
  for (const [text, expected] of SHAPES) assert.match(redactShapes(text), expected);
});

test('an ordinary message stays as it is', () => {
  const text = '[h264 @ 0x55d] concealing 12 DC errors in P frame | Connection to tcp://10.0.0.5:554 failed: Connection refused';
  assert.equal(redactor(['s3cret'])(text), text);
});

test('no secret comes through, whatever it is made of, wherever it stands, and however it is spelled', () => {
  const random = seededRandom(4);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const alphabet = Array.from('abcXYZ0189@:/?#%&=+$!*()[]{};,.~^|\\\'"<> -_é漢😀\ud800');
  for (let round = 0; round < 3000; round++) {
    const secret = `S${Array.from({ length: 3 + Math.floor(random() * 14) }, () => pick(alphabet)).join('')}E`;
    const wellFormed = Buffer.from(secret).toString();
    const encoded = encodeURIComponent(wellFormed);
    const spelled = pick([secret, encoded, encodeURI(wellFormed), encoded.toLowerCase()]);
    const basic = Buffer.from(`admin:${wellFormed}`).toString('base64');
    const address = pick([
      `rtsp://admin:${spelled}@10.0.0.5:554/stream1`,
      `rtsps://${spelled}:x@cam.example/h264`,
      `http://cam.example/live.m3u8?token=${spelled}&x=1`,
      `https://a:b@cam.example/?a=${spelled}#frag`,
    ]);
    const text = pick([...SAID, () => `Authorization: Basic ${basic}`, () => `GET /x\r\nX-Camera-Key: ${spelled}\r\n`])(address);
    const shown = redactor([secret, `admin:${wellFormed}`])(text);
    const leaked = [secret, wellFormed, encoded, encodeURIComponent(encoded), basic].find((form) =>
      shown.toLowerCase().includes(form.toLowerCase()),
    );
    assert.equal(leaked, undefined, `round ${round}: ${JSON.stringify(text)} became ${JSON.stringify(shown)}`);
  }
});

test('a secret of characters that mean something in patterns is a secret all the same', () => {
  for (const secret of ['.*', 'a|b', '(', '[x', '$&', '\\', '-', '^$'])
    assert.ok(!redactor([secret])(`<${secret}>`).includes(secret), secret);
});

test('a secret that arrives in pieces, or at the cut of the tail, is taken out', () => {
  const random = seededRandom(9);
  const secret = 'hunter2-hunter2';
  for (let round = 0; round < 200; round++) {
    const tail = new StderrTail(redactor([secret]));
    const text = Array.from(
      { length: 80 },
      (_, i) => `line ${i} of x://u:${secret}@cam/${'y'.repeat(Math.floor(random() * 90))} ${secret}`,
    ).join('\n');
    for (const chunk of chunksOf(Buffer.from(text), random, 40)) {
      tail.push(chunk.toString());
      if (random() < 0.02) assert.ok(!/hunter|nter2/.test(tail.text));
    }
    assert.ok(!/hunter|nter2/.test(tail.text), tail.text);
    assert.ok(tail.text.length <= 4000 && tail.text.includes('line 78'));
  }
});

test('a line without an end costs no memory and shows nothing', () => {
  const tail = new StderrTail(redactor(['hunter2']));
  for (let i = 0; i < 100; i++) tail.push('x'.repeat(1000));
  tail.push('hunter2\nlast\n');
  assert.equal(tail.text, '(a line that is too long)\nlast\n');
});
