/** In the corner of the picture: that it is live, or when it was, with the way back to the present. */
import { sourceOf } from '../api/sources.js';
import { recordingList } from '../api/recordings.js';
import { words } from '../strings/index.js';
import { clockText, momentText } from '../timeline/chosen-zone.js';
import type { PlayerPosition } from '../timeline/player-control.js';
import type { Actions } from './actions.js';
import { isLive } from './card.js';
import type { WatchModel } from './model.js';

/** @param actions what its buttons do */
export function When({ model, actions }: { readonly model: WatchModel; readonly actions: Actions }) {
  const texts = words.value.watch;
  const position = model.control.value?.position.value;
  const source = model.wanted.value?.source;
  const listed = sourceOf(source);
  const isPresent = !position || position.state === 'live';
  const isRecorded = recordingList.known.value.value?.recordings.some((each) => each.source === source) ?? false;
  if (isPresent && !isRecorded && !(listed && isLive(listed))) return null;
  return (
    <div class="when" id="when" data-state={position?.state ?? 'live'}>
      {isPresent ? (
        <span class="when-text live">{texts.card.live}</span>
      ) : (
        <span class="when-text" title={momentText(position.atS ?? 0)}>
          {whenText(position)}
        </span>
      )}
      {isRecorded && (
        <button type="button" class="on-picture" id="back-10" onClick={() => void actions.jump(-10)}>
          {texts.back10}
        </button>
      )}
      {!isPresent && (
        <button type="button" class="on-picture to-live" id="to-live" onClick={() => void actions.live()}>
          {texts.toLive}
        </button>
      )}
    </div>
  );
}

/** Such as `Recorded 14:03:22 · paused`. */
export function whenText({ atS, state, speed }: PlayerPosition): string {
  const { recorded, held, paused } = words.value.watch;
  const clock = clockText(atS ?? 0);
  if (state === 'held') return held(clock);
  return `${recorded(clock)}${state === 'paused' || state === 'end' ? ` · ${paused}` : speed === 1 ? '' : ` · ${speed}×`}`;
}
