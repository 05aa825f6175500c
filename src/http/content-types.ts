/** Which bodies a scope of routes reads: the content types of WHIP and WHEP, without a word to the routes beside them. */
import type { FastifyInstance } from 'fastify';
import { MediaPeerError } from '../base/errors.js';

/** Content type of offers and answers (RFC 9725 §4.2). */
export const SDP_TYPE = 'application/sdp';
/** Content type of ICE candidates and restarts in a PATCH (RFC 8840 §9). */
export const FRAGMENT_TYPE = 'application/trickle-ice-sdpfrag';

/** Lets requests with another type than `type` meet 415, whatever the rest of the server understands. */
export function acceptOnly(app: FastifyInstance, type: string, bodyLimit: number): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(type, { parseAs: 'string', bodyLimit }, (_request, body, done) => done(null, body));
  app.addContentTypeParser('*', (request, _payload, done) => {
    const found = request.headers['content-type'];
    done(
      new MediaPeerError(
        'CONTENT_TYPE_UNSUPPORTED',
        `the body is ${found === undefined ? 'of no content type' : 'of another content type'}; send Content-Type: ${type}`,
      ),
    );
  });
}

/** Lets requests come with any body, or the header of one: it says nothing here. */
export function ignoreBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => {
    payload.resume();
    done(null);
  });
}
