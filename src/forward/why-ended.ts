/** Why a connection of a forward ended, in words. Pure. */
import type { EndReason } from '../media/index.js';
import type { SessionReport } from '../webrtc/index.js';
import { Trouble } from './trouble.js';

/** Of these the source is the cause. */
const OF_THE_SOURCE: Partial<Record<EndReason, string>> = {
  'source-ended': 'has ended',
  'source-failed': 'could not be played',
  'source-changed': 'goes on in another codec',
  'publisher-left': 'was left by its publisher',
  'publisher-gone': 'has lost its publisher',
  'publisher-replaced': 'has another publisher',
};

/** @param report undefined where nothing is known of the session */
export function whyEnded(reason: EndReason, sourceId: string, report: SessionReport | undefined): Trouble {
  const ofTheSource = OF_THE_SOURCE[reason];
  if (ofTheSource !== undefined) return new Trouble(`source '${sourceId}' ${ofTheSource}`);
  const isConnected = report?.steps.some(({ step }) => step === 'connected') ?? false;
  switch (reason) {
    case 'viewer-left':
      return new Trouble(`the WHIP server ended the connection${isConnected ? '' : ' before it was set up'}`);
    case 'ice-timeout':
    case 'ice-failed':
    case 'consent-expired':
      return new Trouble(isConnected ? 'nothing is heard from the WHIP server any more' : notConnected(report));
    case 'dtls-failed':
      return new Trouble(dtlsFailed(report), { needsPerson: true });
    case 'no-progress':
      return new Trouble('packets are sent, but the WHIP server reports that none arrives');
    default:
      return new Trouble(`the connection ended: ${reason}`);
  }
}

function notConnected(report: SessionReport | undefined): string {
  if (report?.steps.some(({ step }) => step === 'ice connected')) return 'the WHIP server did not answer the DTLS handshake in time';
  const { remote, troubles } = report?.ice ?? { remote: {}, troubles: [] };
  const found = Object.entries(remote).filter(([, count]) => count > 0);
  const names = found.map(([type, count]) => `${count} ${type}`).join(', ');
  const told = names === '' ? 'it names none' : `it names ${names}`;
  const trouble = troubles.length > 0 ? ` (${troubles.join('; ')})` : '';
  return `ICE found no path to the WHIP server's media addresses (${told}); UDP may be blocked, or they are not reachable from here${trouble}`;
}

function dtlsFailed(report: SessionReport | undefined): string {
  const why = report?.steps.find(({ step }) => step === 'dtls failed')?.facts?.['why'];
  return `the DTLS handshake with the WHIP server failed${typeof why === 'string' ? `: ${why}` : ''}`;
}
