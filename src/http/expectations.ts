/**
 * Requests that ask before they send their body (`Expect: 100-continue`, RFC 9110 §10.1.1; curl does for every upload): Node says yes
 * before anybody has looked at them. Here whoever may not send is refused first, and need not send it.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** Installs it. Routes that read their body as it comes call `letSend` themselves. */
export function installExpectations(app: FastifyInstance): void {
  app.server.on('checkContinue', (request, response) => app.server.emit('request', request, response));
  app.addHook('preParsing', (request, reply, payload, done) => {
    if (request.routeOptions.config.bodyStallMs === undefined) letSend(request, reply);
    done(null, payload);
  });
}

/** Tells a client that waits for it to send its body. */
export function letSend({ raw }: FastifyRequest, reply: FastifyReply): void {
  if (raw.headers.expect?.toLowerCase() === '100-continue') reply.raw.writeContinue();
}
