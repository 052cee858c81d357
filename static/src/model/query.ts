// SPDX-License-Identifier: MIT
// The filter expression q (docs/http-api.md) as a list of terms, so that it can be shown as chips and changed by clicks. The
// daemon alone decides what a term means and whether it can be read.

export interface Term {
  /** As it is written, with a leading '-' if it is negated. */
  text: string;
  negated: boolean;
  /** Empty for words, phrases and regular expressions. */
  field: string;
}

const fieldName = /^([A-Za-z_][A-Za-z0-9_.-]*)(?=:|>|<)/;

/** The terms of an expression, in their order. White space inside quotes, slashes of a regular expression, and lists stays. */
export function termsOf(q: string): Term[] {
  const terms: Term[] = [];
  let at = 0;
  while (at < q.length) {
    if (/\s/.test(q[at] as string)) {
      at += 1;
      continue;
    }
    const start = at;
    at = endOfTerm(q, at);
    terms.push(makeTerm(q.slice(start, at)));
  }
  return terms;
}

function makeTerm(text: string): Term {
  const negated = text.length > 1 && text.startsWith('-');
  return { text, negated, field: fieldName.exec(negated ? text.slice(1) : text)?.[1] ?? '' };
}

function endOfTerm(q: string, start: number): number {
  let at = start;
  let inList = false;
  while (at < q.length) {
    const c = q[at] as string;
    if (c === '"') {
      at += 1;
      while (at < q.length && q[at] !== '"') at += q[at] === '\\' ? 2 : 1;
      at = Math.min(q.length, at + 1);
    } else if (c === '/' && beginsValue(q, start, at)) {
      const end = endOfPattern(q, at, inList);
      at = end > 0 ? end : at + 1;
    } else if (c === '(' && q[at - 1] === ':') {
      inList = true;
      at += 1;
    } else if (c === ')' && inList) {
      inList = false;
      at += 1;
    } else if (/\s/.test(c) && !inList) {
      break;
    } else {
      at += 1;
    }
  }
  return at;
}

function beginsValue(q: string, start: number, at: number): boolean {
  const before = q[at - 1] ?? '';
  return at === start || before === ':' || before === '(' || before === '|' || (at === start + 1 && before === '-');
}

// A slash begins a regular expression only if the next one, other than \/, ends the value; elsewhere it is part of a path.
function endOfPattern(q: string, start: number, inList: boolean): number {
  for (let at = start + 1; at < q.length; at += 1) {
    if (q[at] === '\\') {
      at += 1;
    } else if (q[at] === '/') {
      const next = q[at + 1] ?? ' ';
      return at > start + 1 && (/\s/.test(next) || (inList && '|)'.includes(next))) ? at + 1 : 0;
    }
  }
  return 0;
}

/** A value as a term needs it: in quotes unless it is plain. */
export function quoted(value: string): string {
  return /^[A-Za-z0-9_.@%+-][A-Za-z0-9_.@%+:-]*$/.test(value) && value !== '' ? value : `"${value.replace(/["\\]/g, '\\$&')}"`;
}

export function fieldTerm(field: string, value: string, negated = false): string {
  return `${negated ? '-' : ''}${field}:${quoted(value)}`;
}

/** The expression with a term added; unchanged if it is there already. Its opposite is taken out. */
export function withTerm(q: string, term: string): string {
  const opposite = term.startsWith('-') ? term.slice(1) : `-${term}`;
  const kept = termsOf(q).map((one) => one.text).filter((text) => text !== opposite);
  if (!kept.includes(term)) kept.push(term);
  return kept.join(' ');
}

export function withoutTerm(q: string, term: string): string {
  return termsOf(q).map((one) => one.text).filter((text) => text !== term).join(' ');
}

/** The expression with a term turned around. */
export function invertTerm(q: string, term: string): string {
  return termsOf(q).map(({ text, negated }) => (text !== term ? text : negated ? text.slice(1) : `-${text}`)).join(' ');
}

export function hasTerm(q: string, term: string): boolean {
  return termsOf(q).some(({ text }) => text === term);
}

/**
 * Words and quoted phrases that a matching record holds: what a row can highlight. Short ones would colour everything.
 */
export function wordsOf(q: string): string[] {
  return termsOf(q)
    .filter((term) => !term.negated && term.field === '' && !term.text.startsWith('/'))
    .map(({ text }) => (text.startsWith('"') ? text.slice(1, text.endsWith('"') ? -1 : undefined).replace(/\\(["\\])/g, '$1') : text))
    .filter((word) => word.length > 1);
}
