/** Connections of forwards that go as a test says. */
import type { MediaPeerError } from '../../src/base/errors.js';
import type { ForwardSessions } from '../../src/forward/forward.js';
import type { EndReason } from '../../src/media/index.js';
import type { ConnectionState, OpenedViewing, SessionReport, SessionStatus } from '../../src/webrtc/index.js';

export class FakeSessions {
  /** Thrown by the next offers. */
  refusal: MediaPeerError | undefined;
  answers: string[] = [];
  closed: string[] = [];
  bytesSent = 0;
  /** Of the report of each. */
  steps: string[] = ['connected'];
  onState: ((state: ConnectionState) => void) | undefined;
  end: (reason: EndReason) => void = () => undefined;
  #opened = 0;

  get sessions(): ForwardSessions {
    return {
      offer: (request) => {
        if (this.refusal) return Promise.reject(this.refusal);
        this.onState = request.onState;
        const sessionId = `session${++this.#opened}`;
        const ended = new Promise<EndReason>((resolve) => (this.end = resolve));
        return Promise.resolve({
          sdp: 'v=0 offer',
          clientId: 'c',
          sourceId: 'gate',
          sessionId,
          ended,
          renditions: ['raw'],
        } as OpenedViewing);
      },
      answer: (_sessionId, sdp) => {
        this.answers.push(sdp);
        return Promise.resolve();
      },
      close: (sessionId, reason) => {
        this.closed.push(sessionId);
        this.end(reason);
        return Promise.resolve(true);
      },
      report: () =>
        ({ mLines: [{ kind: 'video', chosen: 'H264' }], steps: this.steps.map((step) => ({ atMs: 0, step })) }) as unknown as SessionReport,
      statusOf: () =>
        ({
          bytesSent: this.bytesSent,
          packetsLost: 0,
          video: [{ codec: 'h264' }],
          audio: [{}],
          quality: { quality: 'source' },
        }) as unknown as SessionStatus,
    };
  }
}
