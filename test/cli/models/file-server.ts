/** An HTTP server of one file that behaves as real ones do, or as a test wants it to. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Answers a request; undefined leaves it to the server itself. */
export type Behaviour = (request: IncomingMessage, response: ServerResponse, requestNumber: number) => boolean;

export class FileServer {
  /** Range headers of the requests for the file, in order; undefined where there was none. */
  readonly ranges: (string | undefined)[] = [];
  /** Decides before the ordinary answer; true when it has answered. */
  behaviour: Behaviour = () => false;
  content: Buffer;
  etag = '"one"';
  readonly #server: Server;

  private constructor(content: Buffer) {
    this.content = content;
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  static async open(content: Buffer): Promise<FileServer> {
    const server = new FileServer(content);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/model.onnx`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.ranges.push(request.headers.range);
    // A connection that is kept may be closed by one side while the other uses it again.
    response.shouldKeepAlive = false;
    if (this.behaviour(request, response, this.ranges.length)) return;
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const isRange = from > 0 && request.headers['if-range'] === this.etag;
    const body = isRange ? this.content.subarray(from) : this.content;
    response.writeHead(isRange ? 206 : 200, {
      'content-length': body.length,
      etag: this.etag,
      ...(isRange && { 'content-range': `bytes ${from}-${this.content.length - 1}/${this.content.length}` }),
    });
    response.end(body);
  }
}

/** Sends the first bytes of the file and breaks the connection. */
export function breakAfter(server: FileServer, bytes: number): Behaviour {
  return (_request, response) => {
    response.writeHead(200, { 'content-length': server.content.length, etag: server.etag });
    response.write(server.content.subarray(0, bytes), () => setImmediate(() => response.destroy()));
    return true;
  };
}

/** Sends the first bytes of the file and nothing more. */
export function hangAfter(server: FileServer, bytes: number): Behaviour {
  return (_request, response) => {
    response.writeHead(200, { 'content-length': server.content.length, etag: server.etag });
    response.write(server.content.subarray(0, bytes));
    return true;
  };
}
