/** What a person does with the picture, by button or by key. */
import { useEffect, useMemo } from 'preact/hooks';
import { serverNowS } from '../api/server-clock.js';
import { nameOf } from '../api/sources.js';
import { faultText } from '../strings/faults.js';
import { words } from '../strings/index.js';
import { actionOf, type KeyAction } from './keys.js';
import type { WatchModel } from './model.js';
import { savePicture } from './picture.js';
import { handOn, linkTo } from './sharing.js';

const JUMP_S = 10;

/** What only the page itself can do. */
export interface PageActions {
  /** Fills the screen, or gives it back. */
  readonly fullScreen: () => void;
  /** Shows which keys there are. */
  readonly help: () => void;
  /** Shows a link for a person to copy. */
  readonly showLink: (url: string) => void;
}

/** Everything that can be done. */
export class Actions {
  readonly #model: WatchModel;
  readonly #page: PageActions;

  constructor(model: WatchModel, page: PageActions) {
    this.#model = model;
    this.#page = page;
  }

  /** Does what a key asks for. */
  do(action: KeyAction): void {
    if (action === 'fullScreen') this.#page.fullScreen();
    else if (action === 'help') this.#page.help();
    else if (action === 'mute') this.mute();
    else if (action === 'pip') void this.pictureInPicture();
    else if (action === 'snapshot') void this.snapshot();
    else if (action === 'back') void this.jump(-JUMP_S);
    else if (action === 'forward') void this.jump(JUMP_S);
    else if (action === 'toggle') void this.toggle();
    else if (action === 'live') void this.live();
    else if (this.#model.possible.peek().includes(action) && this.#model.wanted.peek())
      this.#model.choice.choose(this.#model.wanted.peek()?.source ?? '', action);
  }

  /** Switches the sound. */
  mute(): void {
    if (!this.#model.isSilent.peek()) this.#model.mute(!this.#model.isMuted.peek());
  }

  /** Saves what is shown as a picture. */
  async snapshot(): Promise<void> {
    const { watch } = words.value;
    const source = this.#model.wanted.peek()?.source;
    if (source === undefined) return;
    const atS = this.#model.control.peek()?.position.peek().atS ?? serverNowS();
    await savePicture(this.#model, source, atS).then(
      (name) => this.#model.say(watch.saved, name),
      () => this.#model.say(watch.notSaved),
    );
  }

  /** Shows the picture in a window of its own, or takes it back. */
  async pictureInPicture(): Promise<void> {
    if (!document.pictureInPictureEnabled) return;
    if (document.pictureInPictureElement) return document.exitPictureInPicture();
    await this.#model.shownVideo.requestPictureInPicture().catch(() => this.#model.say(words.value.watch.noPip));
  }

  /** Hands on the link to what is shown. */
  async share(): Promise<void> {
    const wanted = this.#model.wanted.peek();
    if (!wanted) return;
    const url = linkTo(wanted, this.#model.control.peek()?.position.peek(), location.href);
    const handed = await handOn(url, nameOf(wanted.source));
    if (handed === 'copied') this.#model.say(words.value.watch.copied);
    else if (handed === 'shown') this.#page.showLink(url);
  }

  /** @param seconds later; negative: earlier */
  async jump(seconds: number): Promise<void> {
    const position = this.#model.control.peek()?.position.peek();
    if (!position || (position.state === 'live' && seconds > 0)) return;
    await this.#past((control) => control.seek((position.atS ?? serverNowS()) + seconds));
  }

  /** Stops the picture, or lets it go on. */
  async toggle(): Promise<void> {
    await this.#past((control) => {
      const { state } = control.position.peek();
      return state === 'paused' || state === 'held' || state === 'end' ? control.resume() : control.pause();
    });
  }

  /** The present again. */
  async live(): Promise<void> {
    await this.#past((control) => control.live());
  }

  async #past(move: (control: NonNullable<WatchModel['control']['value']>) => Promise<void>): Promise<void> {
    const control = this.#model.control.peek();
    if (!control) return;
    await move(control).catch((error: unknown) => this.#model.say(words.value.watch.notMoved, faultText(error)));
  }
}

/** The actions of a model, which keys do as well while the component is there. */
export function useActions(model: WatchModel, page: PageActions): Actions {
  const actions = useMemo(() => new Actions(model, page), [model, page]);
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || document.querySelector('dialog[open]')) return;
      const isChord = event.ctrlKey || event.altKey || event.metaKey;
      const action = actionOf({ key: event.key, isChord, target: kindOf(event.target) });
      if (action === undefined) return;
      event.preventDefault();
      actions.do(action);
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, [actions]);
  return actions;
}

function kindOf(target: EventTarget | null): string {
  if (target instanceof HTMLInputElement) return `input:${target.type}`;
  return target instanceof HTMLElement ? target.tagName.toLowerCase() : '';
}
