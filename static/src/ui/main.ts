// SPDX-License-Identifier: MIT
// The page: the rows first, then what is around them.

import { handleKey } from './keyboard.js';
import { Viewer } from './viewer.js';

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

/** After the rest could not be fetched: the daemon restarts, perhaps. */
const againAfterMs = 1000;

function fetchRest(attempt: number): Promise<typeof import('./page.js')> {
  // A browser remembers that a file could not be had; under another name it asks again.
  const again = `./page.js?again=${attempt}`;
  return attempt === 0 ? import('./page.js') : import(again) as Promise<typeof import('./page.js')>;
}

/** Fetches everything else and draws it, once. */
let comes = false;
async function drawRest(viewer: Viewer): Promise<void> {
  if (comes) return;
  comes = true;
  for (let attempt = 0; ; attempt += 1) {
    const page = await fetchRest(attempt).catch(() => null);
    if (page) return page.drawPage(viewer);
    await new Promise((next) => setTimeout(next, againAfterMs));
  }
}

/** What nobody waits for longer than this, though no row has come, or the browser does not tell what it has painted. */
const restAfterMs = 250;

// When the rows are on the screen, not merely drawn: painting them is work of the same processor.
const viewer = new Viewer(document.getElementById('scroller')!, document.getElementById('rows')!, () => {
  new PerformanceObserver((painted) => {
    if (painted.getEntriesByName('first-contentful-paint').length > 0) void drawRest(viewer);
  }).observe({ type: 'paint', buffered: true });
  setTimeout(() => void drawRest(viewer), restAfterMs);
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
if (viewer.address.value.view === 'plots') void drawRest(viewer);
else setTimeout(() => void drawRest(viewer), restAfterMs);
