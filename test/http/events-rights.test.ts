/** A stream of events goes on for whoever has the right that it was opened by. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { accessOf } from '../helpers/access.js';
import { testApp } from '../helpers/app.js';
import { eventually } from '../helpers/deadline.js';
import { FakeClock } from '../helpers/fake-clock.js';
import { openRightsServer } from '../helpers/rights-server.js';

describe('a stream of events for administrators', () => {
  it('ends where they administer no longer everything', async (t) => {
    const clock = new FakeClock();
    const server = await openRightsServer(() => 204);
    const access = accessOf({ clock, authUrl: server.url, sources: () => ['gate'] });
    const app = await testApp({ access });
    t.after(async () => {
      await app.close();
      await access.close();
      await server.close();
    });
    const address = await app.listen({ port: 0, host: '127.0.0.1' });
    const response = await fetch(`${address}/events/stream`, { headers: { authorization: 'Bearer good' } });
    assert.equal(response.status, 200);
    let told: string | undefined;
    void response.text().then((text) => (told = text));
    server.answer = ({ action, source }) => (action === 'admin' && source === '*' ? 403 : 204);
    await eventually(
      async () => {
        await clock.advance(1000);
        return told !== undefined;
      },
      5000,
      'the end',
    );
    assert.match(told ?? '', /access-ended/);
  });
});
