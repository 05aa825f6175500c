/** Walls that are kept by name on the server (docs/walls.md). */
import { pathOf } from './address.js';
import { getJson, request } from './request.js';

/** A tile as it is kept. */
export interface KeptTile {
  /** Name of the source. */
  readonly source: string;
  /** Default: raw. */
  readonly rendition?: 'raw' | 'processed';
}

/** What a wall shows. */
export interface WallContent {
  /** In the order of their places. */
  readonly tiles: readonly KeptTile[];
  /** In a row; left out: as many as fit best. */
  readonly columns?: number;
}

/** A wall, and its version. */
export interface KeptWall extends WallContent {
  /** 1 to 64 characters. */
  readonly name: string;
}

/** By name. @throws RequestError */
export async function listWalls(): Promise<readonly KeptWall[]> {
  return (await getJson<{ readonly walls: readonly KeptWall[] }>('/walls')).walls;
}

/** One of them, with its ETag. @throws RequestError WALL_NOT_FOUND */
export async function readWall(name: string): Promise<{ readonly wall: KeptWall; readonly etag: string | undefined }> {
  const { body, etag } = await request<KeptWall>(pathOf('walls', name));
  return { wall: body, etag };
}

/**
 * Keeps a wall.
 * @param etag of the version that it replaces; undefined: it is to be a new one @returns its ETag
 * @throws RequestError PRECONDITION_FAILED where somebody else was faster, TOO_MANY_WALLS, STATE_NOT_KEPT
 */
export async function saveWall(name: string, { tiles, columns }: WallContent, etag: string | undefined): Promise<string | undefined> {
  const body = { tiles, ...(columns !== undefined && { columns }) };
  const when = etag === undefined ? ({ ifNoneMatch: '*' } as const) : { ifMatch: etag };
  return (await request(pathOf('walls', name), { method: 'PUT', body, ...when })).etag;
}

/** @throws RequestError */
export async function removeWall(name: string): Promise<void> {
  await request(pathOf('walls', name), { method: 'DELETE' });
}
