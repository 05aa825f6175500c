/** A page in Firefox: what a test does in it, and what it complained about. */
import { eventually } from '../deadline.js';
import type { BidiConnection } from './bidi.js';

/** The innermost element in view that has this text, or fits a CSS selector. */
type Locator = { readonly text: string } | string;

interface Evaluated {
  readonly type: 'success' | 'exception';
  readonly result?: { readonly type: string; readonly value?: string };
  readonly exceptionDetails?: { readonly text: string };
}

interface Found {
  readonly result?: { readonly sharedId?: string };
}

/** In the page: the innermost element that is in view and fits. */
const FIND = `(wanted) => {
  const locator = JSON.parse(wanted);
  const fits = typeof locator === 'string'
    ? (element) => element.matches(locator)
    : (element) => element.innerText?.trim() === locator.text;
  return [...document.querySelectorAll('body *')].filter((element) => element.checkVisibility({ visibilityProperty: true }) && fits(element)).at(-1);
}`;

export class FirefoxPage {
  readonly #connection: BidiConnection;
  readonly #context: string;
  readonly #userContext: string;
  /** Errors of its console and scripts. */
  readonly troubles: string[] = [];
  /** `POST 201 http://...`, of requests that were answered. */
  readonly requests: string[] = [];

  private constructor(connection: BidiConnection, context: string, userContext: string) {
    this.#connection = connection;
    this.#context = context;
    this.#userContext = userContext;
    connection.listen((method, params) => this.#hear(method, params));
  }

  static async create(
    connection: BidiConnection,
    { widthPx = 1280, heightPx = 900 }: { readonly widthPx?: number; readonly heightPx?: number } = {},
  ): Promise<FirefoxPage> {
    const { userContext } = await connection.send<{ userContext: string }>('browser.createUserContext');
    const { context } = await connection.send<{ context: string }>('browsingContext.create', { type: 'tab', userContext });
    await connection.send('browsingContext.setViewport', { context, viewport: { width: widthPx, height: heightPx } });
    return new FirefoxPage(connection, context, userContext);
  }

  /** Resolves once the page is loaded. */
  async goto(url: string): Promise<void> {
    await this.#connection.send('browsingContext.navigate', { context: this.#context, url, wait: 'complete' });
  }

  /** Opens a page with nothing in it that the server does not have, on its origin. */
  async gotoEmpty(serverUrl: string): Promise<void> {
    const url = new URL('/blank-page-of-the-test', serverUrl);
    const { intercept } = await this.#connection.send<{ intercept: string }>('network.addIntercept', {
      phases: ['beforeRequestSent'],
      contexts: [this.#context],
      urlPatterns: [{ type: 'string', pattern: url.href }],
    });
    await this.goto(url.href);
    await this.#connection.send('network.removeIntercept', { intercept });
  }

  /** What an expression comes to, which may be a promise; has to be JSON. @throws Error with what the page throws */
  async evaluate<T>(expression: string, ms = 60_000): Promise<T> {
    const { result, exceptionDetails } = await this.#connection.send<Evaluated>(
      'script.evaluate',
      {
        expression: `(async () => JSON.stringify(await (${expression})))()`,
        target: { context: this.#context },
        awaitPromise: true,
        userActivation: true,
      },
      ms,
    );
    if (exceptionDetails) throw new Error(`${exceptionDetails.text} (in Firefox: ${expression.slice(0, 200)})`);
    return (result?.value === undefined ? undefined : JSON.parse(result.value)) as T;
  }

  /** Waits until an expression is true. */
  async until(expression: string, ms = 20_000): Promise<void> {
    await eventually(() => this.evaluate<boolean>(`Boolean(${expression})`), ms, `in Firefox: ${expression}`);
  }

  /** Waits for an element and clicks it as a mouse does. */
  async click(locator: Locator): Promise<void> {
    const sharedId = await this.#find(locator);
    const origin = { type: 'element', element: { sharedId } };
    await this.#connection.send('script.callFunction', {
      functionDeclaration: "(element) => element.scrollIntoView({ block: 'center' })",
      arguments: [{ sharedId }],
      target: { context: this.#context },
      awaitPromise: false,
    });
    await this.#connection.send('input.performActions', {
      context: this.#context,
      actions: [
        {
          type: 'pointer',
          id: 'mouse',
          actions: [
            { type: 'pointerMove', x: 0, y: 0, origin },
            { type: 'pointerDown', button: 0 },
            { type: 'pointerUp', button: 0 },
          ],
        },
      ],
    });
  }

  /** A PNG of what is in view. */
  async screenshot(): Promise<Buffer> {
    const { data } = await this.#connection.send<{ data: string }>('browsingContext.captureScreenshot', { context: this.#context });
    return Buffer.from(data, 'base64');
  }

  /** Ends the page and forgets what it stored. */
  async close(): Promise<void> {
    await this.#connection.send('browsingContext.close', { context: this.#context });
    await this.#connection.send('browser.removeUserContext', { userContext: this.#userContext });
  }

  async #find(locator: Locator): Promise<string> {
    return eventually(
      async () => {
        const { result } = await this.#connection.send<Found>('script.callFunction', {
          functionDeclaration: FIND,
          arguments: [{ type: 'string', value: JSON.stringify(locator) }],
          target: { context: this.#context },
          awaitPromise: false,
        });
        return result?.sharedId;
      },
      20_000,
      `in Firefox: ${JSON.stringify(locator)}`,
    );
  }

  #hear(method: string, params: Readonly<Record<string, unknown>>): void {
    if (method === 'log.entryAdded') this.#complain(params as unknown as LogEntry);
    else if (params['context'] !== this.#context) return;
    else if (method === 'network.responseCompleted') {
      const { request, response } = params as unknown as Exchange;
      this.requests.push(`${request.method} ${response.status} ${request.url}`);
    } else if (params['isBlocked'] === true) this.#answerEmpty((params as unknown as Exchange).request.request);
  }

  #complain({ level, text, source, stackTrace }: LogEntry): void {
    if (level !== 'error' || source.context !== this.#context) return;
    this.troubles.push(`${text} ${stackTrace?.callFrames[0]?.url ?? ''}`.trim());
  }

  /** A request that is held: see `gotoEmpty`. */
  #answerEmpty(request: string): void {
    const answer = {
      statusCode: 200,
      headers: [{ name: 'content-type', value: { type: 'string', value: 'text/html' } }],
      body: { type: 'string', value: '<!doctype html><title>empty</title>' },
    };
    this.#connection.send('network.provideResponse', { request, ...answer }).catch((error: unknown) => this.troubles.push(String(error)));
  }
}

interface LogEntry {
  readonly level: string;
  readonly text: string;
  readonly source: { readonly context?: string };
  readonly stackTrace?: { readonly callFrames: readonly { readonly url: string }[] };
}

interface Exchange {
  readonly request: { readonly request: string; readonly method: string; readonly url: string };
  readonly response: { readonly status: number };
}
