/** Searching, sorting and grouping the list. */
import { words } from '../strings/index.js';
import { Icon } from '../ui/icon.js';
import { arrangement, GROUPS, SORTS, want } from './arrangement.js';

/** @param found how many sources are shown */
export function ListTools({ found }: { readonly found: number }) {
  const texts = words.value.watch.list;
  const { search, sort, group } = arrangement.value;
  return (
    <div class="list-tools" role="search" aria-label={texts.tools}>
      <label class="search">
        <Icon name="search" />
        <input
          type="search"
          id="search"
          placeholder={texts.search}
          aria-label={texts.search}
          autocomplete="off"
          spellcheck={false}
          value={search}
          onInput={({ currentTarget }) => want({ search: currentTarget.value })}
        />
      </label>
      <label class="choice">
        <span>{texts.sort}</span>
        <select id="sort" value={sort} onChange={({ currentTarget }) => want({ sort: SORTS[currentTarget.selectedIndex] ?? 'listed' })}>
          {SORTS.map((each) => (
            <option key={each} value={each}>
              {texts.sorts[each]}
            </option>
          ))}
        </select>
      </label>
      <label class="choice">
        <span>{texts.group}</span>
        <select id="group" value={group} onChange={({ currentTarget }) => want({ group: GROUPS[currentTarget.selectedIndex] ?? 'none' })}>
          {GROUPS.map((each) => (
            <option key={each} value={each}>
              {texts.groups[each]}
            </option>
          ))}
        </select>
      </label>
      <p class="visually-hidden" role="status">
        {search === '' ? '' : texts.found(found)}
      </p>
    </div>
  );
}
