/** The past of a source as a source of its own, for one viewer. */
import type { H265Profile, VideoCodec } from '../../media/index.js';
import { sourceNotPlayable } from '../../base/refusals.js';
import type { FeedOptions, FeedSink, Source, SourceFeed } from '../source.js';
import { RecordedFeed } from './feed.js';
import type { Player } from './player.js';

/** ffmpeg's names. */
const CODEC_NAMES: Readonly<Record<VideoCodec, string>> = { h264: 'h264', h265: 'hevc', vp8: 'vp8' };

/** The source of a playback as it comes now. @param id the playback's own @param name of the source that was recorded */
export function recordedSource(id: string, name: string, player: Player): Source {
  const { video, hasSound } = player.format;
  return {
    kind: 'file',
    // A model that looks at it brings its own.
    bringsDetections: player.model === undefined,
    encodesTakePlaces: true,
    id,
    name,
    sizeBytes: null,
    durationS: null,
    state: 'live',
    widthPx: video?.widthPx ?? null,
    heightPx: video?.heightPx ?? null,
    fps: null,
    videoCodec: video ? CODEC_NAMES[video.codec] : null,
    audioCodec: hasSound ? 'opus' : null,
    hasAudio: hasSound,
    delivery: 'passthrough',
    h264Profile: video && /^avc[13]\.([0-9a-f]{6})$/i.exec(video.codecs)?.[1],
    h265Profile: video && h265Profile(video.codecs),
    playable: video !== undefined,
    ...(video === undefined && { reason: 'no pictures were recorded then' }),
    open: (sink: FeedSink, options: FeedOptions): SourceFeed => {
      if (!video) throw sourceNotPlayable(name, 'no pictures were recorded then');
      return new RecordedFeed(player, video, sink, options);
    },
  };
}

/** Of `hvc1.1.6.L93.B0` (ISO/IEC 14496-15 annex E); undefined where it is none. */
function h265Profile(codecs: string): H265Profile | undefined {
  const [, profile, tier, level] = /^(?:hvc1|hev1)\.[ABC]?(\d{1,2})\.[0-9a-f]+\.([LH])(\d{1,3})/i.exec(codecs) ?? [];
  if (profile === undefined) return undefined;
  return { profileId: Number(profile), tierFlag: tier?.toUpperCase() === 'H' ? 1 : 0, levelId: Number(level) };
}
