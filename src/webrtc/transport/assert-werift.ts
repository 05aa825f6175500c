/** Whether this version of werift is one that is used here: asked once at start. */
import { assertChecklistShape } from '../ice/werift.js';
import { assertStunShape } from '../ice/werift-stun.js';
import { assertDtlsShape } from './werift-dtls.js';
import { assertSctpShape } from './werift-sctp.js';

/** @throws AssertionError naming what this version of werift lacks, instead of letting a session fail in a strange way. */
export function assertWeriftShape(): void {
  assertStunShape();
  assertChecklistShape();
  assertDtlsShape();
  assertSctpShape();
}
