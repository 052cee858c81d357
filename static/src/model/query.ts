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

/** The values that a term asks its field for: `a` of field:a, `a` and `b` of field:(a|b). Empty for every other kind of term. */
function valuesOf(term: Term): string[] {
  const start = term.field.length;
  if (term.negated || start === 0 || term.text[start] !== ':') return [];
  const said = term.text.slice(start + 1);
  if (!said.startsWith('(') || !said.endsWith(')')) return [said];
  const values: string[] = [];
  let at = 1;
  let begin = 1;
  while (at < said.length - 1) {
    const c = said[at] as string;
    if (c === '"') {
      at += 1;
      while (at < said.length && said[at] !== '"') at += said[at] === '\\' ? 2 : 1;
      at += 1;
    } else if (c === '/' && at === begin) {
      at = endOfPattern(said, at, true) || at + 1;
    } else {
      if (c === '|') {
        values.push(said.slice(begin, at));
        begin = at + 1;
      }
      at += 1;
    }
  }
  values.push(said.slice(begin, -1));
  return values;
}

function listTerm(field: string, values: string[]): string {
  return values.length === 1 ? `${field}:${values[0]}` : `${field}:(${values.join('|')})`;
}

/**
 * The expression with field:value as one more alternative: a record has one value of a field, so that two terms would find
 * nothing. Terms of other kinds are added as by withTerm().
 */
export function withValue(q: string, term: string): string {
  const added = makeTerm(term);
  const [value] = valuesOf(added);
  const terms = termsOf(q).filter((one) => one.text !== `-${term}`);
  const place = value === undefined ? undefined : terms.find((one) => one.field === added.field && valuesOf(one).length > 0);
  if (value === undefined || !place) return withTerm(q, term);
  const values = valuesOf(place);
  const text = values.includes(value) ? place.text : listTerm(added.field, [...values, value]);
  return terms.map((one) => (one === place ? text : one.text)).join(' ');
}

/** The opposite of withValue(). */
export function withoutValue(q: string, term: string): string {
  const removed = makeTerm(term);
  const [value] = valuesOf(removed);
  if (value === undefined) return withoutTerm(q, term);
  return termsOf(q).map((one) => {
    const values = one.field === removed.field ? valuesOf(one) : [];
    if (!values.includes(value)) return one.text;
    const left = values.filter((other) => other !== value);
    return left.length > 0 ? listTerm(one.field, left) : '';
  }).filter(Boolean).join(' ');
}

/** Whether a term, or one of its field's alternatives, is in the expression. */
export function hasValue(q: string, term: string): boolean {
  const asked = makeTerm(term);
  const [value] = valuesOf(asked);
  if (value === undefined) return hasTerm(q, term);
  return termsOf(q).some((one) => one.field === asked.field && valuesOf(one).includes(value));
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
