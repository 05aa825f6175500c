/** What this server relies on in werift's SCTP and data channels: another version that does it differently fails here, in words. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { RTCDataChannel, RTCDataChannelParameters, RTCSctpTransport } from 'werift';
import { silentLogger } from '../../../src/base/logger.js';
import type { ChannelEvents, IncomingChannel, TextChannel } from '../../../src/webrtc/transport/data-channel.js';
import { Sctp } from '../../../src/webrtc/transport/sctp.js';
import { assertSctpShape } from '../../../src/webrtc/transport/werift-sctp.js';
import { eventually } from '../../helpers/deadline.js';
import { dtlsPair } from './dtls-pair.js';

interface Connected {
  /** werift as it is. */
  readonly client: RTCSctpTransport;
  readonly server: Sctp;
  readonly offered: IncomingChannel[];
  /** What the server's end told, in order. */
  readonly told: string[];
}

/** Both ends over DTLS; the server accepts every channel but `other`, and answers what it is told at once with `accept`. */
async function connect(t: TestContext, accept: (channel: IncomingChannel) => void): Promise<Connected> {
  const ends = await dtlsPair();
  const told: string[] = [];
  const offered: IncomingChannel[] = [];
  const server = new Sctp(
    ends.server.dtls.carrier,
    { maxMessageBytes: 1000, logger: silentLogger },
    {
      channel: (channel) => {
        offered.push(channel);
        accept(channel);
      },
      left: () => told.push('left'),
      dropped: (why) => told.push(`dropped: ${why}`),
    },
  );
  const client = new RTCSctpTransport();
  const { transport } = ends.client.dtls.carrier;
  client.setDtlsTransport(transport);
  // Whoever controls ICE begins the association.
  transport.iceTransport.connection.setRemoteParams({ iceLite: false, usernameFragment: 'abcd', password: 'a'.repeat(22) });
  transport.iceTransport.connection.iceControlling = true;
  t.after(async () => {
    await server.stop();
    await client.stop();
    await Promise.all([ends.client.dtls.close(), ends.server.dtls.close()]);
  });
  ends.server.dtls.start();
  ends.client.dtls.start();
  await eventually(() => ends.server.keys && ends.client.keys, 10_000, 'the handshake');
  await Promise.all([server.start(5000), client.start(5000)]);
  await eventually(() => client.sctp.state === 'connected', 5000, 'the association');
  return { client, server, offered, told };
}

/** Opens it from the client's side, without waiting for the server. */
function open(client: RTCSctpTransport, label: string): RTCDataChannel {
  return new RTCDataChannel(client, new RTCDataChannelParameters({ label }));
}

describe('the version of werift that is installed', () => {
  it('has all that is used of its SCTP', () => assertSctpShape());

  it('tells of a channel once it can be sent on, and of what the client said with its opening', async (t) => {
    const heard: unknown[] = [];
    let channel: TextChannel | undefined;
    const { client } = await connect(t, (incoming) => {
      const events: ChannelEvents = { text: (text) => heard.push(text), binary: (data) => heard.push([...data]) };
      channel = incoming.accept(events);
      assert.equal(heard.length, 0, 'nothing is told before the channel is there');
      assert.ok(channel.send('welcome'));
    });
    const answers: unknown[] = [];
    const channelOfClient = open(client, 'commands');
    channelOfClient.onMessage.subscribe((message) => answers.push(message));
    // Behind the opening, in the same turn: the server reads all three before its next.
    channelOfClient.send('first');
    channelOfClient.send(Buffer.from([2]));
    await eventually(() => heard.length === 2 && answers.length === 1, 5000, 'the messages');
    assert.deepEqual([heard, answers], [['first', [2]], ['welcome']]);
    channelOfClient.send('later');
    await eventually(() => heard.length === 3, 3000, 'the next one');
    assert.equal(heard[2], 'later');
    assert.equal(channel?.send('x'.repeat(1001)), false, 'longer than the client takes');
  });

  it('tells of progress and of the end', async (t) => {
    const events: string[] = [];
    let channel: TextChannel | undefined;
    const { client, server } = await connect(t, (incoming) => {
      channel = incoming.accept({ progress: () => events.push('progress'), closed: () => events.push('closed') });
    });
    const channelOfClient = open(client, 'video');
    await eventually(() => channel, 5000, 'the channel');
    channel?.send('one');
    assert.ok(server.unacknowledged > 0);
    await eventually(() => server.unacknowledged === 0 && events.includes('progress'), 5000, 'the acknowledgement');
    channelOfClient.close();
    await eventually(() => events.includes('closed'), 5000, 'the end');
    assert.equal(events.filter((event) => event === 'closed').length, 1);
    assert.equal(channel?.send('two'), false);
  });

  it('leaves a channel alone that nobody accepts, and bounds what is kept until somebody could', async (t) => {
    const heard: string[] = [];
    const { client, offered } = await connect(t, (incoming) => {
      if (incoming.label === 'commands') incoming.accept({ text: (text) => heard.push(text) });
    });
    open(client, 'other').send('to nobody');
    const channelOfClient = open(client, 'commands');
    for (let i = 0; i < 500; i++) channelOfClient.send(`${i}`);
    await eventually(() => heard.at(-1) === '499' || heard.length >= 64, 5000, 'the messages');
    assert.equal(heard[0], '0');
    assert.deepEqual(offered.map(({ label }) => label).sort(), ['commands', 'other']);
  });

  it('tells that the client has ended the association', async (t) => {
    const { client, told } = await connect(t, () => undefined);
    await client.stop();
    await eventually(() => told.includes('left'), 5000, 'the end');
  });
});
