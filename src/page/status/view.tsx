/** How the server is, who is connected, what has happened, and whether this device gets through. */
import { useEffect } from 'preact/hooks';
import { may, me } from '../api/me.js';
import { sourceList } from '../api/sources.js';
import { activeStreams, connectionStats, verboseHealth } from '../api/status.js';
import { words } from '../strings/index.js';
import { ClientsPanel } from './clients-panel.js';
import { HealthPanel } from './health-panel.js';
import { LogPanel } from './log-panel.js';
import { SourcesPanel } from './sources-panel.js';
import { TestPanel } from './test-panel.js';

/** What somebody may know of it. */
export function StatusView() {
  const text = words.value.status;
  const isAdmin = me.value?.everywhere.includes('admin') ?? false;
  useEffect(() => {
    const stops = [verboseHealth, sourceList, ...(isAdmin ? [connectionStats, activeStreams] : [])].map((polled) => polled.hold());
    return () => stops.forEach((stop) => stop());
  }, [isAdmin]);
  return (
    <section class="status" aria-labelledby="status-title">
      <h2 id="status-title">{text.title}</h2>
      <div class="status-cards">
        <HealthPanel />
        <TestPanel />
        {isAdmin && <ClientsPanel />}
        {isAdmin && <SourcesPanel />}
        {may('data') && <LogPanel isAdmin={isAdmin} />}
      </div>
      {me.value && !isAdmin && <p class="status-soft">{text.onlyAdmins}</p>}
    </section>
  );
}
