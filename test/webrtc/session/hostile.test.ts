import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { classes, Message, methods, parseMessage } from 'werift';
import { MediaPeerError } from '../../../src/base/errors.js';
import { eventually, within } from '../../helpers/deadline.js';
import { WeriftViewer } from '../../helpers/werift-viewer.js';
import { offer, offerNames } from '../offers.js';
import { Rig } from '../rig.js';

function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => (state = (state * 48_271) % 2_147_483_647) % below;
}

/** One to three random faults: lines dropped, doubled, moved, cut; bytes flipped; numbers blown up. */
function mutate(sdp: string, random: (below: number) => number): string {
  let lines = sdp.split('\r\n');
  for (let faults = 1 + random(3); faults > 0; faults--) {
    const at = random(lines.length);
    const line = lines[at] ?? '';
    switch (random(9)) {
      case 0:
        lines.splice(at, 1 + random(5));
        break;
      case 1:
        lines.splice(at, 0, line, line);
        break;
      case 2:
        lines.splice(random(lines.length), 0, ...lines.splice(at, 1 + random(4)));
        break;
      case 3:
        lines[at] = line.slice(0, random(line.length + 1));
        break;
      case 4: {
        const bytes = Buffer.from(line);
        if (bytes.length > 0) bytes[random(bytes.length)] = random(256);
        lines[at] = bytes.toString('latin1');
        break;
      }
      case 5:
        lines[at] = line.replace(/[0-9]+/, ['99999999999999999999', '-1', '0', '4294967296', '1e9', '65536'][random(6)] ?? '');
        break;
      case 6:
        lines[at] = `${line}${'A'.repeat(random(5000))}`;
        break;
      case 7:
        lines[at] = line.replace(/[:= ]/, [' ', ':', '=', '\0', '\t'][random(5)] ?? '');
        break;
      default:
        lines = lines.slice(0, Math.max(1, at));
    }
  }
  return lines.join(random(10) === 0 ? '\n' : '\r\n');
}

test('2000 mutated real offers each end in an answer or a clear refusal, and leave nothing behind', { timeout: 60_000 }, async () => {
  const rig = new Rig({ source: { hasAudio: true }, maxConnections: 1000 });
  const random = seeded(20_261_121);
  let answered = 0;
  for (let i = 0; i < 2000; i++) {
    const name = offerNames[i % offerNames.length] ?? '';
    try {
      const { sessionId, sdp } = await within(rig.accept()(mutate(offer(name), random)), 5000, `offer ${i} (${name})`);
      assert.match(sdp, /^v=0\r\n/);
      answered++;
      await rig.manager.close(sessionId, 'viewer-left');
    } catch (error) {
      assert.ok(error instanceof MediaPeerError, `offer ${i} (${name}): ${error instanceof Error ? (error.stack ?? '') : String(error)}`);
      assert.ok(['SDP_INVALID', 'NOTHING_TO_SERVE'].includes(error.code), error.code);
    }
  }
  assert.ok(answered > 200 && answered < 1900, `${answered} answers`);
  await rig.close();
});

test("datagrams that are not the peer's are neither answered nor believed", async () => {
  const rig = new Rig();
  const viewer = new WeriftViewer({ dataChannel: 'commands' });
  const { sdp } = await viewer.join(rig.accept());
  const [, port] = /a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1 (\d+) typ host/.exec(sdp) ?? [];
  const [, ufrag] = /a=ice-ufrag:(\S+)/.exec(sdp) ?? [];
  const stranger = dgram.createSocket('udp4').bind(0, '127.0.0.1');
  await once(stranger, 'listening');
  let answers = 0;
  stranger.on('message', () => answers++);
  const send = (data: Buffer): void => stranger.send(data, Number(port), '127.0.0.1');
  const check = new Message(methods.BINDING, classes.REQUEST)
    .setAttribute('USERNAME', `${ufrag ?? ''}:guess`)
    .setAttribute('PRIORITY', 1)
    .setAttribute('USE-CANDIDATE', null);
  send(check.bytes);
  send(check.addMessageIntegrity(Buffer.from('a wrong password')).addFingerprint().bytes);
  send(Buffer.from('15fefd00000000000000000002020a', 'hex').subarray(0, 15)); // a fatal DTLS alert
  send(Buffer.from('15fefd0000000000000000000201'.concat('00'), 'hex')); // a close_notify
  const random = seeded(5);
  for (let i = 0; i < 300; i++) send(Buffer.from(Array.from({ length: 1 + random(200) }, () => random(256))));
  rig.write(3);
  await viewer.until(() => viewer.packets.length >= 13, 3000, 'the picture to go on');
  assert.equal(answers, 0);
  assert.equal(rig.manager.snapshot()[0]?.connectionState, 'connected');
  stranger.close();
  await viewer.close();
  await rig.close();
});

test('media follows a client to a new address, but only once that address has answered a check', async () => {
  const rig = new Rig();
  const viewer = new WeriftViewer();
  const { sdp } = await viewer.join(rig.accept());
  const [, port] = /a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1 (\d+) typ host/.exec(sdp) ?? [];
  const { localUsername, localPassword, remoteUsername, remotePassword } = viewer.dtls.iceTransport.connection;
  const moved = dgram.createSocket('udp4').bind(0, '127.0.0.1');
  await once(moved, 'listening');
  let isAnswering = false;
  let checks = 0;
  let media = 0;
  moved.on('message', (data, { address, port: from }) => {
    if ((data[0] ?? 0) >> 6 === 2) media++;
    const check = parseMessage(data);
    if (check?.messageClass !== classes.REQUEST) return;
    checks++;
    if (!isAnswering) return;
    const answer = new Message(methods.BINDING, classes.RESPONSE, check.transactionId).setAttribute('XOR-MAPPED-ADDRESS', [address, from]);
    moved.send(answer.addMessageIntegrity(Buffer.from(localPassword)).addFingerprint().bytes, from, address);
  });
  const nominate = (): void => {
    const check = new Message(methods.BINDING, classes.REQUEST)
      .setAttribute('USERNAME', `${remoteUsername}:${localUsername}`)
      .setAttribute('PRIORITY', 1)
      .setAttribute('ICE-CONTROLLING', 1n)
      .setAttribute('USE-CANDIDATE', null);
    moved.send(check.addMessageIntegrity(Buffer.from(remotePassword)).addFingerprint().bytes, Number(port), '127.0.0.1');
  };
  nominate();
  await eventually(() => checks > 0, 2000, 'the check of the new address');
  rig.write(2);
  await viewer.until(() => viewer.packets.length >= 10, 2000, 'the picture at the old address');
  assert.equal(media, 0);
  isAnswering = true;
  await eventually(
    () => {
      nominate();
      rig.write();
      return media > 0;
    },
    5000,
    'the picture at the new address',
  );
  moved.close();
  await viewer.close();
  await rig.close();
});

test('garbage from a connected peer does not end the process: RTCP, SCTP and data channel messages', async () => {
  const rig = new Rig();
  const viewer = new WeriftViewer({ dataChannel: 'commands' });
  const { sdp } = await viewer.join(rig.accept());
  await eventually(() => viewer.dataChannel?.readyState === 'open', 3000, 'the data channel to open');
  const ssrc = WeriftViewer.ssrcs(sdp)[0] ?? 0;
  const random = seeded(9);
  const garbage = (bytes: number): Buffer => Buffer.from(Array.from({ length: bytes }, () => random(256)));
  const { connection } = viewer.dtls.iceTransport;
  for (let i = 0; i < 200; i++) {
    const rtcp = Buffer.concat([Buffer.from([0x80 | random(32), 200 + random(8), 0, random(20)]), garbage(4 * random(20) + 4)]);
    await connection.send(viewer.dtls.srtcp.encrypt(rtcp));
    await viewer.dtls.sendData(garbage(12 + random(60)));
  }
  const sctp = viewer.pc.sctpTransport?.sctp;
  await sctp?.send(0, 99, Buffer.from('an unknown payload protocol'), { ordered: true });
  await sctp?.send(7, 50, Buffer.from([2]), { ordered: true }); // an acknowledgement of a channel that is not there
  await sctp?.send(8, 50, Buffer.from([3, 0, 0]), { ordered: true }); // half an opening
  await viewer.sendNack(ssrc, [1, 2, 3]);
  rig.write(3);
  await viewer.until(() => viewer.packets.length >= 13, 3000, 'the picture to go on');
  await viewer.close();
  await rig.close();
});

test('a flood of RTCP by one viewer is read in part, and costs another one no frame', { timeout: 60_000 }, async () => {
  let asked = 0;
  const rig = new Rig({ source: { onKeyframeRequest: () => ++asked > 0 } });
  const [hostile, other] = [new WeriftViewer(), new WeriftViewer()];
  const { sdp } = await hostile.join(rig.accept());
  const { sdp: otherSdp } = await other.join(rig.accept());
  const ssrc = WeriftViewer.ssrcs(sdp)[0] ?? 0;
  const otherSsrc = WeriftViewer.ssrcs(otherSdp)[0] ?? 0;
  await other.until(() => other.packets.length > 0, 3000, 'the picture');
  const framesOf = (): number => other.packets.filter(({ header }) => header.ssrc === otherSsrc && header.marker).length;
  rig.write(1, { keyframe: true, bytes: 900 });
  const before = await eventually(() => framesOf(), 3000, 'a frame');
  const beganMs = performance.now();
  const frames = 80;
  for (let frame = 0; frame < frames; frame++) {
    for (let i = 0; i < 100; i++) {
      await hostile.sendPli(ssrc);
      // A socket that nobody reads meanwhile is full after some.
      if (i % 20 === 0) await new Promise(setImmediate);
    }
    rig.write(1, { bytes: 900 });
  }
  await eventually(() => asked > 500, 3000, 'some of it to be read');
  await other.until(() => framesOf() >= before + frames, 5000, 'every frame');
  const seconds = (performance.now() - beganMs) / 1000;
  await hostile.close();
  await other.close();
  await rig.close();
  assert.ok(asked <= 2_000 + 1_000 * seconds + 100, `${asked} of 8000 within ${seconds} s`);
});
