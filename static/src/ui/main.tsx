// SPDX-License-Identifier: MIT
// The page.

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
import { handleKey } from './keyboard.js';
import { Menu } from './menu.js';
import { Pinned } from './pinned.js';
import { Plots } from './plots.js';
import { columns } from './settings.js';
import { useStore } from './store.js';
import { Viewer } from './viewer.js';

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

function applyTheme(viewer: Viewer): void {
  const { theme } = viewer.settings.value;
  const root = document.documentElement;
  const dark = theme === 'dark' || (theme === 'system' && !matchMedia('(prefers-color-scheme: light)').matches);
  const wanted = dark ? 'dark' : 'light';
  if (root.dataset['theme'] === wanted) return;
  root.dataset['theme'] = wanted;
  dispatchEvent(new Event('livelogd-theme'));
}

/** The page's own elements in the shape that the components will give them. */
function prepare(viewer: Viewer): void {
  const { facets, histogram, density, wrap } = viewer.settings.value;
  const hide = (selector: string, hidden: boolean): void => void document.querySelector(selector)?.classList.toggle('hidden', hidden);
  hide('.facets', !facets);
  hide('.histogram', !histogram);
  hide('.records', viewer.address.value.view === 'plots');
  document.querySelector('.list')?.classList.add(density, ...(wrap ? ['wrap'] : []));
}

/** Draws everything else, once. */
let isWhole = false;
function drawRest(viewer: Viewer): void {
  if (isWhole) return;
  isWhole = true;
  render(<App viewer={viewer} />, document.getElementById('app')!);
}

/** What nobody waits for longer than this, though no row has come, or the browser does not tell what it has painted. */
const restAfterMs = 250;

// When the rows are on the screen, not merely drawn: painting them is work of the same processor.
const viewer = new Viewer(document.getElementById('scroller')!, document.getElementById('rows')!, () => {
  new PerformanceObserver((painted) => {
    if (painted.getEntriesByName('first-contentful-paint').length > 0) drawRest(viewer);
  }).observe({ type: 'paint', buffered: true });
});
applyTheme(viewer);
prepare(viewer);
viewer.settings.watch(() => applyTheme(viewer));
matchMedia('(prefers-color-scheme: light)').addEventListener('change', () => applyTheme(viewer));
addEventListener('keydown', (event) => handleKey(viewer, event));
addEventListener('pointerdown', (event) => {
  const target = event.target as Element;
  if (viewer.page.value.menu && !target.closest('#menu, #menu-toggle')) viewer.page.set({ menu: false });
});
// The rows first, then what is around them.
if (viewer.address.value.view === 'plots') drawRest(viewer);
else setTimeout(() => drawRest(viewer), restAfterMs);
