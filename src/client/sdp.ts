/** The little of SDP that trickle ICE and ICE restarts need (RFC 8839, RFC 8840). Pure. */

/** A candidate as `RTCIceCandidate` has it. */
export interface Candidate {
  /** `candidate:...` */
  readonly candidate: string;
  /** Mid of its m-line; null where it is not known. */
  readonly sdpMid?: string | null;
  /** Place of its m-line, from 0 on; null where it is not known. */
  readonly sdpMLineIndex?: number | null;
}

interface Section {
  /** `m=...` */
  readonly line: string;
  readonly mid: string | undefined;
}

/** The value of the first `a=name:` line. */
function attribute(sdp: string, name: string): string | undefined {
  return new RegExp(`^a=${name}:(.*)$`, 'm').exec(sdp)?.[1]?.trim();
}

function sections(sdp: string): Section[] {
  return sdp
    .split(/^(?=m=)/m)
    .slice(1)
    .map((text) => ({ line: text.split(/\r?\n/, 1)[0] ?? '', mid: attribute(text, 'mid') }));
}

/** The ICE user fragment and password of a description or fragment. */
export function iceParameters(sdp: string): { readonly ufrag: string; readonly password: string } | undefined {
  const ufrag = attribute(sdp, 'ice-ufrag');
  const password = attribute(sdp, 'ice-pwd');
  return ufrag !== undefined && password !== undefined ? { ufrag, password } : undefined;
}

/**
 * The body of a PATCH (`application/trickle-ice-sdpfrag`) with candidates of a description, or without any to restart ICE.
 * Everything travels in one bundle, so candidates of its first m-line are candidates of all.
 */
export function fragment(sdp: string, candidates: readonly Candidate[] = [], isComplete = false): string {
  const [first] = sections(sdp);
  const { ufrag, password } = iceParameters(sdp) ?? {};
  const bundle = attribute(sdp, 'group');
  const options = attribute(sdp, 'ice-options');
  const ofFirst = candidates.filter(({ sdpMid, sdpMLineIndex }) => (sdpMid == null ? (sdpMLineIndex ?? 0) === 0 : sdpMid === first?.mid));
  const lines = [
    ...(options === undefined ? [] : [`a=ice-options:${options}`]),
    ...(bundle === undefined ? [] : [`a=group:${bundle}`]),
    ...(first ? [first.line] : []),
    ...(first?.mid === undefined ? [] : [`a=mid:${first.mid}`]),
    ...(ufrag === undefined || password === undefined ? [] : [`a=ice-ufrag:${ufrag}`, `a=ice-pwd:${password}`]),
    ...ofFirst.map(({ candidate }) => `a=${candidate}`),
    ...(isComplete ? ['a=end-of-candidates'] : []),
  ];
  return `${lines.join('\r\n')}\r\n`;
}

/** A remote description with the ICE parameters and candidates of the fragment in place of its own; undefined where the fragment names none. */
export function withIceOf(answer: string, restarted: string): string | undefined {
  const ice = iceParameters(restarted);
  if (!ice) return undefined;
  const candidates = restarted.split(/\r?\n/).filter((line) => /^a=(candidate:|end-of-candidates)/.test(line));
  const [session = '', ...media] = answer.split(/^(?=m=)/m);
  const renewed = (text: string): string =>
    text
      .replace(/^a=(candidate:.*|end-of-candidates)\r?\n/gm, '')
      .replace(/^a=ice-ufrag:.*$/m, `a=ice-ufrag:${ice.ufrag}`)
      .replace(/^a=ice-pwd:.*$/m, `a=ice-pwd:${ice.password}`);
  return (
    renewed(session) +
    media.map((text, index) => renewed(text) + (index === 0 ? candidates.map((line) => `${line}\r\n`).join('') : '')).join('')
  );
}

/**
 * An answer to a publisher that lets its video begin at this bitrate. Chromium begins at 300 kbit/s and needs ten seconds
 * and more to get up where its first probe fails; others pass over what they do not know.
 */
export function withStartBitrate(answer: string, kbps: number): string {
  const parameter = `x-google-start-bitrate=${kbps}`;
  return answer
    .split(/^(?=m=)/m)
    .map((section) => (section.startsWith('m=video') ? videoWithParameter(section, parameter) : section))
    .join('');
}

function videoWithParameter(section: string, parameter: string): string {
  const payloadTypes = [...section.matchAll(/^a=rtpmap:(\d+) (?:H264|VP8)\/90000/gim)].map((match) => match[1] ?? '');
  return payloadTypes.reduce((text, payloadType) => {
    const fmtp = new RegExp(`^a=fmtp:${payloadType} .*?(?=\r?$)`, 'm');
    if (fmtp.test(text)) return text.replace(fmtp, (line) => `${line};${parameter}`);
    return text.replace(new RegExp(`^a=rtpmap:${payloadType} .*?(?=\r?$)`, 'm'), (line) => `${line}\r\na=fmtp:${payloadType} ${parameter}`);
  }, section);
}
