import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Commands } from '../../src/client/commands.js';
import { parseQuality } from '../../src/client/quality.js';
import { FakeClock } from '../helpers/fake-clock.js';
import { FakeChannel } from './fakes.js';

describe('commands over a data channel', () => {
  const commandsOf = (channel: FakeChannel, clock = new FakeClock()): Commands => new Commands(channel as unknown as RTCDataChannel, clock);
  const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

  it('wait until the channel is open, and each gets its own answer', async () => {
    const channel = new FakeChannel('commands');
    const commands = commandsOf(channel);
    const answers = [commands.send('select', { tracks: ['raw'] }), commands.send('keyframe', {})];
    await turn();
    assert.deepEqual(channel.sent, []);
    channel.become('open');
    await turn();
    assert.deepEqual(channel.sent, [
      { cmd: 'select', id: 1, tracks: ['raw'] },
      { cmd: 'keyframe', id: 2 },
    ]);
    for (const foreign of ['{', 'null', '7', '{"id":99,"ok":true}']) channel.receive(foreign);
    for (const id of [2, 1]) channel.receive(JSON.stringify({ ok: true, id }));
    assert.deepEqual(await Promise.all(answers), [
      { ok: true, id: 1 },
      { ok: true, id: 2 },
    ]);
  });

  it('leave what the server says without being asked to whoever listens', () => {
    const channel = new FakeChannel('commands');
    const told: unknown[] = [];
    const commands = new Commands(channel as unknown as RTCDataChannel, new FakeClock(), (message) => told.push(parseQuality(message)));
    assert.ok(commands);
    for (const message of [
      '{"type":"quality","quality":"360p","reason":"congestion","estimate_kbps":930}',
      '{"type":"other"}',
      '{"type":"quality"}',
      '{"ok":true}',
      'x',
    ])
      channel.receive(message);
    channel.receive('{"type":"quality","quality":"sound","reason":7,"estimate_kbps":null}');
    assert.deepEqual(told, [
      { quality: '360p', reason: 'congestion', estimateKbps: 930 },
      undefined,
      undefined,
      { quality: 'sound', reason: 'start', estimateKbps: undefined },
    ]);
  });

  it('that are refused fail with the words of the server', async () => {
    const channel = new FakeChannel('commands');
    const commands = commandsOf(channel);
    channel.become('open');
    const answer = commands.send('select', { tracks: ['processed'] });
    await turn();
    channel.receive(JSON.stringify({ ok: false, id: 1, code: 'DETECTION_OFF', message: 'no detector' }));
    await assert.rejects(answer, { code: 'DETECTION_OFF', message: 'no detector' });
  });

  it('have no answer where the channel is closed, before or meanwhile', async () => {
    const channel = new FakeChannel('commands');
    const commands = commandsOf(channel);
    channel.become('open');
    const answer = commands.send('select', { tracks: ['raw'] });
    await turn();
    channel.become('closed');
    assert.equal(await answer, undefined);
    assert.equal(await commands.send('select', { tracks: ['raw'] }), undefined);
  });

  it('have no answer after 3 s where the server knows no commands', async () => {
    const [channel, clock] = [new FakeChannel('commands'), new FakeClock()];
    const commands = commandsOf(channel, clock);
    channel.become('open');
    const answer = commands.send('keyframe');
    await clock.advance(3_000);
    assert.equal(await answer, undefined);
    assert.equal(clock.pendingTimers, 0);
  });

  it('say that somebody is there when the server asks', () => {
    const channel = new FakeChannel('commands');
    assert.ok(commandsOf(channel));
    channel.become('open');
    channel.receive(new TextEncoder().encode('\0PING').buffer);
    channel.receive(new TextEncoder().encode('\0PONG').buffer);
    assert.deepEqual(channel.sent, ['\0PONG']);
  });
});
