// SPDX-License-Identifier: MIT
// The log over time above the list, by severity: drag to look at a part of it.

import type uPlot from 'uplot';
import { useEffect, useRef } from 'preact/hooks';

import type { Stats } from '../model/api.js';
import { count, isoLocal, short } from '../model/format.js';
import { axis, barPaths, Chart, cssColor, timeAxis } from './chart.js';
import { WindowChoice } from './facets.js';
import { useStore } from './store.js';
import type { Viewer } from './viewer.js';

export function Histogram({ viewer }: { viewer: Viewer }) {
  const { stats } = useStore(viewer.page);
  const { histogram, facets } = useStore(viewer.settings);
  const { since, until } = useStore(viewer.address);
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<Chart | null>(null);
  useEffect(() => {
    if (!histogram || !box.current) return undefined;
    chart.current = new Chart(box.current, () => options(viewer, stats));
    return () => {
      chart.current?.close();
      chart.current = null;
    };
  }, [histogram]);
  useEffect(() => {
    if (stats) chart.current?.show(dataOf(stats), () => options(viewer, stats), 'histogram');
  }, [stats, histogram]);
  if (!histogram) return null;
  return (
    <section class="histogram" aria-label="Records over time">
      <div class="histogram-chart" ref={box} />
      <div class="histogram-side">
        {!facets && <WindowChoice viewer={viewer} />}
        {stats && <span class="note"><b>{count(stats.total_logs)}</b> records, <b class="bad">{count(stats.error_summary.total_errors)}</b> errors</span>}
        {since || until
          ? <button type="button" class="quiet" id="unzoom" onClick={() => void viewer.setFilter({ since: '', until: '' })}>whole window</button>
          : <span class="note">drag to zoom</span>}
      </div>
    </section>
  );
}

// Bars are stacked by drawing the sum first and the worse levels over it.
function dataOf(stats: Stats | null): uPlot.AlignedData {
  const buckets = stats?.timeline ?? [];
  const sum = (levels: Record<string, number>, names: string[]): number => names.reduce((n, name) => n + (levels[name] ?? 0), 0);
  return [
    buckets.map((bucket) => Date.parse(bucket.start) / 1000),
    buckets.map((bucket) => bucket.total),
    buckets.map((bucket) => sum(bucket.levels, ['WARNING', 'ERROR', 'CRITICAL'])),
    buckets.map((bucket) => sum(bucket.levels, ['ERROR', 'CRITICAL'])),
  ];
}

function options(viewer: Viewer, stats: Stats | null) {
  const series = (label: string, color: string): uPlot.Series => ({
    label, fill: cssColor(color), stroke: cssColor(color), width: 0, points: { show: false }, ...barPaths({ size: [0.9, 24], align: 1 }),
  });
  const [first, second] = stats?.timeline ?? [];
  const width = first && second ? (Date.parse(second.start) - Date.parse(first.start)) / 1000 : 60;
  const brushed = (from: number, to: number): void => {
    void viewer.setFilter({ since: isoLocal(Math.floor(from) * 1000), until: isoLocal(Math.ceil(to) * 1000) });
  };
  return {
    label: `${count(stats?.total_logs ?? 0)} records over time, ${count(stats?.error_summary.total_errors ?? 0)} errors`,
    height: 64,
    legend: false,
    series: [{}, series('all', 'bar'), series('warnings', 'warning'), series('errors', 'error')],
    scales: {
      // The last bar has a width as well.
      x: { time: true, range: (_u: uPlot, min: number, max: number): [number, number] => [min, max + width] },
      y: { range: (_u: uPlot, _min: number, max: number): [number, number] => [0, Math.max(1, max)] },
    },
    axes: [timeAxis({ size: 18, grid: { show: false } }), axis({ size: 36, splits: (_u, _axis, min, max) => [min, max], values: (_u, values) => values.map(short) })],
    brushed,
    clicked: (index: number): void => {
      const at = Date.parse(stats?.timeline?.[index]?.start ?? '') / 1000;
      if (at > 0) brushed(at, at + width);
    },
  };
}
