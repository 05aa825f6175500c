/** `GET /recordings/:source/clip.mp4`: a stretch of a recording as a file that any player plays. */
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { MediaPeerError } from '../base/errors.js';
import type { Clip, ClipRequest } from '../recording/index.js';
import { inParam } from './gate.js';
import { whileThere } from './gone-client.js';
import { ErrorSchema, TokenQuery } from './schemas.js';

/** What the route needs. */
export interface ClipDeps {
  /** Resolves with the first bytes. @throws MediaPeerError QUERY_INVALID, RECORDING_NOT_FOUND, RECORDING_OUT_OF_RANGE, RECORDING_DAMAGED, CLIP_FORMAT_CHANGES, CAPACITY_REACHED, FFMPEG_FAILED */
  readonly openClip: (request: ClipRequest, signal: AbortSignal) => Promise<Clip>;
  /** What that would begin, without a clip being made. @throws MediaPeerError as it does, save CAPACITY_REACHED and FFMPEG_FAILED */
  readonly describeClip: (request: ClipRequest) => Promise<Pick<Clip, 'startMs'>>;
}

const CLIPS_PER_MINUTE = 60;
const ROUTE = '/recordings/:source/clip.mp4';

const Flag = (description: string) => Type.Enum(['0', '1', 'false', 'true'], { default: '0', description });

/** `GET /recordings/:source/clip.mp4`. */
export const clipRoutes: FastifyPluginCallbackTypebox<ClipDeps> = (app, deps, done) => {
  app.get(
    ROUTE,
    {
      config: {
        action: 'playback',
        sourceOf: inParam('source'),
        takesTokenInQuery: true,
        rateLimit: { max: CLIPS_PER_MINUTE, timeWindow: 60_000 },
      },
      schema: {
        operationId: 'readClip',
        summary: 'A stretch of a recording as MP4 with H.264 and AAC, sent while it is made',
        description:
          'H.264 is copied, from the keyframe at or before `from` on; `exact=1` begins with the very frame, `annotated=1` draws what was seen then: both ' +
          'encode the picture, as does a recording in H.265 or VP8, and take one of MAX_PLAYBACK_ENCODES. Gaps are left out. The header `Clip-From` ' +
          'says when its first frame was. Ranges of bytes are not served (`Accept-Ranges: none`), for it is made while it is sent; `HEAD` makes none. ' +
          'A clip that cannot be finished ends with a broken connection.',
        tags: ['recordings'],
        params: Type.Object({ source: Type.String({ minLength: 1, maxLength: 255 }) }),
        querystring: Type.Object({
          from: Type.Number({ minimum: 0, maximum: 8.64e12, description: 'Unix seconds' }),
          to: Type.Number({ minimum: 0, maximum: 8.64e12, description: 'Unix seconds, excluded; at most 6 hours after `from`' }),
          exact: Flag('It begins with the very frame'),
          annotated: Flag('With what was seen then, drawn as it is live'),
          ...TokenQuery,
        }),
        response: {
          200: {
            description: 'The clip',
            content: { 'video/mp4': { schema: Type.Unsafe<unknown>({ type: 'string', contentMediaType: 'video/mp4' }) } },
          },
          '4xx': ErrorSchema,
          '5xx': ErrorSchema,
        },
      },
    },
    (request, reply) =>
      whileThere(reply, async (signal) => {
        const { source } = request.params;
        const { from, to, exact, annotated } = request.query;
        const wanted: ClipRequest = {
          sourceId: source,
          fromMs: Math.round(from * 1000),
          toMs: Math.round(to * 1000),
          isExact: isOn(exact),
          isAnnotated: isOn(annotated),
        };
        // A clip for a HEAD would be made for nobody; how long it is going to be is not known.
        if (request.method === 'HEAD') return withHeaders(reply, source, await deps.describeClip(wanted)).send(Readable.from([]));
        const { stream, startMs } = await deps.openClip(wanted, signal);
        try {
          await guardClip(request, source, stream);
          await request.access.noteChange({ action: 'playback', source, route: `GET ${ROUTE}` });
          signal.throwIfAborted();
        } catch (error) {
          stream.destroy();
          throw error;
        }
        return withHeaders(reply, source, { startMs }).send(stream);
      }),
  );
  done();
};

function withHeaders(reply: FastifyReply, source: string, { startMs }: Pick<Clip, 'startMs'>): FastifyReply {
  return reply
    .type('video/mp4')
    .header('cache-control', 'no-store')
    .header('content-disposition', `attachment; ${fileName(source, startMs)}`)
    .header('clip-from', (startMs / 1000).toFixed(3))
    .header('accept-ranges', 'none');
}

/** A clip of hours takes long to download: it goes on as long as the right for it does. */
async function guardClip({ access }: FastifyRequest, source: string, stream: Clip['stream']): Promise<void> {
  const rights = await access.heldRights();
  const release = rights.guard({
    action: 'playback',
    sources: () => [source],
    onLost: () => stream.destroy(new MediaPeerError('FORBIDDEN', 'the right to play back has ended')),
  });
  stream.once('close', release);
}

function isOn(flag: string): boolean {
  return flag === '1' || flag === 'true';
}

/** `gate_2026-11-30T22-05-00Z.mp4`, also for clients that know ASCII alone (RFC 6266 §4.3, RFC 8187). */
function fileName(sourceId: string, startMs: number): string {
  const time = new Date(startMs)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(':', '-');
  const name = `${sourceId.replace(/[\\/:*?"<>|\p{Cc}]/gu, '_')}_${time}.mp4`;
  const plain = name.replace(/[^ -~]|["\\%]/g, '_');
  const encoded = encodeURIComponent(name).replace(/['()*]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`);
  return `filename="${plain}"; filename*=UTF-8''${encoded}`;
}
