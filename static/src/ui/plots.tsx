// SPDX-License-Identifier: MIT
// What the daemon adds up, as plots: over time from its buckets, one point a request from the newest requests. A click leads to
// the records behind a point.

import type uPlot from 'uplot';
import { useEffect, useRef, useState } from 'preact/hooks';

import type { Bucket, RequestRow, Stats } from '../model/api.js';
import { count, duration, epochOf, isoLocal, short } from '../model/format.js';
import { fieldTerm } from '../model/query.js';
import { parametersOf } from '../model/view_state.js';
import { visible } from '../model/visible.js';
import { axis, Chart, cssColor, type ChartOptions } from './chart.js';
import { barsOver, barsSeries, lines, points, seriesColor, timeOf } from './plot_series.js';
import { WindowChoice } from './facets.js';
import { ModelTable } from './model_table.js';
import { useStore } from './store.js';
import type { Viewer } from './viewer.js';

const requestsPlotted = 2000;
const shownModels = 6;

export function Plots({ viewer }: { viewer: Viewer }) {
  const { stats, statsError } = useStore(viewer.page);
  const { view, hours } = useStore(viewer.address);
  const rows = useRequests(viewer, stats);
  if (view !== 'plots') return null;
  const timeline = stats?.timeline ?? [];
  const models = Object.keys(stats?.llm_stats ?? {}).slice(0, shownModels);
  const brushed = (from: number, to: number): void => {
    void viewer.setFilter({ since: isoLocal(Math.floor(from) * 1000), until: isoLocal(Math.ceil(to) * 1000) });
  };
  const toRecords = (bucket: Bucket | undefined, change: { q?: string } = {}): void => {
    if (!bucket) return;
    const from = Date.parse(bucket.start);
    const width = timeline.length > 1 ? Date.parse(timeline[1]!.start) - Date.parse(timeline[0]!.start) : 60_000;
    viewer.setView('records');
    void viewer.setFilter({ since: isoLocal(Math.floor(from / 1000) * 1000), until: isoLocal(Math.ceil((from + width) / 1000) * 1000), ...change });
  };
  const shape = `${hours} ${models.join(' ')}`;
  const x = timeOf(timeline);
  const hasModels = models.length > 0;
  const narrowedTo = (text: string): void => {
    viewer.setView('records');
    viewer.include(text);
  };
  return (
    <section class="plots" aria-label="Plots">
      <div class="plots-head">
        <WindowChoice viewer={viewer} />
        {stats && (
          <p class="note">
            <b>{count(stats.total_logs)}</b> records, <b>{count(stats.api_stats.total_requests)}</b> requests, <b class="bad">{count(stats.error_summary.total_errors)}</b> errors,
            {' '}<b>{count(stats.in_flight_count)}</b> in flight{stats.orphaned_count > 0 && <>, <b>{count(stats.orphaned_count)}</b> never answered</>}.
            {' '}Drag over a plot to zoom, click a point to see its records.
          </p>
        )}
        {stats && <ResponseTimes of={stats.api_stats.response_time_percentiles} />}
        {(viewer.filter.since || viewer.filter.until) && (
          <button type="button" class="quiet" onClick={() => void viewer.setFilter({ since: '', until: '' })}>whole window</button>
        )}
      </div>
      {statsError && <p class="note bad">{statsError}</p>}
      {stats && (
        <div class="plot-grid">
          <Plot title="Requests and errors" shape={shape} data={[x, timeline.map((b) => b.requests), timeline.map((b) => b.errors)]}
            options={() => barsOver(timeline, 'requests and errors over time', [['requests', 'accent'], ['errors', 'error']], brushed, (i) => toRecords(timeline[i]))} />
          <Plot title="Response time" shape={shape} data={[x, timeline.map((b) => b.p50), timeline.map((b) => b.p95)]} empty={timeline.every((b) => b.p50 === null)}
            options={() => lines('response time, median and 95th percentile', [['p50', cssColor('accent')], ['p95', cssColor('warning')]], duration, brushed, (i) => toRecords(timeline[i], { q: 'type:response' }))} />
          {hasModels && (
            <Plot title="Decode speed, tokens/s" shape={shape} data={[x, ...models.map((m) => timeline.map((b) => b.models[m]?.decode_tokens_per_second ?? null))]}
              options={() => lines('tokens a second by model', models.map((m, i) => [visible(m), seriesColor(i)]), short, brushed, (i) => toRecords(timeline[i]))} />
          )}
          {hasModels && (
            <Plot title="Prefill speed, tokens/s" shape={shape} data={[x, ...models.map((m) => timeline.map((b) => b.models[m]?.prefill_tokens_per_second ?? null))]}
              empty={models.every((m) => timeline.every((b) => b.models[m]?.prefill_tokens_per_second == null))}
              options={() => lines('prompt tokens a second by model', models.map((m, i) => [visible(m), seriesColor(i)]), short, brushed, (i) => toRecords(timeline[i]))} />
          )}
          {hasModels && (
            <Plot title="Tokens in and out" shape={shape} data={[x, sumTokens(timeline, 'input_tokens'), sumTokens(timeline, 'output_tokens')]}
              options={() => barsOver(timeline, 'tokens in and out over time', [['in', 'blue'], ['out', 'purple']], brushed, (i) => toRecords(timeline[i]))} />
          )}
          {hasModels && (
            <Plot title="Output tokens by model" shape={shape} data={[x, ...models.map((m) => timeline.map((b) => b.models[m]?.output_tokens ?? null))]}
              empty={models.every((m) => timeline.every((b) => b.models[m]?.output_tokens == null))}
              options={() => lines('output tokens over time by model', models.map((m, i) => [visible(m), seriesColor(i)]), short, brushed, (i) => toRecords(timeline[i]))} />
          )}
          <RequestPlots viewer={viewer} rows={rows} brushed={brushed} />
          <Plot title="Status codes" {...categories(stats.api_stats.status_codes, 'answers by status code', (code) => statusColor(code), (code) => narrowedTo(`status:${code}`))} />
          <Plot title="Endpoints" {...categories(stats.api_stats.endpoints, 'requests by endpoint', () => cssColor('accent'), (name) => narrowedTo(fieldTerm('endpoint', name)))} />
        </div>
      )}
      {stats && <ModelTable viewer={viewer} stats={stats} />}
    </section>
  );
}

function ResponseTimes({ of }: { of: Stats['api_stats']['response_time_percentiles'] }) {
  if (!of || of.p50 === null) return null;
  return (
    <p class="note" id="response-times">
      Answered within {(['p50', 'p90', 'p95', 'p99'] as const).map((name) => <span key={name}><b>{duration(of[name] ?? 0)}</b> ({name}), </span>)}
      <b>{duration(of.max ?? 0)}</b> at most.
    </p>
  );
}

function useRequests(viewer: Viewer, stats: Stats | null): RequestRow[] {
  const [rows, setRows] = useState<RequestRow[]>([]);
  const { view, hours, since } = useStore(viewer.address);
  useEffect(() => {
    if (view !== 'plots') return undefined;
    const abort = new AbortController();
    const parameters = parametersOf(viewer.filter);
    if (!since) parameters.set('since', `${Math.max(1, Math.round(hours * 60))}m`);
    parameters.set('lines', String(requestsPlotted));
    parameters.set('scan_ms', '2000');
    viewer.api.requests(parameters, abort.signal).then((found) => setRows(found.reverse()), () => undefined);
    return () => abort.abort();
  }, [view, stats]);
  return rows;
}

function RequestPlots({ viewer, rows, brushed }: { viewer: Viewer; rows: RequestRow[]; brushed: (from: number, to: number) => void }) {
  const open = (row: RequestRow | undefined): void => {
    if (row) void viewer.inContext(row.id, viewer.filter);
  };
  const withFirst = rows.filter((row) => row.time_to_first_token_ms !== null && row.input_tokens !== null);
  const withTime = rows.filter((row) => typeof row.duration_ms === 'number' && Number.isFinite(epochOf(String(row.timestamp))));
  const byInput = [...withFirst].sort((a, b) => (a.input_tokens as number) - (b.input_tokens as number));
  const failed = (row: RequestRow): boolean => row.state === 'failed';
  return (
    <>
      {withTime.length > 0 && (
        <Plot title="Each request: how long it took" shape="each" data={[
          withTime.map((row) => epochOf(String(row.timestamp)) / 1000),
          withTime.map((row) => (failed(row) ? null : (row.duration_ms as number))),
          withTime.map((row) => (failed(row) ? (row.duration_ms as number) : null)),
        ]} options={() => points('duration of each request over time', true, [['answered', cssColor('accent')], ['failed', cssColor('error')]], duration, (i) => open(withTime[i]), brushed)} />
      )}
      {byInput.length > 0 && (
        <Plot title="First token by prompt size" shape="ttft" data={[byInput.map((row) => row.input_tokens as number), byInput.map((row) => row.time_to_first_token_ms as number)]}
          options={() => points('time to first token by input tokens', false, [['time to first token', cssColor('purple')]], duration, (i) => open(byInput[i]))} />
      )}
    </>
  );
}

interface PlotProps {
  title: string;
  data: uPlot.AlignedData;
  options: () => ChartOptions;
  shape?: string;
  empty?: boolean;
}

function Plot({ title, data, options, shape = '', empty = false }: PlotProps) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<Chart | null>(null);
  useEffect(() => {
    if (!box.current) return undefined;
    chart.current = new Chart(box.current, options);
    return () => chart.current?.close();
  }, []);
  useEffect(() => chart.current?.show(data, options, shape));
  return (
    <figure class={`plot${empty ? ' empty' : ''}`}>
      <figcaption>{title}</figcaption>
      <div class="plot-box" ref={box} />
      {empty && <p class="note">No record of this window tells.</p>}
    </figure>
  );
}

function sumTokens(timeline: Bucket[], key: 'input_tokens' | 'output_tokens'): number[] {
  return timeline.map((bucket) => Object.values(bucket.models).reduce((sum, model) => sum + (model[key] ?? 0), 0));
}

function statusColor(code: string): string {
  return cssColor(code.startsWith('5') ? 'error' : code.startsWith('4') ? 'warning' : 'accent');
}

const shownCategories = 12;

/** Bars by name. */
function categories(counts: Record<string, number>, label: string, color: (name: string) => string, chosen: (name: string) => void): Omit<PlotProps, 'title'> {
  const entries = Object.entries(counts).slice(0, shownCategories);
  const names = entries.map(([name]) => name);
  return {
    data: [names.map((_, i) => i), entries.map(([, n]) => n)],
    shape: names.join(' '),
    empty: names.length === 0,
    options: () => ({
      label: `${label}: ${entries.slice(0, 5).map(([name, n]) => `${visible(name)} ${n}`).join(', ')}`,
      height: 170,
      legend: false,
      series: [{}, barsSeries(names.map(color))],
      scales: { x: { time: false, range: [-0.6, Math.max(0.6, names.length - 0.4)] }, y: { range: (_u, _min, max) => [0, Math.max(1, max * 1.05)] } },
      axes: [
        axis({ size: 34, grid: { show: false }, splits: () => names.map((_, i) => i), space: 10, rotate: names.length > 6 ? -20 : 0,
          values: () => names.map((name) => { const text = visible(name); return text.length > 14 ? `${text.slice(0, 13)}…` : text; }) }),
        axis({ size: 40, values: (_u, values) => values.map(short) }),
      ],
      clicked: (index) => {
        const name = names[index];
        if (name !== undefined && name !== '(other)') chosen(name);
      },
    }),
  };
}
