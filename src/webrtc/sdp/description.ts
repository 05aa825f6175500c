/**
 * How this side describes itself, whoever made the offer: one version after the other, since an ICE restart describes
 * it again. Pure.
 */
import { newOrigin, writeAnswer, type LocalStream, type LocalTransport, type SdpOrigin } from './answer.js';
import type { MLinePlan, Plan } from './negotiate.js';
import { writeOffer, type OfferedMLine } from './offer.js';
import { setupFor, type RemoteSctp } from './remote-transport.js';

/** This side's answer or offer, in its versions. */
export interface Description {
  /** Transports that it needs. */
  readonly transports: number;
  /** The DTLS role that it tells, for one of them. */
  setupOf(transport: number): LocalTransport['setup'];
  /** The first m-line of a transport: where its candidates are told to belong. */
  firstMLine(transport: number): { readonly mid: string | undefined; readonly mLineIndex: number };
  /** The next version of the description. */
  write(transports: readonly LocalTransport[]): string;
}

/** An answer to a planned offer. */
export function answering(plan: Plan, streams: readonly (LocalStream | undefined)[]): Description {
  const origins = versions();
  return {
    transports: plan.transports.length,
    setupOf: (transport) => {
      const remote = plan.transports[transport];
      return remote ? setupFor(remote) : 'passive';
    },
    firstMLine: (transport) => {
      const mLineIndex = Math.max(
        0,
        plan.mLines.findIndex((mLine) => mLine.transport === transport),
      );
      return { mid: plan.mLines[mLineIndex]?.section.mid, mLineIndex };
    },
    write: (transports) => writeAnswer(plan, transports, streams, origins()),
  };
}

/** An offer; everything is bundled. */
export function offering(mLines: readonly OfferedMLine[]): Description {
  const origins = versions();
  return {
    transports: 1,
    setupOf: () => 'actpass',
    firstMLine: () => ({ mid: '0', mLineIndex: 0 }),
    write: ([transport]) => (transport ? writeOffer(mLines, transport, origins()) : ''),
  };
}

/** The data channels that were agreed on for a transport; undefined: none. */
export function remoteSctp(mLines: readonly MLinePlan[], transport: number): RemoteSctp | undefined {
  const data = mLines.find((mLine) => mLine.use === 'data' && mLine.transport === transport);
  return data?.use === 'data' ? { port: data.sctpPort, maxMessageBytes: data.maxMessageBytes } : undefined;
}

function versions(): () => SdpOrigin {
  let origin = newOrigin();
  return () => {
    const current = origin;
    origin = { ...origin, version: origin.version + 1 };
    return current;
  };
}
