/** The timeline under a player: what happened when, and every way through it.  */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { faultText } from '../strings/faults.js';
import { words } from '../strings/index.js';
import { ClipPanel } from './clip-panel.js';
import { Legend } from './legend.js';
import { PlayControls } from './play-controls.js';
import type { PlayerControl } from './player-control.js';
import { TimelineState } from './state.js';
import { Track } from './track.js';
import { ViewControls } from './view-controls.js';

/** Phones have no room for what is seldom used. */
const WIDE = '(min-width: 721px)';

/** Whose timeline it is. */
export interface TimelineProps {
  /** Name of the source. */
  readonly source: string;
  /** Moves the player that shows it; undefined while nothing plays. */
  readonly control: PlayerControl | undefined;
}

/** See above. */
export function Timeline({ source, control }: TimelineProps) {
  const state = useMemo(() => new TimelineState(source), [source]);
  useEffect(() => () => state.close(), [state]);
  useEffect(() => {
    state.control.value = control;
    state.looking.goTo(state.headS);
  }, [state, control]);
  const [isWide] = useState(() => matchMedia(WIDE).matches);
  const { timeline } = words.value;
  const { state: what, notice } = state.position.value;
  const refused = state.moves.refused.value;
  const trouble = state.history.trouble.value;
  return (
    <section class="timeline" aria-label={timeline.name}>
      <PlayControls state={state} />
      <Track state={state} />
      <Legend state={state} />
      <p class="timeline-word" role="status">
        {what === 'gap' ? (notice ?? timeline.gap) : what === 'end' ? timeline.end : ''}
      </p>
      {refused !== undefined && (
        <p class="timeline-fault" role="alert">
          {faultText(refused)}
        </p>
      )}
      {trouble && (
        <p class="timeline-fault" role="status">
          {timeline.trouble} {faultText(trouble)}
        </p>
      )}
      <details class="timeline-more" open={isWide}>
        <summary>{timeline.more}</summary>
        <ViewControls state={state} />
        <ClipPanel state={state} />
      </details>
    </section>
  );
}
