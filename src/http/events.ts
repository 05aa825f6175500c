/** `GET /events`, `GET /events/stream` and `GET /events/:id/still.jpg`: what has happened, by time, source and type. */
import type { FastifyRequest } from 'fastify';
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Clock } from '../base/clock.js';
import { MediaPeerError } from '../base/errors.js';
import { ADMIN_EVENT_TYPES, EVENT_TYPES, type EventType } from '../base/event-types.js';
import type { Seated } from '../base/fair-share.js';
import { eventMessage, hasWantedMembers, type EventQuery, type EventStill, type StoredEvent } from '../store/index.js';
import { listOf } from './comma-lists.js';
import { entityTag, isKnown } from './entity-tags.js';
import { EventStream } from './event-stream.js';
import { EVENT_EXAMPLE, EventSchema } from './events-schema.js';
import { whileThere } from './gone-client.js';
import { makeSeat } from './reader-seats.js';
import { ErrorSchema, JpegAnswers, TokenQuery } from './schemas.js';

/** What the routes of events need. */
export interface EventsDeps {
  /** Everything that has happened before is in it. @throws MediaPeerError STORE_FAILED */
  readonly query: (query: EventQuery) => Promise<StoredEvent[]>;
  /** The picture of an event's moment; waits while it is being made. Undefined where there is none. @throws MediaPeerError STORE_FAILED */
  readonly still: (eventId: number) => Promise<EventStill | undefined>;
  readonly clock: Clock;
  /** Calls `listener` with each event from now on, until the returned function is called. */
  readonly onAdded: (listener: (event: StoredEvent) => void) => () => void;
  /** The sources that there are events of. @throws MediaPeerError STORE_FAILED */
  readonly sources: () => Promise<string[]>;
}

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1000;
/** Pages of 1000 as fast as anybody reads them. */
const QUERIES_PER_MINUTE = 600;
/** A page of events shows a hundred at once. */
const STILLS_PER_MINUTE = 1200;

/** Of streams, at the same time. */
const MAX_READERS = 100;

const Id = Type.String({ pattern: '^[0-9]{1,16}$' });
const Filter = {
  source: Type.Optional(Type.String({ minLength: 1, maxLength: 4096, description: 'Of these sources alone, separated by commas' })),
  type: Type.Optional(
    Type.String({ minLength: 1, maxLength: 512, description: `Of these types alone, separated by commas: ${EVENT_TYPES.join(', ')}` }),
  ),
  label: Type.Optional(
    Type.String({ minLength: 1, maxLength: 4096, description: 'Of objects of these labels alone, separated by commas' }),
  ),
  zone: Type.Optional(Type.String({ minLength: 1, maxLength: 4096, description: 'At zones of these ids alone, separated by commas' })),
  line: Type.Optional(Type.String({ minLength: 1, maxLength: 4096, description: 'At lines of these ids alone, separated by commas' })),
};
const EventPage = Type.Object(
  {
    events: Type.Array(EventSchema),
    next: Type.Union([Type.String(), Type.Null()], {
      description: 'What to send as `after` for those that follow; null where there are none yet',
    }),
  },
  { title: 'Events', description: 'A page of events', examples: [{ events: [EVENT_EXAMPLE], next: null }] },
);

/** `GET /events`, `GET /events/stream` and `GET /events/:id/still.jpg`. */
export const eventRoutes: FastifyPluginCallbackTypebox<EventsDeps> = (app, deps, done) => {
  const streams = new Map<EventStream, Seated>();
  app.addHook('preClose', (closed) => {
    for (const stream of streams.keys()) stream.end('server-closing');
    closed();
  });

  app.get(
    '/events',
    {
      config: { action: 'data', takesTokenInQuery: true, rateLimit: { max: QUERIES_PER_MINUTE, timeWindow: 60_000 } },
      schema: {
        operationId: 'listEvents',
        summary: 'What has happened: events of zones and lines, the oldest first',
        tags: ['detection'],
        querystring: Type.Object({
          from: Type.Optional(Type.Number({ minimum: 0, description: 'Unix seconds, included' })),
          to: Type.Optional(Type.Number({ minimum: 0, description: 'Unix seconds, excluded' })),
          ...Filter,
          after: Type.Optional({ ...Id, description: 'Id of an event: those that follow it' }),
          order: Type.Enum(['asc', 'desc'], { default: 'asc', description: '`desc`: the newest first' }),
          limit: Type.Integer({ minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT }),
          ...TokenQuery,
        }),
        response: { 200: EventPage, '4xx': ErrorSchema, '5xx': ErrorSchema },
      },
    },
    async (request, reply) => {
      const { from, to, after, order, limit } = request.query;
      if (from !== undefined && to !== undefined && from > to)
        throw new MediaPeerError('QUERY_INVALID', `from (${from}) is later than to (${to}); both are Unix seconds`);
      const found = await deps.query({
        fromMs: from === undefined ? undefined : from * 1000,
        toMs: to === undefined ? undefined : to * 1000,
        types: await readableTypes(request, typesOf(request.query.type)),
        sourceIds: await readableSources(request, deps, listOf(request.query.source)),
        ...membersOf(request.query),
        afterId: after === undefined ? undefined : Number(after),
        isDescending: order === 'desc',
        limit: limit + 1,
      });
      const events = found.slice(0, limit).map(eventMessage);
      return reply.header('cache-control', 'no-store').send({ events, next: found.length > limit ? (events.at(-1)?.id ?? null) : null });
    },
  );

  app.get(
    '/events/:id/still.jpg',
    {
      config: { action: 'data', takesTokenInQuery: true, rateLimit: { max: STILLS_PER_MINUTE, timeWindow: 60_000 } },
      schema: {
        operationId: 'readEventStill',
        summary: 'The picture of the moment of an event: a JPEG of at most 320 pixels, with boxes around those to whom it happened',
        tags: ['detection'],
        params: Type.Object({ id: Id }),
        querystring: Type.Object(TokenQuery),
        response: JpegAnswers,
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const still = await deps.still(Number(id));
      // Whoever may not see the source is not told whether anything happened there.
      if (!still || !(await request.access.may('data', still.sourceId === undefined ? 'every' : { source: still.sourceId })))
        throw new MediaPeerError('EVENT_NOT_FOUND', `there is no still of an event '${id}' (any more)`);
      const tag = entityTag(id);
      reply.header('etag', tag).header('cache-control', 'private, max-age=31536000, immutable');
      if (isKnown(request.headers['if-none-match'], tag)) return reply.code(304).send();
      return reply.type('image/jpeg').send(Buffer.from(still.jpeg));
    },
  );

  app.get(
    '/events/stream',
    {
      // The stream of a HEAD would be read by nobody and end never.
      exposeHeadRoute: false,
      config: { action: 'data', takesTokenInQuery: true, rateLimit: { max: QUERIES_PER_MINUTE, timeWindow: 60_000 } },
      schema: {
        operationId: 'streamEvents',
        summary: 'Events as they happen, as Server-Sent Events',
        description:
          'Each has its type as name and its id; the data is an event as `GET /events` gives it. `Last-Event-ID`, which browsers send when they ' +
          'connect again, or `after` gives those that follow that one before: none is left out, none comes twice. `end` tells the reason at last. ' +
          'An event may come before its still is made: who asks for that waits.',
        tags: ['detection'],
        querystring: Type.Object({
          ...Filter,
          after: Type.Optional({ ...Id, description: 'Id of the last event that was seen, where the header Last-Event-ID cannot be sent' }),
          ...TokenQuery,
        }),
        headers: Type.Object({ 'last-event-id': Type.Optional({ ...Id, description: 'Id of the last event that was seen' }) }),
        response: {
          200: { description: 'Events without end', content: { 'text/event-stream': { schema: Type.Unsafe<unknown>(Type.String()) } } },
          '4xx': ErrorSchema,
          '5xx': ErrorSchema,
        },
      },
    },
    (request, reply) =>
      whileThere(reply, async () => {
        const { type, source, after } = request.query;
        const members = membersOf(request.query);
        const isAdmin = await request.access.may('admin');
        const types = await readableTypes(request, typesOf(type));
        const sources = listOf(source);
        const sourceIds = await readableSources(request, deps, sources);
        const rights = await request.access.heldRights(sourceIds ?? ['*']);
        makeSeat(streams, request.clientAddress, MAX_READERS, 'events');
        let release = (): void => undefined;
        const lastSeen = request.headers['last-event-id'] ?? after;
        const stream: EventStream = new EventStream({
          ...deps,
          afterId: lastSeen === undefined ? undefined : Number(lastSeen),
          filter: { types, sourceIds, ...members },
          wants: (event) =>
            (types?.includes(event.type) ?? true) &&
            (sources?.some((each) => each === event.sourceId) ?? true) &&
            hasWantedMembers(event, members) &&
            rights.mayHaveData(event.sourceId),
          pendingBytes: () => reply.raw.writableLength,
          onClosed: () => {
            release();
            streams.delete(stream);
          },
        });
        streams.set(stream, { address: request.clientAddress });
        // Who administers is told more, until they do not any more.
        release = rights.guard({
          action: isAdmin ? 'admin' : 'data',
          sources: () => (isAdmin ? 'every' : []),
          onLost: () => stream.end('access-ended'),
        });
        return reply
          .header('content-type', 'text/event-stream; charset=utf-8')
          .header('cache-control', 'no-store')
          .header('x-accel-buffering', 'no')
          .send(stream);
      }),
  );
  done();
};

/** What events have to be of, beside sources and types. */
function membersOf({ label, zone, line }: { readonly label?: string; readonly zone?: string; readonly line?: string }) {
  return { labels: listOf(label), zones: listOf(zone), lines: listOf(line) };
}

/** Those of the sources that somebody asks for whose events they may read; undefined: all, and what is about no source. */
async function readableSources(
  { access }: FastifyRequest,
  deps: EventsDeps,
  asked: readonly string[] | undefined,
): Promise<readonly string[] | undefined> {
  if (await access.may('data')) return asked;
  return access.permitted('data', asked ?? (await deps.sources()));
}

/** Those of the types that somebody asks for which they may read; undefined: all. @throws MediaPeerError FORBIDDEN where they ask for one by name that they may not */
async function readableTypes(
  { access }: FastifyRequest,
  asked: readonly EventType[] | undefined,
): Promise<readonly EventType[] | undefined> {
  const isForAdmin = (type: EventType): boolean => ADMIN_EVENT_TYPES.includes(type);
  if (asked?.some(isForAdmin)) await access.demand('admin');
  if (asked || (await access.may('admin'))) return asked;
  return EVENT_TYPES.filter((type) => !isForAdmin(type));
}

/** @throws MediaPeerError QUERY_INVALID */
function typesOf(type: string | undefined): EventType[] | undefined {
  return listOf(type)?.map((name) => {
    const known = EVENT_TYPES.find((each) => each === name);
    if (known) return known;
    throw new MediaPeerError('QUERY_INVALID', `there are no events of type '${name.slice(0, 40)}'; there are ${EVENT_TYPES.join(', ')}`);
  });
}
