/** `GET /recordings/:source/timeline`: how much was recorded and seen when. */
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { MediaPeerError } from '../base/errors.js';
import type { Timeline, TimeRange } from '../recording/index.js';
import { inParam } from './gate.js';
import { ErrorSchema, TokenQuery } from './schemas.js';

/** What the route needs. */
export interface TimelineDeps {
  /** Unix milliseconds. */
  readonly now: () => number;
  /** @param stepMs undefined: one that people count in @throws MediaPeerError RECORDING_NOT_FOUND, QUERY_INVALID, STORE_FAILED */
  readonly timeline: (sourceId: string, within: TimeRange, stepMs: number | undefined) => Promise<Timeline>;
}

const QUERIES_PER_MINUTE = 600;
/** Where nobody says when. */
const USUAL_MS = 86_400_000;

const Range = Type.Object({ from: Type.Number({ description: 'Unix seconds' }), to: Type.Number({ description: 'Unix seconds' }) });
const TimelineSchema = Type.Object(
  {
    source: Type.String(),
    from: Type.Number({ description: 'Unix seconds' }),
    to: Type.Number({ description: 'Unix seconds' }),
    step_s: Type.Number({ description: 'Length of a step, in seconds' }),
    ranges: Type.Array(Range, { description: 'What is recorded, oldest first; overlapping where the clock was set back' }),
    gaps: Type.Array(Range, { description: 'What is not, oldest first' }),
    steps: Type.Array(
      Type.Object({
        at: Type.Number({ description: 'Its beginning, Unix seconds' }),
        recorded: Type.Number({ description: 'How much of it is recorded, in [0, 1]' }),
        motion: Type.Union([Type.Number(), Type.Null()], {
          description:
            'In its busiest minute, in [0, 1]: the share of the looks in which an object moved; where nobody looked, of the seconds in which the ' +
            'recorded stream changed more than it usually does. null where neither is known',
        }),
        objects: Type.Record(
          Type.String(),
          Type.Object({
            seen: Type.Integer({ description: 'Different objects; who is there in several steps is counted in each' }),
            most: Type.Integer({ description: 'Most of them at once, as far as it is known' }),
          }),
          { description: 'By label' },
        ),
      }),
      { description: 'In order, without a hole' },
    ),
  },
  {
    title: 'Timeline',
    description: 'A recording from afar',
    examples: [
      {
        source: 'gate',
        from: 1796061600,
        to: 1796061660,
        step_s: 30,
        ranges: [{ from: 1796061600, to: 1796061645.2 }],
        gaps: [{ from: 1796061645.2, to: 1796061660 }],
        steps: [
          { at: 1796061600, recorded: 1, motion: 0.4, objects: { person: { seen: 3, most: 2 } } },
          { at: 1796061630, recorded: 0.507, motion: 0.4, objects: {} },
        ],
      },
    ],
  },
);

/** `GET /recordings/:source/timeline`. */
export const timelineRoutes: FastifyPluginCallbackTypebox<TimelineDeps> = (app, deps, done) => {
  app.get(
    '/recordings/:source/timeline',
    {
      config: {
        action: 'playback',
        sourceOf: inParam('source'),
        takesTokenInQuery: true,
        rateLimit: { max: QUERIES_PER_MINUTE, timeWindow: 60_000 },
      },
      schema: {
        operationId: 'readTimeline',
        summary: 'What a recording looks like from afar: ranges, gaps, and by steps how much moved and how many objects were seen',
        tags: ['recordings'],
        params: Type.Object({ source: Type.String({ minLength: 1, maxLength: 255 }) }),
        querystring: Type.Object({
          from: Type.Optional(Type.Number({ minimum: 0, maximum: 8.64e12, description: 'Unix seconds; default a day before `to`' })),
          to: Type.Optional(Type.Number({ minimum: 0, maximum: 8.64e12, description: 'Unix seconds, excluded; default now' })),
          step: Type.Optional(
            Type.Number({
              minimum: 1,
              maximum: 86_400,
              description: 'Seconds; at most 2000 steps. Default: a round number with at most 300 steps',
            }),
          ),
          ...TokenQuery,
        }),
        response: { 200: TimelineSchema, '4xx': ErrorSchema, '5xx': ErrorSchema },
      },
    },
    async (request, reply) => {
      const { source } = request.params;
      const { to = deps.now() / 1000, from = Math.max(0, to - USUAL_MS / 1000), step } = request.query;
      if (from >= to) throw new MediaPeerError('QUERY_INVALID', `from (${from}) is not earlier than to (${to}); both are Unix seconds`);
      const { stepMs, ranges, gaps, steps } = await deps.timeline(
        source,
        { fromMs: Math.round(from * 1000), toMs: Math.round(to * 1000) },
        step === undefined ? undefined : Math.round(step * 1000),
      );
      return reply.header('cache-control', 'no-store').send({
        source,
        from,
        to,
        step_s: stepMs / 1000,
        ranges: ranges.map(rangeJson),
        gaps: gaps.map(rangeJson),
        steps: steps.map(({ atMs, recorded, motion, objects }) => ({
          at: atMs / 1000,
          recorded: Math.round(recorded * 1000) / 1000,
          motion: motion === undefined ? null : Math.round(motion * 1000) / 1000,
          objects,
        })),
      });
    },
  );
  done();
};

function rangeJson({ fromMs, toMs }: TimeRange) {
  return { from: fromMs / 1000, to: toMs / 1000 };
}
