/** A frame that ffmpeg copied, with what tells whether viewers can be given the copy. */
import type { EncodedFrame } from '../media/index.js';

/** An access unit as it came out of its container. */
export interface CopiedFrame extends EncodedFrame {
  /** It is not shown in the order of decoding: the stream has B-frames. */
  readonly isReordered: boolean;
  /** The container calls it a keyframe; `keyframe` says whether decoding can begin with it. */
  readonly markedAsKeyframe: boolean;
}
