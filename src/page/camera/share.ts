/** Where others watch the camera: an address to copy, or to share where the device can. */
import { serverUrl } from '../api/address.js';
import { watchHash } from '../app/router.js';
import { byId } from '../shared/dom.js';

/** The address of the room, while the camera runs. */
export class Share {
  readonly #root = byId('share', HTMLElement);
  readonly #address = byId('address', HTMLAnchorElement);
  readonly #button = byId('copy', HTMLElement);

  constructor() {
    this.#button.addEventListener('click', () => void this.#give());
  }

  /** Shows the address of a room. */
  show(room: string): void {
    const { href } = new URL(watchHash(room), serverUrl());
    this.#address.href = href;
    this.#address.textContent = href;
    this.#root.hidden = false;
    this.#button.textContent = this.#canShare ? 'Share' : 'Copy';
  }

  /** Takes it away. */
  hide(): void {
    this.#root.hidden = true;
  }

  get #canShare(): boolean {
    return 'share' in navigator;
  }

  async #give(): Promise<void> {
    const url = this.#address.href;
    // Who closes the dialog, or forbids the clipboard, needs no notice of it.
    if (this.#canShare) return navigator.share({ url }).catch(() => undefined);
    await (navigator as Partial<Navigator>).clipboard?.writeText(url).catch(() => undefined);
    this.#button.textContent = 'Copied';
  }
}
