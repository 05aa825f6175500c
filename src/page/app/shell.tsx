/** What stays while views change: the header with its navigation, the place of a view, and the footer. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ComponentType } from 'preact';
import { logOut } from '../account/account.js';
import { may, me } from '../api/me.js';
import { sourceList } from '../api/sources.js';
import { chooseOther, language, LANGUAGES, words, type Language } from '../strings/index.js';
import { Icon } from '../ui/icon.js';
import { WatchView } from '../watch/view.js';
import { address } from './router.js';
import { serverTrouble } from './server-voice.js';
import { VIEWS, type View } from './views.js';

/** The whole page. */
export function Shell() {
  const main = useRef<HTMLElement>(null);
  useEffect(() => sourceList.hold(), []);
  const skip = (): void => {
    main.current?.focus();
    main.current?.scrollIntoView();
  };
  return (
    <>
      <Header onSkip={skip} />
      <main id="view" tabIndex={-1} ref={main}>
        <ViewPlace />
      </main>
      <Footer />
    </>
  );
}

/** @param onSkip the keyboard goes to what is shown */
function Header({ onSkip }: { readonly onSkip: () => void }) {
  const { publish, publishHint, navigation } = words.value.shell;
  return (
    <header class="top">
      <button type="button" class="skip" onClick={onSkip}>
        {words.value.shell.skip}
      </button>
      <h1>
        <a class="brand" href="#/">
          <img src="favicon.svg" alt="" width="28" height="28" /> Sightline
        </a>
      </h1>
      <nav class="views" aria-label={navigation}>
        <Navigation />
      </nav>
      <p class="server" id="server" role="status" aria-live="polite">
        {serverTrouble.value}
      </p>
      <div class="top-end">
        <LogOut />
        <a class="button" href="publish" title={publishHint}>
          {publish}
        </a>
      </div>
    </header>
  );
}

/** For whoever has logged in. */
function LogOut() {
  const [isBusy, setBusy] = useState(false);
  const user = me.value?.user;
  if (user == null) return null;
  return (
    <button
      type="button"
      class="button"
      id="log-out"
      disabled={isBusy}
      onClick={() => {
        setBusy(true);
        void logOut().finally(() => setBusy(false));
      }}
    >
      {words.value.account.logOutAs(user)}
    </button>
  );
}

function Footer() {
  const { apiReference, connections, health } = words.value.shell;
  return (
    <footer>
      <a href="docs">{apiReference}</a>
      <a href="connection-stats">{connections}</a>
      <a href="health">{health}</a>
      <LanguageChoice />
    </footer>
  );
}

function LanguageChoice() {
  return (
    <label class="language">
      {words.value.shell.language}{' '}
      <select
        value={language.value}
        onChange={({ currentTarget }) =>
          void chooseOther(currentTarget.value as Language).catch(() => (currentTarget.value = language.value))
        }
      >
        {Object.entries(LANGUAGES).map(([tag, name]) => (
          <option key={tag} value={tag} lang={tag}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Links to the views that this person may use; the one that is shown is the current page. */
function Navigation() {
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
function ViewPlace() {
  const { view: name } = address.value;
  const view = VIEWS.find((each) => each.name === name);
  if (view?.load) return <Loaded key={name} load={view.load} />;
  return name === 'watch' ? <WatchView /> : <p class="empty">{words.value.shell.noSuchView(name)}</p>;
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
