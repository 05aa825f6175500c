/** Names of clients: as asked for, unique among those connected. */
import { randomBytes } from 'node:crypto';
import { MediaPeerError } from '../../base/errors.js';

const MAX_LENGTH = 64;

/**
 * The requested id; where it is taken, `<id>-<suffix>`; where none was requested, a new one, `<generated>-<suffix>`.
 *
 * @throws MediaPeerError BODY_INVALID where it is not 1-64 of `[A-Za-z0-9._-]`.
 */
export function claimClientId(requested: string | undefined, taken: Pick<ReadonlySet<string>, 'has'>, generated = 'viewer'): string {
  if (requested !== undefined && !/^[A-Za-z0-9._-]{1,64}$/.test(requested)) {
    throw new MediaPeerError('BODY_INVALID', "client_id must be 1 to 64 characters of letters, digits, '.', '_' and '-'");
  }
  if (requested !== undefined && !taken.has(requested)) return requested;
  for (;;) {
    const suffix = randomBytes(4).toString('hex');
    const clientId = `${(requested ?? generated).slice(0, MAX_LENGTH - suffix.length - 1)}-${suffix}`;
    if (!taken.has(clientId)) return clientId;
  }
}
