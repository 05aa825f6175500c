/** The camera that is open, as its own person sees it. */
import { byId } from '../shared/dom.js';
import { choicesOf, mediaDevices, openCamera } from './devices.js';
import type { SettingsForm } from './form.js';

/** Whom a preview tells. */
export interface PreviewInit {
  /** Which camera is chosen. */
  readonly form: SettingsForm;
  /** A track of the camera that has just been opened, in place of the one of its kind before. */
  readonly onTrack: (track: MediaStreamTrack) => Promise<void> | undefined;
  /** The camera went away by itself. */
  readonly onLost: () => void;
}

/** Holds one camera at a time. */
export class Preview {
  readonly #init: PreviewInit;
  readonly #root = byId('preview', HTMLElement);
  readonly #video = byId('picture', HTMLVideoElement);
  readonly #placeholder = byId('placeholder', HTMLElement);
  readonly #flip = byId('flip', HTMLElement);
  readonly #mute = byId('mute', HTMLElement);
  #stream: MediaStream | undefined;

  constructor(init: PreviewInit) {
    this.#init = init;
    this.#mute.addEventListener('click', () => {
      this.#mute.setAttribute('aria-pressed', String(!this.#isMuted));
      this.#applyMute();
    });
    mediaDevices()?.addEventListener?.('devicechange', () => void this.listCameras());
  }

  /** What it gives; undefined while no camera is open. */
  get stream(): MediaStream | undefined {
    return this.#stream;
  }

  /** Takes the look of a state of the connection. */
  setPhase(phase: string): void {
    this.#root.dataset['phase'] = phase;
  }

  /** Opens the chosen camera, in place of the one that is open; a running connection goes on with it. @throws CameraError */
  async open(): Promise<MediaStream> {
    const { form, onTrack, onLost } = this.#init;
    // A phone opens one camera at a time.
    this.#stopTracks();
    const stream = await openCamera(form.wantedCamera);
    this.#stream = stream;
    const [video] = stream.getVideoTracks();
    video?.addEventListener('ended', onLost);
    this.#show(stream, video?.getSettings() ?? {});
    for (const track of stream.getTracks()) await onTrack(track);
    this.#applyMute();
    await this.listCameras();
    return stream;
  }

  /** Closes the camera. */
  close(): void {
    this.#stopTracks();
    this.#stream = undefined;
    this.#video.srcObject = null;
    this.#placeholder.hidden = false;
    this.#flip.hidden = this.#mute.hidden = true;
  }

  /** Offers the cameras that there are now. */
  async listCameras(): Promise<void> {
    const devices = (await mediaDevices()?.enumerateDevices?.()) ?? [];
    const choices = choicesOf(devices);
    this.#init.form.offerCameras(choices, this.#stream?.getVideoTracks()[0]?.getSettings().deviceId);
    this.#flip.hidden = choices.length < 2 || !this.#stream;
  }

  get #isMuted(): boolean {
    return this.#mute.getAttribute('aria-pressed') === 'true';
  }

  #show(stream: MediaStream, { facingMode, width = 0, height = 0 }: MediaTrackSettings): void {
    this.#video.srcObject = stream;
    // People know themselves from mirrors; laptops do not say which way their camera looks.
    this.#root.classList.toggle('mirrored', facingMode === undefined || facingMode === 'user');
    this.#root.classList.toggle('upright', height > width);
    this.#placeholder.hidden = true;
  }

  #applyMute(): void {
    const [sound] = this.#stream?.getAudioTracks() ?? [];
    if (sound) sound.enabled = !this.#isMuted;
    this.#mute.hidden = !sound;
    this.#mute.textContent = this.#isMuted ? 'Unmute' : 'Mute';
  }

  #stopTracks(): void {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
  }
}
