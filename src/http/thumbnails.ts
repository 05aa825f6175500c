/** `GET /recordings/:source/thumbnail.jpg`: a small picture of the past. */
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Thumbnail } from '../recording/index.js';
import { entityTag, isKnown } from './entity-tags.js';
import { inParam } from './gate.js';
import { whileThere } from './gone-client.js';
import { JpegAnswers, TokenQuery } from './schemas.js';

/** What the route needs. */
export interface ThumbnailDeps {
  /** @param atMs Unix milliseconds @throws MediaPeerError RECORDING_NOT_FOUND, RECORDING_OUT_OF_RANGE, RECORDING_DAMAGED, CAPACITY_REACHED */
  readonly thumbnail: (sourceId: string, atMs: number) => Promise<Thumbnail>;
  /** A JPEG with at most that width, in pixels. */
  readonly narrowed: (jpeg: Buffer, widthPx: number) => Promise<Buffer>;
}

/** What thumbnails are at most. */
export const THUMBNAIL_PX = 320;
/** Whoever drags along a timeline asks ten times a second. */
const THUMBNAILS_PER_MINUTE = 1200;
/** What is kept by a browser is gone an hour after the recording at the latest. */
const FRESH = { final: 'private, max-age=3600', growing: 'private, no-cache', nearest: 'no-store' } as const;

/** `GET /recordings/:source/thumbnail.jpg`. */
export const thumbnailRoutes: FastifyPluginCallbackTypebox<ThumbnailDeps> = (app, deps, done) => {
  app.get(
    '/recordings/:source/thumbnail.jpg',
    {
      config: {
        action: 'playback',
        sourceOf: inParam('source'),
        takesTokenInQuery: true,
        rateLimit: { max: THUMBNAILS_PER_MINUTE, timeWindow: 60_000 },
      },
      schema: {
        operationId: 'readThumbnail',
        summary: 'A small picture of a moment in a recording',
        description:
          'The last keyframe at or before `at`, of those that are about 2 seconds apart. The header `Thumbnail-At` says when it was. While the wanted one ' +
          'is being made, the nearest that there is within ten minutes is sent with `Thumbnail-Pending: ?1`: ask again a second later.',
        tags: ['recordings'],
        params: Type.Object({ source: Type.String({ minLength: 1, maxLength: 255 }) }),
        querystring: Type.Object({
          at: Type.Number({ minimum: 0, maximum: 8.64e12, description: 'Unix seconds' }),
          width: Type.Integer({
            minimum: 16,
            maximum: 1920,
            default: THUMBNAIL_PX,
            description: `Pixels; at most ${THUMBNAIL_PX} are there`,
          }),
          ...TokenQuery,
        }),
        response: JpegAnswers,
      },
    },
    (request, reply) =>
      whileThere(reply, async () => {
        const { at, width } = request.query;
        const { jpeg, atMs, tag, state } = await deps.thumbnail(request.params.source, Math.round(at * 1000));
        const widthPx = Math.min(width, THUMBNAIL_PX);
        const etag = entityTag(`${tag}-${widthPx}`);
        reply
          .header('etag', etag)
          .header('cache-control', FRESH[state])
          .header('thumbnail-at', (atMs / 1000).toFixed(3));
        if (state === 'nearest') reply.header('thumbnail-pending', '?1');
        if (isKnown(request.headers['if-none-match'], etag)) return reply.code(304).send();
        return reply.type('image/jpeg').send(widthPx < THUMBNAIL_PX ? await deps.narrowed(jpeg, widthPx) : jpeg);
      }),
  );
  done();
};
