/** The app at `/`: the navigation, and one view at a time. */
import { effect } from '@preact/signals';
import { render } from 'preact';
import { refreshMe } from '../api/me.js';
import { byId } from '../shared/dom.js';
import { chooseLanguage, words } from '../strings/index.js';
import { address, followAddress } from './router.js';
import { Navigation, ViewPlace } from './shell.js';

void refreshMe();
await chooseLanguage();
followAddress();
const navigation = byId('navigation', HTMLElement);
const place = byId('view', HTMLElement);
const watch = byId('watch', HTMLElement);
effect(() => {
  navigation.setAttribute('aria-label', words.value.shell.navigation);
  const isWatching = address.value.view === 'watch';
  watch.hidden = !isWatching;
  place.hidden = isWatching;
});
render(<Navigation />, navigation);
render(<ViewPlace />, place);
await import('../watch/app.js');
