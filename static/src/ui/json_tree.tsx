// SPDX-License-Identifier: MIT
// JSON as a tree that folds, with every value as it was sent. Values can be turned into filters.

import { useMemo, useState } from 'preact/hooks';

import { bytes, count } from '../model/format.js';
import { parseJsonText, scalarText, type JsonNode } from '../model/json_text.js';
import { fieldTerm } from '../model/query.js';
import { visible } from '../model/visible.js';
import type { Viewer } from './viewer.js';

const openAtFirst = 2;
const longString = 500;
const manyChildren = 100;

interface TreeProps {
  viewer: Viewer;
  text: string;
  /** Path of the text's root in the record, for filters: "request_body". */
  path?: string;
  label: string;
}

export function JsonTree({ viewer, text, path = '', label }: TreeProps) {
  const root = useMemo(() => {
    try {
      return parseJsonText(text);
    } catch {
      return null;
    }
  }, [text]);
  const [all, setAll] = useState(false);
  if (!root) return <pre class="raw">{visible(text, true)}</pre>;
  const shown = all ? root.children : root.children.slice(0, manyChildren);
  return (
    <div class="tree" aria-label={label} role="group">
      {shown.length > 0
        ? shown.map((node, index) => <Node key={index} viewer={viewer} text={text} node={node} path={join(path, node.key)} depth={0} />)
        : <Node viewer={viewer} text={text} node={root} path={path} depth={0} />}
      {shown.length < root.children.length && (
        <button type="button" class="quiet" onClick={() => setAll(true)}>{count(root.children.length - shown.length)} more</button>
      )}
    </div>
  );
}

const join = (path: string, key: string): string => (path ? `${path}.${key}` : key);

interface NodeProps {
  viewer: Viewer;
  text: string;
  node: JsonNode;
  path: string;
  depth: number;
}

function Node({ viewer, text, node, path, depth }: NodeProps) {
  const inner = node.kind === 'object' || node.kind === 'array';
  const [open, setOpen] = useState(depth < openAtFirst && node.children.length <= 30);
  const [all, setAll] = useState(false);
  const shown = all ? node.children : node.children.slice(0, manyChildren);
  if (!inner) return <Leaf viewer={viewer} text={text} node={node} path={path} />;
  const size = `${count(node.children.length)} ${node.kind === 'object' ? 'field' : 'item'}${node.children.length === 1 ? '' : 's'}`;
  return (
    <div class="node">
      <button type="button" class="fold" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span class="key">{visible(node.key) || 'record'}</span>
        <span class="size">{node.kind === 'object' ? '{' : '['}{size}{node.kind === 'object' ? '}' : ']'} {bytes(node.end - node.start)}</span>
      </button>
      {open && (
        <div class="children">
          {shown.map((child, index) => <Node key={index} viewer={viewer} text={text} node={child} path={join(path, child.key)} depth={depth + 1} />)}
          {shown.length < node.children.length && (
            <button type="button" class="quiet" onClick={() => setAll(true)}>{count(node.children.length - shown.length)} more</button>
          )}
        </div>
      )}
    </div>
  );
}

function Leaf({ viewer, text, node, path }: Omit<NodeProps, 'depth'>) {
  const value = useMemo(() => scalarText(text, node), [text, node]);
  const term = filterTerm(path, value, node);
  return (
    <div class="leaf">
      <span class="key">{visible(node.key)}</span>
      <LongText text={value} className={`value ${node.kind}`} />
      {term && (
        <span class="leaf-actions">
          <button type="button" title={`Only ${term}`} aria-label={`Only ${term}`} onClick={() => viewer.include(term)}>+</button>
          <button type="button" title={`Without ${term}`} aria-label={`Without ${term}`} onClick={() => viewer.include(`-${term}`)}>−</button>
        </span>
      )}
    </div>
  );
}

function filterTerm(path: string, value: string, node: JsonNode): string {
  if (value.length > 200 || !/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(path) || /\.\d+(\.|$)/.test(path) || value === 'null' || /[\n\r]/.test(value)) return '';
  if (path === 'level') return `level:${value.toLowerCase()}`;
  if (path === 'status_code') return `status:${value}`;
  return node.kind === 'number' ? `${path}:${value}` : fieldTerm(path, value);
}

/** Text that is cut at first if it is long, with its whole length told. */
export function LongText({ text, className, limit = longString }: { text: string; className: string; limit?: number }) {
  const [whole, setWhole] = useState(false);
  const cut = !whole && text.length > limit * 1.3;
  return (
    <span class={className}>
      {visible(cut ? text.slice(0, limit) : text, true)}
      {cut && '… '}
      {cut && <button type="button" class="quiet more" onClick={() => setWhole(true)}>show all {count(text.length)} characters</button>}
    </span>
  );
}
