/** Wires the page: the list of sources, the address (`#/source/rendition`), the player and its readout. */
import { Gallery, stillUrl } from './gallery.js';
import { Player } from './player.js';
import { measure, rows } from './readout.js';

const LIST_PERIOD_MS = 4_000;
const READOUT_PERIOD_MS = 1_000;
/** A failed switch is told for this long over the picture that goes on. */
const KEPT_NOTICE_MS = 8_000;
const RENDITIONS = ['raw', 'processed'];

const at = (id) => document.getElementById(id);
const videos = [...document.querySelectorAll('#stage video')];
const gallery = new Gallery(at('gallery'), (source) => choose(source, preferredRendition()));
const player = new Player(videos, { phase: showPhase });
/** By source, from the last `GET /available-videos`. */
let listed = new Map();
let detectorLoaded = true;
/** What the address says; undefined while nothing is chosen. */
let chosen;
let lastRendition;
let clickedAt;
let countdownTimer;
let noticeTimer;

// ---- choosing: the address is the state, so links and the back button work ----

function choose(source, rendition) {
  clickedAt = performance.now();
  const hash = `#/${encodeURIComponent(source)}/${rendition}`;
  if (location.hash === hash) route(true);
  else location.hash = hash;
}

function preferredRendition() {
  return lastRendition ?? (detectorLoaded ? 'processed' : 'raw');
}

function parseHash() {
  const [, source, rendition] = location.hash.split('/');
  if (!source) return undefined;
  try {
    return { source: decodeURIComponent(source), rendition: RENDITIONS.includes(rendition) ? rendition : preferredRendition() };
  } catch {
    return undefined; // not percent-encoding: a mangled link, treated as none
  }
}

function route(again = false) {
  const next = parseHash();
  if (!again && next?.source === chosen?.source && next?.rendition === chosen?.rendition) return;
  const newSource = next?.source !== chosen?.source;
  chosen = next;
  gallery.select(next?.source);
  document.title = next ? `${next.source} · Sightline` : 'Sightline';
  if (!next) {
    at('player').hidden = true;
    return player.leave();
  }
  at('player').hidden = false;
  at('title').textContent = next.source;
  checkRendition(next.rendition);
  if (newSource) {
    at('readout').replaceChildren();
    dressStage();
    at('player').scrollIntoView({ block: 'start', behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth' });
    at('title').focus({ preventScroll: true });
  }
  player.play(next, clickedAt ?? performance.now());
  clickedAt = undefined;
}

/** The stage takes the picture's shape and shows its still before the first frame comes. */
function dressStage() {
  const video = listed.get(chosen?.source);
  at('stage').style.setProperty('--aspect', video?.width && video?.height ? String(video.width / video.height) : String(16 / 9));
  for (const element of videos) {
    if (video) element.poster = stillUrl(video);
    else element.removeAttribute('poster');
  }
}

function checkRendition(rendition) {
  for (const input of document.querySelectorAll('input[name=rendition]')) {
    input.checked = input.value === rendition;
    input.disabled = input.value === 'processed' && !detectorLoaded && rendition !== 'processed';
    input.parentElement.title = input.disabled ? 'The server runs without a detector' : '';
  }
}

// ---- what the person sees of the player's state ----

function showPhase(phase, detail = {}) {
  clearInterval(countdownTimer);
  clearTimeout(noticeTimer);
  at('countdown').textContent = '';
  at('stage').dataset.phase = phase;
  if (phase === 'idle') return;
  if (phase === 'playing') {
    if (chosen) lastRendition = chosen.rendition;
    showMute();
    return notice(`Playing, ${detail.rendition}`, '', { hidden: true });
  }
  if (phase === 'connecting') return notice(detail.again ? 'Reconnecting' : 'Connecting', '', { small: detail.over, busy: true });
  if (phase === 'waiting') {
    notice(detail.title, detail.text, { busy: true });
    return countDown(detail.seconds);
  }
  if (!detail.kept) return notice(detail.title, detail.text, { retry: true });
  notice(detail.title, 'The picture that plays goes on.', { small: true });
  noticeTimer = setTimeout(() => (at('notice').hidden = true), KEPT_NOTICE_MS);
  chosen = detail.kept;
  history.replaceState(null, '', `#/${encodeURIComponent(chosen.source)}/${chosen.rendition}`);
  checkRendition(chosen.rendition);
}

/** `small`: in a corner, beside a picture that still plays. `hidden`: for screen readers only. */
function notice(title, text, { small = false, hidden = false, busy = false, retry = false }) {
  const box = at('notice');
  box.hidden = false;
  box.className = `notice${small ? ' small' : ''}${hidden ? ' visually-hidden' : ''}${busy ? ' busy' : ''}`;
  at('notice-title').textContent = title;
  at('notice-text').textContent = text;
  at('retry').hidden = !retry;
}

function countDown(seconds) {
  if (seconds < 2) return;
  const end = performance.now() + seconds * 1000;
  const show = () => (at('countdown').textContent = `Next attempt in ${Math.max(0, Math.ceil((end - performance.now()) / 1000))} s`);
  show();
  countdownTimer = setInterval(show, 250);
}

function showMute() {
  const silent = player.viewing !== undefined && !player.viewing.hasAudio;
  at('mute').disabled = silent;
  at('mute').textContent = silent ? 'No sound' : player.muted ? 'Unmute' : 'Mute';
  at('mute').setAttribute('aria-pressed', String(player.muted));
}

// ---- the readout ----

let previous = { viewing: undefined, report: undefined };

async function readOut() {
  const viewing = player.viewing;
  if (!viewing) return;
  const report = await viewing.stats();
  const figures = measure(report, previous.viewing === viewing ? previous.report : undefined);
  previous = { viewing, report };
  if (figures.width && figures.height) at('stage').style.setProperty('--aspect', String(figures.width / figures.height));
  const list = at('readout');
  const written = rows(figures, viewing.times);
  if (list.children.length !== written.length) {
    list.replaceChildren(
      ...written.map(([name]) => {
        const row = document.createElement('div');
        row.append(document.createElement('dt'), document.createElement('dd'));
        row.firstChild.textContent = name;
        return row;
      }),
    );
  }
  written.forEach(([, value], index) => (list.children[index].lastChild.textContent = value));
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
    if (chosen) checkRendition(chosen.rendition);
  } catch {
    setServer('The server cannot be reached; looking again every few seconds.');
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

for (const input of document.querySelectorAll('input[name=rendition]')) {
  input.addEventListener('change', () => chosen && choose(chosen.source, input.value));
}
at('mute').addEventListener('click', () => {
  player.muted = !player.muted;
  showMute();
});
at('fullscreen').addEventListener('click', () => {
  const shown = document.querySelector('#stage video.on') ?? videos[0];
  if (document.fullscreenElement) void document.exitFullscreen();
  else if (at('stage').requestFullscreen) void at('stage').requestFullscreen();
  else shown.webkitEnterFullscreen?.(); // iPhone: only the video element goes full screen
});
at('leave').addEventListener('click', () => {
  const source = chosen?.source;
  location.hash = '#/';
  [...document.querySelectorAll('.card')].find((card) => card.querySelector('.name').textContent === source)?.focus();
});
at('retry').addEventListener('click', () => {
  clickedAt = performance.now();
  route(true);
});

addEventListener('hashchange', () => route());
addEventListener('pagehide', () => player.leave());
addEventListener('pageshow', (event) => event.persisted && route(true));
document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && void refresh());
setInterval(() => document.visibilityState === 'visible' && void refresh(), LIST_PERIOD_MS);
setInterval(() => document.visibilityState === 'visible' && void readOut(), READOUT_PERIOD_MS);

await refresh();
dressStage();
route();
