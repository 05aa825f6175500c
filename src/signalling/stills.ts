/** `GET /snapshot/:source.jpg`: a still picture, as it is or with what is seen in it. */
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { TokenQuery } from './schemas.js';

export interface StillDeps {
  /** JPEG of a picture near the begin of a file, or of what a camera shows at the moment; throws MediaPeerError. */
  readonly still: (sourceId: string, widthPx: number) => Promise<Buffer>;
  /** JPEG of what the source shows at the moment, with boxes drawn in; throws MediaPeerError. */
  readonly seenStill: (sourceId: string, widthPx: number) => Promise<Buffer>;
  /** False for a camera: its picture is another one the next moment. */
  readonly isRecorded: (sourceId: string) => boolean;
}

/** Still pictures a minute and address: a page of sources is loaded several times; each costs a run of ffmpeg. */
const STILLS_PER_MINUTE = 240;

const Flag = Type.Enum(['0', '1', 'false', 'true'], { default: '0', description: 'What the source shows at the moment, with boxes drawn in; else a picture near the begin of a file, or the one of the moment of a camera' });

export const stillRoutes: FastifyPluginCallbackTypebox<StillDeps> = (app, deps, done) => {
  app.get(
    '/snapshot/:file',
    {
      config: { rateLimit: { max: STILLS_PER_MINUTE, timeWindow: 60_000 } },
      schema: {
        summary: 'A still picture of a source',
        tags: ['media'],
        params: Type.Object({ file: Type.String({ pattern: '^[^/]+\\.jpg$', description: 'Source and `.jpg`: `demo.jpg`' }) }),
        querystring: Type.Object({
          width: Type.Integer({ minimum: 16, maximum: 1920, default: 640, description: 'Pixels' }),
          annotated: Flag,
          ...TokenQuery,
        }),
      },
    },
    async (request, reply) => {
      const sourceId = request.params.file.slice(0, -'.jpg'.length);
      const { width, annotated } = request.query;
      const isAnnotated = annotated === '1' || annotated === 'true';
      const picture = await (isAnnotated ? deps.seenStill(sourceId, width) : deps.still(sourceId, width));
      return reply.type('image/jpeg').header('cache-control', isAnnotated || !deps.isRecorded(sourceId) ? 'no-store' : 'max-age=60').send(picture);
    },
  );
  done();
};
