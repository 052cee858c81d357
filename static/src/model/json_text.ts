// SPDX-License-Identifier: MIT
// JSON as text: parsed into nodes that know where they stand, so that numbers, escapes and duplicate keys are shown as they
// were sent. JSON.parse would round long numbers and drop duplicates.

export type NodeKind = 'object' | 'array' | 'string' | 'number' | 'word';

export interface JsonNode {
  kind: NodeKind;
  /** Of a member its key, decoded; of an element its index; of the root ''. */
  key: string;
  /** Place in the text, the end excluded. */
  start: number;
  end: number;
  /** Members or elements of an object or array; empty for the others. */
  children: JsonNode[];
}

/** The tree of a JSON text. Throws SyntaxError on anything else. Depth is bounded by the daemon (128). */
export function parseJsonText(text: string): JsonNode {
  let at = 0;
  const fail = (): never => {
    throw new SyntaxError(`no JSON at ${at}`);
  };
  const skip = (): void => {
    while (at < text.length && ' \n\r\t'.includes(text[at] as string)) at += 1;
  };
  const value = (key: string): JsonNode => {
    skip();
    const start = at;
    const node: JsonNode = { kind: 'word', key, start, end: start, children: [] };
    const first = text[at];
    if (first === '{' || first === '[') {
      const isObject = first === '{';
      const close = isObject ? '}' : ']';
      node.kind = isObject ? 'object' : 'array';
      at += 1;
      skip();
      if (text[at] === close) {
        at += 1;
      } else {
        for (;;) {
          let name = String(node.children.length);
          if (isObject) {
            skip();
            if (text[at] !== '"') fail();
            const from = at;
            at = endOfString(text, at);
            name = decodeString(text.slice(from, at));
            skip();
            if (text[at] !== ':') fail();
            at += 1;
          }
          node.children.push(value(name));
          skip();
          const next = text[at];
          at += 1;
          if (next === close) break;
          if (next !== ',') fail();
        }
      }
    } else if (first === '"') {
      node.kind = 'string';
      at = endOfString(text, at);
    } else {
      const word = /[^\s,\]}]+/y;
      word.lastIndex = at;
      const found = word.exec(text);
      if (!found) fail();
      at = word.lastIndex;
      node.kind = /^[-0-9]/.test(found?.[0] ?? '') ? 'number' : 'word';
    }
    node.end = at;
    return node;
  };
  const root = value('');
  skip();
  if (at !== text.length) fail();
  return root;
}

/** The value of a scalar as people read it: strings decoded, everything else as it is spelled. */
export function scalarText(text: string, node: JsonNode): string {
  const raw = text.slice(node.start, node.end);
  return node.kind === 'string' ? decodeString(raw) : raw;
}

/** The JSON text with line breaks and indentation, and nothing else changed. */
export function prettyPrint(text: string): string {
  let root: JsonNode;
  try {
    root = parseJsonText(text);
  } catch {
    return text;
  }
  const out: string[] = [];
  const print = (node: JsonNode, depth: number): void => {
    const isObject = node.kind === 'object';
    if (!isObject && node.kind !== 'array') {
      out.push(text.slice(node.start, node.end));
      return;
    }
    out.push(isObject ? '{' : '[');
    const line = `\n${'  '.repeat(depth + 1)}`;
    node.children.forEach((child, index) => {
      out.push(index > 0 ? `,${line}` : line, isObject ? `${rawKey(text, child)}: ` : '');
      print(child, depth + 1);
    });
    out.push(node.children.length > 0 ? `\n${'  '.repeat(depth)}` : '', isObject ? '}' : ']');
  };
  print(root, 0);
  return out.join('');
}

// The key as it is spelled: what stands before the colon before the value.
function rawKey(text: string, member: JsonNode): string {
  let end = member.start - 1;
  while (text[end] !== ':') end -= 1;
  while (text[end] !== '"') end -= 1;
  let start = end - 1;
  for (;;) {
    while (text[start] !== '"') start -= 1;
    let backslashes = 0;
    while (text[start - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return text.slice(start, end + 1);
    start -= 1;
  }
}

// By hand: strings may be megabytes long, and a regular expression keeps a way back for each character.
function endOfString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (text[quote - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return quote + 1;
  }
  throw new SyntaxError('a string without an end');
}

function decodeString(raw: string): string {
  return raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1);
}
