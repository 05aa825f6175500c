/** What is wrong with a draft, and where: as it is drawn, and as the server says. Pure. */
import type { Fault } from '../api/request.js';
import { ofKind, type DraftShape } from './draft.js';
import { crossings, distance } from './geometry.js';

/** A fault of a shape, beside what has it. */
export interface PlacedFault {
  /** Of the shape; undefined: of all of it. */
  readonly key: number | undefined;
  /** A member, such as `id`; of corners and edges `polygon`. */
  readonly field: string;
  /** Corners, or the corners where edges begin. */
  readonly corners: readonly number[];
  /** Stable, as the server's: `crosses`, `outside`, `duplicate`, ... */
  readonly code: string;
}

const ID = /^[A-Za-z0-9._-]{1,64}$/;

/** Faults that are seen before the server is asked. */
export function faultsOf(shapes: readonly DraftShape[], aspect: number): PlacedFault[] {
  return shapes.flatMap(({ key, kind, id, points }) => {
    const fault = (code: string, field: string, corners: readonly number[] = []): PlacedFault => ({ key, field, corners, code });
    const isTwice = shapes.filter((shape) => shape.id === id).length > 1;
    const [first] = kind === 'zone' ? crossings(points) : [];
    const isShort = kind === 'line' && points[0] && points[1] && distance(points[0], points[1], aspect) < 0.002;
    return [
      ...(!ID.test(id) ? [fault('pattern', 'id')] : isTwice ? [fault('duplicate', 'id')] : []),
      ...(first ? [fault('crosses', 'polygon', first)] : []),
      ...(isShort ? [fault('no_length', 'polygon', [0, 1])] : []),
    ];
  });
}

/** Faults of the server, each at its shape. @param shapes as they were sent */
export function placed(faults: readonly Fault[], shapes: readonly DraftShape[]): PlacedFault[] {
  const found = faults.map(({ path, code }) => place(path, code, shapes));
  // Edges that meet are told one by one.
  return found.reduce<PlacedFault[]>((all, fault) => {
    const same = all.findIndex(({ key, field, code }) => key === fault.key && field === fault.field && code === fault.code);
    if (same < 0) return [...all, fault];
    return all.map((each, i) => (i === same ? { ...each, corners: [...each.corners, ...fault.corners] } : each));
  }, []);
}

function place(path: string, code: string, shapes: readonly DraftShape[]): PlacedFault {
  const [, list = '', index = '', member = '', corner] = path.split('/');
  const kind = list === 'zones' ? 'zone' : list === 'lines' ? 'line' : undefined;
  const shape = kind && index !== '' ? ofKind(shapes, kind)[Number(index)] : undefined;
  if (!shape) return { key: undefined, field: list, corners: [], code };
  if (member === 'from' || member === 'to') return { key: shape.key, field: 'polygon', corners: [member === 'from' ? 0 : 1], code };
  const corners = member === 'polygon' && corner !== undefined ? [Number(corner)] : [];
  return { key: shape.key, field: member, corners, code };
}
