/** What a client may say on `/ws`: read and checked, nothing is done here. Pure. */
import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { MediaPeerError } from '../base/errors.js';
import { misspeltMember } from '../base/near-miss.js';
import { MAX_TRACKS, TrackItemSchema } from '../webrtc/index.js';

/** Longest message that is understood, in bytes. */
export const MAX_MESSAGE_BYTES = 64 * 1024;
/** Longest id, type or name that is echoed. */
const MAX_ECHO_CHARS = 64;
/** What a date can be. */
const MAX_UNIX_S = 8_640_000_000_000;

const TOPICS = ['detections', 'stats', 'room'] as const;
/** What a client may subscribe to. */
export type Topic = (typeof TOPICS)[number];

const Id = Type.Optional(Type.Union([Type.String({ maxLength: MAX_ECHO_CHARS }), Type.Number()]));
const Sdp = Type.String({ minLength: 1, maxLength: MAX_MESSAGE_BYTES });
const TokenText = Type.String({ minLength: 1, maxLength: 8192 });
const Token = Type.Optional(Type.String({ maxLength: 8192 }));
const CandidateInit = Type.Object({
  candidate: Type.String({ maxLength: 4096 }),
  sdpMid: Type.Optional(Type.Union([Type.String({ maxLength: 256 }), Type.Null()])),
  sdpMLineIndex: Type.Optional(Type.Union([Type.Integer({ minimum: 0, maximum: 65_535 }), Type.Null()])),
  usernameFragment: Type.Optional(Type.Union([Type.String({ maxLength: 256 }), Type.Null()])),
});

/** Members that are not named are passed over, unless they nearly are: a misspelt one would be ignored silently. */
const SCHEMAS = {
  join: Type.Object({
    type: Type.Literal('join'),
    id: Id,
    room: Type.String({ minLength: 1, maxLength: 255 }),
    role: Type.Enum(['viewer', 'publisher']),
    client_id: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9._-]{1,64}$' })),
    resume_token: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    tracks: Type.Optional(Type.Array(TrackItemSchema, { minItems: 1, maxItems: MAX_TRACKS })),
    at: Type.Optional(Type.Number({ minimum: 0, maximum: MAX_UNIX_S })),
    token: Token,
  }),
  offer: Type.Object({ type: Type.Literal('offer'), id: Id, sdp: Sdp }),
  answer: Type.Object({ type: Type.Literal('answer'), id: Id, sdp: Sdp }),
  candidate: Type.Object({
    type: Type.Literal('candidate'),
    id: Id,
    candidate: Type.Union([Type.Null(), Type.String({ maxLength: 4096 }), CandidateInit]),
  }),
  restart: Type.Object({ type: Type.Literal('restart'), id: Id }),
  reconnect_request: Type.Object({ type: Type.Literal('reconnect_request'), id: Id, reason: Type.Optional(Type.String()) }),
  subscribe: Type.Object({ type: Type.Literal('subscribe'), id: Id, topics: Type.Array(Type.Enum([...TOPICS]), { maxItems: 16 }) }),
  token: Type.Object({ type: Type.Literal('token'), id: Id, token: TokenText }),
  leave: Type.Object({ type: Type.Literal('leave'), id: Id }),
  ping: Type.Object({ type: Type.Literal('ping'), id: Id }),
} as const;

type Name = keyof typeof SCHEMAS;
/** A checked message of that type. */
export type MessageOf<N extends Name> = Static<(typeof SCHEMAS)[N]>;
/** A checked message. */
export type ClientMessage = { [N in Name]: MessageOf<N> }[Name];

const CHECKS = new Map(Object.entries(SCHEMAS).map(([name, schema]) => [name, Compile(schema)]));
const KNOWN = Object.keys(SCHEMAS).join(', ');
const EXPECTED: Readonly<Record<Name, string>> = {
  join: '{"type":"join","room":"gate","role":"viewer"} with role viewer or publisher; optional: client_id, resume_token, tracks, at (Unix seconds), token',
  offer: '{"type":"offer","sdp":"v=0..."}',
  answer: '{"type":"answer","sdp":"v=0..."}',
  candidate: '{"type":"candidate","candidate":{"candidate":"candidate:...","sdpMid":"0"}}, and null at the end',
  restart: '{"type":"restart"}',
  reconnect_request: '{"type":"reconnect_request","reason":"No frames for 10s"}',
  subscribe: `{"type":"subscribe","topics":["room"]} with any of ${TOPICS.join(', ')}`,
  token: '{"type":"token","token":"..."}',
  leave: '{"type":"leave"}',
  ping: '{"type":"ping"}',
};

/** The JSON object of a message. @throws MediaPeerError MESSAGE_INVALID */
export function parseObject(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new MediaPeerError('MESSAGE_INVALID', `the message is not JSON; expected an object with type: ${KNOWN}`, { cause: error });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new MediaPeerError('MESSAGE_INVALID', `the message is not a JSON object; expected one with type: ${KNOWN}`);
  }
  return value as Record<string, unknown>;
}

/** What an error about a message names it by: its id, else its type. */
export function nameOf({ id, type }: Readonly<Record<string, unknown>>): string | number | undefined {
  if (typeof id === 'number' || (typeof id === 'string' && id.length <= MAX_ECHO_CHARS)) return id;
  return typeof type === 'string' ? type.slice(0, MAX_ECHO_CHARS) : undefined;
}

/** @throws MediaPeerError MESSAGE_INVALID */
export function parseMessage(object: Readonly<Record<string, unknown>>): ClientMessage {
  const { type } = object;
  const check = typeof type === 'string' ? CHECKS.get(type) : undefined;
  if (!check) {
    const what =
      typeof type === 'string' ? `there is no message '${type.slice(0, MAX_ECHO_CHARS)}'` : 'the message has no text in its member type';
    throw new MediaPeerError('MESSAGE_INVALID', `${what}; known: ${KNOWN}`);
  }
  const misspelt = misspeltMember(object, Object.keys(SCHEMAS[type as Name].properties));
  if (misspelt)
    throw new MediaPeerError(
      'MESSAGE_INVALID',
      `the message ${String(type)} has no member '${misspelt.name}': did you mean '${misspelt.meant}'?`,
    );
  if (!check.Check(object))
    throw new MediaPeerError('MESSAGE_INVALID', `the message ${String(type)} is malformed; expected ${EXPECTED[type as Name]}`);
  return object as ClientMessage;
}
