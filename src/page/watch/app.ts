/** The page at `/`: the list of sources, the stage and its controls. Says who tells whom. */
import { OverlayPanel } from '../overlay/panel.js';
import { OverlaySettings } from '../overlay/settings.js';
import { byId, setText } from '../shared/dom.js';
import { storage } from '../shared/storage.js';
import { isLive, snapshotUrl } from './card.js';
import { Choice, type ChoiceChange } from './choice.js';
import { Gallery } from './gallery.js';
import { Listing, Refused } from './listing.js';
import { Notice } from './notice.js';
import { Player, type Phase } from './player.js';
import { QualityMenu } from './quality-menu.js';
import { Readouts } from './readouts.js';
import { SignIn } from './sign-in.js';
import { Stage } from './stage.js';
import type { Wanted } from './viewing.js';
import { VIEWS, isView, offeredTracks, possibleViews } from './views.js';
import { ZonePoll } from './zone-poll.js';

const LIST_PERIOD_MS = 4_000;
const READOUT_PERIOD_MS = 1_000;
const OVERLAY_PERIOD_MS = 500;

const listing = new Listing();
const detectorLoaded = (): boolean => listing.detectorLoaded;

const settings = new OverlaySettings(storage());
const notice = new Notice();
const choice = new Choice({ detectorLoaded, onChange: showChoice });
const stage = new Stage(byId('stage', HTMLElement), settings);
const gallery = new Gallery(byId('gallery', HTMLElement), { onChoose: (source) => choice.choose(source) });
const player = new Player({ deck: stage.deck, onPhase: showPhase, detectorLoaded });
const panel = new OverlayPanel(byId('panel', HTMLElement), settings, () => stage.deck.overlay.redraw());
const zones = new ZonePoll((shapes) => stage.deck.overlay.setShapes(shapes));
const qualityMenu = new QualityMenu({
  viewing: () => player.viewing,
  listed: (source) => listing.videos.get(source)?.qualities ?? [],
  onRefused: (quality, why) => notice.show(`${quality} cannot be had now`, why, { small: true, passing: true }),
});
const readouts = new Readouts({ stage, player, panel, listing, zones, source: () => choice.wanted?.source });

const title = byId('title', HTMLElement);
const mute = byId('mute', HTMLButtonElement);
const signIn = new SignIn({ onChange: showOthers });
const viewInputs = [...document.querySelectorAll<HTMLInputElement>('input[name=view]')];

// ---- what is chosen ----

function showChoice({ wanted, isNewSource, clickedAtMs }: ChoiceChange): void {
  gallery.select(wanted?.source);
  document.title = wanted ? `${listing.nameOf(wanted.source)} · Sightline` : 'Sightline';
  byId('player', HTMLElement).hidden = !wanted;
  if (!wanted) return player.leave();
  title.textContent = listing.nameOf(wanted.source);
  if (isNewSource) openSource(wanted);
  checkViews();
  player.play(wanted, clickedAtMs);
}

function openSource({ source, view }: Wanted): void {
  readouts.reset();
  zones.reset();
  panel.open(source);
  stage.arrange(view);
  dressStage();
  const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  byId('player', HTMLElement).scrollIntoView({ block: 'start', behavior: isCalm ? 'auto' : 'smooth' });
  title.focus({ preventScroll: true });
}

/** The stage takes the video's shape and shows its snapshot before the first frame comes. */
function dressStage(): void {
  const video = listing.videos.get(choice.wanted?.source ?? '');
  stage.shape(video?.width ?? 16, video?.height ?? 9);
  stage.poster(video && !isLive(video) ? snapshotUrl(video) : undefined);
}

function checkViews(): void {
  const possible = player.viewing?.views ?? possibleViews(offeredTracks(listing.detectorLoaded), listing.detectorLoaded);
  for (const input of viewInputs) {
    input.checked = input.value === choice.wanted?.view;
    input.disabled = !input.checked && !possible.some((view) => view === input.value);
    if (input.parentElement) input.parentElement.title = input.disabled && listing.detectorLoaded ? 'The server does not send it' : '';
  }
}

// ---- what the person sees of the player's state ----

function showPhase(phase: Phase): void {
  notice.clear();
  signIn.hide();
  stage.setPhase(phase.name);
  readouts.showTrouble();
  if (phase.name === 'playing') showPlaying(phase.wanted);
  else if (phase.name === 'connecting') notice.show(phase.again ? 'Reconnecting' : 'Connecting', '', { small: phase.over, busy: true });
  else if (phase.name === 'switching') notice.show('Switching', '', { small: true, busy: true });
  else if (phase.name === 'waiting') {
    notice.show(phase.title, phase.text, { busy: true });
    notice.countDown(phase.seconds, readouts.frameAtMs);
  } else if (phase.name === 'failed') showFailure(phase);
}

function showFailure({ title: what, text, code, kept }: Extract<Phase, { name: 'failed' }>): void {
  const needsLogin = code === 'UNAUTHORIZED';
  if (!kept && needsLogin) {
    notice.show(what);
    return signIn.ask(byId('notice', HTMLElement));
  }
  if (!kept) return notice.show(what, text, { retry: true });
  showPlaying(kept);
  notice.show(what, 'The picture that plays goes on.', { small: true, passing: true });
}

/** The address follows what plays, which may be less than what was asked for. */
function showPlaying(wanted: Wanted): void {
  const isLess = choice.follow(wanted);
  stage.setPhase('playing');
  stage.arrange(wanted.view);
  checkViews();
  showMute();
  // Of one that does not run nobody knows its qualities.
  void refresh().then(() => qualityMenu.show());
  readouts.showOverlay();
  const { name } = VIEWS[wanted.view];
  if (isLess) notice.show(`${name} plays`, 'The server sends nothing else of this video.', { small: true, passing: true });
  else notice.show(`Playing, ${name}`, '', { hidden: true });
}

function showMute(): void {
  const isSilent = player.viewing !== undefined && !player.viewing.hasAudio;
  mute.disabled = isSilent;
  mute.textContent = isSilent ? 'No sound' : player.muted ? 'Unmute' : 'Mute';
  mute.setAttribute('aria-pressed', String(player.muted));
}

// ---- the list ----

async function refresh(): Promise<void> {
  const server = byId('server', HTMLElement);
  try {
    await listing.refresh();
    if (!choice.wanted) signIn.hide();
  } catch (error) {
    if (error instanceof Refused && (error.status === 401 || error.status === 403)) return askForLogin(server, error.status);
    // Where a notice over the video says what is wrong, nobody else does.
    const isSaid = ['waiting', 'failed', 'connecting'].includes(stage.phase);
    return setText(server, isSaid ? '' : 'The server cannot be reached; looking again every few seconds.');
  }
  gallery.update(listing.videos.values());
  gallery.select(choice.wanted?.source);
  byId('empty', HTMLElement).hidden = listing.videos.size > 0;
  setText(server, '');
  if (!choice.wanted) return;
  title.textContent = listing.nameOf(choice.wanted.source);
  checkViews();
}

/** Whoever asked for a source is asked over the video. */
function askForLogin(server: HTMLElement, status: number): void {
  setText(server, '');
  byId('empty', HTMLElement).hidden = true;
  listing.clear();
  gallery.update([]);
  const why = status === 403 ? 'This user may watch nothing here. Log in as another one, or ask whoever runs the server.' : '';
  if (!choice.wanted) signIn.ask(byId('sign-in-place', HTMLElement), why);
}

/** Somebody has logged in, or out. */
function showOthers(): void {
  gallery.retrySnapshots();
  if (choice.wanted) choice.again();
  void refresh();
}

// ---- controls ----

for (const input of viewInputs) {
  input.addEventListener('change', () => choice.wanted && isView(input.value) && choice.choose(choice.wanted.source, input.value));
}
mute.addEventListener('click', () => {
  player.mute(!player.muted);
  showMute();
});
byId('fullscreen', HTMLElement).addEventListener('click', () => stage.toggleFullScreen());
byId('leave', HTMLElement).addEventListener('click', () => {
  const source = choice.wanted?.source;
  location.hash = '#/';
  gallery.focus(source);
});
byId('retry', HTMLElement).addEventListener('click', () => choice.again());

/** Calls now and then while the page is seen. */
function every(periodMs: number, callback: () => unknown): void {
  setInterval(() => document.visibilityState === 'visible' && callback(), periodMs);
}

document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && void refresh());
every(LIST_PERIOD_MS, refresh);
every(READOUT_PERIOD_MS, () => readouts.showConnection());
every(OVERLAY_PERIOD_MS, () => {
  readouts.showOverlay();
  readouts.showTrouble();
  qualityMenu.show();
});

await signIn.migrate();
await refresh();
dressStage();
choice.route();
