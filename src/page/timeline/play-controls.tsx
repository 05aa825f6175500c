/** Buttons that move the player in time, and a line that says where it is. */
import { useEffect, useState } from 'preact/hooks';
import { words } from '../strings/index.js';
import { Icon, type IconName } from '../ui/icon.js';
import { momentText } from './chosen-zone.js';
import type { PlayerPosition } from './player-control.js';
import type { TimelineState } from './state.js';

const SPEEDS = [0.25, 0.5, 1, 2, 4, 8];
const JUMP_S = 10;
const CLOCK_MS = 250;

/** Of one timeline. */
export function PlayControls({ state }: { readonly state: TimelineState }) {
  const { timeline } = words.value;
  const { moves, looking } = state;
  const isOff = state.control.value === undefined;
  const { state: what, speed } = state.position.value;
  const isStill = what === 'paused' || what === 'held' || what === 'end';
  const isPresent = what === 'live' || what === 'held';
  const by = (seconds: number) => () => {
    looking.follows.value = true;
    void moves.by(seconds);
  };
  const live = (): void => {
    looking.follows.value = true;
    void moves.live();
  };
  return (
    <div class="timeline-play">
      <Press icon="back10" name={timeline.back} off={isOff} onPress={by(-JUMP_S)} />
      <Press icon="stepBack" name={timeline.stepBack} off={isOff} onPress={() => void moves.step(-1)} />
      <Press
        icon={isStill ? 'play' : 'pause'}
        name={isStill ? timeline.play : timeline.pause}
        off={isOff}
        onPress={() => void moves.toggle()}
      />
      <Press icon="stepForward" name={timeline.stepForward} off={isOff || isPresent} onPress={() => void moves.step(1)} />
      <Press icon="forward10" name={timeline.forward} off={isOff || isPresent} onPress={by(JUMP_S)} />
      <label class="choice">
        <span class="visually-hidden">{timeline.speed}</span>
        <select
          value={String(speed)}
          disabled={isOff || isPresent}
          title={timeline.speed}
          onChange={(event) => void moves.speed(Number(event.currentTarget.value))}
        >
          {SPEEDS.map((each) => (
            <option key={each} value={String(each)}>{`${each}×`}</option>
          ))}
        </select>
      </label>
      <button
        type="button"
        class="button timeline-live"
        aria-pressed={what === 'live'}
        disabled={isOff}
        title={timeline.goLive}
        onClick={live}
      >
        {timeline.live}
      </button>
      <Where state={state} />
    </div>
  );
}

/** The time that is shown, in the present as well. */
function Where({ state }: { readonly state: TimelineState }) {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((count) => count + 1), CLOCK_MS);
    return () => clearInterval(timer);
  }, []);
  const { state: what } = state.position.value;
  return (
    <p class="timeline-where" data-state={what}>
      {whereText(what, momentText(state.moves.draggedTo.value ?? state.headS))}
    </p>
  );
}

function whereText(what: PlayerPosition['state'], moment: string): string {
  const { timeline } = words.value;
  if (what === 'live') return timeline.spokenLive(moment);
  return what === 'held' ? timeline.held(moment) : timeline.recorded(moment);
}

function Press({
  icon,
  name,
  off,
  onPress,
}: {
  readonly icon: IconName;
  readonly name: string;
  readonly off: boolean;
  readonly onPress: () => void;
}) {
  return (
    <button type="button" class="plain" aria-label={name} title={name} disabled={off} onClick={onPress}>
      <Icon name={icon} />
    </button>
  );
}
