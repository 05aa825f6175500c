/** The files of recordings, as the other modules of recording need them. */
import type { Clock } from '../base/clock.js';
import type {
  Archive,
  ExaminedSegment,
  RecordedDetections,
  RecordedSegment,
  RecordingWriter,
  SegmentReader,
  WriterRequest,
} from '../recording/index.js';
/** Opens, reads and mends them. */
export function recordingFiles(_: { readonly clock: Clock }) {
  const no = (): never => {
    throw new Error('nothing can be recorded yet');
  };
  return {
    readers: (_archive: () => Archive) => ({
      openReader: (_segment: RecordedSegment): Promise<SegmentReader> => no(),
      readDetections: (_segment: RecordedSegment): AsyncIterable<RecordedDetections> => no(),
    }),
    openWriter: (_folder: string, _request: WriterRequest): RecordingWriter => no(),
    examine: (_file: string): Promise<ExaminedSegment> => no(),
    mend: (_file: string): Promise<ExaminedSegment | undefined> => no(),
    sourceOf: (_folder: string): Promise<string | undefined> => no(),
    close: (): Promise<void> => Promise.resolve(),
  };
}
