// SPDX-License-Identifier: MIT
// Habits and downloads.

import { useEffect, useState } from 'preact/hooks';

import type { TimeMode } from '../model/format.js';
import { download } from './download.js';
import { Icon } from './icons.js';
import { columns, type Density, type Settings, type Theme } from './settings.js';
import { useStore } from './store.js';
import type { Viewer } from './viewer.js';

export function Menu({ viewer }: { viewer: Viewer }) {
  const { menu, session } = useStore(viewer.page);
  const settings = useStore(viewer.settings);
  const [field, setField] = useState('');
  useEffect(() => {
    if (menu) void viewer.learnSession();
  }, [menu]);
  if (!menu) return null;
  const set = (change: Partial<Settings>): void => viewer.settings.set(change);
  const toggleColumn = (id: string): void => {
    const has = settings.columns.includes(id);
    set({ columns: columns.map((column) => column.id).filter((one) => (one === id ? !has : settings.columns.includes(one))) });
  };
  const addField = (): void => {
    const name = field.trim();
    if (/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(name) && !settings.fields.includes(name)) set({ fields: [...settings.fields, name] });
    setField('');
  };
  return (
    <div class="menu" id="menu" role="dialog" aria-label="View and download">
      <Choice<Theme> title="Theme" value={settings.theme} of={[['system', 'System'], ['dark', 'Dark'], ['light', 'Light']]} set={(theme) => set({ theme })} />
      <Choice<Density> title="Rows" value={settings.density} of={[['compact', 'Compact'], ['comfortable', 'Comfortable']]} set={(density) => set({ density })} />
      <Choice<TimeMode> title="Time" value={settings.time} of={[['sent', 'As sent'], ['local', 'Local'], ['utc', 'UTC'], ['relative', 'Relative']]} set={(time) => set({ time })} />
      <fieldset>
        <legend>List</legend>
        <Check text="Fold a response into its request" on={settings.fold} toggle={() => set({ fold: !settings.fold })} />
        <Check text="Wrap long messages" on={settings.wrap} toggle={() => set({ wrap: !settings.wrap })} />
        <Check text="Histogram" on={settings.histogram} toggle={() => set({ histogram: !settings.histogram })} />
        <Check text="Facets" on={settings.facets} toggle={() => set({ facets: !settings.facets })} />
      </fieldset>
      <fieldset>
        <legend>Columns</legend>
        <div class="column-checks">
          {columns.map(({ id, title }) => <Check key={id} text={title} on={settings.columns.includes(id)} toggle={() => toggleColumn(id)} />)}
          {settings.fields.map((name) => (
            <Check key={name} text={name} on toggle={() => set({ fields: settings.fields.filter((one) => one !== name) })} />
          ))}
        </div>
        <div class="add-field">
          <input id="add-field" value={field} placeholder="a field, such as user.id" aria-label="Field for a column" spellcheck={false}
            onInput={(event) => setField(event.currentTarget.value)}
            onKeyDown={(event) => { if (event.key === 'Enter') addField(); }} />
          <button type="button" onClick={addField}>Add column</button>
        </div>
      </fieldset>
      <fieldset>
        <legend>Download what is filtered</legend>
        <p class="note">As stored, from the whole log; of more than 100,000 records the newest.</p>
        <button type="button" id="download-ndjson" onClick={() => download(viewer.api.base, viewer.filter, 'ndjson')}><Icon name="download" />NDJSON</button>
        <button type="button" id="download-json" onClick={() => download(viewer.api.base, viewer.filter, 'json')}><Icon name="download" />JSON</button>
        <button type="button" id="copy-address" onClick={() => void viewer.copy(location.href, 'link to this view')}><Icon name="link" />Link to this view</button>
      </fieldset>
      {session?.signed_in && (
        <fieldset>
          <legend>Session</legend>
          <button type="button" id="sign-out" onClick={() => void viewer.signOut()}>Sign out</button>
        </fieldset>
      )}
    </div>
  );
}

function Check({ text, on, toggle }: { text: string; on: boolean; toggle: () => void }) {
  return <label class="check"><input type="checkbox" checked={on} onChange={toggle} />{text}</label>;
}

interface ChoiceProps<T extends string> {
  title: string;
  value: T;
  of: [T, string][];
  set: (value: T) => void;
}

function Choice<T extends string>({ title, value, of, set }: ChoiceProps<T>) {
  return (
    <fieldset class="choice">
      <legend>{title}</legend>
      {of.map(([one, text]) => (
        <label key={one}><input type="radio" name={title} value={one} checked={value === one} onChange={() => set(one)} /><span>{text}</span></label>
      ))}
    </fieldset>
  );
}
