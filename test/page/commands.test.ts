import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pageModule } from './pages.js';

interface CommandsModule {
  readonly Commands: new (channel: EventTarget) => { send(cmd: string, members: object): Promise<unknown> };
}

/** As much of an RTCDataChannel as commands need. */
class FakeChannel extends EventTarget {
  binaryType = 'blob';
  readyState = 'connecting';
  readonly sent: unknown[] = [];

  send(data: unknown): void {
    this.sent.push(typeof data === 'string' ? JSON.parse(data) : data);
  }

  become(state: 'open' | 'close'): void {
    this.readyState = state === 'open' ? 'open' : 'closed';
    this.dispatchEvent(new Event(state));
  }

  receive(data: unknown): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data }));
  }
}

describe('commands over a data channel', async () => {
  const { Commands } = (await pageModule('commands.js')) as CommandsModule;
  const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

  it('wait until the channel is open, and each gets its own answer', async () => {
    const channel = new FakeChannel();
    const commands = new Commands(channel);
    const answers = [commands.send('select', { tracks: ['raw'] }), commands.send('keyframe', {})];
    await turn();
    assert.deepEqual(channel.sent, []);
    channel.become('open');
    await turn();
    assert.deepEqual(channel.sent, [{ cmd: 'select', id: 1, tracks: ['raw'] }, { cmd: 'keyframe', id: 2 }]);
    for (const foreign of ['{', 'null', '7', '{"id":99,"ok":true}']) channel.receive(foreign);
    for (const id of [2, 1]) channel.receive(JSON.stringify({ ok: true, id }));
    assert.deepEqual(await Promise.all(answers), [{ ok: true, id: 1 }, { ok: true, id: 2 }]);
  });

  it('that are refused fail with the words of the server', async () => {
    const channel = new FakeChannel();
    const commands = new Commands(channel);
    channel.become('open');
    const answer = commands.send('select', { tracks: ['processed'] });
    await turn();
    channel.receive(JSON.stringify({ ok: false, id: 1, code: 'DETECTION_OFF', message: 'no detector' }));
    await assert.rejects(answer, { kind: 'DETECTION_OFF', message: 'no detector' });
  });

  it('have no answer where the channel is closed, before or meanwhile', async () => {
    const channel = new FakeChannel();
    const commands = new Commands(channel);
    channel.become('open');
    const answer = commands.send('select', { tracks: ['raw'] });
    await turn();
    channel.become('close');
    assert.equal(await answer, undefined);
    assert.equal(await commands.send('select', { tracks: ['raw'] }), undefined);
  });

  it('say that somebody is there when the server asks', () => {
    const channel = new FakeChannel();
    assert.ok(new Commands(channel));
    channel.receive(new TextEncoder().encode('\0PING').buffer);
    assert.deepEqual(channel.sent.map((data) => new TextDecoder().decode(data as Uint8Array)), ['\0PONG']);
  });
});
