import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compileRanges } from '../../src/base/address-ranges.js';
import { addressGroup, clientIp } from '../../src/http/client-address.js';
import { testApp } from '../helpers/app.js';

describe('whose requests count together', () => {
  it('is an IPv4 address, also where IPv6 carries it', () => {
    for (const address of ['192.0.2.7', '::ffff:192.0.2.7', '::ffff:c000:207', '0:0:0:0:0:ffff:192.0.2.7'])
      assert.equal(addressGroup(address), '192.0.2.7', address);
  });

  it('is a /64 of IPv6, however it is written', () => {
    for (const address of ['2001:db8:1:2::1', '2001:0db8:0001:0002:ffff::', '2001:db8:1:2:a:b:192.0.2.1'])
      assert.equal(addressGroup(address), '2001:db8:1:2::/64', address);
    assert.notEqual(addressGroup('2001:db8:1:3::1'), addressGroup('2001:db8:1:2::1'));
    assert.equal(addressGroup('fe80::1%eth0'), 'fe80:0:0:0::/64');
    assert.equal(addressGroup('::1'), '0:0:0:0::/64');
  });
});

describe('a client behind a proxy', () => {
  const isTrusted = compileRanges(['10.0.0.0/8', '2001:db8::/32', '192.0.2.1']);
  const addressOf = (connected: string, xForwardedFor?: string, forwarded?: string): string =>
    clientIp(connected, { xForwardedFor, forwarded }, isTrusted);

  it('is the last hop that is no trusted proxy, whatever the client wrote before it', () => {
    assert.equal(addressOf('10.0.0.1', '198.51.100.9'), '198.51.100.9');
    assert.equal(addressOf('10.0.0.1', '1.1.1.1, 198.51.100.9, 10.2.3.4'), '198.51.100.9');
    assert.equal(addressOf('::ffff:10.0.0.1', '198.51.100.9'), '198.51.100.9');
    assert.equal(addressOf('2001:db8::5', '198.51.100.9, 192.0.2.1'), '198.51.100.9');
    assert.equal(addressOf('10.0.0.1', '10.9.9.9, 10.2.3.4'), '10.9.9.9', 'all hops are proxies');
  });

  it('is told by Forwarded, too, with ports and brackets as they come', () => {
    assert.equal(addressOf('10.0.0.1', undefined, 'for=1.1.1.1, For="198.51.100.9:4711";proto=https'), '198.51.100.9');
    assert.equal(addressOf('10.0.0.1', undefined, 'proto=https;for="[2001:4860::1]:443"'), '2001:4860::1');
    assert.equal(addressOf('10.0.0.1', '198.51.100.9:5000'), '198.51.100.9');
  });

  it('is the proxy where nothing was told, and nobody where that cannot be used, or two things were told', () => {
    assert.equal(addressOf('10.0.0.1'), '10.0.0.1');
    for (const told of ['unknown', '198.51.100.9, nonsense']) assert.equal(addressOf('10.0.0.1', told), '', told);
    assert.equal(addressOf('10.0.0.1', '198.51.100.9', 'for=198.51.100.8'), '');
    assert.equal(addressOf('10.0.0.1', '198.51.100.9', 'for=unknown'), '');
    assert.equal(addressOf('10.0.0.1', '198.51.100.9', 'for=198.51.100.9'), '198.51.100.9');
  });

  it('is never believed what it forwards where the proxy is not named', () => {
    assert.equal(addressOf('203.0.113.4', '198.51.100.9', 'for=198.51.100.9'), '203.0.113.4');
    assert.equal(clientIp('10.0.0.1', { xForwardedFor: '198.51.100.9' }, compileRanges([])), '10.0.0.1');
  });

  it('has limits of its own', async () => {
    const accepted: (string | undefined)[] = [];
    const accept = ({ address }: { address?: string | undefined }): Promise<never> =>
      Promise.reject(new Error(String(accepted.push(address))));
    const app = await testApp({ trustedProxies: ['127.0.0.1'], offer: { rateLimit: 1, sessions: { accept } } });
    const offer = async (xForwardedFor: string): Promise<number> =>
      (
        await app.inject({
          method: 'POST',
          url: '/offer',
          headers: { 'x-forwarded-for': xForwardedFor },
          payload: { sdp: 'v=0', type: 'offer' },
        })
      ).statusCode;
    assert.deepEqual(
      [
        await offer('198.51.100.1'),
        await offer('198.51.100.1'),
        await offer('198.51.100.2'),
        await offer('2001:4860::1'),
        await offer('2001:4860::2'),
      ],
      [500, 429, 500, 500, 429],
    );
    assert.deepEqual(accepted, ['198.51.100.1', '198.51.100.2', '2001:4860:0:0::/64']);
    await app.close();
  });
});
