/** What writes one track. */
import type { SourceLayer } from '../source/index.js';
import type { EncodedRendition } from './encoded-rendition.js';

/** One rendition that is being made, in one quality. */
export interface Producer {
  /** Passes the request on to who makes keyframes; false where none can be made on demand. */
  requestKeyframe(): boolean;
  /** Ends it; resolves when no process of it is left. */
  close(): Promise<void>;
  /** The source brings other layers now. */
  layersChanged?(): void;
  /** What the source brings itself, where that is what is read. */
  readonly layer?: SourceLayer | undefined;
  /** The encoder behind it; undefined for what is copied. */
  readonly encoder?: EncodedRendition | undefined;
}
