/** JSON schemas of the doors; the same ones produce `/openapi.json`. */
import { Type, type TSchema } from 'typebox';
import { MAX_TRACKS, RenditionSchema, TrackItemSchema } from '../webrtc/index.js';

/** A value that there may not be. @param description default: that of the schema */
export function nullable<T extends TSchema>(schema: T, description?: string) {
  return Type.Union([schema, Type.Null()], description === undefined ? {} : { description });
}

/** The body of every error. */
export const ErrorSchema = Type.Object(
  {
    statusCode: Type.Integer({ description: 'The HTTP status' }),
    code: Type.String({ description: 'Stable; match on this. docs/errors.md lists them' }),
    error: Type.String({ description: 'The name of the HTTP status' }),
    message: Type.String({ description: 'What was wrong, what was expected and what to do' }),
    details: Type.Optional(
      Type.Object(
        {
          faults: Type.Optional(
            Type.Array(
              Type.Object({
                path: Type.String({ description: 'Where in the body, as a JSON pointer; empty: the whole of it' }),
                code: Type.String({ description: 'What kind of fault; stable' }),
              }),
            ),
          ),
        },
        { additionalProperties: true, description: 'Named facts, to word the error in another language' },
      ),
    ),
  },
  {
    title: 'Error',
    description: 'Every error has this shape',
  },
);

/** What a route that removes something is answered with. */
export const Removed = Type.Object(
  { removed: Type.Boolean({ description: 'False where there was nothing' }) },
  { title: 'Removed', description: 'Whether there was anything', examples: [{ removed: true }] },
);

/** What a route of a picture with an entity tag is answered with. */
export const JpegAnswers = {
  200: {
    description: 'The picture',
    content: { 'image/jpeg': { schema: Type.Unsafe<unknown>({ type: 'string', contentMediaType: 'image/jpeg' }) } },
  },
  304: Type.Unsafe<unknown>({ type: 'null', description: 'If-None-Match names the current one' }),
  '4xx': ErrorSchema,
  '5xx': ErrorSchema,
};

/** Unknown fields are ignored: clients send what their other servers want, too. */
export const OfferBody = Type.Object(
  {
    sdp: Type.String({
      minLength: 1,
      maxLength: 262_144,
      description: 'The session description of the offer. Candidates may be left out: the server learns them',
    }),
    type: Type.Literal('offer'),
    client_id: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9._-]{1,64}$', description: 'Who this is; generated when left out' })),
    source: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 255,
        description: 'A source of /available-videos; when left out, the first that `tracks` names, else the default source',
      }),
    ),
    tracks: Type.Optional(
      Type.Array(TrackItemSchema, { minItems: 1, maxItems: MAX_TRACKS, description: "What the offer's video m-lines show, in order" }),
    ),
    at: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 8_640_000_000_000,
        description: 'Unix seconds: what was recorded of the source, from then on; needs the right `playback`. The present when left out',
      }),
    ),
    active: Type.Optional(
      Type.Array(RenditionSchema, {
        maxItems: 16,
        description: 'Those that are sent from the start; the others wait for a `select` on the data channel `commands`. All when left out',
      }),
    ),
  },
  { title: 'Offer', examples: [{ sdp: 'v=0\r\n...', type: 'offer', client_id: 'drone-1', source: 'demo', tracks: ['processed'] }] },
);

/** What `POST /offer` is answered with. */
export const AnswerBody = Type.Object(
  {
    sdp: Type.String({ description: 'The session description of the answer, with all candidates of the server' }),
    type: Type.Literal('answer'),
    client_id: Type.String({ description: 'The id that is used, with a suffix when the one asked for was taken' }),
    source: Type.String({ description: 'The source that is watched' }),
    tracks: Type.Array(
      Type.Union([
        RenditionSchema,
        Type.Object({
          mid: nullable(Type.String()),
          source: nullable(Type.String(), 'Null: nothing'),
          rendition: Type.Union([RenditionSchema, Type.Null()]),
          max_height: Type.Optional(Type.Integer()),
        }),
      ]),
      { description: 'What the video m-lines that are served show, in order; of a wall with their sources and mids' },
    ),
    session_url: Type.String({ description: 'DELETE it to leave' }),
  },
  {
    title: 'Answer',
    description: 'The answer: apply it',
    examples: [
      { sdp: 'v=0\r\n...', type: 'answer', client_id: 'drone-1', source: 'demo', tracks: ['processed'], session_url: '/sessions/q0Zb3n1x' },
    ],
  },
);

/** Of routes that browsers ask without headers. */
export const TokenQuery = {
  token: Type.Optional(
    Type.String({ maxLength: 512, deprecated: true, description: 'Deprecated: a token, in the query. Use POST /signed-urls' }),
  ),
  signature: Type.Optional(
    Type.String({ maxLength: 4096, description: 'Of POST /signed-urls, where the header Authorization cannot be sent' }),
  ),
};
