/** An ICE agent that remembers what it tells, from the first event on. */
import { EventEmitter, once } from 'node:events';
import { IceAgent, type IceAgentEvents, type IceFailure } from '../../../src/webrtc/ice/agent.js';
import type { IceOptions } from '../../../src/webrtc/ice/gathering.js';
import type { PathAnswer } from '../../../src/webrtc/ice/path-checks.js';
import { within } from '../../helpers/deadline.js';

/** What an agent told, in order. */
export interface Heard {
  /** Lines that were found after the agent was open. */
  readonly candidates: string[];
  readonly datagrams: Buffer[];
  /** To `checkPath`. */
  readonly answers: PathAnswer[];
  readonly events: ('gathered' | 'nominated' | 'moved' | IceFailure)[];
}

export class HeardAgent extends IceAgent {
  readonly heard: Heard;
  readonly #changes: EventEmitter;

  constructor(options: IceOptions, transport?: object) {
    const heard: Heard = { candidates: [], datagrams: [], answers: [], events: [] };
    const changes = new EventEmitter();
    const note = (event: Heard['events'][number]): void => {
      heard.events.push(event);
      changes.emit('event');
    };
    const events: IceAgentEvents = {
      candidate: (line) => heard.candidates.push(line),
      data: (data) => heard.datagrams.push(Buffer.from(data)),
      gathered: () => note('gathered'),
      nominated: () => note('nominated'),
      moved: () => note('moved'),
      failed: (failure) => note(failure),
      checkedPath: (answer) => heard.answers.push(answer),
    };
    super(options, events, transport);
    this.heard = heard;
    this.#changes = changes;
  }

  /** Resolves once it has told of this event, be it before the call. */
  async told(event: Heard['events'][number], deadlineMs = 5000): Promise<void> {
    const wait = async (): Promise<void> => {
      while (!this.heard.events.includes(event)) await once(this.#changes, 'event');
    };
    await within(wait(), deadlineMs, `the event ${event}`);
  }
}
