/** What is looked for in recordings, and what is found, as clients write and read it. */
import { Type } from 'typebox';
import { TokenQuery } from './schemas.js';

const Text = (description: string) => Type.Optional(Type.String({ minLength: 1, maxLength: 4096, description }));
const Seconds = (description: string) => Type.Optional(Type.Number({ minimum: 0, description }));

/** The query of a search. */
export const SearchQuery = Type.Object({
  source: Text('In these sources alone, separated by commas, 500 at most. Default: all that may be played back'),
  label: Text('Objects of these labels alone, separated by commas: `car,truck`'),
  zone: Type.Optional(Type.String({ minLength: 1, maxLength: 255, description: 'Stays in the zone of that id' })),
  line: Type.Optional(Type.String({ minLength: 1, maxLength: 255, description: 'Crossings of the line of that id' })),
  direction: Type.Optional(
    Type.Enum(['in', 'out'], {
      description: 'Of crossings: `in` goes from the left to the right, looking from the first point of the line to its second',
    }),
  ),
  from: Seconds('Unix seconds: what began then or later'),
  to: Seconds('Unix seconds: what began before'),
  hours: Type.Optional(
    Type.String({ maxLength: 20, description: 'What began in these hours of the day: `07:00-09:00`; over midnight: `22:00-06:00`' }),
  ),
  weekday: Text(
    'What began on these days, with `hours` those on which the hours begin: sun, mon, tue, wed, thu, fri, sat, separated by commas',
  ),
  timezone: Type.Optional(
    Type.String({ minLength: 1, maxLength: 64, description: 'Of hours and weekdays: `Europe/Berlin`. Default: that of the server' }),
  ),
  min_duration: Seconds('Seconds at least: of stays in the zone; else of how long the object was seen'),
  max_duration: Seconds('Seconds at most'),
  min_score: Type.Optional(Type.Number({ minimum: 0, maximum: 1, description: 'Objects that were recognized with that score at least' })),
  order: Type.Enum(['asc', 'desc'], { default: 'desc', description: '`desc`: the newest first' }),
  limit: Type.Integer({ minimum: 1, maximum: 500, default: 50 }),
  after: Type.Optional(Type.String({ pattern: '^[0-9]{1,16}-[0-9]{1,16}-[0-9]{1,4}$', description: '`next` of the page before' })),
  ...TokenQuery,
});

const RESULT_EXAMPLE = {
  id: '1796061603500000',
  type: 'crossing',
  source: 'gate',
  at: 1796061612.4,
  from: 1796061603.5,
  to: 1796061640.25,
  duration_s: 36.75,
  label: 'car',
  object_id: 7,
  score: 0.91,
  zone: null,
  line: 'A',
  direction: 'in',
  recorded: true,
  thumbnail: '/recordings/gate/thumbnail.jpg?at=1796061612.4',
  clip: '/recordings/gate/clip.mp4?from=1796061603.5&to=1796061640.25',
};

const NullableText = (description: string) => Type.Union([Type.String(), Type.Null()], { description });

const SearchResult = Type.Object(
  {
    id: Type.String({ description: 'Of the object: the same in all its stays and crossings' }),
    type: Type.Enum(['object', 'stay', 'crossing']),
    source: Type.String(),
    at: Type.Number({
      description: 'The crossing, or the first that is recorded of it, Unix seconds: the frame to open, as `at` of POST /offer',
    }),
    from: Type.Number({ description: 'Of the stay, or of how long the object was seen: Unix seconds' }),
    to: Type.Number({ description: 'Its end so far, Unix seconds' }),
    duration_s: Type.Number({ description: 'Seconds from `from` to `to`' }),
    label: Type.String({ description: 'What the object was taken for most often' }),
    object_id: Type.Integer({ description: 'As in the detections of that time' }),
    score: Type.Number({ description: 'The best of the object, in [0, 1]' }),
    zone: NullableText('Of a stay'),
    line: NullableText('Of a crossing'),
    direction: Type.Union([Type.Enum(['in', 'out']), Type.Null()], { description: 'Of a crossing' }),
    recorded: Type.Boolean({ description: 'It can be watched from `at`; where not, `at` is when it began' }),
    thumbnail: NullableText('Address of a picture of it; null where nothing is recorded'),
    clip: NullableText('Address of an MP4 of it; null where nothing is recorded'),
  },
  { title: 'SearchResult', description: 'Something that was seen', examples: [RESULT_EXAMPLE] },
);

/** A page of what was found. */
export const SearchPage = Type.Object(
  {
    results: Type.Array(SearchResult),
    next: Type.Union([Type.String(), Type.Null()], {
      description: 'What to send as `after` for those that follow; null where there are none',
    }),
  },
  { title: 'SearchResults', description: 'A page of what was found', examples: [{ results: [RESULT_EXAMPLE], next: null }] },
);
