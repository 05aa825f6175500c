/** Keeps a source running without viewers by its raw rendition: as it comes, which costs nothing beside. */
import type { PipelineSource } from '../pipeline/index.js';

/** A lease for `StandingLeases`. @throws MediaPeerError where it cannot be had */
export function asItComes(source: PipelineSource) {
  const lease = source.openTrack({ kind: 'video', rendition: 'raw', codec: source.media.rawCodec ?? 'h264' });
  return {
    onClosed: (listener: Parameters<typeof lease.track.onClosed>[0]) => lease.track.onClosed(listener),
    release: () => lease.release(),
  };
}
