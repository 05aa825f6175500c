/** What this server relies on in werift's DTLS: another version that does it differently fails here, in words. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertDtlsShape } from '../../../src/webrtc/transport/werift-dtls.js';
import { SRTP_AEAD_AES_128_GCM } from '../../../src/webrtc/transport/srtp-keys.js';
import { eventually } from '../../helpers/deadline.js';
import { dtlsPair } from './dtls-pair.js';

describe('the version of werift that is installed', () => {
  it('has all that is used of its DTLS', () => assertDtlsShape());

  it('carries a handshake by our datagrams, agrees on the cheaper profile and gives both sides the same keys', async () => {
    const { server, client } = await dtlsPair();
    assert.equal(server.dtls.carrier.association, undefined);
    server.dtls.start();
    assert.ok(server.dtls.carrier.association, 'it takes datagrams at once');
    client.dtls.start();
    await eventually(() => server.keys && client.keys, 10_000, 'the handshake');
    assert.deepEqual([server.told, client.told], [['connected'], ['connected']]);
    assert.equal(server.keys?.local.profile, SRTP_AEAD_AES_128_GCM);
    assert.deepEqual([server.keys.local, server.keys.remote], [client.keys?.remote, client.keys?.local]);
    assert.equal(Reflect.get(server.dtls.carrier.transport, 'srtp'), undefined, 'its own SRTP stays off');
    await client.dtls.close();
    await eventually(() => server.told.includes('left'), 3000, 'the goodbye');
    await server.dtls.close();
  });

  it('hears the first flight of a client that began before', async () => {
    const { server, client } = await dtlsPair();
    client.dtls.start();
    await eventually(() => client.delivered > 0, 3000, 'the first flight');
    server.dtls.start();
    await eventually(() => server.keys && client.keys, 10_000, 'the handshake');
    await Promise.all([client.dtls.close(), server.dtls.close()]);
  });

  it('says that a certificate is not the announced one', async () => {
    const { server, client } = await dtlsPair(`sha-256 ${Array.from({ length: 32 }, () => 'AB').join(':')}`);
    server.dtls.start();
    client.dtls.start();
    await eventually(() => server.told.length > 0, 10_000, 'the end');
    assert.match(server.told[0] ?? '', /^failed: .*fingerprint/);
    assert.equal(server.keys, undefined);
    await Promise.all([client.dtls.close(), server.dtls.close()]);
  });
});
