/** The door `POST /offer`: one offer, one answer, no trickle needed. */
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { MediaPeerError } from '../base/errors.js';
import { firstSourceOf, readTracks, tileJson, type Sessions } from '../webrtc/index.js';
import { FRAGMENT_TYPE } from './content-types.js';
import type { RequestAccess } from './gate.js';
import type { HttpSessions } from './http-sessions.js';
import { AnswerBody, ErrorSchema, OfferBody } from './schemas.js';
import { whenGone } from './gone-client.js';
import { perMinute } from './wish.js';

/** What `POST /offer` needs. */
export interface OfferDeps {
  /** Accepts the offer. */
  readonly sessions: Pick<Sessions, 'accept'>;
  /** Gives the sessions their URL. */
  readonly httpSessions: HttpSessions;
  /** The source of an offer that names none; undefined when there is none to play. */
  readonly defaultSource: () => string | undefined;
  /** Names of what can be watched, the first of them for those who may not watch the default one. */
  readonly playable: () => readonly string[];
  /** Offers per minute and address; 0 is no limit. */
  readonly rateLimit: number;
}

/** An offer is at most 256 KiB of SDP; JSON escapes make it a little longer. */
const BODY_LIMIT_BYTES = 512 * 1024;

/** Installs `POST /offer`. */
export const offerRoutes: FastifyPluginCallbackTypebox<OfferDeps> = (app, deps, done) => {
  const { sessions, rateLimit, httpSessions } = deps;

  app.post(
    '/offer',
    {
      config: { action: 'watch', ...perMinute(rateLimit) },
      bodyLimit: BODY_LIMIT_BYTES,
      schema: {
        operationId: 'offer',
        summary: 'Watch: offer a WebRTC connection',
        tags: ['media'],
        body: OfferBody,
        response: { 200: AnswerBody, '4xx': ErrorSchema, '5xx': ErrorSchema },
      },
    },
    async (request, reply) => {
      const { sdp, client_id: clientId, source, tracks, active, at } = request.body;
      const sourceId = source ?? firstSourceOf(tracks) ?? (await defaultFor(request.access, deps));
      if (sourceId === undefined) {
        throw new MediaPeerError('SOURCE_NOT_FOUND', 'there is no source to play: put a video into the upload folder');
      }
      const { sourceIds, renditions, tiles } = readTracks(tracks, sourceId, 'BODY_INVALID');
      for (const each of sourceIds) await request.access.demand('watch', { source: each });
      if (at !== undefined) await request.access.demand('playback', { source: sourceId });
      const rights = await request.access.heldRights(sourceIds);
      const accepted = await sessions.accept({
        sdp,
        door: 'offer',
        address: request.clientAddress,
        sourceId,
        rights,
        ...(clientId !== undefined && { clientId }),
        ...(renditions !== undefined && { renditions }),
        ...(tiles !== undefined && { tiles }),
        ...(active !== undefined && { active }),
        ...(at !== undefined && { atMs: at * 1000 }),
      });
      const { location, etag } = httpSessions.opened(accepted, { door: 'offer', offer: sdp, action: 'watch', rights });
      await whenGone(reply, () => httpSessions.abandon(accepted.sessionId));
      reply.headers({ location, etag, 'accept-patch': FRAGMENT_TYPE });
      return {
        sdp: accepted.sdp,
        type: 'answer' as const,
        client_id: accepted.clientId,
        source: accepted.sourceId,
        tracks: accepted.tiles?.map(tileJson) ?? [...accepted.renditions],
        session_url: location,
      };
    },
  );

  done();
};

/** The default source, else the first that they may watch. */
async function defaultFor(access: RequestAccess, { defaultSource, playable }: OfferDeps): Promise<string | undefined> {
  const source = defaultSource();
  if (source === undefined || (await access.may('watch', { source }))) return source;
  return (await access.permitted('watch', playable()))[0];
}
