/** The browser that test files share: started with the first one that drives one, and again where it has crashed. */
import type { BrowserServer } from 'playwright-core';

type Env = Readonly<Record<string, string>>;

export class SharedBrowser {
  #running: { readonly browser: BrowserServer; readonly env: Env } | undefined;

  /** Variables for a test file; none where there is no browser, so that the file skips its tests or says why it cannot run. */
  async env(): Promise<Env> {
    if (this.#running) return this.#running.env;
    const { launchSharedChromium, noChromium } = await import('../../test/helpers/chromium.js');
    if (noChromium !== false) return {};
    const running = await launchSharedChromium();
    this.#running = running;
    running.browser.on('close', () => (this.#running = undefined));
    return running.env;
  }

  async close(): Promise<void> {
    await this.#running?.browser.close();
  }
}
