/** What runs now, what is recorded, and who else is told: MQTT and webhooks. */
import { nameOf } from '../api/sources.js';
import { activeStreams, type RunningSource } from '../api/status.js';
import { bitrate } from '../shared/stats.js';
import { watchHash } from '../app/router.js';
import { faultText } from '../strings/faults.js';
import { words } from '../strings/index.js';
import { sentOf } from './figures.js';
import { healthNow } from './health-panel.js';

/** A table. */
export function SourcesPanel() {
  const text = words.value.status;
  const { value, trouble } = activeStreams.known.value;
  const running = value?.sources ?? [];
  return (
    <section class="status-card wide" aria-labelledby="status-sources">
      <h3 id="status-sources">{text.sources}</h3>
      {trouble && <p class="status-fault">{faultText(trouble)}</p>}
      {running.length === 0 ? (
        value && <p>{text.noSources}</p>
      ) : (
        <div class="status-table">
          <table>
            <thead>
              <tr>
                {text.sourceColumns.map((name) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {running.map((source) => (
                <Row key={source.source} {...source} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <Told />
    </section>
  );
}

function Row(running: RunningSource) {
  const text = words.value.status;
  const { source, restarts, last_error: error, recording, detection } = running;
  const { viewers, bitrateBps, encoded } = sentOf(running);
  const name = nameOf(source);
  return (
    <tr>
      <th scope="row" title={name}>
        <a href={watchHash(source)}>
          <bdi>{name}</bdi>
        </a>
        {error !== null && <small class="status-why">{error}</small>}
      </th>
      <td>{viewers}</td>
      <td>{bitrateBps === 0 ? '–' : bitrate(bitrateBps)}</td>
      <td>{encoded}</td>
      <td>{typeof detection?.latency_ms === 'number' ? `${Math.round(detection.latency_ms)} ms` : '–'}</td>
      <td>{recording === null ? '–' : text.recordings[recording]}</td>
      <td>{restarts}</td>
    </tr>
  );
}

function Told() {
  const text = words.value.status;
  const { mqtt, webhooks = [] } = healthNow() ?? {};
  if (!mqtt && webhooks.length === 0) return null;
  return (
    <ul class="status-told">
      {mqtt && (
        <li>
          MQTT <bdi>{mqtt.broker}</bdi>: {mqtt.connected ? text.brokerConnected(mqtt.queued) : (mqtt.last_error ?? text.brokerGone)}
        </li>
      )}
      {webhooks.map(({ receiver, queued, last_error: error }) => (
        <li key={receiver}>
          {text.webhook} <bdi>{receiver}</bdi>: {error ?? text.queued(queued)}
        </li>
      ))}
    </ul>
  );
}
