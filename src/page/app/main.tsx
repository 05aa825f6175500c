/** The app at `/`: starts it. */
import { render } from 'preact';
import { recallLogin } from '../account/account.js';
import { byId } from '../shared/dom.js';
import { chooseLanguage } from '../strings/index.js';
import { followAddress } from './router.js';
import { Shell } from './shell.js';

await Promise.all([chooseLanguage(), recallLogin()]);
followAddress();
const place = byId('app', HTMLElement);
place.replaceChildren();
render(<Shell />, place);
