/** The zones file of a source, as people write it and as `PUT /sources/:id/zones` takes it. */
import { Type, type Static } from 'typebox';

/** Bounds of one file. */
export const ZONE_LIMITS = { zones: 64, lines: 64, points: 64, fileBytes: 262_144 } as const;

const closed = { additionalProperties: false };
const Id = Type.String({ pattern: '^[A-Za-z0-9._-]{1,64}$', description: '1 to 64 characters of A-Z a-z 0-9 . _ -, unique in the file' });
const Point = Type.Array(Type.Number(), { minItems: 2, maxItems: 2, description: '[x, y], from the left and the top' });
const Classes = Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
  minItems: 1,
  maxItems: 256,
  description: 'Labels that count; all when left out',
});
const MinScore = Type.Number({ minimum: 0, maximum: 1, description: 'An object counts once it has reached this score. Default 0' });

/** One zone. */
export const ZoneSchema = Type.Object(
  {
    id: Id,
    polygon: Type.Array(Point, { minItems: 3, maxItems: ZONE_LIMITS.points, description: 'Corners in order; the last joins the first' }),
    classes: Type.Optional(Classes),
    min_score: Type.Optional(MinScore),
    min_dwell_ms: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 86_400_000,
        description: 'An object enters once it has been inside this long, media time. Default 0',
      }),
    ),
  },
  closed,
);

/** One line. */
export const LineSchema = Type.Object(
  {
    id: Id,
    from: Point,
    to: Point,
    classes: Type.Optional(Classes),
    min_score: Type.Optional(MinScore),
  },
  { ...closed, description: 'Looking from `from` to `to`, `in` goes from the left to the right side' },
);

/** The whole file. */
export const ZonesSchema = Type.Object(
  {
    zones: Type.Optional(Type.Array(ZoneSchema, { maxItems: ZONE_LIMITS.zones })),
    lines: Type.Optional(Type.Array(LineSchema, { maxItems: ZONE_LIMITS.lines })),
    units: Type.Optional(
      Type.Enum(['pixels', 'fraction'], {
        description: "Of all coordinates: pixels of the source's picture, or fractions of it from 0 to 1. Default pixels",
      }),
    ),
    anchor: Type.Optional(
      Type.Enum(['bottom', 'centre'], {
        description: 'The point of a box that counts: the middle of its bottom edge, or its centre. Default bottom',
      }),
    ),
    always: Type.Optional(Type.Boolean({ description: 'Run the detector even while nobody watches. Default false' })),
  },
  {
    ...closed,
    title: 'ZonesFile',
    examples: [
      {
        zones: [
          {
            id: 'gate',
            polygon: [
              [420, 300],
              [860, 300],
              [860, 700],
              [420, 700],
            ],
            classes: ['person'],
          },
        ],
        lines: [{ id: 'road', from: [640, 720], to: [640, 0] }],
      },
    ],
  },
);

/** The whole file. */
export type ZonesJson = Static<typeof ZonesSchema>;
/** One zone. */
export type ZoneJson = Static<typeof ZoneSchema>;
/** One line. */
export type LineJson = Static<typeof LineSchema>;

/** The point of a box that counts. */
export type Anchor = NonNullable<ZonesJson['anchor']>;
