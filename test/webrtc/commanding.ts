/** A test's viewer that gives commands, and what it must see whatever it commands. */
import assert from 'node:assert/strict';
import { eventually } from '../helpers/deadline.js';
import type { WeriftViewer } from '../helpers/werift-viewer.js';

type Answer = Record<string, unknown>;

/** The channel `commands`; call the result with a command for its answer, without what it echoes. */
export interface Commanding {
  (message: object): Promise<Answer>;
  /** What was said without being asked for. */
  readonly told: readonly Answer[];
}

export async function openChannel(viewer: WeriftViewer, label = 'commands', onMessage: (data: string | Buffer) => void = () => undefined) {
  const channel = viewer.pc.createDataChannel(label);
  // What is said at once comes before anybody can see that it is open.
  channel.onMessage.subscribe(onMessage);
  await eventually(() => channel.readyState === 'open', 3000, `the channel ${label} to open`);
  return channel;
}

export async function openCommands(viewer: WeriftViewer): Promise<Commanding> {
  const messages: Answer[] = [];
  const told: Answer[] = [];
  const channel = await openChannel(viewer, 'commands', (data) => {
    if (typeof data !== 'string') return;
    const message = JSON.parse(data) as Answer;
    if ('ok' in message) messages.push(message);
    else told.push(message);
  });
  let id = 0;
  const command = async (message: object): Promise<Answer> => {
    const own = ++id;
    channel.send(JSON.stringify({ id: own, ...message }));
    const answer = await eventually(() => messages.find((each) => each['id'] === own), 7000, 'the answer');
    return Object.fromEntries(Object.entries(answer).filter(([name]) => name !== 'id' && name !== 'cmd'));
  };
  return Object.assign(command, { told });
}

export function headersOf(viewer: WeriftViewer, ssrc: number | undefined) {
  return viewer.packets.map(({ header }) => header).filter((header) => header.ssrc === ssrc);
}

/** Numbers go on without a gap, and time does not step back or jump. */
export function assertContinuous(viewer: WeriftViewer, ssrc: number | undefined): void {
  const headers = headersOf(viewer, ssrc);
  for (const [i, header] of headers.entries()) {
    const earlier = headers[i - 1];
    if (!earlier) continue;
    assert.equal(header.sequenceNumber, (earlier.sequenceNumber + 1) % 65_536, 'sequence numbers go on');
    const step = (header.timestamp - earlier.timestamp) | 0;
    assert.ok(step >= 0 && step < 90_000 * 5, `timestamps ascend without a jump: ${step} ticks`);
  }
}
