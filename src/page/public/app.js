/** Wires the page: the list of sources, the address (`#/source/view`), the player, the overlay's controls and the readouts. */
import { Gallery, isLive, stillUrl } from './gallery.js';
import { clearNotice, countDown, notice } from './notice.js';
import { OverlayPanel } from './overlay-panel.js';
import { OverlaySettings } from './overlay-settings.js';
import { Player } from './player.js';
import { measure, overlayRows, rows } from './readout.js';
import { Stage } from './stage.js';
import { PictureWatch, troubleOf } from './trouble.js';
import { VIEWS, defaultView, nearestView, offeredTracks, parseAddress, possibleViews, writeAddress } from './views.js';
import { writeList } from './write-list.js';
import { shapesOf } from './zones.js';

const LIST_PERIOD_MS = 4_000;
const READOUT_PERIOD_MS = 1_000;
const OVERLAY_PERIOD_MS = 500;
const ZONES_PERIOD_MS = 5_000;

const at = (id) => document.getElementById(id);
const settings = new OverlaySettings(storage());
const stage = new Stage(at('stage'), settings);
const gallery = new Gallery(at('gallery'), (source) => choose(source, preferredView()), () => token);
const player = new Player(stage.deck, { phase: showPhase, detectorLoaded: () => detectorLoaded, token: () => token });
const panel = new OverlayPanel(at('panel'), settings, () => stage.deck.overlay.redraw());
/** By source, from the last `GET /available-videos`. */
let listed = new Map();
let detectorLoaded = true;
/** What the address says; undefined while nothing is chosen. @type {import('./player.js').Wanted | undefined} */
let chosen;
/** What plays, or would if it could. @type {import('./views.js').View | undefined} */
let lastView;
let clickedAt;
/** What viewers must show, where the server asks for it. @type {string | undefined} */
let token = storage()?.getItem('sightline.token') ?? undefined;
/** Which zones and lines are drawn. */
let zones = { source: undefined, drawn: false, askedAt: 0 };
let pictures = new PictureWatch();

/** Cookies and storage may be forbidden; the page then forgets. */
function storage() {
  try {
    return localStorage;
  } catch {
    return undefined;
  }
}

// ---- choosing: the address is the state, so links and the back button work ----

/** Another source is another place: Back leads from it to where the person was, whatever views were tried there. */
function choose(source, view) {
  clickedAt = performance.now();
  const address = writeAddress(source, view);
  if (location.hash === address) return route(true);
  if (source !== chosen?.source) return void (location.hash = address);
  history.replaceState(null, '', address);
  route();
}

function preferredView() {
  return nearestView(lastView ?? defaultView(detectorLoaded), possibleViews(offeredTracks(detectorLoaded), detectorLoaded));
}

function route(again = false) {
  const address = parseAddress(location.hash);
  const next = address && { view: preferredView(), ...address };
  if (!again && next?.source === chosen?.source && next?.view === chosen?.view) return;
  const newSource = next?.source !== chosen?.source;
  chosen = next;
  gallery.select(next?.source);
  document.title = next ? `${nameOf(next.source)} · Sightline` : 'Sightline';
  at('player').hidden = !next;
  if (!next) return player.leave();
  at('title').textContent = nameOf(next.source);
  if (newSource) openSource(next);
  checkViews();
  player.play(next, clickedAt ?? performance.now());
  clickedAt = undefined;
}

/** The file's own name, or the camera's. */
function nameOf(source) {
  return listed.get(source)?.name ?? source;
}

function openSource({ source, view }) {
  pictures = new PictureWatch();
  stage.deck.overlay.shapes = [];
  for (const list of [at('readout'), at('overlay-readout')]) list.replaceChildren();
  panel.open(source);
  stage.arrange(view);
  dressStage();
  at('player').scrollIntoView({ block: 'start', behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth' });
  at('title').focus({ preventScroll: true });
}

/** The stage takes the picture's shape and shows its still before the first frame comes. */
function dressStage() {
  const video = listed.get(chosen?.source);
  stage.shape(video?.width || 16, video?.height || 9);
  stage.poster(video && !isLive(video) ? stillUrl(video, token) : undefined);
}

/**
 * Zones and lines are asked for now and then, because people move them, whether or not detections come; but not where
 * a message says that there are none. @param {object} [message] the newest one
 */
async function loadZones(source, message) {
  const told = message && (message.zones !== undefined || message.lines !== undefined);
  const isAsked = zones.source === source && (told === undefined || told === zones.drawn);
  if (isAsked && (told === false || performance.now() - zones.askedAt < ZONES_PERIOD_MS)) return;
  const asked = (zones = { source, drawn: told ?? zones.drawn, askedAt: performance.now() });
  const geometry = told === false ? undefined : await fetchJson(`/sources/${encodeURIComponent(source)}/zones`).catch(() => undefined);
  if (chosen?.source !== source || zones !== asked) return;
  const shapes = shapesOf(geometry);
  if (told === undefined) asked.drawn = shapes.length > 0;
  stage.deck.overlay.shapes = shapes;
}

function checkViews() {
  const possible = player.viewing?.views ?? possibleViews(offeredTracks(detectorLoaded), detectorLoaded);
  for (const input of document.querySelectorAll('input[name=view]')) {
    input.checked = input.value === chosen?.view;
    input.disabled = !possible.includes(input.value) && !input.checked;
    input.parentElement.title = input.disabled && detectorLoaded ? 'The server does not send it' : '';
  }
}

// ---- what the person sees of the player's state ----

function showPhase(phase, detail = {}) {
  clearNotice();
  stage.phase = phase;
  showTrouble();
  if (phase === 'playing') return showPlaying(detail);
  if (phase === 'connecting') return notice(detail.again ? 'Reconnecting' : 'Connecting', '', { small: detail.over, busy: true });
  if (phase === 'switching') return notice('Switching', '', { small: true, busy: true });
  if (phase === 'waiting') {
    notice(detail.title, detail.text, { busy: true });
    return countDown(detail.seconds, pictures.at);
  }
  if (phase !== 'failed') return;
  if (!detail.kept) return notice(detail.title, detail.text, { retry: detail.code !== 'UNAUTHORIZED', token: detail.code === 'UNAUTHORIZED' });
  showPlaying(detail.kept);
  notice(detail.title, 'The picture that plays goes on.', { small: true, passing: true });
}

/** The address follows what plays, which may be less than what was asked for. */
function showPlaying({ source, view }) {
  const isLess = chosen?.view !== view;
  chosen = { source, view };
  lastView = view;
  stage.phase = 'playing';
  stage.arrange(view);
  history.replaceState(null, '', writeAddress(source, view));
  checkViews();
  showMute();
  showOverlay();
  if (isLess) notice(`${VIEWS[view].name} plays`, 'The server sends nothing else of this video.', { small: true, passing: true });
  else notice(`Playing, ${VIEWS[view].name}`, '', { hidden: true });
}

function showMute() {
  const silent = player.viewing !== undefined && !player.viewing.hasAudio;
  at('mute').disabled = silent;
  at('mute').textContent = silent ? 'No sound' : player.muted ? 'Unmute' : 'Mute';
  at('mute').setAttribute('aria-pressed', String(player.muted));
}

// ---- the readouts ----

let previous = { viewing: undefined, report: undefined };

async function readOut() {
  const viewing = player.viewing;
  if (!viewing) return;
  const report = await viewing.stats();
  if (!report) return;
  const figures = measure(report, previous.viewing === viewing ? previous.report : undefined, viewing.shownTrackId);
  previous = { viewing, report };
  viewing.overlay.bufferMs = figures.jitterBufferMs ?? 0;
  if (figures.width && figures.height) stage.shape(figures.width, figures.height);
  writeList(at('readout'), rows(figures, viewing.times));
}

function showOverlay() {
  const viewing = player.viewing;
  const hasOverlay = viewing !== undefined && VIEWS[viewing.view].detections;
  panel.shown = hasOverlay;
  at('overlay-readout').hidden = !hasOverlay;
  if (!hasOverlay) return;
  const figures = viewing.overlay.figures();
  panel.update(figures.newest?.objects ?? []);
  void loadZones(chosen.source, figures.newest);
  writeList(at('overlay-readout'), overlayRows(figures));
  const { newest, detector, ...counts } = figures;
  Object.assign(at('overlay-readout').dataset, counts);
}

function showTrouble() {
  const { viewing } = player;
  const now = performance.now();
  if (viewing) pictures.look(stage.deck.pictureCount, now);
  // While nothing plays, the notice over the picture is the one that speaks.
  const speaks = stage.phase === 'playing' || stage.phase === 'switching';
  const overlay = viewing && VIEWS[viewing.view].detections ? viewing.overlay : undefined;
  const pictureAgeMs = pictures.at === undefined ? undefined : now - pictures.at;
  const text = speaks ? troubleOf({ video: listed.get(chosen?.source), pictureAgeMs, overlay, detectorLoaded }) : '';
  at('trouble').hidden = text === '';
  if (at('trouble').textContent !== text) at('trouble').textContent = text;
}

// ---- the list ----

async function refresh() {
  try {
    const [list, health] = await Promise.all([fetchJson('/available-videos'), fetchJson('/health')]);
    detectorLoaded = health.detector_loaded !== false;
    listed = new Map(list.videos.map((video) => [video.source, video]));
    gallery.update(list.videos);
    gallery.select(chosen?.source);
    at('empty').hidden = list.videos.length > 0;
    setServer('');
    if (!chosen) return;
    at('title').textContent = nameOf(chosen.source);
    checkViews();
  } catch {
    // Where a notice over the picture says what is wrong, nobody else does.
    setServer(['waiting', 'failed', 'connecting'].includes(stage.phase) ? '' : 'The server cannot be reached; looking again every few seconds.');
  }
}

async function fetchJson(address) {
  const response = await fetch(address, { cache: 'no-store' });
  // A degraded server answers /health with 503 and still says what it is.
  if (!response.ok && response.status !== 503) throw new Error(`${address}: HTTP status ${response.status}`);
  return response.json();
}

function setServer(text) {
  if (at('server').textContent !== text) at('server').textContent = text;
}

// ---- controls ----

for (const input of document.querySelectorAll('input[name=view]')) {
  input.addEventListener('change', () => chosen && choose(chosen.source, input.value));
}
at('mute').addEventListener('click', () => {
  player.muted = !player.muted;
  showMute();
});
at('fullscreen').addEventListener('click', () => stage.toggleFullScreen());
at('leave').addEventListener('click', () => {
  const source = chosen?.source;
  location.hash = '#/';
  [...document.querySelectorAll('.card')].find((card) => card.dataset.source === source)?.focus();
});
at('retry').addEventListener('click', () => {
  clickedAt = performance.now();
  route(true);
});

at('token-form').addEventListener('submit', (event) => {
  event.preventDefault();
  token = at('token').value;
  storage()?.setItem('sightline.token', token);
  gallery.retryStills();
  clickedAt = performance.now();
  route(true);
});

addEventListener('hashchange', () => route());
document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && void refresh());
setInterval(() => document.visibilityState === 'visible' && void refresh(), LIST_PERIOD_MS);
setInterval(() => document.visibilityState === 'visible' && void readOut(), READOUT_PERIOD_MS);
setInterval(() => {
  if (document.visibilityState !== 'visible') return;
  showOverlay();
  showTrouble();
}, OVERLAY_PERIOD_MS);

await refresh();
dressStage();
route();
