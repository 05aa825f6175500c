/** Recordings of sources: what there is, what is to be kept, what is to go, and whether it is whole. */
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { MediaPeerError } from '../base/errors.js';
import type { CheckReport, RecordingListing, RecordingOverview, TimeRange } from '../recording/index.js';
import { inParam } from './gate.js';
import { whileThere } from './gone-client.js';
import { ErrorSchema } from './schemas.js';

/** What the routes of recordings need. */
export interface RecordingsDeps {
  /** All sources that something is recorded of. */
  readonly list: () => Promise<readonly RecordingOverview[]>;
  /** One; throws MediaPeerError. */
  readonly describe: (sourceId: string, asked: Partial<TimeRange>) => Promise<RecordingListing>;
  /** Keeps a range whatever its age, and tells all that is to be kept; throws MediaPeerError. */
  readonly keep: (sourceId: string, range: TimeRange) => Promise<readonly TimeRange[]>;
  /** As `keep`, the other way. */
  readonly release: (sourceId: string, range: TimeRange) => Promise<readonly TimeRange[]>;
  /** Removes what lies in the range, and tells what is gone; throws MediaPeerError. */
  readonly remove: (sourceId: string, range: TimeRange) => Promise<readonly (TimeRange & { readonly bytes: number })[]>;
  /** Reads what is recorded; throws MediaPeerError. */
  readonly check: (sourceId: string, asked: Partial<TimeRange>, signal: AbortSignal) => Promise<CheckReport>;
}

const Params = Type.Object({ source: Type.String({ minLength: 1, maxLength: 255, description: 'A source that was recorded' }) });
const From = Type.Number({ minimum: 0, maximum: 1e11, description: 'Unix seconds, included' });
const To = Type.Number({ minimum: 0, maximum: 1e11, description: 'Unix seconds, excluded' });
const Some = Type.Object({ from: Type.Optional(From), to: Type.Optional(To) });
const Exact = Type.Object({ from: From, to: To });
const Range = Type.Object({ from: Type.Number(), to: Type.Number() });
const Ranges = (description: string) => Type.Array(Range, { description });

const overviewFields = {
  source: Type.String(),
  from: Type.Number({ description: 'Unix seconds of the first frame' }),
  to: Type.Number({ description: 'Unix seconds of the end; it grows while the source is recorded' }),
  bytes: Type.Integer({ description: 'Of all its files' }),
  segments: Type.Integer({ description: 'Files' }),
};
const OVERVIEW = { source: 'gate', from: 1796063423.58, to: 1796149823.61, bytes: 21_600_482_133, segments: 1441 };
const RANGE = { from: 1796063423.58, to: 1796070000 };

const RecordingList = Type.Object(
  { recordings: Type.Array(Type.Object(overviewFields)) },
  { title: 'Recordings', description: 'Sources that something is recorded of', examples: [{ recordings: [OVERVIEW] }] },
);
const Recording = Type.Object(
  {
    ...overviewFields,
    ranges: Ranges('Without a gap each, oldest first. Where the clock was set back, they lie over one another'),
    gaps: Ranges('Between the first and the last of these'),
    kept: Ranges('What is to be kept whatever its age'),
  },
  {
    title: 'Recording',
    description: 'What is recorded of a source',
    examples: [
      { ...OVERVIEW, ranges: [RANGE, { from: 1796070012.2, to: 1796149823.61 }], gaps: [{ from: 1796070000, to: 1796070012.2 }], kept: [] },
    ],
  },
);
const Kept = Type.Object(
  { source: Type.String(), kept: Ranges('All that is to be kept of the source') },
  { title: 'KeptRecordings', description: 'What is to be kept whatever its age', examples: [{ source: 'gate', kept: [RANGE] }] },
);
const RemovedRanges = Type.Object(
  {
    source: Type.String(),
    removed: Ranges('What is gone: whole files, so up to a minute more on each side'),
    bytes: Type.Integer(),
  },
  { title: 'RemovedRecordings', description: 'What was removed', examples: [{ source: 'gate', removed: [RANGE], bytes: 1_644_105_000 }] },
);
const Checked = Type.Object(
  {
    source: Type.String(),
    checked: Type.Integer({ description: 'Files that were read' }),
    checked_to: Type.Number({ description: 'Unix seconds up to which that was done: send it as `from` for the rest' }),
    damaged: Type.Array(
      Type.Object({ from: Type.Number(), to: Type.Number(), file: Type.String(), problem: Type.String({ description: 'In words' }) }),
    ),
  },
  {
    title: 'CheckedRecording',
    description: 'Whether the files of a recording are whole',
    examples: [{ source: 'gate', checked: 1441, checked_to: 1796149823.61, damaged: [] }],
  },
);

/** `/recordings`: lists, keeps, removes, checks. */
export const recordingRoutes: FastifyPluginCallbackTypebox<RecordingsDeps> = (app, deps, done) => {
  const described = (operationId: string, summary: string) => ({ operationId, summary, tags: ['recordings'] });
  const errors = { '4xx': ErrorSchema, '5xx': ErrorSchema };
  const reading = { action: 'playback', sourceOf: inParam('source') } as const;
  const changing = { action: 'admin', sourceOf: inParam('source') } as const;

  app.get(
    '/recordings',
    {
      config: { action: 'playback' },
      schema: { ...described('listRecordings', 'Sources that something is recorded of'), response: { 200: RecordingList, ...errors } },
    },
    async (request) => {
      const all = await deps.list();
      const readable = await request.access.permitted(
        'playback',
        all.map(({ sourceId }) => sourceId),
      );
      return { recordings: all.filter(({ sourceId }) => readable.includes(sourceId)).map(overviewJson) };
    },
  );

  app.get(
    '/recordings/:source',
    {
      config: reading,
      schema: {
        ...described('readRecording', 'What is recorded of a source, with its gaps'),
        params: Params,
        querystring: Some,
        response: { 200: Recording, ...errors },
      },
    },
    async ({ params, query }) => {
      const found = await deps.describe(params.source, someOf(query));
      return { ...overviewJson(found), ranges: found.ranges.map(json), gaps: found.gaps.map(json), kept: found.kept.map(json) };
    },
  );

  app.delete(
    '/recordings/:source',
    {
      config: changing,
      schema: {
        ...described('removeRecording', 'Remove what is recorded of a source in a range: every file that has a moment in it, whole'),
        params: Params,
        querystring: Exact,
        response: { 200: RemovedRanges, ...errors },
      },
    },
    async ({ params, query }) => {
      const removed = await deps.remove(params.source, rangeOf(query));
      return { source: params.source, removed: removed.map(json), bytes: removed.reduce((sum, { bytes }) => sum + bytes, 0) };
    },
  );

  for (const method of ['PUT', 'POST'] as const)
    app.route({
      method,
      url: '/recordings/:source/keep',
      config: changing,
      schema: {
        ...described(method === 'PUT' ? 'keepRecording' : 'keepRecordingByPost', 'Keep what is recorded in a range, whatever its age'),
        params: Params,
        querystring: Exact,
        response: { 200: Kept, ...errors },
      },
      handler: async ({ params, query }) => ({
        source: params.source,
        kept: (await deps.keep(params.source, rangeOf(query))).map(json),
      }),
    });

  app.delete(
    '/recordings/:source/keep',
    {
      config: changing,
      schema: {
        ...described('releaseRecording', 'Let a range go when it is old'),
        params: Params,
        querystring: Exact,
        response: { 200: Kept, ...errors },
      },
    },
    async ({ params, query }) => ({ source: params.source, kept: (await deps.release(params.source, rangeOf(query))).map(json) }),
  );

  app.get(
    '/recordings/:source/check',
    {
      config: changing,
      schema: {
        ...described('checkRecording', 'Read the files of a recording and tell which are damaged; up to a day at a time'),
        params: Params,
        querystring: Some,
        response: { 200: Checked, ...errors },
      },
    },
    ({ params, query }, reply) =>
      whileThere(reply, async (signal) => {
        const { checked, checkedToMs, damaged } = await deps.check(params.source, someOf(query), signal);
        return {
          source: params.source,
          checked,
          checked_to: checkedToMs / 1000,
          damaged: damaged.map(({ file, problem, ...range }) => ({ ...json(range), file, problem })),
        };
      }),
  );
  done();
};

/** @throws MediaPeerError QUERY_INVALID */
function rangeOf({ from, to }: { readonly from: number; readonly to: number }): TimeRange {
  if (from >= to) throw new MediaPeerError('QUERY_INVALID', `from (${from}) is not before to (${to}); both are Unix seconds`);
  return { fromMs: from * 1000, toMs: to * 1000 };
}

/** @throws MediaPeerError QUERY_INVALID */
function someOf({ from, to }: { readonly from?: number; readonly to?: number }): Partial<TimeRange> {
  if (from !== undefined && to !== undefined) return rangeOf({ from, to });
  return { ...(from !== undefined && { fromMs: from * 1000 }), ...(to !== undefined && { toMs: to * 1000 }) };
}

function json({ fromMs, toMs }: TimeRange): { from: number; to: number } {
  return { from: seconds(fromMs), to: seconds(toMs) };
}

function overviewJson({ sourceId, fromMs, toMs, bytes, segments }: RecordingOverview) {
  return { source: sourceId, ...json({ fromMs, toMs }), bytes, segments };
}

/** To the microsecond, which is what the index has. */
function seconds(ms: number): number {
  return Math.round(ms * 1000) / 1e6;
}
