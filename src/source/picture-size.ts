/** How large the pictures of a stream are, as its keyframes say: a publisher changes it whenever its network does. */
import {
  h264Size,
  H265NalType,
  h265NalType,
  NalType,
  nalType,
  readH265Sps,
  readLengthPrefixed,
  vp8Size,
  type EncodedFrame,
  type PictureSize,
  type VideoCodec,
} from '../media/index.js';

/** The size that a keyframe announces; undefined where it is no keyframe, or cannot be read. */
export function pictureSize(codec: VideoCodec, frame: EncodedFrame): PictureSize | undefined {
  if (!frame.keyframe) return undefined;
  if (codec === 'vp8') return vp8Size(frame.data);
  if (codec === 'h265') {
    const found = readLengthPrefixed(frame.data)?.find((unit) => h265NalType(unit) === H265NalType.sps);
    return found && readH265Sps(found);
  }
  const sps = readLengthPrefixed(frame.data)?.find((unit) => nalType(unit) === NalType.sps);
  return sps && h264Size(sps);
}
