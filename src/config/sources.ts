/** What single sources have of their own: models, and servers that they are sent to. */
import path from 'node:path';
import { itemsOf, type Variable } from './variable.js';

/** Of SOURCE_MODELS, by source: absolute paths, or `none`. */
export const sourceModels: Variable<ReadonlyMap<string, string>> = {
  shownDefault: '`MODEL` for all',
  description: 'Sources with a model of their own: `street=models/yolox_nano.json,gate=none`.',
  allowed: 'source=model pairs, comma separated',
  defaultValue: new Map(),
  parse(value) {
    const models = new Map<string, string>();
    for (const part of itemsOf(value)) {
      const match = /^([A-Za-z0-9._-]{1,64})=(.+)$/.exec(part);
      if (!match?.[1] || !match[2] || models.has(match[1])) return undefined;
      models.set(match[1], match[2] === 'none' ? 'none' : path.resolve(match[2]));
    }
    return models;
  },
};

/** A source on its way to a WHIP endpoint. */
interface WhipOut {
  /** What is sent. */
  readonly sourceId: string;
  /** As it comes, or with what was detected drawn in. */
  readonly rendition: 'raw' | 'processed';
  /** Address of the endpoint, with its token as the user name. */
  readonly url: string;
}

/** `street=https://...`, `street/processed=https://...` */
const WHIP_OUT_ITEM = /^([A-Za-z0-9._-]{1,64})(?:\/(raw|processed))?=(https?:\/\/\S+)$/i;

/** Of WHIP_OUT. */
export const whipOut: Variable<readonly WhipOut[]> = {
  shownDefault: 'none',
  description:
    'Sources that are sent to other servers by WHIP for as long as this one runs: `gate=https://TOKEN@media.example.com/whip/gate`; with boxes drawn in: `gate/processed=https://...`.',
  allowed: 'source=address pairs, comma separated; http or https addresses, each source and address once',
  defaultValue: [],
  parse(value) {
    // An address may hold commas: a pair ends where another one begins.
    const parts = value
      .split(/,(?=\s*[A-Za-z0-9._-]{1,64}(?:\/[a-z]+)?=https?:\/\/)|,\s*$/i)
      .map((item) => item.trim())
      .filter((item) => item !== '');
    const items = parts.map((part) => {
      const [, sourceId, rendition, url] = WHIP_OUT_ITEM.exec(part) ?? [];
      const isUsable = sourceId !== undefined && url !== undefined && URL.canParse(url);
      return isUsable ? { sourceId, rendition: rendition === 'processed' ? ('processed' as const) : ('raw' as const), url } : undefined;
    });
    const usable = items.filter((item) => item !== undefined);
    const places = new Set(usable.map(({ sourceId, url }) => `${sourceId} ${url}`));
    return usable.length === items.length && places.size === items.length ? usable : undefined;
  },
};
