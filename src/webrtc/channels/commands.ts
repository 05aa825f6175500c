/** What a client may say on the data channel `commands`: read and checked, nothing is done here. Pure. */
import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { MediaPeerError } from '../../base/errors.js';
import { misspeltMember } from '../../base/near-miss.js';
import { MAX_PLAYBACK_STEP, PLAYBACK_SPEEDS } from '../../media/index.js';
import { isTile, MAX_TRACKS, throwIfMisspelt, tileMembers, TrackItemSchema } from '../api/track-items.js';

/** Longest label of a class, and how many of them. */
const MAX_LABEL_LENGTH = 128;
const MAX_CLASSES = 256;
/** Those of HTTP are no longer. */
const MAX_TOKEN_LENGTH = 8192;
/** What a date can be. */
const MAX_UNIX_S = 8_640_000_000_000;

const Id = Type.Optional(Type.Union([Type.String({ maxLength: 128 }), Type.Number()]));
const SCHEMAS = {
  select: Type.Object({
    cmd: Type.Literal('select'),
    id: Id,
    tracks: Type.Optional(Type.Array(TrackItemSchema, { maxItems: MAX_TRACKS })),
    source: Type.Optional(Type.Union([Type.String({ minLength: 1, maxLength: MAX_LABEL_LENGTH }), Type.Null()])),
    mid: Type.Optional(Type.String({ maxLength: MAX_LABEL_LENGTH })),
    rendition: Type.Optional(tileMembers.rendition),
    max_height: Type.Optional(Type.Union([tileMembers.max_height, Type.Null()])),
    quality: Type.Optional(Type.String({ minLength: 1, maxLength: MAX_LABEL_LENGTH })),
  }),
  detection: Type.Object({
    cmd: Type.Literal('detection'),
    id: Id,
    min_score: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
    classes: Type.Optional(Type.Array(Type.String({ maxLength: MAX_LABEL_LENGTH }), { maxItems: MAX_CLASSES })),
  }),
  keyframe: Type.Object({ cmd: Type.Literal('keyframe'), id: Id }),
  token: Type.Object({ cmd: Type.Literal('token'), id: Id, token: Type.String({ minLength: 1, maxLength: MAX_TOKEN_LENGTH }) }),
  pause: Type.Object({ cmd: Type.Literal('pause'), id: Id }),
  resume: Type.Object({ cmd: Type.Literal('resume'), id: Id }),
  seek: Type.Object({ cmd: Type.Literal('seek'), id: Id, at: Type.Number({ minimum: 0, maximum: MAX_UNIX_S }) }),
  speed: Type.Object({
    cmd: Type.Literal('speed'),
    id: Id,
    value: Type.Number({ minimum: PLAYBACK_SPEEDS.min, maximum: PLAYBACK_SPEEDS.max }),
  }),
  step: Type.Object({
    cmd: Type.Literal('step'),
    id: Id,
    frames: Type.Integer({ minimum: -MAX_PLAYBACK_STEP, maximum: MAX_PLAYBACK_STEP }),
  }),
  live: Type.Object({ cmd: Type.Literal('live'), id: Id }),
  redetect: Type.Object({
    cmd: Type.Literal('redetect'),
    id: Id,
    model: Type.Union([Type.String({ minLength: 1, maxLength: MAX_LABEL_LENGTH }), Type.Null()]),
  }),
} as const;

type Name = keyof typeof SCHEMAS;
type Select = Static<(typeof SCHEMAS)['select']>;
/** A checked command. */
export type Command = { [N in Name]: Static<(typeof SCHEMAS)[N]> }[Name];

const CHECKS = new Map(Object.entries(SCHEMAS).map(([name, schema]) => [name, Compile(schema)]));
const KNOWN = Object.keys(SCHEMAS).join(', ');
const SELECTABLE = ['tracks', 'source', 'quality', 'mid'] as const;
/** What goes with `mid` alone. */
const OF_ONE = ['rendition', 'max_height'] as const;
const EXPECTED: Readonly<Record<Name, string>> = {
  select:
    '{"cmd":"select","tracks":["raw"]} with raw, processed, both or none, "source":"NAME", "quality":"auto", or several of these; ' +
    'of a wall {"cmd":"select","mid":"1","source":"NAME","rendition":"raw","max_height":360} or {"cmd":"select","tracks":[{"source":"NAME","rendition":"raw"},null]}',
  detection: '{"cmd":"detection","min_score":0.5,"classes":["person"]}, both members optional',
  keyframe: '{"cmd":"keyframe"}',
  token: '{"cmd":"token","token":"..."}',
  pause: '{"cmd":"pause"}',
  resume: '{"cmd":"resume"}',
  seek: '{"cmd":"seek","at":1764500000.5} with Unix seconds',
  speed: `{"cmd":"speed","value":2} with ${PLAYBACK_SPEEDS.min} to ${PLAYBACK_SPEEDS.max}`,
  step: `{"cmd":"step","frames":-1} with a whole number, ${-MAX_PLAYBACK_STEP} to ${MAX_PLAYBACK_STEP}`,
  live: '{"cmd":"live"}',
  redetect: '{"cmd":"redetect","model":"NAME"}, or null for what was seen then',
};

/** What can be told of a command before it is checked, to be echoed. */
export interface CommandHead {
  /** The name of the command, as far as there is one. */
  readonly cmd?: string;
  /** The client's own; comes back in the answer. */
  readonly id?: string | number;
}

/** The JSON object of a message. @throws MediaPeerError COMMAND_INVALID */
export function parseMessage(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new MediaPeerError('COMMAND_INVALID', `the message is not JSON; expected an object with cmd: ${KNOWN}`, { cause: error });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new MediaPeerError('COMMAND_INVALID', `the message is not a JSON object; expected one with cmd: ${KNOWN}`);
  }
  return value as Record<string, unknown>;
}

/** The members that an answer echoes. */
export function commandHead({ cmd, id }: Readonly<Record<string, unknown>>): CommandHead {
  return {
    ...(typeof cmd === 'string' && { cmd: cmd.slice(0, MAX_LABEL_LENGTH) }),
    ...((typeof id === 'number' || (typeof id === 'string' && id.length <= MAX_LABEL_LENGTH)) && { id }),
  };
}

/** @throws MediaPeerError COMMAND_INVALID, COMMAND_UNSUPPORTED */
export function parseCommand(message: Readonly<Record<string, unknown>>): Command {
  const { cmd } = message;
  const check = typeof cmd === 'string' ? CHECKS.get(cmd) : undefined;
  if (!check)
    throw new MediaPeerError(
      'COMMAND_INVALID',
      `${typeof cmd === 'string' ? `there is no command '${cmd.slice(0, MAX_LABEL_LENGTH)}'` : 'the message has no text in its member cmd'}; known: ${KNOWN}`,
    );
  const misspelt = misspeltMember(message, Object.keys(SCHEMAS[cmd as Name].properties));
  if (misspelt)
    throw new MediaPeerError(
      'COMMAND_INVALID',
      `the command ${String(cmd)} has no member '${misspelt.name}': did you mean '${misspelt.meant}'?`,
    );
  if (!check.Check(message) || (cmd === 'select' && !isWhole(message as Select)))
    throw new MediaPeerError('COMMAND_INVALID', `the command ${String(cmd)} is malformed; expected ${EXPECTED[cmd as Name]}`);
  if ('tracks' in message)
    for (const [i, item] of ((message as Select).tracks ?? []).entries()) throwIfMisspelt(item, i, 'COMMAND_INVALID');
  return message as Command;
}

/** The m-lines of a wall are told by a list of all, or one by its mid; the other members are for all video. */
function isWhole(select: Select): boolean {
  const { tracks, source, quality, mid } = select;
  if (mid !== undefined)
    return tracks === undefined && quality === undefined && (source !== undefined || OF_ONE.some((member) => member in select));
  if (OF_ONE.some((member) => member in select) || source === null) return false;
  if (tracks?.some((item) => item === null || isTile(item))) return source === undefined && quality === undefined;
  return SELECTABLE.some((member) => member in select);
}
