/** `GET /search`: objects, stays in zones and crossings of lines in what is recorded. */
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { Static } from 'typebox';
import { MediaPeerError } from '../base/errors.js';
import { isTimeZone, readHours, stretchesOf, WEEKDAYS, type FoundObject, type TimeRange, type Weekday } from '../recording/index.js';
import type { SeenQuery } from '../store/index.js';
import { listOf } from './comma-lists.js';
import { ErrorSchema } from './schemas.js';
import { SearchPage, SearchQuery } from './search-schema.js';

/** What the route needs. */
export interface SearchDeps {
  /** Unix milliseconds. */
  readonly now: () => number;
  /** @throws MediaPeerError STORE_FAILED */
  readonly search: (query: SeenQuery) => Promise<FoundObject[]>;
  /** Sources that something is recorded of. @throws MediaPeerError STORE_FAILED */
  readonly sources: () => Promise<string[]>;
}

type Query = Static<typeof SearchQuery>;

const QUERIES_PER_MINUTE = 600;
const DAY_MS = 86_400_000;
/** Days that hours and weekdays are looked for in, where nobody says. */
const USUAL_DAYS = 366;
/** Each is looked at for each of the days. */
const MAX_SOURCES = 500;
/** Around what is shown in a clip. */
const CLIP_MARGIN_MS = 2000;
/** Who is parked all day is not shown all day. */
const MAX_CLIP_MS = 120_000;

/** `GET /search`. */
export const searchRoutes: FastifyPluginCallbackTypebox<SearchDeps> = (app, deps, done) => {
  app.get(
    '/search',
    {
      config: { action: 'playback', takesTokenInQuery: true, rateLimit: { max: QUERIES_PER_MINUTE, timeWindow: 60_000 } },
      schema: {
        operationId: 'search',
        summary: 'Look for what was seen in recordings: objects, stays in a zone, crossings of a line',
        description:
          'Cars that crossed line A inwards on Tuesdays between 7 and 9: `label=car&line=A&direction=in&weekday=tue&hours=07:00-09:00`. Persons in ' +
          'zone dock for longer than a minute: `label=person&zone=dock&min_duration=60`. What was seen is kept as long as the recording.',
        tags: ['recordings'],
        querystring: SearchQuery,
        response: { 200: SearchPage, '4xx': ErrorSchema, '5xx': ErrorSchema },
      },
    },
    async (request, reply) => {
      const { query } = request;
      throwIfContradictory(query);
      const sourceIds = await request.access.permitted('playback', sourcesOf(query) ?? (await deps.sources()));
      const within = withinOf(query, deps.now());
      const found = sourceIds.length === 0 || within.length === 0 ? [] : await deps.search(seenQuery(query, sourceIds, within));
      const page = found.slice(0, query.limit);
      const last = page.at(-1);
      return reply.header('cache-control', 'no-store').send({
        results: page.map(resultJson),
        next: last && found.length > query.limit ? `${last.atMs}-${last.id}-${last.visit}` : null,
      });
    },
  );
  done();
};

function seenQuery(query: Query, sourceIds: readonly string[], within: readonly TimeRange[]): SeenQuery {
  const [atMs, id, visit] = (query.after ?? '').split('-').map(Number);
  const ms = (seconds: number | undefined): number | undefined => (seconds === undefined ? undefined : seconds * 1000);
  return {
    sourceIds,
    labels: listOf(query.label),
    zone: query.zone,
    line: query.line,
    direction: query.direction,
    within,
    minMs: ms(query.min_duration),
    maxMs: ms(query.max_duration),
    minScore: query.min_score,
    after: atMs === undefined || id === undefined || visit === undefined ? undefined : { atMs, id, visit },
    isDescending: query.order === 'desc',
    limit: query.limit + 1,
  };
}

/** Each of them once; undefined: none is named. @throws MediaPeerError QUERY_INVALID */
function sourcesOf({ source }: Query): string[] | undefined {
  const named = listOf(source);
  if (named && named.length > MAX_SOURCES)
    throw new MediaPeerError('QUERY_INVALID', `${named.length} sources are too many; name at most ${MAX_SOURCES}, or none for all of them`);
  return named && [...new Set(named)];
}

/** @throws MediaPeerError QUERY_INVALID */
function throwIfContradictory({ zone, line, direction, from, to, min_duration: min, max_duration: max }: Query): void {
  const wrong =
    zone !== undefined && line !== undefined
      ? 'zone and line cannot be looked for at once; name one of them'
      : direction !== undefined && line === undefined
        ? 'direction is that of crossings; name a line'
        : from !== undefined && to !== undefined && from > to
          ? `from (${from}) is later than to (${to}); both are Unix seconds`
          : min !== undefined && max !== undefined && min > max
            ? `min_duration (${min}) is longer than max_duration (${max})`
            : undefined;
  if (wrong !== undefined) throw new MediaPeerError('QUERY_INVALID', wrong);
}

/** When it may have begun. @throws MediaPeerError QUERY_INVALID */
function withinOf({ from, to, hours, weekday, timezone }: Query, nowMs: number): TimeRange[] {
  const toMs = Math.min(to === undefined ? Infinity : to * 1000, nowMs + DAY_MS);
  const hasDays = hours !== undefined || weekday !== undefined;
  const fromMs = from === undefined ? (hasDays ? Math.max(0, toMs - USUAL_DAYS * DAY_MS) : 0) : from * 1000;
  const timeZone = timezone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!isTimeZone(timeZone)) throw new MediaPeerError('QUERY_INVALID', `there is no time zone '${timeZone}'; write it as Europe/Berlin`);
  const times = { ...readHours(hours ?? '00:00-24:00'), weekdays: weekdaysOf(weekday), timeZone };
  if (fromMs >= toMs) return [];
  return hasDays ? stretchesOf({ fromMs, toMs }, times) : [{ fromMs, toMs }];
}

/** @throws MediaPeerError QUERY_INVALID */
function weekdaysOf(text: string | undefined): Weekday[] | undefined {
  return listOf(text)?.map((name) => {
    const known = WEEKDAYS.find((each) => each === name.toLowerCase());
    if (known) return known;
    throw new MediaPeerError('QUERY_INVALID', `there is no weekday '${name.slice(0, 40)}'; there are ${WEEKDAYS.join(', ')}`);
  });
}

function resultJson({ object, found, atMs, bestMs, watchMs }: FoundObject) {
  const isRecorded = watchMs !== undefined;
  const isStay = found !== undefined && found.direction === undefined;
  const [fromMs, toMs] = isStay ? [found.atMs, found.leftMs ?? object.lastMs] : [object.firstMs, object.lastMs];
  const address = `/recordings/${encodeURIComponent(object.sourceId)}`;
  const clipFromMs = Math.max(fromMs, found && !isStay ? found.atMs - MAX_CLIP_MS / 2 : fromMs) - CLIP_MARGIN_MS;
  const clipToMs = Math.min(toMs + CLIP_MARGIN_MS, clipFromMs + MAX_CLIP_MS);
  return {
    id: String(object.id),
    type: found === undefined ? ('object' as const) : isStay ? ('stay' as const) : ('crossing' as const),
    source: object.sourceId,
    at: (watchMs ?? atMs) / 1000,
    from: fromMs / 1000,
    to: toMs / 1000,
    duration_s: (toMs - fromMs) / 1000,
    label: object.label,
    object_id: object.objectId,
    score: Math.round(object.score * 10_000) / 10_000,
    zone: isStay ? found.place : null,
    line: found && !isStay ? found.place : null,
    direction: found?.direction ?? null,
    recorded: isRecorded,
    thumbnail: isRecorded ? `${address}/thumbnail.jpg?at=${bestMs / 1000}` : null,
    clip: isRecorded ? `${address}/clip.mp4?from=${clipFromMs / 1000}&to=${clipToMs / 1000}` : null,
  };
}
