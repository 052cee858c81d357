// SPDX-License-Identifier: MIT
// The kinds of plots: bars of several sums, lines, points.

import type uPlot from 'uplot';

import type { Bucket } from '../model/api.js';
import { short } from '../model/format.js';
import { axis, barPaths, cssColor, timeAxis, timeSeries, type ChartOptions } from './chart.js';

const height = 170;

export function timeOf(timeline: Bucket[]): number[] {
  return timeline.map((bucket) => Date.parse(bucket.start) / 1000);
}

export function seriesColor(index: number): string {
  return cssColor(['accent', 'blue', 'purple', 'warning', 'error', 'dim'][index % 6] as string);
}

type Click = (index: number) => void;
type Brush = (from: number, to: number) => void;

const fromZero: uPlot.Scale = { range: (_u, _min, max) => [0, max > 0 ? max * 1.05 : 1] };

/** Bars of the first series with the second one in front. */
export function barsOver(timeline: Bucket[], label: string, series: [string, string][], brushed: Brush, clicked: Click): ChartOptions {
  const width = timeline.length > 1 ? (timeOf(timeline)[1]! - timeOf(timeline)[0]!) : 60;
  return {
    label, height, brushed, clicked,
    series: [timeSeries, ...series.map(([name, color]): uPlot.Series => ({
      label: name, fill: cssColor(color), stroke: cssColor(color), width: 0, points: { show: false }, value: (_u, v) => (v == null ? '–' : short(v)),
      ...barPaths({ size: [0.85, 30], align: 1 }),
    }))],
    scales: { x: { time: true, range: (_u, min, max) => [min, max + width] }, y: fromZero },
    axes: [timeAxis(), axis({ size: 44, values: (_u, values) => values.map(short) })],
  };
}

export function lines(label: string, series: [string, string][], show: (n: number) => string, brushed: Brush, clicked: Click): ChartOptions {
  return {
    label, height, brushed, clicked,
    series: [timeSeries, ...series.map(([name, color]): uPlot.Series => ({
      label: name, stroke: color, width: 1.5, spanGaps: true, points: { show: true, size: 4, fill: color }, value: (_u, v) => (v == null ? '–' : show(v)),
    }))],
    scales: { x: { time: true }, y: fromZero },
    axes: [timeAxis(), axis({ size: 60, values: (_u, values) => values.map(show) })],
  };
}

export function points(label: string, time: boolean, series: [string, string][], show: (n: number) => string, clicked: Click, brushed?: Brush): ChartOptions {
  return {
    label, height, clicked, ...(brushed ? { brushed } : {}),
    series: [time ? timeSeries : { label: 'input tokens', value: (_u: uPlot, v: number | null) => (v == null ? '–' : short(v)) }, ...series.map(([name, color]): uPlot.Series => ({
      label: name, stroke: color, fill: color, width: 0, paths: () => null, points: { show: true, size: 5, width: 0, fill: color }, value: (_u, v) => (v == null ? '–' : show(v)),
    }))],
    scales: { x: { time }, y: fromZero },
    axes: [time ? timeAxis() : axis({ size: 22, space: 70, values: (_u, values) => values.map(short) }), axis({ size: 60, values: (_u, values) => values.map(show) })],
    cursor: { dataIdx: nearest },
  };
}

// A point is at hand if it is near: the nearest one in x of this series that has a value.
function nearest(u: uPlot, series: number, index: number): number {
  const values = u.data[series];
  if (series === 0 || !values || values[index] != null) return index;
  for (let by = 1; by < values.length; by += 1) {
    if (values[index - by] != null) return index - by;
    if (values[index + by] != null) return index + by;
  }
  return index;
}

/** One bar a value, each in its own colour. */
export function barsSeries(colors: string[]): uPlot.Series {
  const bars = barPaths({
    size: [0.6, 60],
    disp: { fill: { unit: 3, values: () => colors }, stroke: { unit: 3, values: () => colors } },
  });
  return { label: 'count', fill: colors[0] ?? '#888', stroke: colors[0] ?? '#888', width: 0, points: { show: false }, ...bars };
}
