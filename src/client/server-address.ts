/** Where the server is, and what every request to it carries. */

/** The server as the caller names it; else the one this module came from, else the page's. Ends with a slash. */
export function serverAddress(server: string | URL | undefined): string {
  if (server === undefined) return new URL('/', import.meta.url.endsWith('/sightline.js') ? import.meta.url : location.href).href;
  const { href } = URL.canParse(server) ? new URL(server) : new URL(server, location.href);
  return href.endsWith('/') ? href : `${href}/`;
}

/** The address of what a server names by its path: the server may be below a path of its own, which it does not know of. @param server as `serverAddress` */
export function addressAt(server: string, path: string): string {
  return new URL(path.startsWith('/') && !path.startsWith('//') ? path.slice(1) : path, server).href;
}

/** As the server names it: the other way round. @param server as `serverAddress` */
export function pathAt(server: string, address: string): string {
  return address.startsWith(server) ? `/${address.slice(server.length)}` : new URL(address).pathname;
}

/** @param token bearer token of the room or of the viewers */
export function authorization(token: string | undefined): Readonly<Record<string, string>> {
  return token === undefined || token === '' ? {} : { authorization: `Bearer ${token}` };
}
