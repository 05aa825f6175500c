/** Logging in and out: one form, shown where something was refused, and a button for whoever has logged in. */
import { login, logout, SightlineError } from '/sightline.js';
import { refreshMe } from '../api/me.js';
import { byId, setText } from '../shared/dom.js';
import { explain } from '../shared/explain.js';
import { storage } from '../shared/storage.js';

/** Who has logged in, for the button: the cookie itself no script can read. */
const USER_KEY = 'sightline.user';
/** Where a token was kept before there were logins. */
const TOKEN_KEY = 'sightline.token';

/** What a sign-in tells. */
export interface SignInInit {
  /** Somebody has logged in, or out: what was refused may be had now, and the other way round. */
  readonly onChange: () => void;
}

/** The form, and the button. */
export class SignIn {
  readonly #init: SignInInit;
  readonly #form = byId('sign-in', HTMLFormElement);
  readonly #user = byId('sign-in-user', HTMLInputElement);
  readonly #secret = byId('sign-in-secret', HTMLInputElement);
  readonly #submit = byId('sign-in-submit', HTMLButtonElement);
  readonly #trouble = byId('sign-in-trouble', HTMLElement);
  readonly #logout = byId('log-out', HTMLButtonElement);

  constructor(init: SignInInit) {
    this.#init = init;
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#logIn();
    });
    this.#logout.addEventListener('click', () => void this.#logOut());
    this.#showUser(storage()?.getItem(USER_KEY) ?? undefined);
  }

  /** A token that was kept before there were logins becomes one. Never rejects. */
  async migrate(): Promise<void> {
    const token = storage()?.getItem(TOKEN_KEY) ?? '';
    if (token === '') return;
    storage()?.removeItem(TOKEN_KEY);
    await login({ token }).then(
      ({ user }) => {
        this.#showUser(user);
        void refreshMe();
      },
      () => undefined, // it holds no more: the form asks for another one
    );
  }

  /** Shows the form there. @param why somebody who has logged in does not get what they asked for; left out: nobody has */
  ask(place: HTMLElement, why = ''): void {
    if (this.#form.parentElement !== place) place.append(this.#form);
    if (why !== '') setText(this.#trouble, why);
    else this.#showUser(undefined);
    this.#form.hidden = false;
  }

  /** Takes the form away. */
  hide(): void {
    this.#form.hidden = true;
    setText(this.#trouble, '');
  }

  async #logIn(): Promise<void> {
    const [user, secret] = [this.#user.value.trim(), this.#secret.value];
    this.#submit.disabled = true;
    setText(this.#trouble, '');
    try {
      const { user: name } = await login(user === '' ? { token: secret } : { user, password: secret });
      this.#form.reset();
      this.hide();
      this.#showUser(name);
      void refreshMe();
      this.#init.onChange();
    } catch (error) {
      setText(this.#trouble, wordsOf(error, user));
      this.#secret.select();
    } finally {
      this.#submit.disabled = false;
    }
  }

  async #logOut(): Promise<void> {
    this.#logout.disabled = true;
    // Where the server cannot be reached, what follows says so.
    await logout().then(
      () => this.#showUser(undefined),
      () => undefined,
    );
    this.#logout.disabled = false;
    void refreshMe();
    this.#init.onChange();
  }

  #showUser(name: string | undefined): void {
    this.#logout.hidden = name === undefined;
    setText(this.#logout, name === undefined ? 'Log out' : `Log out ${name}`);
    if (name === undefined) storage()?.removeItem(USER_KEY);
    else storage()?.setItem(USER_KEY, name);
  }
}

function wordsOf(error: unknown, user: string): string {
  const { code, message } = error instanceof SightlineError ? error : { code: undefined, message: String(error) };
  if (code === 'UNAUTHORIZED')
    return user === '' ? 'The server does not take this token. Ask whoever runs it for another.' : 'User and password do not fit.';
  const { title, text } = explain({ code, message });
  return `${title}. ${code === 'TOO_MANY_REQUESTS' ? message : text}`.trim();
}
