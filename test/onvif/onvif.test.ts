/** ONVIF against a camera in this process, and against what is none. */
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { systemClock, type Clock } from '../../src/base/clock.js';
import { MediaPeerError } from '../../src/base/errors.js';
import { RecentCalls } from '../../src/base/recent-calls.js';
import { ResourceLedger } from '../../src/base/resources.js';
import { Onvif } from '../../src/onvif/index.js';
import { within } from '../helpers/deadline.js';
import { testApp } from '../helpers/app.js';
import { FakeClock } from '../helpers/fake-clock.js';
import { FakeDevice, type FakeDeviceOptions } from './fake-device.js';

const never = new AbortController().signal;
const callsOf = (clock: Clock): RecentCalls => new RecentCalls({ clock, max: 3, periodMs: 60_000 });

async function rig(t: TestContext, options: FakeDeviceOptions = {}): Promise<{ device: FakeDevice; onvif: Onvif }> {
  const ledger = new ResourceLedger();
  const device = await FakeDevice.open(options);
  const clock = systemClock(ledger);
  const onvif = new Onvif({ clock, ledger, calls: callsOf(clock) });
  t.after(async () => {
    await onvif.close();
    await device.close();
    assert.deepEqual(
      Object.entries(ledger.snapshot()).filter(([, count]) => count > 0),
      [],
    );
  });
  return { device, onvif };
}

const camera = ({ host, user }: FakeDevice, password = user.password) => ({ address: host, user: user.name, password });
const refusedBy = (code: string, words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof MediaPeerError, String(error));
  assert.deepEqual([error.code, words.test(error.message)], [code, true], error.message);
  return true;
};

describe('the profiles of a camera', () => {
  for (const services of ['media2', 'media', 'none'] as const) {
    it(`are read with their streams, the largest first (services: ${services})`, async (t) => {
      const { device, onvif } = await rig(t, { services });
      const { profiles, main, low } = await onvif.profiles(camera(device), never);
      assert.deepEqual(profiles, [
        {
          name: 'main',
          token: 'p&0',
          url: 'rtsp://127.0.0.1:554/stream/1?a=1&b=2',
          codec: 'h265',
          widthPx: 2560,
          heightPx: 1440,
          fps: 25,
          bitrateBps: 4_096_000,
        },
        {
          name: 'sub',
          token: 'p1',
          url: 'rtsp://127.0.0.1:554/stream/0?a=1&b=2',
          codec: 'h264',
          widthPx: 640,
          heightPx: 360,
          fps: 15,
          bitrateBps: 512_000,
        },
        {
          name: 'jpeg',
          token: 'p2',
          url: 'rtsp://127.0.0.1:554/stream/2?a=1&b=2',
          codec: 'jpeg',
          widthPx: 320,
          heightPx: 180,
          fps: 5,
          bitrateBps: undefined,
        },
      ]);
      assert.deepEqual([main, low], [profiles[0]?.url, profiles[1]?.url]);
    });
  }

  it('are had whatever its clock says, and whatever host it believes to be', async (t) => {
    const { device, onvif } = await rig(t, { clockAheadMs: -86_400_000 * 400, statedHost: '192.0.2.1' });
    const { profiles } = await onvif.profiles({ ...camera(device), address: `http://${device.host}/onvif/device_service` }, never);
    assert.equal(profiles.length, 3);
  });

  it('need the password, and say so; nobody is asked more than three times a minute', async (t) => {
    const { device, onvif } = await rig(t);
    for (let i = 0; i < 3; i++)
      await assert.rejects(
        onvif.profiles(camera(device, 'guess'), never),
        refusedBy('ONVIF_FAILED', /refuses the user name or the password/),
      );
    const asked = device.asked.length;
    assert.ok(device.asked.filter((action) => action !== 'GetSystemDateAndTime').length <= 3, 'one guess a call: cameras lock accounts');
    await assert.rejects(onvif.profiles(camera(device), never), refusedBy('TOO_MANY_REQUESTS', /3 times within a minute/));
    assert.equal(device.asked.length, asked);
  });

  it('are asked for one at a time; who goes ends it', async (t) => {
    const silent: ServerResponse[] = [];
    const { device, onvif } = await rig(t, { answer: (_action, response) => silent.push(response) > 0 });
    const leaving = new AbortController();
    const first = onvif.profiles(camera(device), leaving.signal);
    await assert.rejects(onvif.discover([], 200, never), refusedBy('TOO_MANY_REQUESTS', /one question at a time/));
    leaving.abort(new Error('gone'));
    await assert.rejects(within(first, 3000, 'the end'), /gone/);
  });

  it('are not had of a name that is no camera', async (t) => {
    const { onvif } = await rig(t);
    for (const address of ['ftp://10.0.0.5/', 'http://user:pass@10.0.0.5/', 'rtsp://10.0.0.5/', 'a b', 'http://'])
      assert.throws(() => void onvif.profiles({ address, user: '', password: '' }, never), refusedBy('BODY_INVALID', /body\/address/));
    await assert.rejects(
      onvif.profiles({ address: '127.0.0.1:1', user: '', password: '' }, never),
      refusedBy('ONVIF_FAILED', /does not answer/),
    );
  });
});

describe('what a hostile camera answers', () => {
  const bomb = `<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "${'&lol;'.repeat(100)}">]><a>&lol2;</a>`;
  const envelope = (body: string): string => `<Envelope><Body>${body}</Body></Envelope>`;
  for (const [name, answer, words] of [
    ['an entity bomb', bomb, /no well-formed XML without a document type/],
    ['an external entity', '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', /without a document type/],
    ['an entity of its own', envelope('<A>&passwd;</A>'), /entity of its own/],
    ['10 MB', envelope(`<A>${'x'.repeat(10_000_000)}</A>`), /longer than 1 MiB/],
    ['depth', '<a>'.repeat(100_000), /more elements than any/],
    ['elements without number', envelope('<A/>'.repeat(100_000)), /more elements than any/],
    ['HTML', '<html><body><p>hello<br></body></html>', /closes nothing/],
    ['nothing', '', /ends too early/],
    ['half of it', '<Envelope><Body><A>', /ends too early/],
    ['an attribute without end', `<Envelope a="${'x '.repeat(100_000)}`, /no well-formed XML/],
    ['no body', '<Envelope/>', /nothing that was asked for/],
  ] as const)
    it(`${name} is refused in words, at once`, async (t) => {
      const { device, onvif } = await rig(t, {
        answer: (_action, response) => {
          response.end(answer);
          return true;
        },
      });
      await assert.rejects(within(onvif.profiles(camera(device), never), 5000, 'the refusal'), refusedBy('ONVIF_FAILED', words));
    });

  for (const date of ['275760 9 13', '275759 12 31', '10000 1 1', '9999 1 1', '-1 1 1', '1900 1 1', 'x y z'])
    it(`a date that no clock has (${date}) is none`, async (t) => {
      const [year, month, day] = date.split(' ');
      const time = '<Time><Hour>0</Hour><Minute>0</Minute><Second>0</Second></Time>';
      const utc = `<UTCDateTime>${time}<Date><Year>${year}</Year><Month>${month}</Month><Day>${day}</Day></Date></UTCDateTime>`;
      const { device, onvif } = await rig(t, {
        answer: (action, response) => {
          if (action !== 'GetSystemDateAndTime') return false;
          response.end(envelope(`<A><SystemDateAndTime>${utc}</SystemDateAndTime></A>`));
          return true;
        },
      });
      assert.equal((await onvif.profiles(camera(device), never)).profiles.length, 3);
    });

  it('numbers that no stream has are none', async (t) => {
    const numbers =
      '<Resolution><Width>1e308</Width><Height>-1</Height></Resolution><RateControl><BitrateLimit>1e306</BitrateLimit></RateControl>';
    const { device, onvif } = await rig(t, {
      answer: (action, response) => {
        if (action !== 'GetProfiles') return false;
        response.end(
          envelope(`<A><Profiles token="p1"><Configurations><VideoEncoder>${numbers}</VideoEncoder></Configurations></Profiles></A>`),
        );
        return true;
      },
    });
    const [profile] = (await onvif.profiles(camera(device), never)).profiles;
    assert.deepEqual([profile?.token, profile?.widthPx, profile?.heightPx, profile?.bitrateBps], ['p1', undefined, undefined, undefined]);
  });

  it('a redirect is not followed', async (t) => {
    const { device, onvif } = await rig(t, {
      answer: (_action, response) => {
        response.writeHead(302, { location: 'http://192.0.2.1/' }).end();
        return true;
      },
    });
    await assert.rejects(onvif.profiles(camera(device), never), refusedBy('ONVIF_FAILED', /redirects \(302\), which is not followed/));
  });

  it('without end is given up', async (t) => {
    const device = await FakeDevice.open({ answer: (_action, response) => response.write('<Envelope>') || true });
    const clock = new FakeClock();
    const onvif = new Onvif({ clock, ledger: new ResourceLedger(), calls: callsOf(clock) });
    t.after(async () => {
      await onvif.close();
      await device.close();
    });
    const asked = onvif.profiles(camera(device), never);
    const refused = assert.rejects(asked, refusedBy('ONVIF_FAILED', /did not answer within 20 s/));
    await clock.advance(20_000);
    await within(refused, 3000, 'the refusal');
    assert.equal(clock.pendingTimers, 0);
  });
});

describe('discovery', () => {
  it('finds those that answer, each once, and nothing of what is no answer', async (t) => {
    const { device, onvif } = await rig(t, {
      noise: (id) => [
        'not XML',
        Buffer.alloc(20_000, 0xff),
        '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        `<Envelope><Header><RelatesTo>urn:uuid:another</RelatesTo></Header><Body><ProbeMatches><ProbeMatch><XAddrs>http://192.0.2.1/</XAddrs></ProbeMatch></ProbeMatches></Body></Envelope>`,
        `<Envelope><Header><RelatesTo>${id}</RelatesTo></Header><Body><ProbeMatches><ProbeMatch><XAddrs>file:///etc/passwd javascript:1</XAddrs></ProbeMatch></ProbeMatches></Body></Envelope>`,
      ],
    });
    const devices = await onvif.discover([device.discoveryHost, device.discoveryHost], 500, never);
    assert.deepEqual(devices, [
      { address: `http://${device.host}/onvif/device_service`, ip: '127.0.0.1', name: 'Front Door', hardware: 'IPC-1' },
    ]);
    const { profiles } = await onvif.profiles({ ...camera(device), address: devices[0]?.address ?? '' }, never);
    assert.equal(profiles.length, 3);
  });

  it('takes so many answers and no more', async (t) => {
    const one = (id: string, i: number): string =>
      `<Envelope><Header><RelatesTo>${id}</RelatesTo></Header><Body><ProbeMatches><ProbeMatch><XAddrs>http://192.0.2.1/${i}</XAddrs></ProbeMatch></ProbeMatches></Body></Envelope>`;
    const { device, onvif } = await rig(t, { noise: (id) => Array.from({ length: 200 }, (_unused, i) => one(id, i)) });
    const devices = await onvif.discover([device.discoveryHost], 800, never);
    assert.ok(devices.length > 0 && devices.length <= 64, `${devices.length}`);
  });

  it('asks hosts alone', async (t) => {
    const { onvif } = await rig(t);
    for (const host of ['http://10.0.0.5', '10.0.0.5:0', '10.0.0.5:99999', 'a b', ''])
      assert.throws(() => void onvif.discover([host], 200, never), refusedBy('BODY_INVALID', /is no host/));
  });
});

describe('POST /sources/discover and POST /sources/onvif', () => {
  it('find a camera, and fill the form with its streams', async (t) => {
    const { device, onvif } = await rig(t);
    const app = await testApp({
      onvif: {
        discover: (hosts, waitMs, signal) => onvif.discover(hosts, waitMs, signal),
        profiles: (asked, signal) => onvif.profiles(asked, signal),
      },
    });
    t.after(() => app.close());
    const post = async (url: string, payload: object) => {
      const response = await app.inject({ method: 'POST', url, payload });
      return { status: response.statusCode, body: response.json<Readonly<Record<string, unknown>>>() };
    };
    const found = await post('/sources/discover', { hosts: [device.discoveryHost], wait_ms: 300 });
    const [first] = found.body['devices'] as { address: string; name: string }[];
    assert.deepEqual([found.status, first?.name], [200, 'Front Door']);

    const { user, password } = camera(device);
    const { status, body } = await post('/sources/onvif', { address: first?.address, user, password });
    const [main, sub] = body['profiles'] as Readonly<Record<string, unknown>>[];
    assert.deepEqual([status, body['url'], body['low_url']], [200, main?.['url'], sub?.['url']]);
    assert.deepEqual([sub?.['codec'], sub?.['width'], sub?.['height'], sub?.['bitrate_bps']], ['h264', 640, 360, 512_000]);

    const guess = await post('/sources/onvif', { address: device.host, user, password: 'guess' });
    assert.deepEqual([guess.status, guess.body['code']], [502, 'ONVIF_FAILED']);
    assert.ok(!JSON.stringify(guess.body).includes('guess'));
    for (const [url, payload] of [
      ['/sources/onvif', {}],
      ['/sources/onvif', { address: 'ftp://10.0.0.5' }],
      ['/sources/discover', { hosts: ['a b'] }],
      ['/sources/discover', { wait_ms: 60_000 }],
    ] as const)
      assert.deepEqual(Object.values(await post(url, payload))[0], 400, JSON.stringify(payload));
  });
});
