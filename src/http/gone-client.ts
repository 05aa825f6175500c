import type { FastifyReply } from 'fastify';

/** Runs what answers a request, and has it given up when the client goes before it is answered: nobody is left to tell then. */
export async function whileThere<T>(reply: FastifyReply, answer: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
  const gone = new AbortController();
  const leave = (): void => gone.abort();
  reply.raw.once('close', leave);
  try {
    return await answer(gone.signal);
  } catch (error) {
    if (!gone.signal.aborted) throw error;
    reply.hijack();
    return undefined;
  } finally {
    reply.raw.off('close', leave);
  }
}

/**
 * Calls `abandon` where the client is gone before its answer is on the way: it will never know its session. One that
 * has closed its half of the connection is taken for gone, too: none that waits for an answer does.
 */
export async function whenGone({ raw: response, request }: FastifyReply, abandon: () => Promise<void>): Promise<void> {
  // A goodbye that came right behind the request has not been read yet: that takes a whole turn of the event loop.
  for (let phase = 0; phase < 2; phase++) await new Promise(setImmediate);
  if (response.destroyed || request.raw.socket.readableEnded) await abandon();
}
