/** What a Firefox of the tests is set to: it reaches this machine only, plays by itself, and has a camera that nobody has to allow. */

type Preferences = Readonly<Record<string, boolean | number | string>>;

/** Everything that is not on this machine goes to a proxy that is not there; of updates and lists it does not even ask. */
const ALONE: Preferences = {
  'network.proxy.type': 1,
  'network.proxy.http': '127.0.0.1',
  'network.proxy.http_port': 9,
  'network.proxy.ssl': '127.0.0.1',
  'network.proxy.ssl_port': 9,
  'network.proxy.no_proxies_on': 'localhost, 127.0.0.1, [::1]',
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'network.dns.disablePrefetch': true,
  'network.prefetch-next': false,
  'network.trr.mode': 5,
  'app.normandy.enabled': false,
  'app.update.disabledForTesting': true,
  'browser.region.update.enabled': false,
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'dom.push.connection.enabled': false,
  'extensions.update.enabled': false,
  'media.gmp-manager.updateEnabled': false,
  'services.settings.server': 'data:,',
  'toolkit.telemetry.server': 'data:,',
};

/** A peer tells the addresses of this machine as they are, and that of the loopback interface where there is no other. */
const PEERS: Preferences = {
  'media.peerconnection.ice.loopback': true,
  'media.peerconnection.ice.obfuscate_host_addresses': false,
};

const MEDIA: Preferences = {
  'media.autoplay.default': 0,
  'media.navigator.permission.disabled': true,
  'media.navigator.streams.fake': true,
};

const QUICK: Preferences = {
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.page': 0,
  'browser.startup.homepage_override.mstone': 'ignore',
  'browser.sessionstore.resume_from_crash': false,
  'datareporting.policy.firstRunURL': '',
  'toolkit.startup.max_resumed_crashes': -1,
};

/** The text of `user.js` in a profile. */
export function userPreferences(more: Preferences = {}): string {
  const all = { ...ALONE, ...PEERS, ...MEDIA, ...QUICK, ...more };
  return Object.entries(all)
    .map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`)
    .join('');
}
