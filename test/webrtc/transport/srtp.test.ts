import assert from 'node:assert/strict';
import { createCipheriv, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { RtpHeader, SrtcpSession, SrtpSession } from 'werift';
import { seededRandom } from '../../helpers/random.js';
import { SrtcpReceiver } from '../../../src/webrtc/transport/srtcp-receiver.js';
import {
  saltBytes,
  SRTP_AEAD_AES_128_GCM,
  SRTP_AES128_CM_HMAC_SHA1_80,
  srtpOverheadBytes,
  type SrtpProfile,
} from '../../../src/webrtc/transport/srtp-keys.js';
import { SrtpReceiver } from '../../../src/webrtc/transport/srtp-receiver.js';
import { SrtpSender } from '../../../src/webrtc/transport/srtp-sender.js';

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

for (const profile of profiles) {
  const name = profile === SRTP_AEAD_AES_128_GCM ? 'AEAD_AES_128_GCM' : 'AES_CM_128_HMAC_SHA1_80';

  /** Protected packets of these indexes, each of them with its index as its payload. */
  const protectedPackets = (sender: SrtpSender, indexes: readonly number[], ssrc = 0xdeadbeef): Buffer[] =>
    indexes.map((index) => {
      const out = Buffer.alloc(100);
      const fixed = header(index % 65536);
      fixed.writeUInt32BE(ssrc, 8);
      return Buffer.from(out.subarray(0, sender.protectRtp(fixed, Buffer.from(String(index)), index, out, 0)));
    });
  const payloadOf = (packet: Buffer | undefined): string | undefined => packet?.subarray(12).toString();

  test(`${name}: RTP of another implementation is opened, header extensions and CSRCs included`, () => {
    const { ours, theirs } = keys(profile);
    const receiver = new SrtpReceiver(ours);
    for (let sequenceNumber = 65_500; sequenceNumber < 65_600; sequenceNumber++) {
      const rtp = new RtpHeader({
        sequenceNumber: sequenceNumber % 65536,
        timestamp: 7,
        ssrc: 5,
        payloadType: 96,
        csrc: [1, 2],
        extension: true,
        extensionProfile: 0xbede,
        extensions: [{ id: 3, payload: Buffer.from([1, 2]) }],
      });
      rtp.csrcLength = 2;
      const payload = randomBytes(sequenceNumber - 65_500);
      const encrypted = theirs.rtp.encrypt(payload, rtp);
      assert.deepEqual(receiver.unprotect(encrypted), Buffer.concat([rtp.serialize(rtp.serializeSize), payload]));
    }
  });

  test(`${name}: the rollover counter follows reordered packets over several wraps`, () => {
    const { ours } = keys(profile);
    const sender = new SrtpSender(ours);
    const receiver = new SrtpReceiver(ours);
    const indexes = Array.from({ length: 800 }, (_, i) => 30_000 + i * 300).flatMap((index, i) =>
      i % 3 === 2 ? [] : i % 3 === 0 ? [index + 300, index] : [],
    );
    for (const [i, packet] of protectedPackets(sender, indexes).entries())
      assert.equal(payloadOf(receiver.unprotect(packet)), String(indexes[i]));
    assert.ok(indexes.at(-1)! > 3 * 65_536);
  });

  test(`${name}: a packet is opened once, and not when it is further back than the window`, () => {
    const { ours } = keys(profile);
    const receiver = new SrtpReceiver(ours);
    const sender = new SrtpSender(ours);
    const [old, edge, lost, newest, next] = protectedPackets(sender, [1000, 1001, 1500, 2024, 3300]) as [
      Buffer,
      Buffer,
      Buffer,
      Buffer,
      Buffer,
    ];
    assert.equal(payloadOf(receiver.unprotect(newest)), '2024');
    assert.equal(receiver.unprotect(newest), undefined, 'again');
    assert.equal(payloadOf(receiver.unprotect(edge)), '1001', '1023 behind the newest');
    assert.equal(receiver.unprotect(edge), undefined, '1023 behind the newest, again');
    assert.equal(receiver.unprotect(old), undefined, '1024 behind the newest');
    assert.equal(payloadOf(receiver.unprotect(next)), '3300');
    assert.equal(receiver.unprotect(lost), undefined, 'behind the window');
    assert.equal(payloadOf(receiver.unprotect(protectedPackets(sender, [3048])[0]!)), '3048', 'the place of 2024, one round later');
  });

  test(`${name}: a forged packet changes nothing`, () => {
    const { ours } = keys(profile);
    const receiver = new SrtpReceiver(ours);
    const sender = new SrtpSender(ours);
    const [first, second] = protectedPackets(sender, [10, 11]) as [Buffer, Buffer];
    assert.ok(receiver.unprotect(first));
    for (let at = 1; at < second.length; at++) {
      const forged = Buffer.from(second);
      forged[at] = (forged[at] ?? 0) ^ 0x20;
      assert.equal(receiver.unprotect(forged), undefined, `byte ${at}`);
    }
    assert.equal(payloadOf(receiver.unprotect(second)), '11');
  });

  test(`${name}: sources beyond the bound displace the one that was quiet for longest`, () => {
    const { ours } = keys(profile);
    const receiver = new SrtpReceiver(ours);
    const sender = new SrtpSender(ours);
    for (let ssrc = 1; ssrc <= 64; ssrc++) assert.ok(receiver.unprotect(protectedPackets(sender, [5], ssrc)[0]!));
    assert.ok(receiver.unprotect(protectedPackets(sender, [6], 1)[0]!));
    assert.ok(receiver.unprotect(protectedPackets(sender, [5], 65)[0]!));
    assert.equal(receiver.unprotect(protectedPackets(sender, [6], 1)[0]!), undefined, 'still known');
  });

  test(`${name}: random bytes and cut packets are not opened, and never throw`, () => {
    const { ours } = keys(profile);
    const receiver = new SrtpReceiver(ours);
    const random = seededRandom(4);
    const [good] = protectedPackets(new SrtpSender(ours), [10]) as [Buffer];
    for (let round = 0; round < 5000; round++) {
      const data =
        round % 2 === 0 ? Buffer.from(good.subarray(0, Math.floor(random() * good.length))) : randomBytes(Math.floor(random() * 60));
      if (data.length > 0) data[0] = 0x80 | Math.floor(random() * 64);
      assert.equal(receiver.unprotect(data), undefined);
    }
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
  assert.equal(
    out.subarray(12, 28).toString('hex'),
    firstKeystreamBlock('c61e7a93744f39ee10734afe3ff7a087', '30cbbc08863d8c85d49db34a9ae10000'),
  );
});

function firstKeystreamBlock(key: string, block: string): string {
  const cipher = createCipheriv('aes-128-ecb', Buffer.from(key, 'hex'), null);
  return cipher.update(Buffer.from(block, 'hex')).toString('hex');
}
