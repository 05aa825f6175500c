/**
 * The watch view without its elements: what is chosen, what plays, and what a person is told of it. Components read its signals.
 * It begins with `start` and ends with what that returns.
 */
import { computed, effect, signal, untracked } from '@preact/signals';
import { changes } from '../account/account.js';
import { addressOf } from '../api/address.js';
import { detectorLoaded, health } from '../api/health.js';
import { me, refreshMe } from '../api/me.js';
import { nameOf, sourceList, sourceOf } from '../api/sources.js';
import { isSaidElsewhere } from '../app/server-voice.js';
import { OverlaySettings } from '../overlay/settings.js';
import { storage } from '../shared/storage.js';
import { serverNowS } from '../api/server-clock.js';
import { words } from '../strings/index.js';
import type { PlayerControl } from '../timeline/player-control.js';
import { WatchingControl } from '../timeline/watching-control.js';
import { isLive, snapshotPath } from './card.js';
import { Choice, type ChoiceChange } from './choice.js';
import { Deck } from './deck.js';
import { countdownOf, type NoticeContent } from './notice.js';
import { Observations } from './observations.js';
import { Player, type Phase } from './player.js';
import { PlaceInTime } from './place-in-time.js';
import { volume } from './sound.js';
import { stills } from './still-queue.js';
import type { Viewing, Wanted } from './viewing.js';
import { ALL_VIEWS, VIEWS, offeredTracks, possibleViews, type View } from './views.js';

/** What a stage shows: a viewing on its way, or why there is none. */
export type PhaseName = Phase['name'];

/** The watch view. */
export class WatchModel {
  /** What of the detections is drawn. */
  readonly settings = new OverlaySettings(storage());
  /** Shows the media. */
  readonly deck = new Deck(this.settings);
  /** What is chosen. */
  readonly choice = new Choice({ detectorLoaded: () => detectorLoaded.peek(), onChange: (change) => this.#showChoice(change) });
  /** What plays. */
  readonly player = new Player({
    deck: this.deck,
    detectorLoaded: () => detectorLoaded.peek(),
    onPhase: (phase) => this.#showPhase(phase),
  });
  /** What is chosen, for components; undefined while nothing is. */
  readonly wanted = signal<Wanted | undefined>(undefined);
  /** How the stage is arranged: the view that plays, or will. */
  readonly arranged = signal<View>('raw');
  /** What the player does. */
  readonly phase = signal<PhaseName>('idle');
  /** Over the video. */
  readonly notice = signal<NoticeContent | undefined>(undefined);
  /** Whether the sound is off. */
  readonly isMuted = signal(true);
  /** Moves what plays in time; undefined while nothing does. */
  readonly control = signal<PlayerControl | undefined>(undefined);
  /** What is seen of the video, now and then. */
  readonly seen = new Observations({
    player: this.player,
    deck: this.deck,
    settings: this.settings,
    source: () => this.choice.wanted?.source,
    // A picture that somebody stopped is no trouble.
    speaks: () => ['playing', 'switching'].includes(this.phase.peek()) && !isStopped(this.control.peek()),
  });
  /** Grows with each viewing that begins or changes. */
  readonly #plays = signal(0);
  /** Whose control `control` is. */
  #controlled: Viewing | undefined;

  /** The views that can be had now. */
  readonly possible = computed<readonly View[]>(() => {
    const loaded = detectorLoaded.value;
    return this.#shown(({ views }) => views) ?? possibleViews(offeredTracks(loaded), loaded);
  });

  /** Whether the picture that plays has no sound. */
  readonly isSilent = computed(() => this.#shown(({ hasAudio }) => hasAudio) === false);

  /** Begins; the returned function ends it. */
  start(): () => void {
    const ends = [
      sourceList.hold(),
      health.hold(),
      this.seen.start(),
      this.#holdStills(),
      this.#followRefusal(),
      this.#followTime(),
      this.#followVolume(),
    ];
    let hasEnded = false;
    // Whether there is a detector decides what is asked for.
    void Promise.all([sourceList.refresh(), health.refresh(), pageLoaded()]).then(() => {
      if (!hasEnded) ends.push(this.choice.start(), this.#nameDocument(), this.#followLogin());
    });
    return () => {
      hasEnded = true;
      for (const end of ends) end();
      this.player.leave();
      this.deck.close();
    };
  }

  /** Switches the sound. */
  mute(isMuted: boolean): void {
    this.player.mute(isMuted);
    this.isMuted.value = this.player.muted;
  }

  /** A quality could not be had; what was there before stays. */
  refuseQuality(quality: string, why: string): void {
    this.say(words.value.watch.qualities.refused(quality), why);
  }

  /** Of the viewing on the screen; read again whenever it begins or changes. */
  #shown<Value>(read: (viewing: Viewing) => Value): Value | undefined {
    return this.#plays.value > 0 && this.player.viewing ? read(this.player.viewing) : undefined;
  }

  /** What is on the screen, for a picture of it and for a window of its own. */
  get shownVideo(): HTMLVideoElement {
    return this.deck.video(VIEWS[this.arranged.peek()].tracks[0]);
  }

  /** A word that goes by itself. */
  say(title: string, text = ''): void {
    this.notice.value = { title, text, small: true, passing: true };
  }

  #showChoice({ wanted, isNewSource, clickedAtMs }: ChoiceChange): void {
    this.wanted.value = wanted;
    if (!wanted || isNewSource) this.#controlled = this.control.value = undefined;
    if (!wanted) return this.player.leave();
    if (isNewSource) this.#openSource(wanted);
    this.player.play(wanted, clickedAtMs);
  }

  #openSource({ source, view }: Wanted): void {
    this.settings.open(source);
    this.seen.reset();
    this.arranged.value = view;
    const video = sourceOf(source);
    this.seen.shape.value = video?.width && video.height ? video.width / video.height : 16 / 9;
    this.deck.poster(video && !isLive(video) ? addressOf(snapshotPath(video)) : undefined);
  }

  #showPhase(phase: Phase): void {
    this.phase.value = phase.name;
    this.seen.lookForTrouble();
    if (phase.name === 'playing') return this.#showPlaying(phase.wanted);
    this.notice.value = this.#noticeOf(phase);
    if (phase.name === 'failed' && phase.code === 'UNAUTHORIZED') void refreshMe();
  }

  #takeControl(): void {
    const { viewing } = this.player;
    if (!viewing || viewing === this.#controlled) return;
    this.#controlled = viewing;
    this.control.value = new WatchingControl(viewing.watching, serverNowS);
  }

  #followTime(): () => void {
    let place: { readonly of: PlayerControl; readonly time: PlaceInTime } | undefined;
    return effect(() => {
      const control = this.control.value;
      const position = control?.position.value;
      if (!control || !position) return;
      if (place?.of !== control) place = { of: control, time: new PlaceInTime() };
      const at = place.time.look(position, performance.now());
      untracked(() => this.#moved(at));
    });
  }

  #moved(at: number | undefined | 'same'): void {
    const { wanted } = this.choice;
    if (at === 'same' || !wanted || this.phase.peek() !== 'playing') return;
    this.player.wants(at);
    this.choice.follow({ ...wanted, at });
  }

  #followVolume(): () => void {
    return effect(() => void (this.deck.audio.volume = volume.value));
  }

  #noticeOf(phase: Exclude<Phase, { name: 'playing' }>): NoticeContent | undefined {
    const { connecting, reconnecting, switching, goesOn } = words.value.watch;
    if (phase.name === 'connecting') return { title: phase.again ? reconnecting : connecting, small: phase.over, busy: true };
    if (phase.name === 'switching') return { title: switching, small: true, busy: true };
    if (phase.name === 'waiting') {
      const { title, text, seconds } = phase;
      return { title, text, busy: true, countdown: countdownOf(seconds, this.seen.frameAtMs, performance.now()) };
    }
    if (phase.name !== 'failed') return undefined;
    const { title, text, code, kept } = phase;
    if (!kept) return code === 'UNAUTHORIZED' ? { title, asksLogin: true } : { title, text, retry: true };
    this.#showPlaying(kept);
    return { title, text: goesOn, small: true, passing: true };
  }

  /** The address follows what plays, which may be less than what was asked for. */
  #showPlaying(wanted: Wanted): void {
    const isLess = this.choice.follow(wanted);
    this.phase.value = 'playing';
    this.wanted.value = wanted;
    this.arranged.value = wanted.view;
    this.isMuted.value = this.player.muted;
    this.#plays.value++;
    this.#takeControl();
    // Of one that does not run nobody knows its qualities.
    void sourceList.refresh();
    this.seen.lookAtOverlay();
    const { views, playsLess, playsLessText, playing } = words.value.watch;
    const name = views[wanted.view];
    this.notice.value = isLess
      ? { title: playsLess(name), text: playsLessText, small: true, passing: true }
      : { title: playing(name), hidden: true };
  }

  /** Snapshots wait while a viewing is on its way. */
  #holdStills(): () => void {
    const end = effect(() => {
      const isBusy = this.phase.value === 'connecting';
      stills.hold(isBusy);
      isSaidElsewhere.value = isBusy || this.phase.value === 'waiting' || this.phase.value === 'failed';
    });
    return () => {
      end();
      stills.hold(false);
      isSaidElsewhere.value = false;
    };
  }

  #followRefusal(): () => void {
    return effect(() => {
      if (sourceList.known.value.trouble?.status === 401 && me.peek()?.user != null) void refreshMe();
    });
  }

  #nameDocument(): () => void {
    return effect(() => {
      document.title = this.wanted.value ? `${nameOf(this.wanted.value.source)} · Sightline` : 'Sightline';
    });
  }

  /** Whoever logs in or out is shown what they may see. */
  #followLogin(): () => void {
    let before = changes.peek();
    return effect(() => {
      if (changes.value === before) return;
      before = changes.value;
      untracked(() => this.choice.wanted && this.choice.again());
      void sourceList.refresh();
    });
  }
}

function isStopped(control: PlayerControl | undefined): boolean {
  return ['held', 'paused', 'end'].includes(control?.position.peek().state ?? '');
}

/** A video that waits for its first frame keeps a page that is still loading from ever being loaded: the tab would spin on. */
function pageLoaded(): Promise<void> {
  if (document.readyState === 'complete') return Promise.resolve();
  return new Promise((resolve) => addEventListener('load', () => resolve(), { once: true }));
}

/** Every view, whether it can be had, in the order of the buttons. */
export function viewButtons(possible: readonly View[], chosen: View | undefined): readonly { view: View; isDisabled: boolean }[] {
  return ALL_VIEWS.map((view) => ({ view, isDisabled: view !== chosen && !possible.includes(view) }));
}
