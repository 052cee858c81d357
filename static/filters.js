// SPDX-License-Identifier: MIT
// Which records the page shows: level, type and search text, also in the address (#level=WARNING&type=errors&q=text), so
// that a link shows the same view.

import { severityOf } from './record.js';

/** A test for records; `level`, `type` and `q` are empty where they do not narrow. */
export function makeFilter({ level, type, q }) {
  const least = severityOf(level) ?? 0;
  const pattern = q && new RegExp(q.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), 'iu');
  return (record) => record.severity >= least && matchesType(record, type) && (!pattern || pattern.test(record.searchText()));
}

function matchesType(record, type) {
  switch (type) {
    case '': return true;
    case 'api': return record.type === 'request' || record.type === 'response';
    case 'errors': return record.isError;
    default: return record.type === type;
  }
}

/** What the address asks for. */
export function filtersFromAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  const level = (given.get('level') ?? '').toUpperCase();
  const type = given.get('type') ?? '';
  return {
    level: severityOf(level) === undefined ? '' : level,
    type: type === 'all' ? '' : type,
    q: given.get('q') ?? '',
  };
}

/** Puts the filters into the address, without a new entry in the browser's history. */
export function filtersToAddress(filters) {
  const kept = new URLSearchParams(Object.entries(filters).filter(([, value]) => value));
  const hash = kept.toString();
  history.replaceState(null, '', hash ? `#${hash}` : location.pathname + location.search);
}

/** Shows a value in a drop-down, adding it where it is none of the usual ones (a type that only one app knows). */
export function select(element, value) {
  if (![...element.options].some((option) => option.value === value)) {
    element.add(new Option(value, value));
  }
  element.value = value;
}
