/** The encodings of one video that a publisher offers to send at once (simulcast, RFC 8853), told apart by their rid (RFC 8851). Pure. */
import { attribute, attributeValues, type MediaSection } from './parse.js';

/** One encoding that is taken. */
export interface SimulcastLayer {
  /** As the offer names it, and as the header extension of its packets does. */
  readonly rid: string;
  /** What the offer restricts it to (RFC 8851 §5), as written and without its payload types; empty: nothing. */
  readonly restrictions: string;
}

/** More than a ladder needs: browsers send 3, OBS 4. */
const MAX_LAYERS = 4;
/** RFC 8851 §10, with the two characters that its erratum took out. */
const RID = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * The layers of an m-line that are taken, in its order; empty where it is to send one encoding: it offers no simulcast,
 * or none that can be read. Of alternatives the first that can be used is taken. A layer that is paused (`~`) is taken: it may flow later.
 * @param payloadType of the codec that was chosen; layers restricted to others are left aside
 */
export function simulcastLayers(section: MediaSection, payloadType: number): readonly SimulcastLayer[] {
  const usable = usableRids(section, payloadType);
  const layers: SimulcastLayer[] = [];
  for (const alternatives of sendList(section)) {
    if (layers.length === MAX_LAYERS) break;
    const rid = alternatives.find((each) => usable.has(each) && !layers.some((taken) => taken.rid === each));
    if (rid !== undefined) layers.push({ rid, restrictions: usable.get(rid) ?? '' });
  }
  return layers.length > 1 ? layers : [];
}

/** The lines of an answer that takes these layers (RFC 8853 §5.3.2); empty where there are none. */
export function writeSimulcast(layers: readonly SimulcastLayer[]): string[] {
  if (layers.length === 0) return [];
  return [
    ...layers.map(({ rid, restrictions }) => `a=rid:${rid} recv${restrictions === '' ? '' : ` ${restrictions}`}`),
    `a=simulcast:recv ${layers.map(({ rid }) => rid).join(';')}`,
  ];
}

/** `send 1,2;~3 recv 4`: what follows `send`, alternatives together. */
function sendList(section: MediaSection): string[][] {
  const words = (attribute(section.attributes, 'simulcast') ?? '').split(/\s+/);
  const list = words.find((_word, i) => i % 2 === 1 && words[i - 1] === 'send');
  return (list ?? '').split(';').map((alternatives) => alternatives.split(',').map((rid) => rid.replace(/^~/, '')));
}

/** Restrictions by rid, of those that are sent and may be sent in the codec; one that is described twice is none. */
function usableRids(section: MediaSection, payloadType: number): ReadonlyMap<string, string> {
  const usable = new Map<string, string>();
  const seen = new Set<string>();
  for (const line of attributeValues(section.attributes, 'rid')) {
    const [rid = '', direction, ...rest] = line.split(/\s+/);
    const isRepeated = seen.has(rid);
    seen.add(rid);
    usable.delete(rid);
    if (isRepeated || direction !== 'send' || !RID.test(rid)) continue;
    const restrictions = rest
      .join('')
      .split(';')
      .filter((each) => each !== '');
    const formats = restrictions.find((each) => each.startsWith('pt='));
    if (formats !== undefined && !formats.slice(3).split(',').includes(String(payloadType))) continue;
    usable.set(rid, restrictions.filter((each) => each !== formats).join(';'));
  }
  return usable;
}
