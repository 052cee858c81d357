// SPDX-License-Identifier: MIT
// The pill's words. They are true, or they are not said.

import { age, count } from '../model/format.js';
import type { LogView } from '../model/log_view.js';

export interface Status {
  /** live, troubled, lost, paused, connecting, reconnecting, stopped, hidden, signed_out, disconnected. */
  state: string;
  text: string;
  /** What changes every second, apart because it is not to be read out. */
  age: string;
  title: string;
}

/** A gap is told in the pill for this long; in the list it stays. */
const gapToldMs = 30_000;

export function statusOf(log: LogView, census: { others: number; ask(): void }, now: number): Status {
  const { stream } = log;
  const resume = stream.lastId ? ` from #${stream.lastId}` : '';
  const silent = now - stream.lastActivity;
  const status: Status = { state: stream.state, text: '', age: '', title: '' };
  switch (stream.state) {
    case 'live': {
      const doing = !log.following ? 'paused' : stream.behind || log.waiting > 2000 ? 'live, catching up' : 'live';
      const last = silent < 1000 ? 'now' : `last event ${age(silent)} ago`;
      status.text = doing;
      status.age = `· ${!log.following && log.unseen > 0 ? `${count(log.unseen)} new, ` : ''}${last}`;
      if (!log.following) status.state = 'paused';
      if (stream.trouble) {
        status.state = 'troubled';
        status.text = `${doing}, but storing fails: ${stream.trouble}`;
        status.title = stream.trouble;
      } else if (log.lost > 0 && now - log.lostAt < gapToldMs) {
        status.state = 'lost';
        status.text = `${doing}; ${count(log.lost)} record${log.lost === 1 ? '' : 's'} lost ${age(now - log.lostAt)} ago`;
        status.title = 'Retention removed them before this page could get them; the list says which.';
      }
      break;
    }
    case 'connecting':
    case 'reconnecting':
      status.text = stream.state === 'connecting' ? 'connecting' : `reconnecting, resuming${resume}`;
      if (stream.failures > 0) {
        status.age = `· ${stream.failures === 1 ? 'one attempt' : `${stream.failures} attempts`} failed${log.refusal && `: ${log.refusal}`}`;
      } else if (silent >= 4000) {
        census.ask();
        status.age = `· no answer for ${age(silent)}${census.others >= 5
          ? `: ${census.others} other tabs of this page hold a connection each, and a browser opens six to one host. Close or hide some.` : ''}`;
      }
      break;
    case 'stopped':
      status.text = `daemon stopped; waiting for it, resuming${resume}`;
      break;
    case 'hidden':
      status.text = `paused while hidden, resuming${resume}`;
      break;
    case 'signed_out':
      status.text = 'signed out';
      status.title = 'The daemon asks for its token. What is shown came before; nothing new appears.';
      break;
    default:
      status.text = 'disconnected by you';
  }
  return status;
}
