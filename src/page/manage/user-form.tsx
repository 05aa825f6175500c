/** A user, new or changed; a token that is made is shown this once. */
import { useRef, useState } from 'preact/hooks';
import { pathOf } from '../api/address.js';
import { request } from '../api/request.js';
import { words } from '../strings/index.js';
import { announce } from '../ui/announcer.js';
import { useAction } from '../ui/action.js';
import { Fault } from '../ui/fault.js';

/** As `GET /users` lists one. */
export interface User {
  /** Unique. */
  readonly name: string;
  /** Where it is changed. */
  readonly origin: 'file' | 'api';
  /** Rights; `all`: every one. */
  readonly actions: readonly string[];
  /** Names and globs. */
  readonly sources: readonly string[];
  /** From where it may come; none: from anywhere. */
  readonly addresses: readonly string[];
  /** Whether it logs in by one. */
  readonly has_password: boolean;
  /** Whether it has one. */
  readonly has_token: boolean;
}

/** What a form is for. */
export interface UserFormProps {
  /** The one that is changed; undefined: a new one. */
  readonly user: User | undefined;
  /** It is written. */
  readonly onSaved: () => void;
  /** Nobody needs it any more. */
  readonly onClose: () => void;
}

const RIGHTS = ['watch', 'data', 'ice', 'playback', 'publish', 'metrics', 'admin'] as const;
const VIEWER = ['watch', 'data', 'ice', 'playback'];

/** Under the list. */
export function UserForm({ user, onSaved, onClose }: UserFormProps) {
  const text = words.value.manage;
  const { isBusy, error, run } = useAction();
  const [name, setName] = useState(user?.name ?? '');
  const [actions, setActions] = useState<readonly string[]>(user ? (user.actions.includes('all') ? RIGHTS : user.actions) : VIEWER);
  const [sources, setSources] = useState((user?.sources ?? []).join(', '));
  const [password, setPassword] = useState('');
  const [wantsToken, setWantsToken] = useState(false);
  const [token, setToken] = useState<string | undefined>(undefined);
  const form = useRef<HTMLFormElement>(null);
  const save = (event: Event): void => {
    event.preventDefault();
    void run(async () => {
      const globs = sources
        .split(',')
        .map((glob) => glob.trim())
        .filter((glob) => glob !== '');
      const { body } = await request<{ readonly token?: string }>(pathOf('users', name), {
        method: 'PUT',
        body: {
          actions,
          ...(globs.length > 0 && { sources: globs }),
          ...(user && user.addresses.length > 0 && { addresses: user.addresses }),
          ...(password !== '' && { password }),
          ...(wantsToken && { token: 'new' }),
        },
      });
      onSaved();
      announce(text.saved);
      if (body.token === undefined) onClose();
      else setToken(body.token);
    });
  };
  if (token !== undefined) return <NewToken token={token} onClose={onClose} />;
  return (
    <section class="card-box" aria-labelledby="manage-user">
      <h3 id="manage-user">{user ? text.editUser(user.name) : text.newUser}</h3>
      <form class="form" ref={form} onSubmit={save}>
        <label>
          {text.userName}
          <input
            type="text"
            required
            maxLength={64}
            pattern="[A-Za-z0-9._@\-]+"
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            disabled={user !== undefined}
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
          />
          <small>{text.userNameHelp}</small>
        </label>
        <fieldset>
          <legend>{text.rights}</legend>
          {RIGHTS.map((right) => (
            <label class="check" key={right}>
              <input
                type="checkbox"
                checked={actions.includes(right)}
                onChange={({ currentTarget: { checked } }) =>
                  setActions(checked ? [...actions, right] : actions.filter((each) => each !== right))
                }
              />
              {text.right[right]}
            </label>
          ))}
        </fieldset>
        <label>
          {text.userSources}
          <input type="text" value={sources} placeholder={text.allSources} onInput={(event) => setSources(event.currentTarget.value)} />
          <small>{text.userSourcesHelp}</small>
        </label>
        <label>
          {user?.has_password ? text.otherPassword : text.password}
          <input
            type="password"
            minLength={12}
            maxLength={1024}
            autocomplete="new-password"
            value={password}
            onInput={(event) => setPassword(event.currentTarget.value)}
          />
          <small>{text.passwordHelp}</small>
        </label>
        <label class="check">
          <input type="checkbox" checked={wantsToken} onChange={(event) => setWantsToken(event.currentTarget.checked)} />
          {user?.has_token ? text.otherToken : text.makeToken}
        </label>
        <Fault error={error} />
        <div class="row">
          <button type="submit" class="button main" disabled={isBusy || actions.length === 0}>
            {text.save}
          </button>
          <button type="button" class="button" onClick={onClose}>
            {words.value.shell.cancel}
          </button>
        </div>
      </form>
    </section>
  );
}

function NewToken({ token, onClose }: { readonly token: string; readonly onClose: () => void }) {
  const text = words.value.manage;
  return (
    <section class="card-box" aria-labelledby="manage-token">
      <h3 id="manage-token">{text.newToken}</h3>
      <p>{text.newTokenText}</p>
      <p class="token">
        <code>{token}</code>
      </p>
      <div class="row">
        <button type="button" class="button" onClick={() => void copy(token)}>
          {text.copy}
        </button>
        <button type="button" class="button main" onClick={onClose}>
          {words.value.shell.close}
        </button>
      </div>
    </section>
  );
}

/** Pages that came by http may not, except those of this very machine. */
async function copy(text: string): Promise<void> {
  const { copied, copyByHand } = words.value.manage;
  try {
    await navigator.clipboard.writeText(text);
    announce(copied);
  } catch {
    announce(copyByHand);
  }
}
