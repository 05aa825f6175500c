/** Who may use this server. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { pathOf } from '../api/address.js';
import { Polled } from '../api/polled.js';
import { request } from '../api/request.js';
import { words } from '../strings/index.js';
import { announce } from '../ui/announcer.js';
import { Confirm } from '../ui/confirm.js';
import { Fault } from '../ui/fault.js';
import { UserForm, type User } from './user-form.js';

const PERIOD_MS = 5_000;

/** At `#manage/users`. */
export function UsersPage() {
  const text = words.value.manage;
  const users = useMemo(() => new Polled<{ readonly users: readonly User[] }>('/users', PERIOD_MS), []);
  const [edited, setEdited] = useState<User | 'new' | undefined>(undefined);
  useEffect(() => users.hold(), [users]);
  const { value, trouble } = users.known.value;
  return (
    <>
      <Fault error={trouble} />
      <p class="soft">{text.usersHelp}</p>
      <ul class="manage-list">
        {value?.users.map((user) => (
          <li key={user.name} class="user">
            <span class="manage-name">{user.name}</span>
            <span class="manage-facts">{factsOf(user)}</span>
            {user.origin === 'api' ? (
              <span class="row">
                <button type="button" class="button" onClick={() => setEdited(user)}>
                  {text.edit}
                </button>
                <Confirm
                  title={text.removeUser(user.name)}
                  text={text.removeUserText}
                  yes={text.remove}
                  onYes={async () => {
                    await request(pathOf('users', user.name), { method: 'DELETE' });
                    await users.refresh();
                    announce(text.removed(user.name));
                  }}
                >
                  {text.remove}
                </Confirm>
              </span>
            ) : (
              <span class="soft">{text.userOfFile}</span>
            )}
          </li>
        ))}
      </ul>
      {edited === undefined && (
        <button type="button" class="button main" onClick={() => setEdited('new')}>
          {text.newUser}
        </button>
      )}
      {edited !== undefined && (
        <UserForm
          key={edited === 'new' ? '' : edited.name}
          user={edited === 'new' ? undefined : edited}
          onSaved={() => void users.refresh()}
          onClose={() => setEdited(undefined)}
        />
      )}
    </>
  );
}

function factsOf({ actions, sources, has_password: hasPassword, has_token: hasToken }: User): string {
  const text = words.value.manage;
  const rights = actions.map((action) => text.right[action] ?? action).join(', ');
  const of = sources.length === 0 || sources.includes('*') ? text.allSources : sources.join(', ');
  return [rights, of, hasPassword ? text.hasPassword : '', hasToken ? text.hasToken : ''].filter(Boolean).join(' · ');
}
