// SPDX-License-Identifier: MIT
// Keys and the filter's grammar.

import { useEffect, useRef } from 'preact/hooks';

import { Icon } from './icons.js';
import { useStore } from './store.js';
import type { Viewer } from './viewer.js';

const keys: [string, string][] = [
  ['/', 'filter box'], ['j  k  ↓  ↑', 'next, previous record'], ['Enter', 'open its details'], ['Esc', 'close'], ['e  E', 'next, previous error'],
  ['f', 'follow the newest'], ['Space', 'pause and go on'], ['g  G', 'oldest shown, newest'], ['p', 'pin'], ['c', 'in context: neighbours without the filter'],
  ['y', 'copy a link to the record'], ['w', 'wrap'], ['v', 'records or plots'], ['?', 'this help'],
];
const terms: [string, string][] = [
  ['word  "a phrase"', 'text anywhere in the record'], ['/regex/', 'RE2; (?i) ignores case'], ['status:5xx  status:404', 'by status code'],
  ['level>=warning  level:error', 'by severity'], ['endpoint:/api/*  model:llama*', 'by field, * at an end'], ['method:(GET|POST)', 'one of several'],
  ['duration_ms>1000', 'numbers: > >= < <='], ['error_type:*', 'the field is there'], ['response_body.usage.total_tokens>500', 'fields inside fields'],
  ['type:errors  type:api', 'groups'], ['-health', 'a leading − excludes'],
];

export function Help({ viewer }: { viewer: Viewer }) {
  const { help } = useStore(viewer.page);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (help) dialog.current?.showModal();
    else dialog.current?.close();
  }, [help]);
  return (
    <dialog ref={dialog} id="help" aria-label="Keys and filters" onClose={() => viewer.page.set({ help: false })}>
      <div class="help-head"><h2>Keys and filters</h2>
        <button type="button" class="icon" aria-label="Close help" onClick={() => viewer.page.set({ help: false })}><Icon name="close" /></button></div>
      <div class="help-body">
        <table><tbody>{keys.map(([key, text]) => <tr key={key}><th scope="row">{key.split('  ').map((one) => <kbd key={one}>{one}</kbd>)}</th><td>{text}</td></tr>)}</tbody></table>
        <table><tbody>{terms.map(([term, text]) => <tr key={term}><th scope="row"><code>{term}</code></th><td>{text}</td></tr>)}</tbody></table>
      </div>
      <p class="note">Terms are separated by blanks; all must hold. Alt-click on a cell of the list shows only its value, Alt-Shift-click leaves it out. <a href="logs/assets/licenses.txt">Licences</a> of what this page holds.</p>
    </dialog>
  );
}
