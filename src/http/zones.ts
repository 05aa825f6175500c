/** Zones and lines of a source, to read, replace and remove; and what they count now. */
import { createHash } from 'node:crypto';
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { Type, type TSchema } from 'typebox';
import { MediaPeerError } from '../base/errors.js';
import { sourceNotFound } from '../base/refusals.js';
import { lineJson, zoneJson, type LineState, type ZoneState } from '../media/index.js';
import { LineCount, ZoneCount } from './detections-schema.js';
import { entityTag, matchTag } from './entity-tags.js';
import { inParam } from './gate.js';
import { ErrorSchema, Removed, nullable } from './schemas.js';

/** What a source's zones and lines count; times are Unix milliseconds. */
interface CountsSnapshot {
  /** What each zone holds now and has counted. */
  readonly zones: readonly ZoneState[];
  /** What has crossed each line; `sinceMs`: since when it is counted, Unix time in milliseconds; undefined for a line that has not begun. */
  readonly lines: readonly (LineState & { readonly sinceMs: number | undefined })[];
  /** Unix time of the newest frame that was counted, in milliseconds; undefined before the first. */
  readonly updatedAtMs: number | undefined;
}

/** Throws where the zones that are in force are not those that a request means. Undefined: it means any. */
type ZonesCheck = ((zones: object | undefined) => void) | undefined;

/** What the routes of zones need. */
export interface ZonesDeps {
  /** Whether there is a source of this id, playing or not. */
  readonly hasSource: (sourceId: string) => boolean;
  /** The schema of the body, for the contract; `put` does the checking, because it tells all faults at once. */
  readonly bodySchema: TSchema;
  /** As JSON; undefined where the source has none. */
  readonly get: (sourceId: string) => object | undefined;
  /** Puts zones in force, if `check` does not throw for those that are in force at that moment; throws MediaPeerError. */
  readonly put: (sourceId: string, body: unknown, check?: ZonesCheck) => Promise<object>;
  /** Likewise; false where there was nothing to remove. */
  readonly remove: (sourceId: string, check?: ZonesCheck) => Promise<boolean>;
  /** Undefined where the source has neither zones nor lines. */
  readonly counts: (sourceId: string) => CountsSnapshot | undefined;
  /** Lets the source's lines count from zero. */
  readonly resetCounts: (sourceId: string) => void;
}

const Params = Type.Object({ id: Type.String({ minLength: 1, maxLength: 255, description: 'A source of GET /available-videos' }) });

const Counts = Type.Object(
  {
    source: Type.String(),
    updated_at: nullable(Type.Number(), 'When the detector last looked at a frame, Unix seconds; null before the first'),
    zones: Type.Array(ZoneCount),
    lines: Type.Array(Type.Object({ ...LineCount.properties, since: nullable(Type.Number(), 'When its count started, Unix seconds') })),
  },
  {
    title: 'Counts',
    description: 'What is inside and what has crossed',
    examples: [
      {
        source: 'demo',
        updated_at: 1795266391.077,
        zones: [{ zone: 'left', count: 2, object_ids: [50, 56], by_label: { person: 1, car: 1 } }],
        lines: [{ line: 'road', in: 21, out: 16, in_by_label: { car: 21 }, out_by_label: { car: 16 }, since: 1795266346.138 }],
      },
    ],
  },
);

// As stored: the schema of the answer must not leave anything out.
const Zones = Type.Unsafe<object>({
  title: 'Zones',
  type: 'object',
  additionalProperties: true,
  description: 'As it was put; `{"zones":[],"lines":[]}` where there is nothing',
  examples: [{ units: 'fraction', lines: [{ id: 'road', from: [0.5, 1], to: [0.5, 0] }] }],
});

const NONE = { zones: [], lines: [] };

/** All zones and lines that there may be, as people indent them. */
const MAX_ZONES_BYTES = 256 * 1024;

/** `GET`, `PUT` and `DELETE` of the zones of a source, and its counts. */
export const zoneRoutes: FastifyPluginCallbackTypebox<ZonesDeps> = (app, deps, done) => {
  const known = (sourceId: string): string => {
    if (!deps.hasSource(sourceId)) throw sourceNotFound(sourceId);
    return sourceId;
  };
  const zonesOf = (sourceId: string): object => deps.get(known(sourceId)) ?? NONE;
  const countsOf = (sourceId: string) => countsJson(sourceId, deps.counts(known(sourceId)));
  const schema = <R extends TSchema>(operationId: string, summary: string, ok: R) => ({
    operationId,
    summary,
    tags: ['detection'],
    params: Params,
    response: { 200: ok, '4xx': ErrorSchema, '5xx': ErrorSchema },
  });
  const reading = { action: 'data', sourceOf: inParam('id') } as const;
  const changing = { action: 'admin', sourceOf: inParam('id') } as const;
  app.get(
    '/sources/:id/zones',
    { config: reading, schema: schema('readZones', 'Zones and lines of a source', Zones) },
    (request, reply) => {
      const zones = zonesOf(request.params.id);
      reply.header('etag', entityTag(tagOf(zones)));
      return zones;
    },
  );

  app.put(
    '/sources/:id/zones',
    {
      config: changing,
      bodyLimit: MAX_ZONES_BYTES,
      schema: {
        ...schema(
          'setZones',
          'Replace the zones and lines of a source; those that stay the same keep their counts. With `If-Match`, only those of that `ETag`',
          Zones,
        ),
        body: Type.Unsafe<unknown>(deps.bodySchema),
      },
      // The framework would tell one fault at a time, and drop what it does not know.
      validatorCompiler: () => () => true,
    },
    async (request, reply) => {
      const zones = await deps.put(known(request.params.id), request.body, checkOf(request));
      reply.header('etag', entityTag(tagOf(zones)));
      return zones;
    },
  );

  app.delete(
    '/sources/:id/zones',
    {
      config: changing,
      schema: schema('removeZones', 'Remove the zones and lines of a source', Removed),
    },
    async (request) => ({ removed: await deps.remove(known(request.params.id), checkOf(request)) }),
  );

  app.get(
    '/sources/:id/counts',
    { config: reading, schema: schema('readCounts', 'What is inside the zones now, and what has crossed the lines', Counts) },
    (request) => countsOf(request.params.id),
  );

  app.delete(
    '/sources/:id/counts',
    { config: changing, schema: schema('resetCounts', 'Let the lines of a source count from zero', Counts) },
    (request) => {
      deps.resetCounts(known(request.params.id));
      return countsOf(request.params.id);
    },
  );
  done();
};

/** The same for the same zones, also after a restart. */
function tagOf(zones: object): string {
  return createHash('sha256').update(JSON.stringify(zones)).digest('base64url').slice(0, 22);
}

function checkOf({ headers }: FastifyRequest): ZonesCheck {
  const ifMatch = headers['if-match'];
  if (ifMatch === undefined) return undefined;
  return (zones) => {
    if (matchTag(ifMatch, tagOf(zones ?? NONE)) === 'other')
      throw new MediaPeerError(
        'PRECONDITION_FAILED',
        'somebody else has changed the zones since that ETag; read them again, and change those',
      );
  };
}

/** In the words of the public contract. */
export function countsJson(sourceId: string, counts: CountsSnapshot | undefined) {
  const seconds = (ms: number | undefined): number | null => (ms === undefined ? null : ms / 1000);
  return {
    source: sourceId,
    updated_at: seconds(counts?.updatedAtMs),
    zones: (counts?.zones ?? []).map(zoneJson),
    lines: (counts?.lines ?? []).map((line) => ({ ...lineJson(line), since: seconds(line.sinceMs) })),
  };
}
