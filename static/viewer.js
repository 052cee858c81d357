// SPDX-License-Identifier: MIT
// The page: connects stream, filters and list with the controls. Everything that comes from a record is set as text.

import { filtersFromAddress, filtersToAddress, makeFilter, select } from './filters.js';
import { RecordList } from './list.js';
import { LogRecord } from './record.js';
import { LogStream } from './stream.js';

const byId = (id) => document.getElementById(id);
const number = new Intl.NumberFormat('en-GB');

const pill = byId('state');
const scroller = byId('scroller');
const received = { all: 0, errors: 0 };
/** 'on', 'paused' (by scrolling up or unfolding a record: the bottom ends it), 'off' (by the button). */
let autoScroll = 'on';
let filters = filtersFromAddress();

const list = new RecordList(scroller, byId('rows'), showNumbers);
const stream = new LogStream('logs/stream', {
  record(id, text) {
    const record = new LogRecord(id, text);
    received.all += 1;
    received.errors += record.isError ? 1 : 0;
    list.add(record);
  },
  gap(from, to) {
    list.addNotice(from === null ? `Records up to #${to} are no longer kept.`
      : `Records #${from}–#${to} were removed before they could be shown.`);
  },
  state: showState,
});

// --- what is told -------------------------------------------------------------------------------------------------

function showNumbers() {
  byId('count-all').textContent = number.format(received.all);
  byId('count-errors').textContent = number.format(received.errors);
  const newer = byId('newer');
  newer.hidden = list.newer === 0;
  newer.textContent = `${number.format(list.newer)} new ↓`;
  const empty = byId('empty');
  empty.hidden = list.shown > 0;
  empty.textContent = list.hidden.length > 0 ? 'No record that is held here matches the filters.'
    : received.all > 0 ? 'Cleared. New records appear here.'
      : 'No records yet. They appear here as soon as the daemon has any.';
  const parts = [`${number.format(list.shown)} shown`];
  if (list.hidden.length > 0) {
    parts.push(`${number.format(list.hidden.length)} hidden by the filters`);
  }
  if (list.removed > 0) {
    parts.push(`${number.format(list.removed)} older ones removed from this page (not from the log)`);
  }
  byId('footer').textContent = parts.join(' · ');
}

function showState() {
  const { state, lastId } = stream;
  const silent = Math.floor((Date.now() - stream.lastActivity) / 1000);
  const resume = lastId === null ? '' : `, resuming after #${lastId}`;
  const text = {
    connecting: 'connecting',
    live: stream.behind ? 'live, catching up' : 'live',
    reconnecting: `reconnecting${resume}`,
    stopped: `daemon stopped; waiting for it${resume}`,
    paused: `paused while hidden${resume}`,
    disconnected: 'disconnected by you',
  }[state];
  let age = '';
  if (state === 'live') {
    age = silent < 1 ? '· now' : `· last event ${silent} s ago`;
  } else if (state === 'connecting' || state === 'reconnecting') {
    if (stream.failures > 0) {
      age = `· ${stream.failures === 1 ? 'one attempt' : `${stream.failures} attempts`} failed`;
    } else if (silent >= 5) {
      // Over HTTP/1.1 a browser lets the seventh stream to one host wait without a word.
      age = `· no answer for ${silent} s (too many tabs open?)`;
    }
  }
  const troubled = state === 'live' && stream.trouble !== '';
  pill.dataset.state = troubled ? 'troubled' : state;
  pill.title = stream.trouble;
  setText(byId('state-text'), troubled ? `${text}, but storing fails: ${stream.trouble}` : text);
  setText(byId('state-age'), age);
  setText(byId('connect'), stream.wanted ? 'Disconnect' : 'Connect');
  document.title = state === 'live' ? 'Live logs' : `Live logs (${state})`;
}

// A status region reads out every change of its nodes, also to the same text.
function setText(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

// --- auto-scroll --------------------------------------------------------------------------------------------------

function setAutoScroll(value) {
  autoScroll = value;
  const button = byId('follow');
  button.textContent = `Auto-scroll: ${value}`;
  button.setAttribute('aria-pressed', String(value === 'on'));
  button.dataset.value = value;
  list.setFollowing(value === 'on');
}

let lastTop = 0;
scroller.addEventListener('scroll', () => {
  const up = scroller.scrollTop < lastTop;
  lastTop = scroller.scrollTop;
  // Rows are added in animation frames, which come after this event: away from the bottom, it was the reader.
  if (autoScroll === 'on' && up && !list.atBottom()) {
    setAutoScroll('paused');
  } else if (autoScroll === 'paused' && !up && list.atBottom()) {
    setAutoScroll('on');
  }
}, { passive: true });

new ResizeObserver(() => {
  if (autoScroll === 'on') {
    scroller.scrollTop = scroller.scrollHeight;
  }
}).observe(scroller);

list.onUnfold = () => {
  if (autoScroll === 'on') {
    setAutoScroll('paused');
  }
};

byId('follow').addEventListener('click', () => setAutoScroll(autoScroll === 'on' ? 'off' : 'on'));

byId('newer').addEventListener('click', () => {
  list.jumpToNewest();
  if (autoScroll === 'paused') {
    setAutoScroll('on');
  }
});

// --- filters and buttons ------------------------------------------------------------------------------------------

function applyFilters() {
  list.setFilter(makeFilter(filters));
}

function controlsChanged() {
  filters = { level: byId('level').value, type: byId('type').value, q: byId('search').value.trim() };
  filtersToAddress(filters);
  applyFilters();
}

function addressChanged() {
  filters = filtersFromAddress();
  select(byId('level'), filters.level);
  select(byId('type'), filters.type);
  byId('search').value = filters.q;
  applyFilters();
}

let searchTimer = 0;
byId('search').addEventListener('input', () => {
  clearTimeout(searchTimer);
  searchTimer = setTimeout(controlsChanged, 150);
});
byId('level').addEventListener('change', controlsChanged);
byId('type').addEventListener('change', controlsChanged);
addEventListener('hashchange', addressChanged);

byId('clear').addEventListener('click', () => {
  list.clear();
  if (autoScroll === 'paused') {
    setAutoScroll('on');
  }
});

byId('connect').addEventListener('click', () => {
  if (stream.wanted) {
    stream.disconnect();
  } else {
    stream.connect();
  }
});

addressChanged();
setAutoScroll('on');
stream.connect();
