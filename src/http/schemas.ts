/** JSON schemas of the doors; the same ones produce `/openapi.json`. */
import { Type } from 'typebox';

/** What a viewer watches: the source as it is, or with detections drawn in. */
const Rendition = Type.Enum(['raw', 'processed'], { description: 'As it is, or with detected objects drawn in' });

/** The body of every error. */
export const ErrorSchema = Type.Object(
  {
    statusCode: Type.Integer({ description: 'The HTTP status' }),
    code: Type.String({ description: 'Stable; match on this. docs/errors.md lists them' }),
    error: Type.String({ description: 'The name of the HTTP status' }),
    message: Type.String({ description: 'What was wrong, what was expected and what to do' }),
  },
  {
    title: 'Error',
    description: 'Every error has this shape',
  },
);

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
      Type.String({ minLength: 1, maxLength: 255, description: 'A source of /available-videos; the default source when left out' }),
    ),
    tracks: Type.Optional(
      Type.Array(Rendition, { minItems: 1, maxItems: 16, description: "The renditions of the offer's video m-lines, in order" }),
    ),
    active: Type.Optional(
      Type.Array(Rendition, {
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
    tracks: Type.Array(Rendition, { description: 'What the video m-lines carry, in order' }),
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
    Type.String({ maxLength: 512, description: 'The token of VIEWER_TOKEN, where the header Authorization cannot be sent' }),
  ),
};
