import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parseConfig, throwIfOpen, VARIABLES } from '../src/config.js';
import { MediaPeerError } from '../src/base/errors.js';
import { projectRoot } from './helpers/assets.js';

describe('parseConfig', () => {
  it('refuses an address that is cut at a character of its password', () => {
    for (const WEBHOOK_URL of ['http://user:12/34@hook.example/', 'https://user:12?x@hook.example', 'https://user:12#x@hook.example'])
      assert.throws(() => parseConfig({ WEBHOOK_URL }), /WEBHOOK_URL.*percent-encoded/s);
    assert.doesNotThrow(() => parseConfig({ WEBHOOK_URL: 'http://user:12%2F34@hook.example/a?b' }));
    for (const TURN_URLS of ['turn:user/x@turn.example', 'turn:user@turn.example'])
      assert.throws(() => parseConfig({ TURN_URLS, TURN_SECRET: 's' }), /TURN_URLS/);
  });

  it('has a working default for everything', () => {
    const config = parseConfig({});
    assert.equal(config.PORT, 8001);
    assert.equal(config.MAX_CONNECTIONS, 10);
    assert.deepEqual(config.LOG_LEVEL, { level: 'info', components: {} });
    assert.ok(Object.isFrozen(config));
  });

  it('reports all faults together, each with variable, value and range', () => {
    assert.throws(
      () => parseConfig({ PORT: '70000', MAX_CONNECTIONS: 'ten', LOG_LEVEL: 'loud', ICE_PORT_RANGE: '9-1' }),
      (error: unknown) => {
        assert.ok(error instanceof MediaPeerError);
        assert.equal(error.code, 'CONFIG_INVALID');
        assert.match(error.message, /invalid PORT: '70000' is not an integer in \[0, 65535\]/);
        for (const name of ['MAX_CONNECTIONS', 'LOG_LEVEL', 'ICE_PORT_RANGE']) assert.match(error.message, new RegExp(`invalid ${name}`));
        return true;
      },
    );
  });

  it('refuses addresses that could only fail once a client comes', () => {
    for (const ICE_ADDRESSES of ['10.0.0', '1.2.3.4,fe', '10.0.0.256', ':'])
      assert.throws(() => parseConfig({ ICE_ADDRESSES }), /invalid ICE_ADDRESSES/, ICE_ADDRESSES);
    assert.deepEqual(parseConfig({ ICE_ADDRESSES: '203.0.113.7, 2001:db8::1' }).ICE_ADDRESSES, ['203.0.113.7', '2001:db8::1']);
    for (const STUN_URLS of ['stuns:stun.example.com', 'stun:', 'stun:host:port', 'stun.example.com'])
      assert.throws(() => parseConfig({ STUN_URLS }), /invalid STUN_URLS/, STUN_URLS);
    for (const url of ['stun:stun.example.com', 'stun:192.0.2.1:3478', 'stun:[2001:db8::1]:3478'])
      assert.deepEqual(parseConfig({ STUN_URLS: url }).STUN_URLS, [url]);
  });

  it('has one UDP port for all clients, that of HTTP, unless it is told another one, or that each shall have its own', () => {
    assert.equal(parseConfig({}).ICE_UDP_PORT, undefined);
    assert.equal(parseConfig({ ICE_UDP_PORT: '9000' }).ICE_UDP_PORT, 9000);
    assert.equal(parseConfig({ ICE_UDP_PORT: 'any' }).ICE_UDP_PORT, 'any');
    for (const wrong of ['0', '65536', '-1', '1.5', 'all', '8001-8002'])
      assert.throws(() => parseConfig({ ICE_UDP_PORT: wrong }), {
        message: `invalid ICE_UDP_PORT: '${wrong}' is not an integer in [1, 65535], or any`,
      });
  });

  it('refuses ports that exclude each other, and says what may be the same', () => {
    for (const ICE_UDP_PORT of ['9000', 'any'])
      assert.throws(() => parseConfig({ ICE_UDP_PORT, ICE_PORT_RANGE: '40000-40100' }), {
        message: /^ICE_UDP_PORT and ICE_PORT_RANGE exclude each other: /,
      });
    assert.throws(() => parseConfig({ ICE_TCP_PORT: '8001' }), { message: /^ICE_TCP_PORT 8001 is PORT, on which HTTP is served: / });
    assert.throws(() => parseConfig({ PORT: '9000', ICE_TCP_PORT: '9000', ICE_UDP_PORT: '1' }), { message: /^ICE_TCP_PORT 9000 is PORT/ });
    assert.equal(parseConfig({ ICE_TCP_PORT: '9000', ICE_UDP_PORT: '9000' }).ICE_TCP_PORT, 9000);
    assert.deepEqual(parseConfig({ ICE_PORT_RANGE: '40000-40100' }).ICE_PORT_RANGE, [40_000, 40_100]);
    assert.equal(parseConfig({ PORT: '0', ICE_TCP_PORT: '0' }).PORT, 0);
  });

  it('refuses TURN servers without credentials, and credentials without servers', () => {
    assert.throws(
      () => parseConfig({ TURN_URLS: 'turn:turn.example' }),
      /TURN_URLS needs TURN_SECRET, or TURN_USERNAME and TURN_CREDENTIAL/,
    );
    assert.throws(
      () => parseConfig({ TURN_URLS: 'turn:turn.example', TURN_USERNAME: 'user' }),
      /TURN_USERNAME and TURN_CREDENTIAL go together/,
    );
    assert.throws(() => parseConfig({ TURN_SECRET: 's3cret' }), /TURN_SECRET is set, but TURN_URLS names no server/);
    assert.doesNotThrow(() => parseConfig({ TURN_URLS: 'turn:turn.example', TURN_SECRET: 's3cret' }));
    assert.doesNotThrow(() => parseConfig({ TURN_URLS: 'turn:turn.example', TURN_USERNAME: 'user', TURN_CREDENTIAL: 's3cret' }));
  });

  it('refuses one token for administrators and others, and what would name users but is not there', () => {
    const token = 'sixteen-letters!';
    assert.throws(() => parseConfig({ ADMIN_TOKEN: token, VIEWER_TOKEN: token }), { message: /^ADMIN_TOKEN stands in VIEWER_TOKEN, too/ });
    assert.throws(() => parseConfig({ ADMIN_TOKEN: token, PUBLISH_TOKENS: `gate=${token}` }), {
      message: /^ADMIN_TOKEN stands in PUBLISH_TOKENS, too/,
    });
    assert.doesNotThrow(() => parseConfig({ VIEWER_TOKEN: token, PUBLISH_TOKENS: `gate=${token}` }));
    for (const url of ['ftp://id.example', 'https://user:secret@id.example', 'id.example', 'http://']) {
      assert.throws(
        () => parseConfig({ AUTH_URL: url }),
        { message: /^invalid AUTH_URL: .* is not an http or https address without/ },
        url,
      );
      assert.throws(
        () => parseConfig({ AUTH_URL: url }),
        ({ message }: Error) => !message.includes('secret'),
      );
    }
    assert.doesNotThrow(() => throwIfOpen(parseConfig({ AUTH_URL: 'https://id.example/may?key=1', HOST: '0.0.0.0' })));
  });

  it('refuses tokens that can be guessed, and those that no header can carry', () => {
    for (const token of ['fifteen-letters', 'two words of any length', 's€cret-s€cret-s€cret', ' ', 'x'.repeat(513)]) {
      for (const name of ['ADMIN_TOKEN', 'VIEWER_TOKEN'])
        assert.throws(
          () => parseConfig({ [name]: token }),
          { message: `invalid ${name}: what it holds is not 16 to 512 printable ASCII characters without blanks` },
          token,
        );
      assert.throws(() => parseConfig({ PUBLISH_TOKENS: `gate=${token}` }), /invalid PUBLISH_TOKENS: [^]*16 to 512 printable ASCII/, token);
    }
    assert.equal(parseConfig({ ADMIN_TOKEN: 'sixteen-letters!' }).ADMIN_TOKEN, 'sixteen-letters!');
  });

  it('lets a server be reached by others only where somebody is named who may use it, or everybody may', () => {
    const isRefused = (variables: Readonly<Record<string, string>>): boolean => {
      try {
        throwIfOpen(parseConfig(variables));
        return false;
      } catch (error) {
        assert.match(
          (error as Error).message,
          /^(HOST \S+ lets others reach|TRUST_PROXY is set)[^.\n]*set ADMIN_TOKEN[^.\n]*ALLOW_ANONYMOUS=all to let everybody in$/,
        );
        return true;
      }
    };
    for (const HOST of ['0.0.0.0', '::', '192.0.2.1', 'box.example', '127.example.com']) {
      assert.ok(isRefused({ HOST }), HOST);
      for (const variables of [
        { ADMIN_TOKEN: 'sixteen-letters!' },
        { VIEWER_TOKEN: 'sixteen-letters!' },
        { PUBLISH_TOKENS: '*=sixteen-letters!' },
      ])
        assert.ok(!isRefused({ HOST, ...variables }), HOST);
      for (const ALLOW_ANONYMOUS of ['watch', 'all']) assert.ok(!isRefused({ HOST, ALLOW_ANONYMOUS }), HOST);
    }
    for (const HOST of ['127.0.0.1', '127.9.9.9', '::1', 'localhost']) {
      assert.ok(!isRefused({ HOST }), HOST);
      assert.ok(isRefused({ HOST, TRUST_PROXY: '127.0.0.1' }), HOST);
    }
  });

  it('never shows what may be a password', () => {
    const variables = {
      TURN_URLS: 'turn:user:s3cret@turn.example',
      WEBHOOK_URL: 'ftp://user:s3cret@hook.example/',
      VIEWER_TOKEN: 's3cret s3cret',
      PUBLISH_TOKENS: 's3cret',
      WEBHOOK_SECRET: 's3cret',
    };
    assert.throws(
      () => parseConfig(variables),
      (error: unknown) => {
        assert.ok(error instanceof MediaPeerError);
        assert.match(error.message, /invalid TURN_URLS: '\*\*\*@turn\.example'/);
        assert.doesNotMatch(error.message, /s3cret/);
        return true;
      },
    );
  });

  it('refuses an unknown variable with its own prefix and names the one that was meant', () => {
    assert.throws(() => parseConfig({ SIGHTLINE_PORT: '1' }), /unknown SIGHTLINE_PORT: did you mean PORT\?/);
  });

  it('sets the level of single components, by their old names, too', () => {
    assert.deepEqual(parseConfig({ LOG_LEVEL: 'warn,peer=debug' }).LOG_LEVEL, { level: 'warn', components: { webrtc: 'debug' } });
    assert.deepEqual(parseConfig({ LOG_LEVEL: 'http=debug,webrtc=error' }).LOG_LEVEL, {
      level: 'info',
      components: { http: 'debug', ws: 'debug', webrtc: 'error' },
    });
  });

  it('reads ladders, the best rung first', () => {
    const item = (shortSidePx: number, kbps: number) => ({ shortSidePx, bitrateBps: 1000 * kbps });
    const read: readonly (readonly [string, unknown])[] = [
      ['auto', 'auto'],
      ['', 'auto'],
      ['off', []],
      ['360p:550', [item(360, 550)]],
      ['720p:1800,540p:1100, 360p:550 ,180p:180', [item(720, 1800), item(540, 1100), item(360, 550), item(180, 180)]],
      ['180p:180,360p:550', [item(360, 550), item(180, 180)]],
      ['16p:10', [item(16, 10)]],
      ['4320p:100000', [item(4320, 100_000)]],
    ];
    for (const [text, expected] of read) assert.deepEqual(parseConfig({ LADDER: text }).LADDER, expected, text);
  });

  it('refuses ladders that make no sense, and says what is wrong', () => {
    const wrong: readonly (readonly [string, RegExp])[] = [
      ['360p:550,360p:500', /360p stands in it twice/],
      ['540p:500,360p:550', /360p takes no less than the next larger one/],
      ['360p:550,540p:550', /360p takes no less/],
      ['0p:100', /0p is not in \[16p, 4320p\]/],
      ['361p:500', /361p is odd/],
      ['8640p:500', /8640p is not in/],
      ['360p:0', /0 kbit\/s is not in \[10, 100000\]/],
      ['360p:999999', /999999 kbit\/s is not in/],
      ['360p', /'360p' is not of that form/],
      ['360:550', /'360:550' is not of that form/],
      ['360p:550kbit', /not of that form/],
      ['360p:-5', /not of that form/],
      ['640x360:550', /not of that form/],
      ['360p:5.5', /not of that form/],
      ['360p:550,', /'' is not of that form/],
      ['auto,360p:550', /'auto' is not of that form/],
      ['on', /'on' is not of that form/],
      [Array.from({ length: 17 }, (_unused, i) => `${400 - 2 * i}p:${600 - i}`).join(','), /it has 17 rungs/],
    ];
    for (const [text, why] of wrong) {
      assert.throws(
        () => parseConfig({ LADDER: text }),
        (error: unknown) => {
          assert.ok(error instanceof MediaPeerError);
          assert.match(error.message, /^invalid LADDER: '.*' is not auto, off, or up to 16 heights with kbit\/s/);
          assert.match(error.message, why);
          return true;
        },
        text,
      );
    }
  });

  it('hides credentials in what it explains, too', () => {
    assert.throws(
      () => parseConfig({ LADDER: 'rtsp://user:hidden@camera' }),
      (error: Error) => !error.message.includes('hidden'),
    );
  });

  it('tells an empty list of origins from one that is not set', () => {
    assert.deepEqual(parseConfig({ CORS_ORIGINS: '' }).CORS_ORIGINS, []);
    assert.deepEqual(parseConfig({}).CORS_ORIGINS, ['*']);
  });
});

describe('WHIP_OUT', () => {
  const read = (WHIP_OUT: string): unknown => parseConfig({ WHIP_OUT }).WHIP_OUT;

  it('names sources and addresses, which may hold commas and equals signs', () => {
    assert.deepEqual(read(' gate=https://token@media.example/whip/gate?a=1,2&b=x,y=z , yard/processed=http://10.0.0.1:8889/yard/whip,'), [
      { sourceId: 'gate', rendition: 'raw', url: 'https://token@media.example/whip/gate?a=1,2&b=x,y=z' },
      { sourceId: 'yard', rendition: 'processed', url: 'http://10.0.0.1:8889/yard/whip' },
    ]);
    assert.deepEqual(read('gate=http://one.example/,gate=http://two.example/'), [
      { sourceId: 'gate', rendition: 'raw', url: 'http://one.example/' },
      { sourceId: 'gate', rendition: 'raw', url: 'http://two.example/' },
    ]);
    assert.deepEqual(read(''), []);
  });

  it('is refused as a whole where a pair is wrong, without a word of what it holds', () => {
    for (const wrong of [
      'gate',
      'gate=',
      'gate=ftp://secret@media.example/',
      'gate=media.example/whip',
      'gate/boxes=http://secret@media.example/',
      'two words=http://secret@media.example/',
      'gate=http://secret@media.example/ yard=http://secret@media.example/',
      'gate=http://secret@media.example/,gate=http://secret@media.example/',
      'gate=http://secret@media.example/,yard=https://',
    ])
      assert.throws(
        () => read(wrong),
        ({ message }: Error) =>
          message.includes('invalid WHIP_OUT: what it holds is not source=address pairs') && !message.includes('secret'),
        wrong,
      );
  });
});

describe('docs/configuration.md', () => {
  it('lists every variable with its default, its description and what is allowed, and no other', () => {
    const table = readFileSync(`${projectRoot}/docs/configuration.md`, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('| `'));
    const expected = Object.entries(VARIABLES).map(
      ([name, variable]) => `| \`${name}\` | ${variable.shownDefault} | ${variable.description} | ${variable.allowed} |`,
    );
    assert.deepEqual(table, expected);
  });
});
