/** Who is connected, how, in which quality and why; and sending one away. */
import { useState } from 'preact/hooks';
import { pathOf } from '../api/address.js';
import { request } from '../api/request.js';
import { connectionStats, type ConnectedClient } from '../api/status.js';
import { bitrate } from '../shared/stats.js';
import { faultText } from '../strings/faults.js';
import { language, words } from '../strings/index.js';
import { announce } from '../ui/announcer.js';
import { Dialog } from '../ui/dialog.js';
import { durationText, pathText, watchedText, whyLess } from './figures.js';

/** A table. */
export function ClientsPanel() {
  const text = words.value.status;
  const { value, trouble } = connectionStats.known.value;
  const [leaving, setLeaving] = useState<ConnectedClient | undefined>(undefined);
  const clients = value?.clients ?? [];
  return (
    <section class="status-card wide" aria-labelledby="status-clients">
      <h3 id="status-clients">{text.clients}</h3>
      {value && (
        <p class="status-soft">{text.places(value.active_viewers, value.max_clients, value.active_publishers, value.max_publishers)}</p>
      )}
      {trouble && <p class="status-fault">{faultText(trouble)}</p>}
      {clients.length === 0 ? (
        value && <p>{text.noClients}</p>
      ) : (
        <div class="status-table">
          <table>
            <thead>
              <tr>
                {text.clientColumns.map((name) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
                <th scope="col">
                  <span class="visually-hidden">{text.actions}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {clients.map((client) => (
                <Row key={client.client_id} client={client} onClose={() => setLeaving(client)} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {leaving && <CloseDialog client={leaving} onClose={() => setLeaving(undefined)} />}
    </section>
  );
}

function Row({ client, onClose }: { readonly client: ConnectedClient; readonly onClose: () => void }) {
  const text = words.value.status;
  const { client_id: id, role, quality, estimate_kbps: estimate, round_trip_ms: roundTrip, created_at: since } = client;
  const why = whyLess(client, text);
  const watched = watchedText(client);
  return (
    <tr>
      <th scope="row" title={id}>
        <bdi>{id}</bdi>
        <small>{durationText(Math.max(0, Date.now() / 1000 - since), language.value)}</small>
      </th>
      <td title={watched}>
        <bdi>{watched}</bdi>
        <small>{text.roles[role]}</small>
      </td>
      <td>{pathText(client, text)}</td>
      <td>
        {quality ?? '–'}
        {why !== undefined && <small class="status-why">{why}</small>}
      </td>
      <td>{estimate === undefined || estimate === null ? '–' : bitrate(estimate * 1000)}</td>
      <td>{roundTrip === null ? '–' : roundTrip < 1 ? '< 1 ms' : `${Math.round(roundTrip)} ms`}</td>
      <td>
        <button type="button" class="button" aria-label={text.closeClient(id)} onClick={onClose}>
          {text.close}
        </button>
      </td>
    </tr>
  );
}

function CloseDialog({ client: { client_id: id }, onClose }: { readonly client: ConnectedClient; readonly onClose: () => void }) {
  const text = words.value.status;
  const [fault, setFault] = useState<string | undefined>(undefined);
  const close = async (): Promise<void> => {
    try {
      await request(pathOf('clients', id), { method: 'DELETE' });
      announce(text.closed(id));
      await connectionStats.refresh();
      onClose();
    } catch (error) {
      setFault(faultText(error));
    }
  };
  return (
    <Dialog title={text.closeTitle} onClose={onClose}>
      <p class="status-ask">{text.closeText(id)}</p>
      {fault !== undefined && (
        <p class="status-fault" role="alert">
          {fault}
        </p>
      )}
      <div class="buttons">
        <button type="button" class="danger" onClick={() => void close()}>
          {text.closeReally}
        </button>
        <button type="button" onClick={onClose}>
          {words.value.shell.cancel}
        </button>
      </div>
    </Dialog>
  );
}
