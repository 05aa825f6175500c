/** What stays while views change: the navigation, and the place of a view. */
import { useEffect, useState } from 'preact/hooks';
import type { ComponentType } from 'preact';
import { may } from '../api/me.js';
import { words } from '../strings/index.js';
import { Icon } from '../ui/icon.js';
import { address } from './router.js';
import { VIEWS, type View } from './views.js';

/** Links to the views that this person may use; the one that is shown is the current page. */
export function Navigation() {
  const { views } = words.value.shell;
  const shown = address.value.view;
  return (
    <ul>
      {VIEWS.filter(({ right }) => right === undefined || may(right)).map(({ name, icon }) => (
        <li key={name}>
          <a href={name === 'watch' ? '#/' : `#${name}`} aria-current={name === shown ? 'page' : undefined}>
            <Icon name={icon} />
            <span>{views[name]}</span>
          </a>
        </li>
      ))}
    </ul>
  );
}

/** The view that the address names, once it is loaded. */
export function ViewPlace() {
  const { view: name } = address.value;
  const view = VIEWS.find((each) => each.name === name);
  if (view?.load) return <Loaded key={name} load={view.load} />;
  return name === 'watch' ? null : <p class="empty">{words.value.shell.noSuchView(name)}</p>;
}

function Loaded({ load }: { readonly load: NonNullable<View['load']> }) {
  const [state, setState] = useState<{ readonly Component?: ComponentType; readonly failed?: boolean }>({});
  useEffect(() => {
    load().then(
      (Component) => setState({ Component }),
      () => setState({ failed: true }),
    );
  }, [load]);
  const { Component, failed } = state;
  if (Component) return <Component />;
  if (!failed)
    return (
      <p class="empty" role="status">
        {words.value.shell.loading}
      </p>
    );
  return (
    <div class="empty" role="alert">
      <p>{words.value.shell.loadFailed}</p>
      <button type="button" class="button" onClick={() => location.reload()}>
        {words.value.shell.reload}
      </button>
    </div>
  );
}
