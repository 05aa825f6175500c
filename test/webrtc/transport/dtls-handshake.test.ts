/** Handshakes in which one datagram is lost, late or sent twice. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WeriftViewer } from '../../helpers/werift-viewer.js';
import { Rig } from '../rig.js';

/** What a datagram of the library holds: each has one message of the handshake, or one record. */
type Message =
  | 'ClientHello'
  | 'HelloVerifyRequest'
  | 'ServerHello'
  | 'Certificate'
  | 'ServerKeyExchange'
  | 'ServerHelloDone'
  | 'CertificateVerify'
  | 'ClientKeyExchange'
  | 'ChangeCipherSpec'
  | 'Finished';

const HANDSHAKE: Readonly<Record<number, Message>> = {
  1: 'ClientHello',
  2: 'ServerHello',
  3: 'HelloVerifyRequest',
  11: 'Certificate',
  12: 'ServerKeyExchange',
  14: 'ServerHelloDone',
  15: 'CertificateVerify',
  16: 'ClientKeyExchange',
};

function messageOf(datagram: Buffer): Message | undefined {
  if (datagram[0] === 20) return 'ChangeCipherSpec';
  if (datagram[0] !== 22) return undefined;
  return datagram.readUInt16BE(3) === 0 ? HANDSHAKE[datagram[13] ?? 0] : 'Finished';
}

/** What happens on the way: which datagrams arrive instead of this one. */
type Way = (message: Message | undefined, datagram: Buffer) => readonly Buffer[];

const untouched: Way = (_message, datagram) => [datagram];

function losing(lost: Message): Way {
  let isLost = false;
  return (message, datagram) => {
    if (message !== lost || isLost) return [datagram];
    isLost = true;
    return [];
  };
}

interface IcePrivate {
  send(data: Buffer): Promise<void>;
  readonly onData: { execute(data: Buffer): void };
}

/** A viewer connects over this way; the change is made to its offer. */
async function connects(
  { up = untouched, down = untouched }: { up?: Way; down?: Way },
  change = (offer: string): string => offer,
): Promise<void> {
  const rig = new Rig({ connectionTimeoutMs: 20_000 });
  const viewer = new WeriftViewer();
  const ice = viewer.dtls.iceTransport.connection as unknown as IcePrivate;
  const send = ice.send.bind(ice);
  ice.send = async (datagram) => {
    for (const each of up(messageOf(datagram), datagram)) await send(each);
  };
  const deliver = ice.onData.execute.bind(ice.onData);
  ice.onData.execute = (datagram) => {
    for (const each of down(messageOf(datagram), datagram)) deliver(each);
  };
  try {
    await viewer.join((sdp) => rig.accept()(change(sdp)), 15_000);
    rig.write(3, { keyframe: true });
    await viewer.until(() => viewer.packets.length > 0, 5000, 'packets that can be read');
    assert.equal(rig.manager.snapshot()[0]?.connectionState, 'connected');
  } finally {
    await viewer.close();
    await rig.close();
  }
}

describe('a handshake', { timeout: 120_000 }, () => {
  for (const message of ['ClientHello', 'Certificate', 'ClientKeyExchange', 'CertificateVerify', 'ChangeCipherSpec', 'Finished'] as const) {
    it(`goes on after the client's ${message} was lost`, () => connects({ up: losing(message) }));
  }

  for (const message of [
    'HelloVerifyRequest',
    'ServerHello',
    'Certificate',
    'ServerKeyExchange',
    'ServerHelloDone',
    'ChangeCipherSpec',
    'Finished',
  ] as const) {
    it(`goes on after the server's ${message} was lost`, () => connects({ down: losing(message) }));
  }

  it('passes over a ClientHello that comes when the keys are chosen', async () => {
    let hello: Buffer | undefined;
    await connects({
      up: (message, datagram) => {
        if (message === 'ClientHello') hello ??= Buffer.from(datagram);
        return message === 'Certificate' && hello ? [hello, datagram] : [datagram];
      },
    });
  });

  it('takes the messages of the client in any order', async () => {
    let certificate: Buffer | undefined;
    await connects({
      up: (message, datagram) => {
        if (message === 'Certificate') {
          certificate = datagram;
          return [];
        }
        return message === 'CertificateVerify' && certificate ? [datagram, certificate] : [datagram];
      },
    });
  });

  it('of this side as the client goes on when its first message is answered twice', () =>
    connects({ up: (message, datagram) => (message === 'HelloVerifyRequest' ? [datagram, datagram] : [datagram]) }, (sdp) =>
      sdp.replaceAll('a=setup:actpass', 'a=setup:passive'),
    ));
});
