/** Who watches what: source → rendition in a quality → client ids. */
import type { SourceActivity } from '../pipeline/index.js';
import type { SessionStatus } from '../webrtc/index.js';

type RunningRendition = SourceActivity['renditions'][number];

/** One rendition of the video in one codec and quality, and its viewers. */
interface Branch {
  readonly source: string;
  readonly rendition: string;
  readonly quality: string;
  readonly viewers: string[];
}

/** What runs of the video of these sources, with the viewers of each. */
export function viewingGraph(sources: readonly SourceActivity[], sessions: readonly SessionStatus[]): Branch[] {
  return sources.flatMap(({ sourceId, renditions }) => {
    return renditions.flatMap((track) => {
      if (track.rendition === 'audio' || track.rung === undefined) return [];
      const watches = ({ video }: SessionStatus): boolean =>
        video.some((each) => each.sourceId === sourceId && trackOf(each, renditions) === track);
      const viewers = sessions.filter(watches).map(({ clientId }) => clientId);
      return [{ source: sourceId, rendition: `${track.rendition}/${track.codec}`, quality: track.rung, viewers }];
    });
  });
}

/** Which of them a stream is sent: in the quality that it has, else as the source is, which is what it begins with. */
function trackOf(
  { rendition, codec, quality }: SessionStatus['video'][number],
  renditions: readonly RunningRendition[],
): RunningRendition | undefined {
  const ofRendition = renditions.filter((each) => each.rendition === rendition);
  // Viewers of H.265 have lower qualities in H.264.
  const lower = ofRendition.filter((each) => each.rung !== 'source' && (each.codec === codec || codec === 'h265'));
  if (quality === 'keyframes' || quality === 'sound') return lower.sort((a, b) => (a.heightPx ?? 0) - (b.heightPx ?? 0))[0];
  return lower.find(({ rung }) => rung === quality) ?? ofRendition.find((each) => each.rung === 'source' && each.codec === codec);
}
