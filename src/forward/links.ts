/** ICE servers as a WHIP server names them in `Link` headers (RFC 9725 §4.6, RFC 8288). Pure. */
import type { IceServer } from '../webrtc/index.js';

/** More than any server names; those after them are passed over. */
const MAX_SERVERS = 4;
const LINK = /<([^<>]{1,512})>((?:[ \t]*;[ \t]*[A-Za-z-]{1,32}[ \t]*=[ \t]*(?:"(?:[^"\\]|\\.){0,1024}"|[^\s",;"]{1,1024}))*)/g;
const PARAMETER = /;[ \t]*([A-Za-z-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s",;"]+))/g;

/** @param header all `Link` headers, comma separated; null: there are none */
export function iceServersOf(header: string | null): IceServer[] {
  const links = [...(header ?? '').matchAll(LINK)].map(([, uri = '', parameters = '']) => ({ uri, parameters: parametersOf(parameters) }));
  return links
    .filter(({ uri, parameters }) => parameters.get('rel') === 'ice-server' && /^(stun|turns?):/i.test(uri))
    .slice(0, MAX_SERVERS)
    .map(({ uri, parameters }) => ({ urls: [uri], username: parameters.get('username'), credential: parameters.get('credential') }));
}

function parametersOf(text: string): Map<string, string> {
  return new Map(
    [...text.matchAll(PARAMETER)].map(([, name = '', quoted, plain]) => [
      name.toLowerCase(),
      quoted?.replace(/\\(.)/g, '$1') ?? plain ?? '',
    ]),
  );
}
