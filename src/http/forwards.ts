/** Sources that are sent on to other servers by WHIP: to add, read and remove. */
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { sourceNotFound } from '../base/refusals.js';
import type { ForwardRequest, ForwardStatus } from '../forward/index.js';
import { RenditionSchema } from '../webrtc/index.js';
import { inParam } from './gate.js';
import { ErrorSchema, nullable } from './schemas.js';

/** What the routes of forwards need. */
export interface ForwardDeps {
  /** Whether there is a source of this id, playing or not. */
  readonly hasSource: (sourceId: string) => boolean;
  /** Those of a source. */
  readonly list: (sourceId: string) => readonly ForwardStatus[];
  /** Begins to forward, and keeps it over restarts; throws MediaPeerError. */
  readonly add: (forward: Omit<ForwardRequest, 'origin'>) => Promise<ForwardStatus>;
  /** Ends one or all, and says how many there were; throws MediaPeerError. */
  readonly remove: (sourceId: string, id?: string) => Promise<number>;
}

const SourceParams = Type.Object({ id: Type.String({ minLength: 1, maxLength: 255, description: 'A source of GET /available-videos' }) });
const ForwardParams = Type.Object({
  ...SourceParams.properties,
  forward: Type.String({ minLength: 1, maxLength: 64, description: 'A forward of GET /sources/:id/forward' }),
});

const ForwardBody = Type.Object(
  {
    url: Type.String({ minLength: 1, maxLength: 2048, description: 'http or https address of a WHIP endpoint' }),
    token: Type.Optional(
      Type.String({ minLength: 1, maxLength: 4096, description: 'Bearer token that is shown there; it is told nobody' }),
    ),
    rendition: Type.Optional(RenditionSchema),
  },
  {
    title: 'NewForward',
    description: 'Where a source is to be sent by WHIP',
    examples: [{ url: 'https://media.example.com/whip/gate', token: 'EvTbEeyPfVxEdAyh', rendition: 'raw' }],
  },
);

const EXAMPLE = {
  id: 'ZBzdASSU1jec',
  source: 'gate',
  url: 'https://media.example.com/whip/gate',
  rendition: 'raw',
  origin: 'api',
  state: 'live',
  since: 1796063423.58,
  attempts: 1,
  failures: 0,
  last_error: null,
  retry_in_s: null,
  bytes_sent: 891973,
  bitrate_kbps: 1686,
  quality: 'source',
  estimate_kbps: 9240,
  queue_ms: 0.4,
  round_trip_ms: 5.4,
  packets_lost: 0,
  video_codec: 'h264',
  audio: true,
};

const forwardMembers = {
  id: Type.String({ description: 'The same for the same source and address' }),
  source: Type.String(),
  url: Type.String({ description: 'Without credentials and query' }),
  rendition: Type.String({ description: 'raw or processed' }),
  origin: Type.String({ description: 'config (WHIP_OUT) or api' }),
  state: Type.String({ description: 'connecting, live, waiting (tried again soon) or failed (a person has to mend something)' }),
  since: Type.Number({ description: 'When the state began, Unix seconds' }),
  attempts: Type.Integer({ description: 'Connections that were tried' }),
  failures: Type.Integer({ description: 'Attempts in a row that led to nothing that lasted' }),
  last_error: nullable(Type.String(), 'Why the last connection or attempt ended; null while nothing has gone wrong'),
  retry_in_s: nullable(Type.Number(), 'Until the next attempt; null while none is waited for'),
  bytes_sent: Type.Integer({ description: 'Payload, since it was configured' }),
  bitrate_kbps: nullable(Type.Number(), 'Payload of the last second; this and the next ones are null where it is not live'),
  quality: nullable(Type.String(), 'What is sent: `source`, or a lower rung'),
  estimate_kbps: nullable(Type.Number(), 'What the network carries, as far as is known'),
  queue_ms: nullable(Type.Number(), 'How long packets wait in the network'),
  round_trip_ms: nullable(Type.Number(), 'As the other side reports'),
  packets_lost: nullable(Type.Number(), 'As the other side reports'),
  video_codec: nullable(Type.String(), 'h264, h265 or vp8'),
  audio: Type.Union([Type.Boolean(), Type.Null()], { description: 'Whether sound is sent' }),
};

const ForwardJson = Type.Object(forwardMembers, {
  title: 'Forward',
  description: 'A source on its way to another server',
  examples: [EXAMPLE],
});

const Forwards = Type.Object(
  { forwards: Type.Array(Type.Object(forwardMembers)) },
  { title: 'Forwards', description: 'Where a source is sent by WHIP', examples: [{ forwards: [EXAMPLE] }] },
);
const Removed = Type.Object(
  { removed: Type.Integer({ description: 'How many there were' }) },
  { title: 'RemovedForwards', description: 'How many forwards were ended', examples: [{ removed: 1 }] },
);

/** `POST`, `GET` and `DELETE` of the forwards of a source. */
export const forwardRoutes: FastifyPluginCallbackTypebox<ForwardDeps> = (app, deps, done) => {
  const config = { action: 'admin', sourceOf: inParam('id') } as const;
  const described = (operationId: string, summary: string) => ({ operationId, summary, tags: ['media'] });

  app.post(
    '/sources/:id/forward',
    {
      config,
      schema: {
        ...described('addForward', 'Send a source to another server by WHIP, until that is removed'),
        params: SourceParams,
        body: ForwardBody,
        response: { 201: ForwardJson, '4xx': ErrorSchema, '5xx': ErrorSchema },
      },
    },
    async (request, reply) => {
      const { id: sourceId } = request.params;
      if (!deps.hasSource(sourceId)) throw sourceNotFound(sourceId);
      // Rights were asked for the source of the path: no member of the body names another one.
      const { url, token, rendition } = request.body;
      const forward = forwardJson(await deps.add({ sourceId, url, token, rendition }));
      reply.status(201);
      return forward;
    },
  );

  app.get(
    '/sources/:id/forward',
    {
      config,
      schema: {
        ...described('listForwards', 'Where a source is sent by WHIP, and how that goes'),
        params: SourceParams,
        response: { 200: Forwards, '4xx': ErrorSchema },
      },
    },
    (request) => {
      const forwards = deps.list(request.params.id);
      if (forwards.length === 0 && !deps.hasSource(request.params.id)) throw sourceNotFound(request.params.id);
      return { forwards: forwards.map(forwardJson) };
    },
  );

  app.delete(
    '/sources/:id/forward',
    {
      config,
      schema: {
        ...described('removeForwards', 'End all forwards of a source'),
        params: SourceParams,
        response: { 200: Removed, '4xx': ErrorSchema },
      },
    },
    async (request) => ({ removed: await deps.remove(request.params.id) }),
  );

  app.delete(
    '/sources/:id/forward/:forward',
    {
      config,
      schema: {
        ...described('removeForward', 'End one forward of a source'),
        params: ForwardParams,
        response: { 200: Removed, '4xx': ErrorSchema },
      },
    },
    async (request) => ({ removed: await deps.remove(request.params.id, request.params.forward) }),
  );
  done();
};

function forwardJson({ sourceId, sinceMs, lastError, retryInMs, bytesSent, sending, ...same }: ForwardStatus) {
  const { id, url, rendition, origin, state, attempts, failures } = same;
  return {
    id,
    source: sourceId,
    url,
    rendition,
    origin,
    state,
    since: sinceMs / 1000,
    attempts,
    failures,
    last_error: lastError ?? null,
    retry_in_s: retryInMs === undefined ? null : Math.round(retryInMs) / 1000,
    bytes_sent: bytesSent,
    bitrate_kbps: kbps(sending?.bitrateBps),
    quality: sending?.quality ?? null,
    estimate_kbps: kbps(sending?.estimateBps),
    queue_ms: rounded(sending?.queueMs),
    round_trip_ms: rounded(sending?.roundTripMs),
    packets_lost: sending?.packetsLost ?? null,
    video_codec: sending?.videoCodec ?? null,
    audio: sending?.hasAudio ?? null,
  };
}

function kbps(bps: number | undefined): number | null {
  return bps === undefined ? null : Math.round(bps / 1000);
}

function rounded(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.round(ms * 10) / 10;
}
