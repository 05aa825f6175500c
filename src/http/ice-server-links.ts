/** ICE servers as `Link` headers (RFC 9725 §4.6). */
import type { IceServer } from '../webrtc/index.js';

/** One header value for each URL. */
export function iceServerLinks(servers: readonly IceServer[]): string[] {
  return servers.flatMap(({ urls, username, credential }) =>
    urls.map((url) => {
      const parameters = [
        'rel="ice-server"',
        ...(username === undefined || credential === undefined
          ? []
          : [`username=${quote(username)}`, `credential=${quote(credential)}`, 'credential-type="password"']),
      ];
      return `<${url}>; ${parameters.join('; ')}`;
    }),
  );
}

/** A quoted-string (RFC 9110 §5.6.4); Node writes one byte for each character of a header. */
function quote(text: string): string {
  const bytes = Buffer.from(text.replace(/[\x00-\x1f\x7f]/g, '').replace(/["\\]/g, '\\$&'), 'utf8');
  return `"${bytes.toString('latin1')}"`;
}
