// SPDX-License-Identifier: MIT
// All of the page but the rows: fetched and drawn once these are on the screen (main.ts).

import { render } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

import { count } from '../model/format.js';
import { Chips } from './chips.js';
import { DetailPanel } from './detail_panel.js';
import { Facets } from './facets.js';
import { Footer } from './footer.js';
import { Guard } from './guard.js';
import { Header } from './header.js';
import { Help } from './help.js';
import { Histogram } from './histogram.js';
import { Menu } from './menu.js';
import { Pinned } from './pinned.js';
import { Plots } from './plots.js';
import { columns } from './settings.js';
import { useStore } from './use_store.js';
import type { Viewer } from './viewer.js';

function App({ viewer }: { viewer: Viewer }) {
  const { view } = useStore(viewer.address);
  return (
    <>
      <Header viewer={viewer} />
      <Chips viewer={viewer} />
      <Menu viewer={viewer} />
      <main class="middle">
        <Guard part="The facets"><Facets viewer={viewer} /></Guard>
        <div class={`records${view === 'plots' ? ' hidden' : ''}`}>
          <Guard part="The histogram"><Histogram viewer={viewer} /></Guard>
          <Pinned viewer={viewer} />
          <List viewer={viewer} />
        </div>
        <Guard part="The plots"><Plots viewer={viewer} /></Guard>
        {view === 'records' && <Guard part="The details"><DetailPanel viewer={viewer} /></Guard>}
      </main>
      <Footer viewer={viewer} />
      <Help viewer={viewer} />
    </>
  );
}

function List({ viewer }: { viewer: Viewer }) {
  const { shownColumns } = useStore(viewer.page);
  useStore(viewer.ticks);
  const { wrap, density } = useStore(viewer.settings);
  const place = useRef<HTMLDivElement>(null);
  // The list was there before this component, and keeps its elements.
  useLayoutEffect(() => viewer.list.moveTo(place.current!), []);
  const { log } = viewer;
  return (
    <div class={`list ${density}${wrap ? ' wrap' : ''}`}>
      <div class="row columns" aria-hidden="true">
        {shownColumns.map((id) => (
          <span key={id} class={`cell ${id.startsWith('field:') ? 'field' : id}`}>
            {id.startsWith('field:') ? id.slice(6) : columns.find((column) => column.id === id)?.title}
          </span>
        ))}
      </div>
      <div class="list-place" ref={place} />
      {log.rows.rows.length === 0 && <p class="empty" id="empty">{emptyText(viewer)}</p>}
      {log.older === 'cleared' && <button type="button" class="earlier" id="earlier" onClick={() => void log.loadOlder(true)}>show earlier records</button>}
      {!log.following && (
        <button type="button" class="newer" id="newer" onClick={() => viewer.follow(true)}>
          {log.unseen > 0 ? `${count(log.unseen)} new ↓` : 'newest ↓'}
        </button>
      )}
    </div>
  );
}

function emptyText({ log, narrowed }: Viewer): string {
  if (log.older === 'loading') return 'Searching…';
  if (log.older === 'cleared') return 'Cleared. New records appear here.';
  if (narrowed) return log.older === 'end' ? 'No record of the log matches the filter. Matching ones appear here as they come.' : 'No match yet.';
  return 'No records yet. They appear here as soon as the daemon has any.';
}

/** Draws it, once, around the list that is there. */
export function drawPage(viewer: Viewer): void {
  render(<App viewer={viewer} />, document.getElementById('app')!);
}
