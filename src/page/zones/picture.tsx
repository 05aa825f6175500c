/** What is drawn over: a still of the source, or the live picture. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { watch } from '/sightline.js';
import { addressOf, pathOf, serverUrl } from '../api/address.js';
import { words } from '../strings/index.js';

/** A picture of a source. */
export interface PictureProps {
  /** Which one. */
  readonly source: string;
  /** Whether it moves. */
  readonly isLive: boolean;
}

/** The still stays until the live picture is there. */
export function Picture({ source, isLive }: PictureProps) {
  const [isMissing, setIsMissing] = useState(false);
  useEffect(() => setIsMissing(false), [source]);
  return (
    <>
      {isMissing ? (
        <p class="zones-no-picture">{words.value.zones.noPicture}</p>
      ) : (
        <img
          class="zones-picture"
          src={addressOf(`${pathOf('snapshot', `${source}.jpg`)}?width=1280`)}
          alt={words.value.zones.still(source)}
          draggable={false}
          onError={() => setIsMissing(true)}
        />
      )}
      {isLive && <Live source={source} />}
    </>
  );
}

function Live({ source }: { readonly source: string }) {
  const video = useRef<HTMLVideoElement>(null);
  const [trouble, setTrouble] = useState('');
  useEffect(() => {
    if (!video.current) return;
    const watching = watch({
      server: serverUrl(),
      source,
      audio: false,
      video: video.current,
      onState: ({ state, reason }) => setTrouble(state === 'connected' || state === 'playing' ? '' : (reason?.message ?? '')),
    });
    return () => watching.close();
  }, [source]);
  return (
    <>
      <video class="zones-picture" ref={video} muted autoplay playsInline aria-label={words.value.zones.livePicture(source)} />
      {trouble !== '' && (
        <p class="zones-live-trouble" role="status">
          {words.value.zones.noLive(trouble)}
        </p>
      )}
    </>
  );
}
