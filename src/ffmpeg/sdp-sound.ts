/**
 * The sound that an RTSP camera announces (SDP, RFC 4566): which of its audio tracks is to be heard. A track for talking
 * back to the camera is none, and what cannot be named cannot be decoded. Pure.
 */

/** The track to listen to. */
export interface AnnouncedSound {
  /** Among the audio tracks, from 0: as ffmpeg counts them in `0:a:<at>`. */
  readonly at: number;
  /** ffmpeg's name where it is known here, else the camera's in small letters. */
  readonly codec: string;
}

/** Payload types that need no `rtpmap` (RFC 3551 §6). */
const STATIC: Readonly<Record<string, string>> = {
  0: 'PCMU',
  3: 'GSM',
  4: 'G723',
  5: 'DVI4',
  8: 'PCMA',
  9: 'G722',
  10: 'L16',
  11: 'L16',
  14: 'MPA',
  18: 'G729',
};
const CODECS: Readonly<Record<string, string>> = {
  PCMU: 'pcm_mulaw',
  PCMA: 'pcm_alaw',
  L16: 'pcm_s16be',
  L8: 'pcm_u8',
  G722: 'adpcm_g722',
  MPA: 'mp3',
  'MPEG4-GENERIC': 'aac',
  'MP4A-LATM': 'aac',
  OPUS: 'opus',
  AC3: 'ac3',
};
const MAX_MEDIA = 64;

interface Media {
  readonly kind: string;
  readonly payloadType: string;
  direction: string | undefined;
  encoding: string | undefined;
}

/** Undefined where there is none to be heard. @param sdp what DESCRIBE answered. @returns why, in words, where tracks were passed over */
export function announcedSound(sdp: string): { readonly sound: AnnouncedSound | undefined; readonly reason: string | undefined } {
  const { media, direction } = parse(sdp);
  const tracks = media.filter(({ kind }) => kind === 'audio').map((track, at) => ({ ...track, at }));
  // ONVIF writes directions as the client sees them; servers that mean their own side write `sendonly` beside the pictures, too.
  const pictures = media.find(({ kind }) => kind === 'video');
  const isOwnSide = (pictures?.direction ?? direction) === 'sendonly';
  const talkBack = isOwnSide ? 'recvonly' : 'sendonly';
  const heard = tracks.filter((track) => ![talkBack, 'inactive'].includes(track.direction ?? direction ?? ''));
  const known = heard.find(({ encoding }) => encoding !== undefined);
  if (known) return { sound: { at: known.at, codec: codecName(known.encoding ?? '') }, reason: undefined };
  const reason =
    heard.length > 0
      ? 'the camera does not say which codec its sound has'
      : tracks.length > 0
        ? 'its audio track is for talking to the camera'
        : undefined;
  return { sound: undefined, reason };
}

function parse(sdp: string): { media: Media[]; direction: string | undefined } {
  const media: Media[] = [];
  let session: string | undefined;
  for (const line of sdp.split(/\r?\n/)) {
    const [, kind, payloadType = ''] = /^m=(\S+) \S+ \S+ (\S+)/.exec(line) ?? [];
    const current = media.at(-1);
    if (kind !== undefined) {
      if (media.length === MAX_MEDIA) break;
      media.push({ kind, payloadType, direction: undefined, encoding: STATIC[payloadType] });
      continue;
    }
    const direction = /^a=(sendonly|recvonly|sendrecv|inactive)\s*$/.exec(line)?.[1];
    const map = /^a=rtpmap:(\d+) ([^/\s]+)/.exec(line);
    if (direction !== undefined && current) current.direction = direction;
    else if (direction !== undefined) session = direction;
    if (map && current && map[1] === current.payloadType) current.encoding = map[2];
  }
  return { media, direction: session };
}

function codecName(encoding: string): string {
  return CODECS[encoding.toUpperCase()] ?? encoding.toLowerCase();
}

/** The SDP in what ffprobe says at its level `verbose`; undefined before it has come. */
export function sdpIn(said: string): string | undefined {
  const [, sdp] = /SDP:\s*\r?\n(v=0[\s\S]*?)(?:\r?\n\r?\n|\n\[|$)/.exec(said) ?? [];
  return sdp;
}
