// SPDX-License-Identifier: MIT
// Turns of a conversation as text. Never as markup: what a model writes is data.

import type { Part, Turn } from '../model/conversation.js';
import { LongText } from './json_tree.js';
import { visible } from '../model/visible.js';

const names = { system: 'System', user: 'User', assistant: 'Assistant', tool: 'Tool', other: '' } as const;
/** Longer turns are cut until asked for. */
const turnLimit = 1600;

export function Conversation({ turns }: { turns: Turn[] }) {
  return (
    <div class="conversation">
      {turns.map((turn, index) => (
        <article key={index} class={`turn ${turn.role}`}>
          <h3>{names[turn.role] || visible(turn.label)}</h3>
          {turn.parts.map((part, n) => <PartView key={n} part={part} />)}
        </article>
      ))}
    </div>
  );
}

function PartView({ part }: { part: Part }) {
  switch (part.kind) {
    case 'text':
      return <p class="said"><LongText text={part.text} className="text" limit={turnLimit} /></p>;
    case 'thinking':
      return <Folded title="Thinking" part={part} />;
    case 'tool_call':
      return <Folded title={`Calls ${visible(part.name ?? '')}`} part={part} open />;
    case 'tool_result':
      return <Folded title="Result" part={part} open={part.text.length < 400} />;
    default:
      return <p class="media">{visible(part.name ?? '')} · {visible(part.text)}</p>;
  }
}

function Folded({ title, part, open = false }: { title: string; part: Part; open?: boolean }) {
  return (
    <details open={open}>
      <summary>{title}</summary>
      <p class="said mono"><LongText text={part.text} className="text" limit={turnLimit} /></p>
    </details>
  );
}
