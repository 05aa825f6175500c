/** `GET /snapshot/:source.jpg`: a snapshot, as it is or with what is seen in it. */
import { createHash } from 'node:crypto';
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { isKnown } from './entity-tags.js';
import { inParam } from './gate.js';
import { whileThere } from './gone-client.js';
import { JpegAnswers, TokenQuery } from './schemas.js';

/** What snapshots need. */
export interface SnapshotDeps {
  /** JPEG of a picture near the begin of a file, or of what a camera shows at the moment; throws MediaPeerError. */
  readonly snapshot: (sourceId: string, widthPx: number, signal: AbortSignal) => Promise<Buffer>;
  /** JPEG of what the source shows at the moment, with boxes drawn in; throws MediaPeerError. */
  readonly annotatedSnapshot: (sourceId: string, widthPx: number, signal: AbortSignal) => Promise<Buffer>;
  /** False for a camera: its picture is another one the next moment. */
  readonly isRecorded: (sourceId: string) => boolean;
}

/** Still pictures per minute and address: a page of sources is loaded several times; each costs a run of ffmpeg. */
const STILLS_PER_MINUTE = 240;

const Flag = Type.Enum(['0', '1', 'false', 'true'], {
  default: '0',
  description:
    'What the source shows at the moment, with boxes drawn in; else a picture near the begin of a file, or the one of the moment of a camera',
});

/** `GET /snapshot/:source.jpg`. */
export const snapshotRoutes: FastifyPluginCallbackTypebox<SnapshotDeps> = (app, deps, done) => {
  app.get(
    '/snapshot/:file',
    {
      config: {
        action: 'data',
        sourceOf: (request) => sourceOf(inParam('file')(request)),
        takesTokenInQuery: true,
        rateLimit: { max: STILLS_PER_MINUTE, timeWindow: 60_000 },
      },
      schema: {
        operationId: 'readSnapshot',
        summary: 'A snapshot of a source: a still JPEG',
        tags: ['media'],
        params: Type.Object({ file: Type.String({ pattern: '^[^/]+\\.jpg$', description: 'Source and `.jpg`: `demo.jpg`' }) }),
        querystring: Type.Object({
          width: Type.Integer({ minimum: 16, maximum: 1920, default: 640, description: 'Pixels' }),
          annotated: Flag,
          ...TokenQuery,
        }),
        response: {
          ...JpegAnswers,
        },
      },
    },
    (request, reply) =>
      whileThere(reply, async (signal) => {
        const sourceId = sourceOf(request.params.file);
        const { width, annotated } = request.query;
        const isAnnotated = annotated === '1' || annotated === 'true';
        const picture = await (isAnnotated ? deps.annotatedSnapshot(sourceId, width, signal) : deps.snapshot(sourceId, width, signal));
        const tag = `"${createHash('sha256').update(picture).digest('base64url').slice(0, 22)}"`;
        // A picture of the moment is another one the next time, unless nothing moves: it is asked for again, and not sent again.
        // No cache between here and the client keeps it: the next one who asks may not have the right.
        const freshness = isAnnotated || !deps.isRecorded(sourceId) ? 'no-cache' : 'max-age=60';
        reply.header('etag', tag).header('cache-control', `private, ${freshness}`);
        if (isKnown(request.headers['if-none-match'], tag)) return reply.code(304).send();
        return reply.type('image/jpeg').send(picture);
      }),
  );
  done();
};

/** The source of a file's name. */
function sourceOf(file: string): string {
  return file.replace(/\.jpg$/, '');
}
