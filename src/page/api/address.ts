/** Where the server is: beside the page, which may be below a path of its own that the server does not know of. */

/** Of the server, ending with a slash. */
export function serverUrl(): string {
  return new URL('.', document.baseURI).href;
}

/** The address of a route. @param path from the server's root, such as `/events?limit=20` */
export function addressOf(path: string): string {
  return new URL(path.replace(/^\/+/, ''), serverUrl()).href;
}

/** A path of segments that may hold any character: `/sources/a%2Fb/zones`. */
export function pathOf(...segments: readonly string[]): string {
  return segments.map((segment) => `/${encodeURIComponent(segment)}`).join('');
}
