/** Which stretch is seen, a time to go to, and the zone in which times are told. */
import { words } from '../strings/index.js';
import { Icon } from '../ui/icon.js';
import { zone } from './chosen-zone.js';
import type { TimelineState } from './state.js';
import { ZoneSelect } from './zone-select.js';
import { parseWallText, wallText } from './zone.js';

const ZOOM = 2;
const PAN = 0.8;

/** Of one timeline. */
export function ViewControls({ state }: { readonly state: TimelineState }) {
  const { timeline } = words.value;
  const { looking, moves } = state;
  const spokenS = state.spokenS.value;
  const middle = (): number => (looking.span.peek().fromS + looking.span.peek().toS) / 2;
  const zoom = (factor: number) => () => looking.zoom(factor, looking.follows.peek() ? state.headS : middle(), state.headS);
  const buttons = [
    ['earlier', timeline.earlier, () => looking.pan(-PAN, state.headS)],
    ['later', timeline.later, () => looking.pan(PAN, state.headS)],
    ['minus', timeline.zoomOut, zoom(1 / ZOOM)],
    ['plus', timeline.zoomIn, zoom(ZOOM)],
  ] as const;
  return (
    <div class="timeline-view">
      {buttons.map(([icon, name, onClick]) => (
        <button key={icon} type="button" class="plain" aria-label={name} title={name} onClick={onClick}>
          <Icon name={icon} />
        </button>
      ))}
      <label class="timeline-field">
        {timeline.goTo}
        <input
          type="datetime-local"
          step={1}
          value={wallText(zone.value, spokenS)}
          max={wallText(zone.value, state.whole.toS)}
          onChange={({ currentTarget }) => {
            const atS = parseWallText(zone.peek(), currentTarget.value);
            if (atS === undefined) return;
            looking.goTo(atS);
            void moves.goTo(atS);
          }}
        />
      </label>
      <ZoneSelect />
    </div>
  );
}
