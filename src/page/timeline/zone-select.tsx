/** In which time zone the app tells times. */
import { useMemo } from 'preact/hooks';
import { words } from '../strings/index.js';
import { chooseZone, zone, zones } from './chosen-zone.js';

/** A list of all zones that browsers know. */
export function ZoneSelect() {
  const all = useMemo(zones, []);
  return (
    <label class="timeline-field">
      {words.value.timeline.zone}
      <select value={zone.value} onChange={({ currentTarget }) => chooseZone(currentTarget.value)}>
        {all.map((name) => (
          <option key={name} value={name}>
            {name.replaceAll('_', ' ')}
          </option>
        ))}
      </select>
    </label>
  );
}
