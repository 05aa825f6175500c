/** H.265 into Matroska, to feed a decoder, with stamps of the writer's own: FLV carries none before ffmpeg 6.1. */
import { H265NalType, h265NalType, hevcConfiguration, readH265Sps, readLengthPrefixed, type EncodedFrame } from '../media/index.js';
import { matroskaH265Header, matroskaPictureHeader } from './matroska-writer.js';

/** Turns frames into the bytes of a Matroska stream. */
export class H265Writer {
  #headerWritten = false;

  /**
   * The bytes of one frame at `stampMs`; empty before the first keyframe with its parameter sets, and for data
   * that is not an access unit. New parameter sets stand in their keyframe.
   */
  frame(frame: EncodedFrame, stampMs: number): readonly Buffer[] {
    const header = this.#headerWritten ? [] : this.#header(frame);
    if (!header) return [];
    this.#headerWritten = true;
    return [...header, matroskaPictureHeader(stampMs, frame.data.length, frame.keyframe), frame.data];
  }

  #header({ data, keyframe }: EncodedFrame): readonly Buffer[] | undefined {
    const units = (keyframe && readLengthPrefixed(data)) || [];
    const ofType = (wanted: number): Buffer[] => units.filter((unit) => h265NalType(unit) === wanted);
    const sps = ofType(H265NalType.sps);
    const record = hevcConfiguration([ofType(H265NalType.vps), sps, ofType(H265NalType.pps)]);
    const known = record && sps[0] && readH265Sps(sps[0]);
    return known && [matroskaH265Header(known.widthPx, known.heightPx, record)];
  }
}
