/** Walls by name: which sources are shown together, and how. Viewers open them, administrators keep them. */
import { createHash } from 'node:crypto';
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { Type, type Static } from 'typebox';
import { MediaPeerError } from '../base/errors.js';
import { MAX_TRACKS, RenditionSchema } from '../webrtc/index.js';
import { entityTag, matchTag } from './entity-tags.js';
import { ErrorSchema, Removed } from './schemas.js';

/** Characters of a wall's name. */
const MAX_NAME_CHARS = 64;
/** Columns of tiles that somebody may ask for. */
const MAX_COLUMNS = 6;

const members = {
  tiles: Type.Array(
    Type.Object({
      source: Type.String({
        minLength: 1,
        maxLength: 255,
        description: 'A source of GET /available-videos; one that is not there shows nothing',
      }),
      rendition: Type.Optional(RenditionSchema),
    }),
    { minItems: 1, maxItems: MAX_TRACKS, description: 'In the order of their places: left to right, top to bottom' },
  ),
  columns: Type.Optional(
    Type.Integer({ minimum: 1, maximum: MAX_COLUMNS, description: 'Tiles in a row; left out: as many as fit the screen best' }),
  ),
};
const EXAMPLE = { tiles: [{ source: 'gate' }, { source: 'yard', rendition: 'raw' }], columns: 2 } as const;
const Body = Type.Object(members, { title: 'WallContent', description: 'What a wall shows', examples: [EXAMPLE] });
const Wall = Type.Object(
  { name: Type.String(), ...members },
  {
    title: 'Wall',
    description: 'A wall; tiles of sources that you may not watch are left out',
    examples: [{ name: 'Night watch', ...EXAMPLE }],
  },
);
const Walls = Type.Object(
  { walls: Type.Array(Type.Object(Wall.properties)) },
  { title: 'Walls', description: 'By name', examples: [{ walls: [{ name: 'Night watch', ...EXAMPLE }] }] },
);
const Params = Type.Object({
  name: Type.String({
    minLength: 1,
    maxLength: MAX_NAME_CHARS,
    pattern: '^[^\\u0000-\\u001f\\u007f]+$',
    description: `1 to ${MAX_NAME_CHARS} characters of any script`,
  }),
});

/** What a wall shows. */
export type WallContent = Static<typeof Body>;

/** Throws where the wall that is kept, undefined for none, is not the one that a request means. */
type WallCheck = (wall: WallContent | undefined) => void;

/** What the routes of walls need. */
export interface WallsDeps {
  /** All of them by name, in its order. */
  readonly list: () => ReadonlyMap<string, WallContent>;
  /** Keeps one, if `check` does not throw; true where it is a new one. Throws MediaPeerError TOO_MANY_WALLS, STATE_NOT_KEPT. */
  readonly put: (name: string, wall: WallContent, check: WallCheck) => Promise<boolean>;
  /** Likewise; false where there was none. */
  readonly remove: (name: string, check: WallCheck) => Promise<boolean>;
}

/** `GET /walls`, and `GET`, `PUT` and `DELETE /walls/:name`. */
export const wallRoutes: FastifyPluginCallbackTypebox<WallsDeps> = (app, deps, done) => {
  const reading = { action: 'watch' } as const;
  const changing = { action: 'admin' } as const;
  const described = (operationId: string, summary: string) => ({ operationId, summary, tags: ['state'] });
  const refusals = { '4xx': ErrorSchema, '5xx': ErrorSchema };

  app.get(
    '/walls',
    { config: reading, schema: { ...described('listWalls', 'Walls by name'), response: { 200: Walls, ...refusals } } },
    async (request) => ({ walls: await Promise.all([...deps.list()].map(([name, wall]) => seenBy(request, name, wall))) }),
  );

  app.get(
    '/walls/:name',
    {
      config: reading,
      schema: {
        ...described('readWall', 'One of them, with the `ETag` of its version'),
        params: Params,
        response: { 200: Wall, ...refusals },
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      const wall = deps.list().get(name);
      if (!wall) throw new MediaPeerError('WALL_NOT_FOUND', `no wall '${name}'; GET /walls lists them`);
      reply.header('etag', entityTag(tagOf(wall)));
      return seenBy(request, name, wall);
    },
  );

  app.put(
    '/walls/:name',
    {
      config: changing,
      schema: {
        ...described('putWall', 'Keep a wall by that name; `If-Match` and `If-None-Match: *` are heeded'),
        params: Params,
        body: Body,
        response: { 200: Wall, 201: Wall, ...refusals },
      },
    },
    async (request, reply) => {
      const { params, body } = request;
      const isNew = await deps.put(params.name, body, checkOf(request));
      reply.header('etag', entityTag(tagOf(body))).status(isNew ? 201 : 200);
      return { name: params.name, ...body };
    },
  );

  app.delete(
    '/walls/:name',
    { config: changing, schema: { ...described('removeWall', 'Remove a wall'), params: Params, response: { 200: Removed, ...refusals } } },
    async (request) => ({ removed: await deps.remove(request.params.name, checkOf(request)) }),
  );
  done();
};

/** Which sources there are is nobody's business who may not watch them. */
async function seenBy({ access }: FastifyRequest, name: string, { tiles, ...others }: WallContent): Promise<Static<typeof Wall>> {
  const sources = tiles.map(({ source }) => source);
  const permitted = new Set(await access.permitted('watch', sources));
  return { name, tiles: tiles.filter(({ source }) => permitted.has(source)), ...others };
}

/** The same for the same wall, also after a restart. */
function tagOf({ tiles, columns }: WallContent): string {
  const facts = [tiles.map(({ source, rendition }) => [source, rendition]), columns];
  return createHash('sha256').update(JSON.stringify(facts)).digest('base64url').slice(0, 22);
}

/** What `If-Match` and `If-None-Match: *` ask for (RFC 9110 §13.1). */
function checkOf({ headers }: FastifyRequest): WallCheck {
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = headers;
  return (wall) => {
    const match = wall ? matchTag(ifMatch, tagOf(wall)) : ifMatch === undefined ? 'absent' : 'other';
    if (match === 'other')
      throw new MediaPeerError(
        'PRECONDITION_FAILED',
        'somebody else has changed or removed the wall since that ETag: read it again, and send its ETag as If-Match',
      );
    if (wall && ifNoneMatch?.trim() === '*')
      throw new MediaPeerError('PRECONDITION_FAILED', 'there is a wall of that name already: leave out If-None-Match to replace it');
  };
}
