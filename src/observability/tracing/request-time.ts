/** When the request came in whose answer the code that runs belongs to. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { FastifyInstance } from 'fastify';

/** Remembers when requests came. */
export class RequestTime {
  readonly #storage = new AsyncLocalStorage<number>();

  /** Unix milliseconds; undefined outside of a request. */
  readonly current = (): number | undefined => this.#storage.getStore();

  /** Follows the requests of all routes that are added from now on. @param wallClock Unix milliseconds */
  follow(app: FastifyInstance, wallClock: () => number): void {
    app.addHook('preHandler', (_request, reply, done) => this.#storage.run(wallClock() - reply.elapsedTime, done));
  }
}
