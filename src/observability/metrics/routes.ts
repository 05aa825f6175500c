/** `GET /metrics`, and the count of answers. */
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import type { ServerMetrics } from './server-metrics.js';

/** What `GET /metrics` needs. */
export type MetricsDeps = Pick<ServerMetrics, 'contentType' | 'scrape' | 'takeAnswer'>;

/** Counts the answers of all routes that are added from now on. */
export function countAnswers(app: FastifyInstance, metrics: MetricsDeps): void {
  app.addHook('onResponse', (request, reply, done) => {
    metrics.takeAnswer({ method: request.method, route: request.routeOptions.url, status: reply.statusCode });
    done();
  });
}

/** Installs /metrics. */
export const metricRoutes: FastifyPluginCallbackTypebox<MetricsDeps> = (app, metrics, done) => {
  const schema = {
    operationId: 'readMetrics',
    summary: 'Metrics for Prometheus',
    tags: ['state'],
    response: {
      200: { description: "In Prometheus' text format", content: { 'text/plain': { schema: Type.String() } } },
    },
  };
  app.get('/metrics', { config: { action: 'metrics' }, schema }, async (_request, reply) => {
    const text = await metrics.scrape();
    return reply.type(metrics.contentType).send(text);
  });
  done();
};
