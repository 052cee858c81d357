// SPDX-License-Identifier: MIT
// Where the time of a request went, as far as its records tell.

import { duration, epochOf, short } from '../model/format.js';
import { visible } from '../model/visible.js';
import { member, type Details } from './details.js';

export function Timing({ of }: { of: Details }) {
  const pair = of.pair;
  const total = typeof pair?.duration_ms === 'number' ? pair.duration_ms : null;
  const phases: [string, string, number][] = [];
  for (const [name, label, ms] of [
    ['queue', 'queued', pair?.queue_ms], ['load', 'loading the model', pair?.load_ms], ['prefill', 'reading the prompt', pair?.prefill_ms],
    ['decode', 'writing the answer', pair?.decode_ms],
  ] as const) {
    if (typeof ms === 'number' && ms > 0) phases.push([name, label, ms]);
  }
  const known = phases.reduce((sum, [, , ms]) => sum + ms, 0);
  const rest = total !== null && phases.length > 0 ? total - known : 0;
  if (rest > Math.max(1, known * 0.005)) phases.push(['rest', 'elsewhere (app, network)', rest]);
  const all = phases.reduce((sum, [, , ms]) => sum + ms, 0);
  const began = member(of.request, 'timestamp');
  const ended = member(of.response, 'timestamp');
  const between = typeof began === 'string' && typeof ended === 'string' ? epochOf(ended) - epochOf(began) : NaN;
  return (
    <>
      {phases.length > 0 ? (
        <>
          <svg class="phases" viewBox="0 0 1000 28" preserveAspectRatio="none" role="img" aria-label={phases.map(([, label, ms]) => `${label} ${duration(ms)}`).join(', ')}>
            {bars(phases, all).map(({ name, x, width }) => <rect key={name} class={`phase ${name}`} x={x} y={0} width={width} height={28} />)}
          </svg>
          <table class="numbers">
            <tbody>
              {phases.map(([name, label, ms]) => (
                <tr key={name}><th scope="row"><i class={`swatch ${name}`} />{label}</th><td>{duration(ms)}</td><td class="dim">{((ms / all) * 100).toFixed(ms / all < 0.1 ? 1 : 0)} %</td></tr>
              ))}
            </tbody>
          </table>
        </>
      ) : <p class="note">The records do not tell how the time was spent.</p>}
      <h3 class="section">times</h3>
      <table class="numbers">
        <tbody>
          {typeof began === 'string' && <tr><th scope="row">request logged</th><td colSpan={2}>{visible(began)}</td></tr>}
          {typeof ended === 'string' && <tr><th scope="row">response logged</th><td colSpan={2}>{visible(ended)}</td></tr>}
          {Number.isFinite(between) && <tr><th scope="row">between the two</th><td colSpan={2}>{duration(Math.max(0, between))}</td></tr>}
          {total !== null && <tr><th scope="row">duration_ms</th><td colSpan={2}>{duration(total)}</td></tr>}
          {pair?.time_to_first_token_ms != null && <tr><th scope="row">first token after</th><td colSpan={2}>{duration(pair.time_to_first_token_ms)}</td></tr>}
          {pair?.prefill_tokens_per_second != null && <tr><th scope="row">prefill</th><td colSpan={2}>{short(pair.prefill_tokens_per_second)} tokens/s</td></tr>}
          {pair?.decode_tokens_per_second != null && <tr><th scope="row">decode</th><td colSpan={2}>{short(pair.decode_tokens_per_second)} tokens/s</td></tr>}
          {of.response === null && pair?.age_ms != null && <tr><th scope="row">waiting since</th><td colSpan={2}>{duration(pair.age_ms)}</td></tr>}
        </tbody>
      </table>
    </>
  );
}

function bars(phases: [string, string, number][], all: number): { name: string; x: number; width: number }[] {
  let x = 0;
  return phases.map(([name, , ms]) => {
    const width = (ms / all) * 1000;
    const bar = { name, x, width };
    x += width;
    return bar;
  });
}
