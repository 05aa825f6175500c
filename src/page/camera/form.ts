/** The settings of the camera: what a person chose, remembered from one time to the next. */
import { byId, make } from '../shared/dom.js';
import { storage } from '../shared/storage.js';
import type { CameraChoice, WantedCamera } from './devices.js';

/** The form and its fields. */
export class SettingsForm {
  readonly #form = byId('settings', HTMLFormElement);
  readonly #room = byId('room', HTMLInputElement);
  readonly #camera = byId('camera', HTMLSelectElement);
  readonly #size = byId('size', HTMLSelectElement);
  readonly #bitrate = byId('bitrate', HTMLSelectElement);
  readonly #simulcast = byId('simulcast', HTMLInputElement);
  readonly #sound = byId('sound', HTMLInputElement);
  readonly #token = byId('token', HTMLInputElement);

  /** Names of the fields that are remembered, with their elements. */
  get #remembered(): readonly (readonly [name: string, field: HTMLInputElement | HTMLSelectElement])[] {
    return [
      ['room', this.#room],
      ['size', this.#size],
      ['bitrate', this.#bitrate],
      ['simulcast', this.#simulcast],
      ['sound', this.#sound],
      ['token', this.#token],
    ];
  }

  /** Calls back when the person asks to start by keyboard, chooses another camera or size, or another bitrate. */
  listen({ onSubmit, onCamera, onBitrate }: Readonly<Record<'onSubmit' | 'onCamera' | 'onBitrate', () => void>>): void {
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      onSubmit();
    });
    for (const field of [this.#camera, this.#size]) field.addEventListener('change', onCamera);
    this.#bitrate.addEventListener('change', onBitrate);
  }

  /** Name of the room. */
  get room(): string {
    return this.#room.value;
  }

  /** Bearer token of the room; empty where none was given. */
  get token(): string {
    return this.#token.value;
  }

  /** Upper limit of the video, bit/s; undefined: none. */
  get maxBitrateBps(): number | undefined {
    return this.#bitrate.value === '' ? undefined : Number(this.#bitrate.value);
  }

  /** Whether the picture is to be sent in several sizes at once, where it is large. */
  get simulcast(): boolean {
    return this.#simulcast.checked;
  }

  /** The camera that is chosen. */
  get wantedCamera(): WantedCamera {
    const [width = 1280, height = 720] = this.#size.value.split('x').map(Number);
    return { camera: this.#camera.value || 'front', width, height, sound: this.#sound.checked };
  }

  /** False, and tells the person, where a field is not filled in as it must be. */
  check(): boolean {
    return this.#form.reportValidity();
  }

  /** What cannot change while the camera runs. */
  lock(isLocked: boolean): void {
    for (const field of [this.#room, this.#token, this.#sound, this.#simulcast]) field.disabled = isLocked;
  }

  /** Moves the keyboard to the token: it is what is missing. */
  askForToken(): void {
    this.#token.focus();
  }

  /** Offers these cameras; the one that is chosen stays so, else the one that is open. */
  offerCameras(choices: readonly CameraChoice[], openId: string | undefined): void {
    const before = this.#camera.value;
    this.#camera.replaceChildren(...choices.map(({ value, name }) => make('option', { value, textContent: name })));
    const kept = [before, openId].find((value) => choices.some((choice) => choice.value === value));
    if (kept !== undefined) this.#camera.value = kept;
  }

  /** Chooses the other side, or the next camera where sides are not named. */
  chooseOtherCamera(): void {
    const values = [...this.#camera.options].map(({ value }) => value);
    const next = values[(this.#camera.selectedIndex + 1) % values.length] ?? '';
    this.#camera.value = !values.includes('front') ? next : this.#camera.value === 'front' ? 'back' : 'front';
  }

  /** Fills in what was chosen last time, and the room that the address names. */
  recall(): void {
    for (const [name, field] of this.#remembered) {
      const kept = storage()?.getItem(keyOf(name));
      if (kept == null) continue;
      if (isCheckbox(field)) field.checked = kept === 'true';
      else field.value = kept;
    }
    const named = new URLSearchParams(location.search).get('room');
    if (named) this.#room.value = named;
    if (this.#room.value === '') this.#room.value = `camera-${Math.random().toString(36).slice(2, 6)}`;
  }

  /** Keeps what is chosen for the next time. */
  remember(): void {
    for (const [name, field] of this.#remembered) storage()?.setItem(keyOf(name), isCheckbox(field) ? String(field.checked) : field.value);
  }
}

function keyOf(name: string): string {
  return `sightline.camera.${name}`;
}

function isCheckbox(field: HTMLInputElement | HTMLSelectElement): field is HTMLInputElement {
  return field.type === 'checkbox';
}
