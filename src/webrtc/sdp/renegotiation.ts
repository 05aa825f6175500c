/** What a description says about a connection that there is already: whether it is the same one, and what it restarts. Pure. */
import { MediaPeerError } from '../../base/errors.js';
import type { Plan } from './negotiate.js';
import { remoteTransport } from './remote-transport.js';
import { parseSdp, type RemoteTransport } from './parse.js';

/**
 * The ICE halves of a description that restarts the connection of `plan`.
 * @throws MediaPeerError SDP_INVALID, ICE_RESTART_REFUSED where it is about another connection, or changes what flows
 */
export function remoteIce(sdp: string, plan: Plan | undefined): RemoteTransport[] {
  const description = parseSdp(sdp);
  if (!plan || description.media.length !== plan.description.media.length) {
    throw new MediaPeerError(
      'ICE_RESTART_REFUSED',
      `a restart keeps its m-lines: ${plan?.description.media.length ?? 0} were negotiated, the description has ${description.media.length}`,
    );
  }
  return plan.transports.map((before, i) => {
    const sections = description.media.filter((_section, mLine) => plan.mLines[mLine]?.transport === i);
    const after = remoteTransport(description, sections);
    const isSame = after.fingerprints.some(({ value }) =>
      before.fingerprints.some((known) => known.value.toLowerCase() === value.toLowerCase()),
    );
    if (!isSame) throw new MediaPeerError('ICE_RESTART_REFUSED', 'the description has another certificate: it is about another connection');
    return after;
  });
}

/** Tells the other side's connections apart: the session id of its description (RFC 8866 §5.2) and its certificate. */
export function connectionOf({ description, transports }: Plan): string {
  return [description.origin.split(' ')[1], ...(transports[0]?.fingerprints.map(({ value }) => value) ?? [])].join(' ');
}
