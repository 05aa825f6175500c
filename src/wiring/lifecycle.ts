/** The life of sources and clients as events: who began, who ended, who was refused, in the words of the public contract. */
import type { Access, AuditRecord } from '../access/index.js';
import type { EndReason } from '../media/index.js';
import type { LimitedEvents } from '../store/index.js';
import type { SessionEvent } from '../webrtc/index.js';

/** A session was connected, or one that was has ended. @param wallClockMs when that was, Unix milliseconds */
export function keepSessionEvent(events: LimitedEvents, event: SessionEvent, wallClockMs: number): void {
  const { clientId, sourceId, role, door } = event.session;
  // Forwards to other servers are no viewers.
  if (door === 'forward') return;
  if (event.type === 'step' && event.step.step === 'connected') events.add(`${role}_joined`, sourceId, { client_id: clientId, door });
  if (event.type !== 'ended' || event.status.connectMs === undefined) return;
  const durationS = Math.max(0, Math.round(wallClockMs - 1000 * event.status.createdAtS) / 1000);
  events.add(`${role}_left`, event.status.sourceId, { client_id: clientId, door, reason: event.reason, duration_s: durationS });
}

/** A source begins to run, or has ended. @param reason undefined: it begins */
export function keepSourceEvent(events: LimitedEvents, sourceId: string, reason: EndReason | undefined): void {
  if (reason === undefined) events.add('source_started', sourceId, {});
  else events.add('source_stopped', sourceId, { reason });
}

/** Keeps who logged in, who was refused, and who changed what. They are about no source, so that nobody but administrators is told; which one it was is told beside. */
export function keepAudit(events: LimitedEvents, access: Access): void {
  access.audit.onRecord((record) => {
    if (record.kind !== 'noted' || record.action === 'login')
      events.add(record.kind === 'noted' ? 'login' : record.kind, undefined, auditData(record));
  });
}

function auditData({ who = 'unknown', address, action, source, code, times, route }: AuditRecord): Record<string, unknown> {
  return {
    ...(source !== undefined && { source: source.slice(0, 80) }),
    who,
    address,
    action,
    ...(code !== undefined && { code }),
    ...(times !== undefined && { times }),
    ...(route !== undefined && { route }),
  };
}
