/** Hours of the day, weekdays and duration of what was seen. */
import { useState } from 'preact/hooks';
import { words } from '../strings/index.js';
import { readHours, WEEKDAYS, type FilterProps } from './filters.js';

/** Folded away until somebody wants them. */
export function MoreFilters({ filters, onChange }: FilterProps) {
  const { events } = words.value;
  const [from = '', to = ''] = readHours(filters.hours).split('-');
  const [begin, setBegin] = useState(from);
  const chosen = filters.weekday.split(',').filter((day) => day !== '');
  const setHours = (first: string, last: string): void => onChange({ hours: first !== '' && last !== '' ? `${first}-${last}` : '' });
  return (
    <details class="event-more" open={filters.hours !== '' || chosen.length > 0 || filters.longer !== ''}>
      <summary>{events.more}</summary>
      <div>
        <label class="event-field">
          {events.hoursFrom}
          <input
            type="time"
            value={begin}
            onChange={({ currentTarget }) => {
              setBegin(currentTarget.value);
              setHours(currentTarget.value, to);
            }}
          />
        </label>
        <label class="event-field">
          {events.hoursTo}
          <input
            type="time"
            value={to === '24:00' ? '' : to}
            onChange={({ currentTarget }) => setHours(begin === '' ? '00:00' : begin, currentTarget.value)}
          />
        </label>
        <fieldset class="event-days">
          <legend>{events.weekdays}</legend>
          {WEEKDAYS.map((day) => (
            <label key={day}>
              <input
                type="checkbox"
                checked={chosen.includes(day)}
                onChange={({ currentTarget: { checked } }) =>
                  onChange({ weekday: WEEKDAYS.filter((each) => (each === day ? checked : chosen.includes(each))).join(',') })
                }
              />
              <span>{events.weekday[day]}</span>
            </label>
          ))}
        </fieldset>
        <label class="event-field">
          {events.longer}
          <input
            type="number"
            min="0"
            step="1"
            value={filters.longer}
            onChange={({ currentTarget }) => onChange({ longer: currentTarget.value })}
          />
        </label>
      </div>
    </details>
  );
}
