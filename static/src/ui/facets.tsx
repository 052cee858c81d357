// SPDX-License-Identifier: MIT
// Values with counts beside the list: click one to see only it, − to do without.

import { count, short } from '../model/format.js';
import { fieldTerm, hasTerm, hasValue, withoutValue, withValue } from '../model/query.js';
import { visible } from '../model/visible.js';
import { Icon } from './icons.js';
import { useStore } from './store.js';
import type { Viewer } from './viewer.js';

const titles: [string, string][] = [
  ['level', 'Level'], ['type', 'Type'], ['status', 'Status'], ['endpoint', 'Endpoint'], ['method', 'Method'], ['model', 'Model'],
];
const shownValues = 8;

export const windows: [number, string][] = [
  [0.25, 'last 15 min'], [1, 'last hour'], [6, 'last 6 h'], [24, 'last 24 h'], [168, 'last 7 days'], [720, 'last 30 days'], [87600, 'everything'],
];

export function WindowChoice({ viewer }: { viewer: Viewer }) {
  const { hours } = useStore(viewer.address);
  const known = windows.some(([value]) => value === hours);
  return (
    <select class="window" aria-label="Window of histogram, facets and plots" value={String(hours)}
      onChange={(event) => viewer.setHours(Number(event.currentTarget.value))}>
      {!known && <option value={String(hours)}>last {hours} h</option>}
      {windows.map(([value, text]) => <option key={value} value={String(value)}>{text}</option>)}
    </select>
  );
}

export function Facets({ viewer }: { viewer: Viewer }) {
  const { stats, statsError, sheet } = useStore(viewer.page);
  const { facets } = useStore(viewer.settings);
  const { q } = useStore(viewer.address);
  if (!facets && !sheet) return null;
  return (
    <aside class={`facets${sheet ? ' sheet' : ''}`} aria-label="Facets">
      <div class="facets-head">
        <h2>Facets</h2>
        <WindowChoice viewer={viewer} />
        {sheet && <button type="button" class="icon" aria-label="Close facets" onClick={() => viewer.page.set({ sheet: false })}><Icon name="close" /></button>}
      </div>
      {statsError && <p class="note">{statsError}</p>}
      {!stats && !statsError && <p class="note">counting…</p>}
      {stats && titles.map(([field, title]) => {
        const values = Object.entries(stats.facets?.[field] ?? {});
        return <Facet key={field} viewer={viewer} field={field} title={title} values={values} q={q} />;
      })}
      {stats && <Facet viewer={viewer} field="" title="Error type" values={Object.entries(stats.error_summary.error_types)} q={q} />}
    </aside>
  );
}

/** The filter term for a value of a facet. Error types come from several fields: their text is searched for. */
export function facetTerm(field: string, value: string): string {
  if (field === 'level') return `level:${value.toLowerCase()}`;
  if (field === 'status') return `status:${value}`;
  if (field !== '') return fieldTerm(field, value);
  const status = /^HTTP (\d{3})$/.exec(value);
  return status ? `status:${status[1]}` : value === 'unknown' ? 'type:errors' : `"${value.replace(/["\\]/g, '\\$&')}"`;
}

interface FacetProps {
  viewer: Viewer;
  field: string;
  title: string;
  values: [string, number][];
  q: string;
}

function Facet({ viewer, field, title, values, q }: FacetProps) {
  if (values.length === 0) return null;
  const most = Math.max(...values.map(([, n]) => n));
  return (
    <section class="facet">
      <h3>{title}{values.length > shownValues && <span class="note"> {count(values.length)} values</span>}</h3>
      <ul>
        {values.slice(0, shownValues).map(([value, n]) => {
          const term = facetTerm(field, value);
          const on = hasValue(q, term);
          const off = hasTerm(q, `-${term}`);
          const real = value !== '(other)';
          return (
            <li key={value} class={`${on ? 'on' : ''}${off ? 'off' : ''}`} data-field={field} data-value={value}>
              <span class="share" style={{ width: `calc((100% - 26px) * ${(n / most).toFixed(3)})` }} aria-hidden="true" />
              <button type="button" class={`value ${field === 'level' ? `level-${levelClass(value)}` : ''}`} disabled={!real} aria-pressed={on}
                title={`Only ${term}`} onClick={() => void viewer.setFilter({ q: on ? withoutValue(q, term) : withValue(q, term) })}>
                <span class="name">{visible(value)}</span><span class="n" title={count(n)}>{short(n)}</span>
              </button>
              {real && (
                <button type="button" class="without" aria-pressed={off} aria-label={`Without ${visible(value)}`} title={`Without ${term}`}
                  onClick={() => (off ? viewer.exclude(`-${term}`) : viewer.include(`-${term}`))}>−</button>
              )}
            </li>
          );
        })}
      </ul>
    </section>
  );
}

const levelClass = (value: string): string => (/^[A-Z]+$/i.test(value) ? value.toLowerCase() : 'info');
