// SPDX-License-Identifier: MIT
// The bar at the top: state of the connection, filter box, what to do with the list.

import { useEffect, useRef, useState } from 'preact/hooks';

import { visible } from '../model/visible.js';
import { Icon } from './icons.js';
import { statusOf } from './status.js';
import { useStore } from './store.js';
import type { Viewer } from './viewer.js';

export function Header({ viewer }: { viewer: Viewer }) {
  const page = useStore(viewer.page);
  const { view } = useStore(viewer.address);
  const settings = useStore(viewer.settings);
  return (
    <header class="bar">
      <h1>Live logs</h1>
      <Pill viewer={viewer} />
      <nav class="tabs" aria-label="View">
        {(['records', 'plots'] as const).map((one) => (
          <button key={one} type="button" class="tab" id={`view-${one}`} aria-pressed={view === one} onClick={() => viewer.setView(one)}>
            {one === 'records' ? 'Records' : 'Plots'}
          </button>
        ))}
      </nav>
      <FilterBox viewer={viewer} />
      <div class="actions">
        <FollowButton viewer={viewer} />
        <button type="button" id="clear" class="icon" title="Clear: empties this page, not the log" aria-label="Clear" onClick={() => viewer.clear()}>
          <Icon name="clear" />
        </button>
        <button type="button" id="facets-toggle" class="icon" aria-pressed={settings.facets || page.sheet} title="Facets" aria-label="Facets"
          onClick={() => (matchMedia('(max-width: 760px)').matches ? viewer.page.set({ sheet: !page.sheet }) : viewer.settings.set({ facets: !settings.facets }))}>
          <Icon name="facets" />
        </button>
        <button type="button" id="menu-toggle" class="icon" aria-expanded={page.menu} title="View and download" aria-label="View and download"
          onClick={() => viewer.page.set({ menu: !page.menu })}>
          <Icon name="menu" />
        </button>
        <button type="button" id="help-toggle" class="icon" title="Keys and filters (?)" aria-label="Help" onClick={() => viewer.page.set({ help: true })}>
          <Icon name="help" />
        </button>
      </div>
    </header>
  );
}

function FollowButton({ viewer }: { viewer: Viewer }) {
  const { paused } = useStore(viewer.page);
  useStore(viewer.ticks);
  const { following } = viewer.log;
  return (
    <button type="button" id="follow" class="icon-text" aria-pressed={following} title="Follow the newest record (f); Space pauses" onClick={() => viewer.toggleFollow()}>
      <Icon name={following ? 'follow' : 'pause'} /><span>{following ? 'Following' : paused ? 'Paused' : 'Follow'}</span>
    </button>
  );
}

function Pill({ viewer }: { viewer: Viewer }) {
  useStore(viewer.ticks);
  const [, redraw] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => redraw((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  const { stream } = viewer.log;
  const status = statusOf(viewer.log, viewer.census, Date.now());
  return (
    <div class="pill" id="state" data-state={status.state} title={status.title}>
      <span class="dot" aria-hidden="true" />
      <span id="state-text" role="status">{status.text}</span>
      <span id="state-age" aria-hidden="true">{status.age}</span>
      <button type="button" id="connect" onClick={() => viewer.toggleConnection()}>{stream.state === 'signed_out' ? 'Sign in' : stream.wanted ? 'Disconnect' : 'Connect'}</button>
    </div>
  );
}

const levels = ['', 'DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'];
const types = ['', 'api', 'errors', 'request', 'response', 'custom_event', 'log', 'malformed', 'livelogd'];

function FilterBox({ viewer }: { viewer: Viewer }) {
  const address = useStore(viewer.address);
  const page = useStore(viewer.page);
  const [text, setText] = useState(address.q);
  const timer = useRef(0);
  const box = useRef<HTMLInputElement>(null);
  // Chips, facets and links change the expression too; what is being typed is left alone.
  useEffect(() => {
    if (document.activeElement !== box.current || text.trim() !== address.q) setText((now) => (now.trim() === address.q ? now : address.q));
  }, [address.q]);
  const apply = (value: string): void => {
    clearTimeout(timer.current);
    if (value.trim() !== viewer.filter.q || viewer.page.value.filterError) void viewer.setFilter({ q: value.trim() });
  };
  const typesHere = types.includes(address.type) ? types : [...types, address.type];
  return (
    <div class="filter" role="search">
      <select id="level" aria-label="Least level" value={address.level} onChange={(event) => void viewer.setFilter({ level: event.currentTarget.value })}>
        {levels.map((level) => <option key={level} value={level}>{level === '' ? 'all levels' : `≥ ${level}`}</option>)}
      </select>
      <select id="type" aria-label="Type" value={address.type} onChange={(event) => void viewer.setFilter({ type: event.currentTarget.value })}>
        {typesHere.map((type) => <option key={type} value={type}>{visible(type) || 'all types'}</option>)}
      </select>
      <div class={`search${page.filterError ? ' wrong' : ''}`}>
        <Icon name="search" />
        <input id="search" ref={box} type="search" autocomplete="off" spellcheck={false} value={text} aria-label="Filter"
          aria-invalid={page.filterError !== ''} aria-describedby={page.filterError ? 'filter-error' : undefined}
          placeholder={'Filter:  word  "a phrase"  status:5xx  duration_ms>1000  -endpoint:/health'}
          onInput={(event) => {
            const value = event.currentTarget.value;
            setText(value);
            clearTimeout(timer.current);
            timer.current = window.setTimeout(() => apply(value), 300);
          }}
          onKeyDown={(event) => {
            if (event.key === 'Enter') apply(event.currentTarget.value);
            if (event.key === 'Escape') event.currentTarget.blur();
          }} />
        <kbd aria-hidden="true">/</kbd>
      </div>
      {page.filterError && (
        <p class="filter-error" id="filter-error" role="alert">
          {page.filterErrorAt >= 0 && <code>{visible(address.q.slice(0, page.filterErrorAt))}<mark>{visible(address.q.slice(page.filterErrorAt)) || '␠'}</mark></code>}
          {page.filterError}
        </p>
      )}
    </div>
  );
}

