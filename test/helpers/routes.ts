/** What an app really routes, hidden routes included: the documents about it are held against this. */
import type { FastifyInstance } from 'fastify';

/** One method of one route. */
export interface Route {
  readonly method: string;
  /** With its parameters: `/sessions/:id`. */
  readonly url: string;
}

/** Every route of an app that is ready, in the order of the router's tree. */
export function routesOf(app: FastifyInstance): Route[] {
  const trail: string[] = [];
  return app
    .printRoutes({ commonPrefix: false })
    .split('\n')
    .flatMap((line) => {
      // `│   └── /latest (GET, HEAD)`: four columns a level, and the rest of a path below what it begins with.
      const match = /^((?:[│ ] {3})*)[├└]── (\S*)(?: \(([A-Z, ]+)\))?$/.exec(line);
      if (!match) return [];
      const [, indent = '', part = '', methods = ''] = match;
      trail.splice(indent.length / 4, Infinity, part);
      return methods
        .split(', ')
        .filter((method) => method !== '')
        .map((method) => ({ method, url: trail.join('') }));
    });
}
