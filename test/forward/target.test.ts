import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { iceServersOf } from '../../src/forward/links.js';
import { forwardId, readTarget } from '../../src/forward/target.js';

describe('the target of a forward', () => {
  it('takes a user name for a bearer token, with a password for Basic credentials, and shows neither', () => {
    const bearer = readTarget('https://Ev%2FTb@media.example/whip/gate?key=secret#x');
    assert.deepEqual(
      [bearer.url.href, bearer.authorization, bearer.shown],
      ['https://media.example/whip/gate?key=secret', 'Bearer Ev/Tb', 'https://media.example/whip/gate?***'],
    );
    assert.deepEqual([...bearer.secrets].sort(), ['Ev%2FTb', 'Ev/Tb', 'secret']);
    const basic = readTarget('http://user:p%40ss@media.example:8889/gate/whip');
    assert.deepEqual(
      [basic.authorization, basic.shown],
      [`Basic ${Buffer.from('user:p@ss').toString('base64')}`, 'http://media.example:8889/gate/whip'],
    );
    assert.equal(readTarget('http://media.example/', 'token').authorization, 'Bearer token');
    assert.equal(readTarget('http://media.example/').authorization, undefined);
  });

  it('says what is wrong with an address', () => {
    for (const [address, token, why] of [
      ['ftp://media.example/', undefined, /http or https/],
      ['file:///etc/passwd', undefined, /http or https/],
      ['javascript:alert(1)', undefined, /http or https/],
      ['http://', undefined, /http or https/],
      ['media.example/whip', undefined, /http or https/],
      ['http://a b/', undefined, /http or https/],
      [`http://media.example/${'a'.repeat(2048)}`, undefined, /2048/],
      ['http://token@media.example/', 'other', /name one/],
      ['http://%zz@media.example/', undefined, /hexadecimal/],
      ['http://media.example/', 'two words', /printable/],
      ['http://media.example/', 'line\r\nx-evil: 1', /printable/],
      ['http://%0d%0ax@media.example/', undefined, /printable/],
    ] as const)
      assert.throws(() => readTarget(address, token), { code: 'BODY_INVALID', message: why }, address);
  });

  it('has an id that depends on source and address, and not on what is shown to get in', () => {
    const id = forwardId('gate', readTarget('https://one@media.example/whip/gate'));
    assert.match(id, /^[A-Za-z0-9]{6,12}$/);
    assert.equal(forwardId('gate', readTarget('https://media.example:443/whip/gate', 'two')), id);
    assert.notEqual(forwardId('yard', readTarget('https://media.example/whip/gate')), id);
    assert.notEqual(forwardId('gate', readTarget('https://media.example/whip/yard')), id);
  });
});

describe('Link headers', () => {
  it('name ICE servers, with quoted and plain values, beside other links', () => {
    const header =
      '<stun:stun.example:3478>; rel="ice-server", <https://x.example/a,b>; rel="next", <turn:turn.example?transport=udp>; rel=ice-server; username="1:us\\"er"; credential="a, b;c"; credential-type="password"';
    assert.deepEqual(iceServersOf(header), [
      { urls: ['stun:stun.example:3478'], username: undefined, credential: undefined },
      { urls: ['turn:turn.example?transport=udp'], username: '1:us"er', credential: 'a, b;c' },
    ]);
  });

  it('name four at most, and nothing where they are malformed', () => {
    assert.equal(iceServersOf(Array.from({ length: 20 }, (_, i) => `<stun:s${i}.example>; rel="ice-server"`).join(', ')).length, 4);
    for (const header of [
      null,
      '',
      '<',
      '<>; rel="ice-server"',
      '<http://x>; rel="ice-server"',
      '<stun:x>',
      '<stun:x>; rel="ice-server',
      ';'.repeat(9000),
    ])
      assert.deepEqual(iceServersOf(header), [], String(header).slice(0, 40));
  });

  it('are read in a moment, whatever they hold', () => {
    const startedMs = performance.now();
    for (const part of ['<stun:x>; a="', '<stun:x>;   ', '<stun:x>; a=b; ', '<'.repeat(3), '<stun:x>; a="\\'])
      iceServersOf(part.repeat(16_384 / part.length));
    assert.ok(performance.now() - startedMs < 2000);
  });
});
