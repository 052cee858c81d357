// SPDX-License-Identifier: MIT
// A record as the page knows it: what the rows, the filters and the counters need of it. No DOM here.

const severityByName = new Map([
  ['TRACE', 0], ['DEBUG', 1], ['INFO', 2], ['WARNING', 3], ['WARN', 3], ['ERROR', 4], ['CRITICAL', 5], ['FATAL', 5],
]);
const levelNames = ['TRACE', 'DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'];

const severity = { info: 2, error: 4 };

/** The severity 0 … 5 of a level's name, in any case; undefined for other words. */
export function severityOf(name) {
  return severityByName.get(name.toUpperCase());
}

// The severity of a record's level: a name, or a number as Python's logging counts (10 DEBUG … 50 CRITICAL), also as a string.
// None or unknown counts as INFO.
function severityOfField(level) {
  if (typeof level === 'number') {
    return level < 1 ? severity.info : Math.min(5, Math.floor(level / 10));
  }
  if (typeof level !== 'string') {
    return severity.info;
  }
  return severityOf(level) ?? (/^[0-9]+$/.test(level) ? severityOfField(Number(level)) : severity.info);
}

/** Text for a cell: strings as they are, nothing for what is absent, everything else as JSON. */
function cell(value) {
  if (typeof value === 'string') {
    return shorten(value);
  }
  return value === undefined || value === null ? '' : shorten(JSON.stringify(value));
}

// A cell shows one line, a few hundred characters wide at most. The copy through split and join matters: a slice of a
// long string would keep all of it alive.
function shorten(text) {
  return text.length <= 600 ? text : `${text.slice(0, 600).split('').join('')}…`;
}

/** One received record. `text` is the daemon's JSON, kept as it came: numbers and escapes are shown as they were sent. */
export class LogRecord {
  constructor(id, text) {
    this.id = id;
    this.text = text;
    let fields;
    try {
      fields = JSON.parse(text);
    } catch {
      // Cannot come from the daemon, but a proxy may have had its hands on it: show what there is.
      fields = { message: text };
    }
    this.severity = severityOfField(fields.level);
    this.level = typeof fields.level === 'number' ? levelNames[this.severity] : cell(fields.level);
    this.type = cell(fields.type);
    this.timestamp = cell(fields.timestamp);
    this.method = cell(fields.method);
    this.target = cell(fields.endpoint) || cell(fields.url);
    this.status = cell(fields.status_code);
    this.duration = shortDuration(fields.duration_ms);
    this.message = cell(fields.message) || shorten(text);
    /** As the daemon's filter type=errors has it. */
    this.isError = this.severity >= severity.error || (typeof fields.status_code === 'number' && fields.status_code >= 400);
    /** The element that shows it, while it is on the page. */
    this.element = null;
  }

  /** The text with its string escapes decoded: what a search looks at. */
  searchText() {
    return this.text.includes('\\') ? this.text.replace(/\\(?:u([0-9a-fA-F]{4})|(.))/g, decodeEscape) : this.text;
  }
}

const simpleEscapes = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

function decodeEscape(_whole, hex, letter) {
  return hex ? String.fromCharCode(parseInt(hex, 16)) : (simpleEscapes[letter] ?? letter);
}

/**
 * Makes harmless what could change how the text around it is displayed: control characters become their symbols, those that
 * steer the writing direction or hide (and halves of surrogate pairs) are spelled out. Line feeds stay if `lines` is set.
 */
export function visible(text, lines = false) {
  if (!suspicious.test(text)) {
    return text;
  }
  return text.toWellFormed().replace(/[\p{Cc}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu, (c) => {
    const code = c.codePointAt(0);
    if (code < 0x20) {
      return lines && c === '\n' ? c : String.fromCharCode(0x2400 + code);
    }
    return code === 0x7f ? '\u2421' : `\u27e8U+${code.toString(16).toUpperCase().padStart(4, '0')}\u27e9`;
  });
}
const suspicious = /[\p{Cc}\p{Cs}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/u;

/** "10:30:45.123", with month and day before it if that is not today; another spelling is shown as it is. */
export function shortTime(timestamp, today) {
  const found = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:[.,]\d{1,3})?)/.exec(timestamp);
  if (!found) {
    return timestamp;
  }
  return found[1] === today ? found[2] : `${found[1].slice(5)} ${found[2]}`;
}

/** The local date as in a timestamp. */
export function localDate(now = new Date()) {
  const two = (number) => String(number).padStart(2, '0');
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}

// Milliseconds, for people.
function shortDuration(milliseconds) {
  if (typeof milliseconds !== 'number') {
    return cell(milliseconds);
  }
  if (milliseconds >= 100000) {
    return `${(milliseconds / 1000).toFixed(0)} s`;
  }
  if (milliseconds >= 1000) {
    return `${(milliseconds / 1000).toFixed(2)} s`;
  }
  return `${milliseconds >= 10 ? milliseconds.toFixed(0) : milliseconds.toFixed(2)} ms`;
}

/**
 * The JSON text with line breaks and indentation and nothing else changed. Not by JSON.parse and stringify: these would
 * round long numbers and drop duplicate keys.
 */
export function prettyPrint(text) {
  const out = [];
  let depth = 0;
  const line = () => `\n${'  '.repeat(depth)}`;
  const token = /\s*([{}[\],:]|[^\s"{}[\],:]+|")/y;
  let before = '';
  for (let found = token.exec(text); found; found = token.exec(text)) {
    const part = found[1];
    const opened = before === '{' || before === '[';
    if (part === '}' || part === ']') {
      depth -= 1;
      out.push(opened ? '' : line(), part);
    } else if (part === ',') {
      out.push(part, line());
    } else if (part === ':') {
      out.push(': ');
    } else {
      out.push(opened ? line() : '');
      if (part === '"') {
        const start = token.lastIndex - 1;
        token.lastIndex = endOfString(text, start);
        out.push(text.slice(start, token.lastIndex));
      } else {
        out.push(part);
        depth += part === '{' || part === '[' ? 1 : 0;
      }
    }
    before = part;
  }
  return out.join('');
}

// By hand: strings may be megabytes long, and a regular expression keeps a way back for each character.
function endOfString(text, start) {
  for (let quote = text.indexOf('"', start + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (text[quote - 1 - backslashes] === '\\') {
      backslashes += 1;
    }
    if (backslashes % 2 === 0) {
      return quote + 1;
    }
  }
  return text.length;
}
