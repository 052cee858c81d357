// SPDX-License-Identifier: MIT
// The filter as chips: click one to turn it around, its cross to take it away.

import { termsOf } from '../model/query.js';
import { visible } from '../model/visible.js';
import { Icon } from './icons.js';
import { useStore } from './store.js';
import type { Viewer } from './viewer.js';

export function Chips({ viewer }: { viewer: Viewer }) {
  const { q, level, type, since, until } = useStore(viewer.address);
  const terms = termsOf(q);
  if (terms.length === 0 && !level && !type && !since && !until) return null;
  return (
    <div class="chips" role="group" aria-label="Filter in force">
      {level && <Chip text={`level ≥ ${level}`} remove={() => void viewer.setFilter({ level: '' })} />}
      {type && <Chip text={visible(`type ${type}`)} remove={() => void viewer.setFilter({ type: '' })} />}
      {(since || until) && (
        <Chip text={visible(`${since ? `from ${since.replace('T', ' ')}` : ''}${until ? ` until ${until.replace('T', ' ')}` : ''}`.trim())}
          remove={() => void viewer.setFilter({ since: '', until: '' })} />
      )}
      {terms.map((term, index) => (
        <Chip key={index} text={visible(term.text)} negated={term.negated} invert={() => viewer.invert(term.text)} remove={() => viewer.exclude(term.text)} />
      ))}
      <button type="button" class="quiet" id="clear-filter"
        onClick={() => void viewer.setFilter({ q: '', level: '', type: '', since: '', until: '' })}>clear filter</button>
    </div>
  );
}

function Chip({ text, negated, invert, remove }: { text: string; negated?: boolean; invert?: () => void; remove: () => void }) {
  return (
    <span class={`chip${negated ? ' negated' : ''}`}>
      {invert ? <button type="button" title={negated ? 'Include instead' : 'Exclude instead'} onClick={invert}>{text}</button> : <span>{text}</span>}
      <button type="button" class="cross" aria-label={`Remove ${text}`} onClick={remove}><Icon name="close" /></button>
    </span>
  );
}
