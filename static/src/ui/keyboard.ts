// SPDX-License-Identifier: MIT
// Keys, wherever the focus is, except while somebody types.

import type { Viewer } from './viewer.js';

export function handleKey(viewer: Viewer, event: KeyboardEvent): void {
  const target = event.target as HTMLElement;
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const { page } = viewer;
  if (event.key === 'Escape') {
    if (page.value.help) return; // the dialog's own
    if (page.value.menu) page.set({ menu: false });
    else if (page.value.sheet) page.set({ sheet: false });
    else if (page.value.panelOpen) viewer.close();
    return;
  }
  const typing = target.matches('input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]');
  if (typing || page.value.help) return;
  // Space and Enter press what has the focus.
  const pressable = target.matches('button, a, summary, input, [role=tab]');
  const act = keyActions[event.key];
  if (!act || (pressable && (event.key === ' ' || event.key === 'Enter' || event.key.startsWith('Arrow')))) return;
  if (viewer.address.value.view === 'plots' && !['/', '?', 'v'].includes(event.key)) return;
  event.preventDefault();
  act(viewer);
}

const keyActions: Record<string, (viewer: Viewer) => void> = {
  '/': () => {
    const box = document.getElementById('search') as HTMLInputElement | null;
    box?.focus();
    box?.select();
  },
  j: (viewer) => viewer.step(1),
  k: (viewer) => viewer.step(-1),
  ArrowDown: (viewer) => viewer.step(1),
  ArrowUp: (viewer) => viewer.step(-1),
  PageDown: (viewer) => viewer.step(20),
  PageUp: (viewer) => viewer.step(-20),
  Enter: (viewer) => {
    const index = viewer.selectedIndex;
    if (index >= 0) viewer.select(index, true);
  },
  e: (viewer) => viewer.stepToError(1),
  E: (viewer) => viewer.stepToError(-1),
  f: (viewer) => viewer.toggleFollow(),
  ' ': (viewer) => viewer.togglePause(),
  G: (viewer) => viewer.follow(true),
  End: (viewer) => viewer.follow(true),
  g: (viewer) => viewer.select(0),
  Home: (viewer) => viewer.select(0),
  p: (viewer) => viewer.togglePin(),
  c: (viewer) => {
    const id = viewer.page.value.selected?.first?.id;
    if (id) void viewer.inContext(id);
  },
  y: (viewer) => {
    const id = viewer.page.value.selected?.first?.id;
    if (id) void viewer.copy(viewer.linkTo(id), 'link');
  },
  w: (viewer) => viewer.settings.set({ wrap: !viewer.settings.value.wrap }),
  v: (viewer) => viewer.setView(viewer.address.value.view === 'plots' ? 'records' : 'plots'),
  '?': (viewer) => viewer.page.set({ help: true }),
};
