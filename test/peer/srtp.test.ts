import assert from 'node:assert/strict';
import { createCipheriv, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { SrtcpSession, SrtpSession } from 'werift';
import { saltBytes, SRTP_AEAD_AES_128_GCM, SRTP_AES128_CM_HMAC_SHA1_80, srtpOverheadBytes, SrtcpReceiver, SrtpSender, type SrtpProfile } from '../../src/peer/srtp.js';

const profiles: readonly SrtpProfile[] = [SRTP_AEAD_AES_128_GCM, SRTP_AES128_CM_HMAC_SHA1_80];

function keys(profile: SrtpProfile) {
  const key = randomBytes(16);
  const salt = randomBytes(saltBytes(profile));
  const config = { profile, keys: { localMasterKey: key, localMasterSalt: salt, remoteMasterKey: key, remoteMasterSalt: salt } };
  return { ours: { profile, key, salt }, theirs: { rtp: new SrtpSession(config), rtcp: new SrtcpSession(config) } };
}

function header(sequenceNumber: number): Buffer {
  const fixed = Buffer.from('80e00000000004d2deadbeef', 'hex');
  fixed.writeUInt16BE(sequenceNumber, 2);
  return fixed;
}

for (const profile of profiles) {
  const name = profile === SRTP_AEAD_AES_128_GCM ? 'AEAD_AES_128_GCM' : 'AES_CM_128_HMAC_SHA1_80';

  test(`${name}: RTP is what another implementation opens, across a wrap of the sequence number`, () => {
    const { ours, theirs } = keys(profile);
    const sender = new SrtpSender(ours);
    const out = Buffer.alloc(2000, 0xee);
    for (let index = 65_530; index < 65_542; index++) {
      const payload = randomBytes(1160);
      const size = sender.protectRtp(header(index % 65536), payload, index, out, 7);
      assert.equal(size, 12 + 1160 + srtpOverheadBytes(profile));
      const opened = theirs.rtp.decrypt(Buffer.from(out.subarray(7, 7 + size)));
      assert.deepEqual(opened, Buffer.concat([header(index % 65536), payload]));
    }
    assert.equal(out[6], 0xee);
  });

  test(`${name}: RTCP passes in both directions, a changed or repeated packet does not`, () => {
    const { ours, theirs } = keys(profile);
    const sender = new SrtpSender(ours);
    const receiver = new SrtcpReceiver(ours);
    const compound = Buffer.concat([Buffer.from('80c90001deadbeef', 'hex'), Buffer.from('81ca0002deadbeef01000000', 'hex')]);
    for (let i = 0; i < 3; i++) assert.deepEqual(theirs.rtcp.decrypt(sender.protectRtcp(compound)), compound);
    const packets = Array.from({ length: 70 }, () => theirs.rtcp.encrypt(compound));
    const [first, second, third] = packets as [Buffer, Buffer, Buffer];
    assert.deepEqual(receiver.unprotect(second), compound);
    assert.deepEqual(receiver.unprotect(first), compound, 'out of order');
    assert.equal(receiver.unprotect(second), undefined, 'again');
    const changed = Buffer.from(third);
    changed[9] = (changed[9] ?? 0) ^ 1;
    assert.equal(receiver.unprotect(changed), undefined, 'changed');
    assert.deepEqual(receiver.unprotect(packets[66] as Buffer), compound);
    assert.deepEqual(receiver.unprotect(packets[3] as Buffer), compound, '63 behind the newest');
    assert.equal(receiver.unprotect(packets[3] as Buffer), undefined, '63 behind the newest, again');
    assert.equal(receiver.unprotect(third), undefined, 'too old');
    assert.equal(receiver.unprotect(Buffer.alloc(9)), undefined, 'too short');
  });
}

test('AES-CM session keys are those of RFC 3711 appendix B.3', () => {
  // B.3 gives the cipher salt and key; a packet of zeros under them shows the keystream.
  const key = Buffer.from('e1f97a0d3e018be0d64fa32c06de4139', 'hex');
  const salt = Buffer.from('0ec675ad498afeebb6960b3aabe6', 'hex');
  const sender = new SrtpSender({ profile: SRTP_AES128_CM_HMAC_SHA1_80, key, salt });
  const out = Buffer.alloc(100);
  const zeroHeader = Buffer.alloc(12);
  const size = sender.protectRtp(zeroHeader, Buffer.alloc(16), 0, out, 0);
  assert.equal(size, 38);
  // AES-128-ECB(C61E7A93744F39EE10734AFE3FF7A087, 30CBBC08863D8C85D49DB34A9AE1 || 0000).
  assert.equal(out.subarray(12, 28).toString('hex'), firstKeystreamBlock('c61e7a93744f39ee10734afe3ff7a087', '30cbbc08863d8c85d49db34a9ae10000'));
});

function firstKeystreamBlock(key: string, block: string): string {
  const cipher = createCipheriv('aes-128-ecb', Buffer.from(key, 'hex'), null);
  return cipher.update(Buffer.from(block, 'hex')).toString('hex');
}
