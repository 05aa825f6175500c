/** What plays, with its controls and figures. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { nameOf } from '../api/sources.js';
import { detectorLoaded } from '../api/health.js';
import { go } from '../app/router.js';
import { OverlayPanel } from '../overlay/panel.js';
import { words } from '../strings/index.js';
import { TimelinePlace } from '../timeline/place.js';
import { Dialog } from '../ui/dialog.js';
import { Icon } from '../ui/icon.js';
import { useActions, type PageActions } from './actions.js';
import { Controls } from './controls.js';
import { Happening } from './happening.js';
import { KeyHelp } from './key-help.js';
import { viewButtons, type WatchModel } from './model.js';
import { Statistics } from './statistics.js';
import { Stage, useFullScreen } from './stage.js';

/** @param source that is chosen @param onLeave it is left: the keyboard goes back to its card */
export function PlayerSection({
  model,
  source,
  onLeave,
}: {
  readonly model: WatchModel;
  readonly source: string;
  readonly onLeave: (source: string) => void;
}) {
  const texts = words.value.watch;
  const section = useRef<HTMLElement>(null);
  const title = useRef<HTMLHeadingElement>(null);
  const fullScreen = useFullScreen();
  const [isHelping, setHelping] = useState(false);
  const [link, setLink] = useState<string>();
  const page = useMemo<PageActions>(() => ({ fullScreen: fullScreen.toggle, help: () => setHelping(true), showLink: setLink }), []);
  const actions = useActions(model, page);
  useEffect(() => {
    const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    section.current?.scrollIntoView({ block: 'start', behavior: isCalm ? 'auto' : 'smooth' });
    title.current?.focus({ preventScroll: true });
  }, [source]);
  return (
    <section class="player" id="player" aria-label={texts.player} ref={section}>
      <Stage model={model} isFilled={fullScreen.isFilled} onGiveBack={fullScreen.giveBack}>
        <Controls model={model} actions={actions} page={page} />
      </Stage>
      <div class="bar">
        <h2 id="title" tabIndex={-1} dir="auto" ref={title}>
          {nameOf(source)}
        </h2>
        <ViewChoice model={model} />
        <div class="buttons">
          <button type="button" class="icon-button" id="help" title={texts.keys.title} aria-label={texts.keys.title} onClick={page.help}>
            <Icon name="help" />
          </button>
          <button
            type="button"
            id="leave"
            onClick={() => {
              go('#/');
              onLeave(source);
            }}
          >
            {texts.leave}
          </button>
        </div>
      </div>
      <OverlayControls model={model} key={source} />
      <Trouble model={model} />
      <TimelinePlace source={source} control={model.control.value} />
      <Happening source={source} />
      <Statistics seen={model.seen} />
      {isHelping && <KeyHelp onClose={() => setHelping(false)} />}
      {link !== undefined && (
        <Dialog title={texts.copyLink} onClose={() => setLink(undefined)}>
          <input class="link" readOnly value={link} aria-label={texts.copyLink} onFocus={({ currentTarget }) => currentTarget.select()} />
        </Dialog>
      )}
    </section>
  );
}

function ViewChoice({ model }: { readonly model: WatchModel }) {
  const { view: legend, views, viewMissing } = words.value.watch;
  const wanted = model.wanted.value;
  return (
    <fieldset class="segmented" id="views">
      <legend class="visually-hidden">{legend}</legend>
      {viewButtons(model.possible.value, wanted?.view).map(({ view, isDisabled }) => (
        <label key={view} title={isDisabled && detectorLoaded.value ? viewMissing : undefined}>
          <input
            type="radio"
            name="view"
            value={view}
            checked={view === wanted?.view}
            disabled={isDisabled}
            onChange={() => wanted && model.choice.choose(wanted.source, view)}
          />
          <span>{views[view]}</span>
        </label>
      ))}
    </fieldset>
  );
}

function OverlayControls({ model }: { readonly model: WatchModel }) {
  if (!model.seen.overlay.value) return null;
  return <OverlayPanel settings={model.settings} classes={model.seen.classes.value} onChange={() => model.deck.overlay.redraw()} />;
}

function Trouble({ model }: { readonly model: WatchModel }) {
  const text = model.seen.trouble.value;
  return (
    <p class="hint" id="trouble" role="status" hidden={text === ''}>
      {text}
    </p>
  );
}
