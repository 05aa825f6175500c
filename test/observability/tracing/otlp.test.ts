import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { eventually } from '../../helpers/deadline.js';
import { TestServer } from '../../helpers/server.js';

interface OtlpSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue?: string } }[];
}

interface Collector {
  readonly endpoint: string;
  readonly spans: OtlpSpan[];
  readonly services: Set<string>;
}

interface Body {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: OtlpSpan['attributes'] };
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
}

/** A collector on 127.0.0.1; one that hangs takes everything and answers nothing. */
async function collector(t: TestContext, hangs = false): Promise<Collector> {
  const spans: OtlpSpan[] = [];
  const services = new Set<string>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      assert.equal(`${request.method} ${request.url}`, 'POST /v1/traces');
      const { resourceSpans } = JSON.parse(Buffer.concat(chunks).toString()) as Body;
      for (const { resource, scopeSpans } of resourceSpans) {
        services.add(resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue ?? '');
        spans.push(...scopeSpans.flatMap((scope) => scope.spans));
      }
      if (!hangs) response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, spans, services };
}

const isLoaded = (name: string): boolean =>
  Object.keys(createRequire(import.meta.url).cache).some((file) => file.includes(`/node_modules/@opentelemetry/${name}/`));

describe('traces of joins', { timeout: 120_000 }, () => {
  it('are not made, and nothing is loaded for them, where no collector is configured', async () => {
    const server = await TestServer.start([]);
    await server.close();
    for (const name of ['sdk-trace', 'sdk-trace-base', 'resources', 'exporter-trace-otlp-http']) assert.ok(!isLoaded(name), name);
  });

  it('reach the collector: one for each join, from the door to the first frame', async (t) => {
    const { endpoint, spans, services } = await collector(t);
    const server = await TestServer.start([['copyable.mp4', 'street.mp4']], { OTEL_EXPORTER_OTLP_ENDPOINT: `${endpoint}/` });
    t.after(() => server.close());
    const viewer = await server.join({ source: 'street', client_id: 'drone-1' });
    await viewer.until(() => viewer.packets.length > 0, 10_000, 'video');
    const root = await eventually(() => spans.find(({ name }) => name === 'join viewer'), 20_000, 'the trace of the join');
    await eventually(() => spans.length >= 7, 20_000, 'its parts');
    const parts = spans.filter(({ parentSpanId }) => parentSpanId === root.spanId);
    assert.deepEqual(
      parts.map(({ name }) => name),
      ['door', 'source', 'negotiation', 'ICE', 'DTLS', 'first frame'],
    );
    for (const part of parts) {
      assert.equal(part.traceId, root.traceId);
      assert.ok(BigInt(part.startTimeUnixNano) >= BigInt(root.startTimeUnixNano), part.name);
      assert.ok(BigInt(part.endTimeUnixNano) <= BigInt(root.endTimeUnixNano), part.name);
    }
    const values = Object.fromEntries(root.attributes.map(({ key, value }) => [key, value.stringValue]));
    assert.deepEqual(values, {
      'sightline.role': 'viewer',
      'sightline.door': 'offer',
      'sightline.source': 'street',
      'sightline.client_id': 'drone-1',
    });
    assert.deepEqual([...services], ['sightline']);
  });

  it('do not keep a server from joining viewers and from ending whose collector hangs', async (t) => {
    const { endpoint } = await collector(t, true);
    const server = await TestServer.start([['copyable.mp4', 'street.mp4']], { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
    const viewer = await server.join({ source: 'street' });
    await viewer.until(() => viewer.packets.length > 0, 10_000, 'video');
    await server.close();
  });

  it('are lost without harm where nobody listens', async () => {
    const server = await TestServer.start([['copyable.mp4', 'street.mp4']], { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' });
    const viewer = await server.join({ source: 'street' });
    await viewer.until(() => viewer.packets.length > 0, 10_000, 'video');
    await server.close();
  });
});
