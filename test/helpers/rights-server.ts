/** A server that says who may do what, as AUTH_URL names one: outside of this code, over HTTP. */
import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Question } from '../../src/access/auth-url-request.js';

/** An HTTP status, or what answers itself. */
export type Answer = number | ((response: ServerResponse, request: IncomingMessage) => void);

export interface RightsServer {
  readonly url: string;
  /** In the order in which they came. */
  readonly questions: Question[];
  /** What is answered from now on. */
  answer: (question: Question) => Answer;
  close(): Promise<void>;
}

export async function openRightsServer(answer: (question: Question) => Answer): Promise<RightsServer> {
  const server = http.createServer((request, response) => {
    request.setEncoding('utf8');
    let body = '';
    request.on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      const question = JSON.parse(body) as Question;
      opened.questions.push(question);
      const answered = opened.answer(question);
      if (typeof answered === 'number') response.writeHead(answered).end();
      else answered(response, request);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const opened: RightsServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/may`,
    questions: [],
    answer,
    async close() {
      if (!server.listening) return;
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return opened;
}
