/** Clients that are there and yet are not: against the machine's clock, all at the same time. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lengthPrefixed } from '../../../src/media/index.js';
import { eventually } from '../../helpers/deadline.js';
import { WeriftPublisher } from '../../helpers/werift-publisher.js';
import { WeriftViewer } from '../../helpers/werift-viewer.js';
import { Rig } from '../rig.js';

const keyframe = lengthPrefixed([
  Buffer.from('674d401feca02802dd80880000030008000003019078c18cb0', 'hex'),
  Buffer.from('68ebecb22c', 'hex'),
  Buffer.from(`6588${'11'.repeat(500)}`, 'hex'),
]);

describe('clients that fall silent', { concurrency: true }, () => {
  it('a client that answered the keepalive once and then does not is closed; one that never does is not', async () => {
    const rig = new Rig();
    const knowing = new WeriftViewer({ dataChannel: 'commands' });
    const foreign = new WeriftViewer({ dataChannel: 'commands' });
    await knowing.join(rig.accept({ clientId: 'knowing' }));
    await foreign.join(rig.accept({ clientId: 'foreign' }));
    let asked = 0;
    knowing.dataChannel?.onMessage.subscribe((data) => {
      if (!Buffer.isBuffer(data)) return;
      assert.equal(data.toString('latin1'), '\0PING');
      if (++asked === 1) knowing.dataChannel?.send(Buffer.from('\0PONG', 'latin1'));
    });
    const activity = (): number | undefined => rig.manager.snapshot().find(({ clientId }) => clientId === 'knowing')?.lastActivityS;
    assert.equal(activity(), undefined);
    await eventually(() => activity(), 8000, 'the first answer');
    assert.equal(await rig.endReason(40_000), 'keepalive-timeout');
    assert.equal(asked, 4);
    assert.deepEqual(
      rig.manager.snapshot().map(({ clientId }) => clientId),
      ['foreign'],
    );
    await knowing.close();
    await foreign.close();
    await rig.close();
  });

  it('a viewer whose reports stop gets a keyframe, an ICE restart where that can be, and an end', async () => {
    const rig = new Rig();
    const viewer = new WeriftViewer();
    let restarts = 0;
    await viewer.join(rig.accept({ onRestartNeeded: () => restarts++ }));
    const camera = setInterval(() => rig.write(1), 50);
    await eventually(() => (rig.manager.snapshot()[0]?.video[0]?.jitterMs ?? 0) > 0, 10_000, 'reports');
    viewer.dtls.sendRtcp = () => Promise.resolve(undefined);
    const reason = await rig.endReason(45_000);
    clearInterval(camera);
    assert.equal(reason, 'no-progress');
    assert.equal(restarts, 1);
    const said = rig.lines.filter(({ level }) => level === 'warn').map(({ message }) => message);
    assert.deepEqual(said.slice(0, 2), ['viewer makes no progress; keyframe sent', 'viewer makes no progress; ICE restarted']);
    await viewer.close();
    await rig.close();
  });

  it('a viewer that never sends a report is left alone', async () => {
    const rig = new Rig();
    const viewer = new WeriftViewer();
    viewer.dtls.sendRtcp = () => Promise.resolve(undefined);
    await viewer.join(rig.accept());
    const camera = setInterval(() => rig.write(1), 50);
    await eventually(() => rig.lines.some(({ message }) => message === 'viewer sends no reports; keyframe sent'), 20_000, 'the keyframe');
    const until = performance.now() + 18_000;
    await eventually(() => performance.now() > until, 20_000, 'the time in which others are closed');
    clearInterval(camera);
    assert.equal(rig.manager.snapshot()[0]?.connectionState, 'connected');
    await viewer.close();
    await rig.close();
  });

  it('a publisher whose frames stop is asked to reconnect, unless it said that it pauses', async () => {
    const rig = new Rig();
    const publish = async (room: string) => {
      const publisher = new WeriftPublisher({ dataChannel: 'any' });
      const commands: unknown[] = [];
      const { clientId } = await publisher.publish((sdp) =>
        rig.manager.publish({ sdp, door: 'ws', room, clientId: room, takeover: true, onCommand: (command) => commands.push(command) }),
      );
      let number = 0;
      const send = (): void => publisher.sendVideo(keyframe, number++ * 3000);
      return { publisher, commands, send, clientId };
    };
    const camera = await publish('gate');
    const said = (message: string) => rig.lines.filter((line) => line.message === message && line.fields['clientId'] === 'gate');
    const received = () => rig.manager.snapshot().find(({ clientId }) => clientId === 'gate')?.received;
    await eventually(
      () => {
        camera.send();
        return (received()?.framesReceived ?? 0) > 3;
      },
      5000,
      'frames',
    );
    await eventually(() => camera.commands.length === 1, 20_000, 'the request to reconnect');
    assert.match(JSON.stringify(camera.commands[0]), /^{"command":"reconnect","reason":"No frames for 1[01]s"}$/);
    assert.equal(said('no frames')[0]?.level, 'warn');
    assert.ok((received()?.silence?.failures ?? 0) >= 1);
    camera.send();
    const line = await eventually(() => said('reconnection successful')[0], 3000, 'the end of the outage');
    assert.ok(Number(line.fields['awayMs']) >= 10_000);
    assert.deepEqual(received()?.silence, { failures: 0, requests: 0, recoveries: 1 });

    const channel = camera.publisher.pc.createDataChannel('commands');
    const answers: Record<string, unknown>[] = [];
    channel.onMessage.subscribe((data) => typeof data === 'string' && answers.push(JSON.parse(data) as Record<string, unknown>));
    await eventually(() => channel.readyState === 'open', 3000, 'the channel');
    channel.send('{"cmd":"pause"}');
    channel.send('{"cmd":"select","tracks":["raw"]}');
    await eventually(() => answers.length === 2, 3000, 'the answers');
    assert.deepEqual([answers[0]?.['ok'], answers[1]?.['code']], [true, 'ROLE_REFUSED']);
    const until = performance.now() + 13_000;
    await eventually(() => performance.now() > until, 20_000, 'the time in which others are asked');
    assert.equal(camera.commands.length, 1);
    await camera.publisher.close();
    await rig.close();
  });
});
