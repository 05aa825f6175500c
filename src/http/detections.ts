/**
 * `GET /detections/:source` tells what is seen as Server-Sent Events, `GET /detections/:source/latest` as one JSON
 * object: for readers without WebRTC. While somebody reads, the detector looks at the source.
 */
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Clock } from '../base/clock.js';
import { MediaPeerError } from '../base/errors.js';
import { notLive } from '../base/refusals.js';
import {
  filterWarning,
  writeDetections,
  type DetectionFeed,
  type DetectionFilter,
  type FrameDetections,
  type OpenedSource,
} from '../media/index.js';
import type { RtpTimestamps } from '../webrtc/index.js';
import { DetectionStream } from './detection-stream.js';
import type { Seated } from '../base/fair-share.js';
import { inParam } from './gate.js';
import { whileThere } from './gone-client.js';
import { DetectionsMessage } from './detections-schema.js';
import { makeSeat } from './reader-seats.js';
import { ErrorSchema, TokenQuery } from './schemas.js';

/** What the routes of detections need. */
export interface DetectionsDeps {
  readonly clock: Clock;
  /** @throws MediaPeerError SOURCE_NOT_FOUND, SOURCE_NOT_PLAYABLE, SOURCE_NOT_LIVE, SERVER_CLOSING */
  readonly openSource: (sourceId: string) => Promise<Pick<OpenedSource, 'openDetections' | 'labels'>>;
  /** Waits for its turn where the source must be started for one look: looks must not start many sources at once. */
  readonly inTurn: <T>(sourceId: string, look: () => Promise<T>, signal: AbortSignal) => Promise<T>;
  /** The sources that a session shows; empty where there is no such session. */
  readonly sourcesOf: (sessionId: string) => readonly string[];
  /** RTP timestamps of a source's frame as a session's viewer sees them. @throws MediaPeerError SESSION_NOT_FOUND */
  readonly rtpTimestamps: (sessionId: string, sourceId: string, mediaTimeMs: number) => RtpTimestamps;
}

/** Readers at the same time, of all sources. */
const MAX_READERS = 100;
/** A detection older than this is not the latest. */
const STALE_MS = 1000;
const LATEST_TIMEOUT_MS = 5000;
/** Looks at the newest detections, a minute and address: ten a second follow any source. */
const LOOKS_PER_MINUTE = 600;

const Params = Type.Object({ source: Type.String({ minLength: 1, maxLength: 255 }) });
const Filter = {
  min_score: Type.Optional(Type.Number({ minimum: 0, maximum: 1, description: 'Leaves out objects below' })),
  classes: Type.Optional(Type.String({ maxLength: 4096, description: 'Labels, separated by commas; all when left out' })),
  ...TokenQuery,
};

/** `GET /detections/:source` and `GET /detections/:source/latest`. */
export const detectionRoutes: FastifyPluginCallbackTypebox<DetectionsDeps> = (app, deps, done) => {
  const streams = new Map<DetectionStream, Seated>();
  app.addHook('preClose', (closed) => {
    for (const stream of streams.keys()) stream.end('server-closing');
    closed();
  });

  app.get(
    '/detections/:source',
    {
      // The stream of a HEAD would be read by nobody and end never.
      exposeHeadRoute: false,
      config: { action: 'data', sourceOf: inParam('source'), takesTokenInQuery: true },
      schema: {
        operationId: 'streamDetections',
        summary: 'Detections as Server-Sent Events',
        description:
          '`detections` for each frame that the detector looked at, before it `scene` where something happened at a zone or line, `warning` at the ' +
          'start where the filter names unknown classes, and `end` with the reason at last. The data of `detections` is a message as `/latest` gives it.',
        tags: ['detection'],
        params: Params,
        querystring: Type.Object({
          ...Filter,
          session: Type.Optional(
            Type.String({ maxLength: 128, description: "A session of this source: adds its viewer's RTP timestamps" }),
          ),
        }),
        response: {
          200: { description: 'Events without end', content: { 'text/event-stream': { schema: Type.Unsafe<unknown>(Type.String()) } } },
          '4xx': ErrorSchema,
          '5xx': ErrorSchema,
        },
      },
    },
    (request, reply) =>
      whileThere(reply, async (signal) => {
        const { source: sourceId } = request.params;
        const { session } = request.query;
        if (session !== undefined && !deps.sourcesOf(session).includes(sourceId)) {
          throw new MediaPeerError('SESSION_NOT_FOUND', `there is no session of that id that watches '${sourceId}'; it may have ended`);
        }
        const source = await deps.openSource(sourceId);
        signal.throwIfAborted();
        const { clientAddress: address } = request;
        const rights = await request.access.heldRights();
        let release = (): void => undefined;
        makeSeat(streams, address, MAX_READERS, 'detections');
        const filter = filterOf(request.query);
        const stream: DetectionStream = new DetectionStream({
          clock: deps.clock,
          lease: source.openDetections(),
          filter,
          warning: filterWarning(filter, source.labels),
          pendingBytes: () => reply.raw.writableLength,
          onClosed: () => {
            release();
            streams.delete(stream);
          },
          ...(session !== undefined && {
            rtpTimestamps: (mediaTimeMs: number) =>
              deps.sourcesOf(session).includes(sourceId) ? deps.rtpTimestamps(session, sourceId, mediaTimeMs) : {},
          }),
        });
        streams.set(stream, { address });
        release = rights.guard({ action: 'data', sources: () => [sourceId], onLost: () => stream.end('access-ended') });
        return reply
          .header('content-type', 'text/event-stream; charset=utf-8')
          .header('cache-control', 'no-store')
          .header('x-accel-buffering', 'no')
          .send(stream);
      }),
  );

  app.get(
    '/detections/:source/latest',
    {
      config: {
        action: 'data',
        sourceOf: inParam('source'),
        takesTokenInQuery: true,
        rateLimit: { max: LOOKS_PER_MINUTE, timeWindow: 60_000 },
      },
      schema: {
        operationId: 'readLatestDetections',
        summary: 'Detections of the newest frame that the detector looked at; starts the source if necessary',
        tags: ['detection'],
        params: Params,
        querystring: Type.Object(Filter),
        response: {
          200: {
            description: 'As on the data channel `detections`',
            content: { 'application/json': { schema: Type.Unsafe<unknown>(DetectionsMessage) } },
          },
          '4xx': ErrorSchema,
          '5xx': ErrorSchema,
        },
      },
    },
    (request, reply) =>
      whileThere(reply, async (signal) => {
        const { source: sourceId } = request.params;
        const look = async (): Promise<{ readonly detections: FrameDetections; readonly labels: readonly string[] | undefined }> => {
          const source = await deps.openSource(sourceId);
          const lease = source.openDetections();
          try {
            return { detections: await newest(lease.feed, deps.clock), labels: source.labels };
          } finally {
            lease.release();
          }
        };
        const { detections, labels } = await deps.inTurn(sourceId, look, signal);
        const filter = filterOf(request.query);
        return reply
          .type('application/json; charset=utf-8')
          .header('cache-control', 'no-store')
          .send(writeDetections(detections, { filter, warning: filterWarning(filter, labels) }));
      }),
  );

  done();
};

function filterOf({ min_score: minScore, classes }: { min_score?: number; classes?: string }): DetectionFilter {
  const labels = classes
    ?.split(',')
    .map((label) => label.trim())
    .filter((label) => label !== '');
  return { ...(minScore !== undefined && { minScore }), ...(labels && labels.length > 0 && { classes: labels }) };
}

/** When a feed's newest detections were seen to be the newest: media time says nothing of the age of a file's pictures. */
const seenAt = new WeakMap<DetectionFeed, { readonly detections: FrameDetections; readonly atMs: number }>();

/** The newest detections, or the next ones where those are stale. @throws MediaPeerError SOURCE_NOT_LIVE */
function newest(feed: DetectionFeed, clock: Clock): Promise<FrameDetections> {
  const seen = seenAt.get(feed);
  if (seen && seen.detections === feed.newest && clock.now() - seen.atMs <= STALE_MS) return Promise.resolve(seen.detections);
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      stop();
      reject(notLive(why));
    };
    const timer = clock.after(LATEST_TIMEOUT_MS, () =>
      fail(`no picture of '${feed.sourceId}' was analysed within ${LATEST_TIMEOUT_MS / 1000} s`),
    );
    const stopReading = feed.subscribe((detections) => {
      stop();
      seenAt.set(feed, { detections, atMs: clock.now() });
      resolve(detections);
    });
    let stopListening = (): void => undefined;
    const stop = (): void => {
      timer.cancel();
      stopReading();
      stopListening();
    };
    stopListening = feed.onClosed((reason) => fail(`source '${feed.sourceId}' ended (${reason})`));
  });
}
