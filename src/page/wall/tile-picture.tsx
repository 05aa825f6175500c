/** The picture of a tile, and the boxes over it. */
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { Overlay } from '../overlay/overlay.js';
import { OverlaySettings } from '../overlay/settings.js';
import { storage } from '../shared/storage.js';
import type { PlacedTile } from './content.js';
import type { Size } from './layout.js';
import type { WallSession } from './session.js';

/** What a picture is made of. */
export interface TilePictureProps {
  /** What it shows. */
  readonly tile: PlacedTile;
  /** Where it comes from. */
  readonly session: WallSession;
  /** Whether boxes are drawn. */
  readonly hasBoxes: boolean;
  /** It has a picture of that size. */
  readonly onPicture: (size: Size) => void;
}

/** Plays while it is rendered. */
export function TilePicture({ tile: { id, source, rendition }, session, hasBoxes, onPicture }: TilePictureProps) {
  const video = useRef<HTMLVideoElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const generation = session.generation.value;
  const stream = session.stream(id);
  useLayoutEffect(() => {
    const element = video.current;
    if (!element) return;
    if (stream && element.srcObject !== stream) element.srcObject = stream;
    // A browser stops what is taken out of the page, also where it is put back at once, in another place.
    if (element.paused && element.srcObject) void element.play().catch(() => undefined);
  });
  useEffect(() => {
    const receiver = session.receiver(id);
    if (!hasBoxes || rendition === 'processed' || !video.current || !canvas.current || !receiver) return undefined;
    const settings = new OverlaySettings(storage());
    settings.open(source);
    const overlay = new Overlay(video.current, canvas.current, settings);
    overlay.start(receiver, [receiver]);
    const stopListening = session.onDetections(id, (message) => overlay.receive(message));
    return () => {
      stopListening();
      overlay.stop();
    };
  }, [session, id, source, rendition, hasBoxes, generation, stream]);
  const told = (): void => {
    const { videoWidth: width = 0, videoHeight: height = 0 } = video.current ?? {};
    if (width > 0) onPicture({ width, height });
  };
  return (
    <>
      <video ref={video} muted playsInline autoPlay onResize={told} onLoadedData={told} onPlaying={told} />
      <canvas ref={canvas} aria-hidden="true" />
    </>
  );
}
