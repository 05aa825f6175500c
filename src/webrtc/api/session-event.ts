/** What becomes of the sessions, for whoever watches over them from outside: counts, traces. */
import type { EndReason } from '../../media/index.js';
import type { Step } from './report.js';
import type { Door } from './requests.js';
import type { QualityReason, SessionIdentity, SessionStatus } from './status.js';

/** The session that something happens to. */
export interface EventedSession extends SessionIdentity {
  /** What the client does. */
  readonly role: 'viewer' | 'publisher';
  /** By which door it came. */
  readonly door: Door;
  /** Milliseconds between the request and the beginning of the session: a camera is connected on demand. */
  readonly waitedMs: number;
}

/** Something that happened to a session. Never more than a few a second and session. */
export type SessionEvent = { readonly session: EventedSession } & (
  | { readonly type: 'started' }
  /** A step of its connection, as in its report. */
  | { readonly type: 'step'; readonly step: Step }
  /** Some of its streams are about to show something else: what they were sent so far was of what `status` says. */
  | { readonly type: 'source-changing'; readonly status: SessionStatus }
  /** A stream is sent in another quality than before; names as in `QualityStatus`. */
  | { readonly type: 'quality-changed'; readonly from: string; readonly to: string; readonly reason: QualityReason }
  /** Everything is given back. `status` is as it was then. */
  | { readonly type: 'ended'; readonly status: SessionStatus; readonly reason: EndReason }
);
