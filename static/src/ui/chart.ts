// SPDX-License-Identifier: MIT
// uPlot in the page's colours: a chart that fills its box, is drawn anew when that or the theme changes, and has a name.

import type uPlot from 'uplot';

let library: typeof uPlot | null = null;
let coming: Promise<void> | null = null;
let attempts = 0;

/** Resolves when charts can be drawn. Fetched once; after a failure again at the next call. */
function plotLibrary(): Promise<void> {
  // A browser remembers that a file could not be had; under another name it asks again.
  const again = `./plots.js?again=${attempts}`;
  coming ??= (attempts === 0 ? import('./plot_library.js') : import(again) as Promise<typeof import('./plot_library.js')>).then(
    (loaded) => { library = loaded.default; },
    (error: unknown) => {
      attempts += 1;
      coming = null;
      throw error;
    },
  );
  return coming;
}

/** Draws bars. Only for what ChartOptions are asked for: then the library is there. */
export function barPaths(options: uPlot.Series.BarsPathBuilderOpts): Pick<uPlot.Series, 'paths'> {
  const paths = library?.paths.bars?.(options);
  return paths ? { paths } : {};
}

export function cssColor(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim() || '#888';
}

export interface ChartOptions {
  label: string;
  height: number;
  series: uPlot.Series[];
  scales?: uPlot.Scales;
  axes: uPlot.Axis[];
  bands?: uPlot.Band[];
  legend?: boolean;
  cursor?: uPlot.Cursor;
  /** The user has brushed from … to, in the units of x. */
  brushed?: (from: number, to: number) => void;
  /** The user has clicked at an index of the data. */
  clicked?: (index: number, series: number) => void;
  plugins?: uPlot.Plugin[];
}

/** Axes in the colours of the page; uPlot's own are black. */
export function axis(more: uPlot.Axis = {}): uPlot.Axis {
  const dim = cssColor('dim');
  const line = cssColor('line');
  return {
    stroke: dim, font: '11px system-ui, sans-serif', grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1, size: 4 }, gap: 3,
    ...more,
  };
}

const pad = (n: number): string => String(n).padStart(2, '0');

/** A time for an axis: as much of it as the distance of the marks needs. */
function mark(seconds: number, step: number): string {
  const d = new Date(seconds * 1000);
  const day = `${pad(d.getMonth() + 1)}-${pad(d.getDate())}`;
  if (step >= 86_400) return day;
  const time = `${pad(d.getHours())}:${pad(d.getMinutes())}`;
  if (step < 60) return `${time}:${pad(d.getSeconds())}`;
  return d.getHours() === 0 && d.getMinutes() === 0 ? day : time;
}

export function timeAxis(more: uPlot.Axis = {}): uPlot.Axis {
  return axis({ size: 22, space: 70, values: (_u, splits, _axis, _space, step) => splits.map((at) => mark(at, step)), ...more });
}

/** The x of a chart over time, as its legend tells it. */
export const timeSeries: uPlot.Series = {
  label: 'time',
  value: (_u, at: number | null) => (at == null ? '–' : `${mark(at, 86_400)} ${mark(at, 1)}`),
};

export class Chart {
  private plot: uPlot | null = null;
  private readonly watcher: ResizeObserver;
  private data: uPlot.AlignedData = [[]];
  private readonly redraw = (): void => this.make();
  private shape = '';
  private closed = false;

  /** `options` is asked again whenever the colours may have changed. */
  constructor(private readonly box: HTMLElement, private options: () => ChartOptions) {
    this.watcher = new ResizeObserver(() => {
      const width = Math.floor(box.clientWidth);
      if (!this.plot) this.make();
      else if (width > 0 && width !== this.plot.width) this.plot.setSize({ width, height: this.plot.height });
    });
    this.watcher.observe(box);
    addEventListener('livelogd-theme', this.redraw);
  }

  /** `shape` names what the options depend on besides the data: another one makes the chart anew. */
  show(data: uPlot.AlignedData, options: () => ChartOptions, shape = ''): void {
    this.data = data;
    this.options = options;
    if (this.plot && shape === this.shape && this.plot.series.length === data.length) this.plot.setData(data);
    else this.make();
    this.shape = shape;
  }

  close(): void {
    this.watcher.disconnect();
    removeEventListener('livelogd-theme', this.redraw);
    this.closed = true;
    this.plot?.destroy();
  }

  private make(): void {
    const Library = library;
    if (!Library) {
      plotLibrary().then(() => { if (!this.plot && !this.closed) this.make(); }, () => undefined);
      return;
    }
    const width = Math.floor(this.box.clientWidth);
    this.plot?.destroy();
    this.plot = null;
    if (width <= 0) return;
    const options = this.options();
    if (options.series.length !== this.data.length) return;
    this.box.setAttribute('role', 'img');
    this.box.setAttribute('aria-label', options.label);
    this.plot = new Library({
      width,
      height: options.height,
      series: options.series,
      axes: options.axes,
      scales: options.scales ?? {},
      bands: options.bands ?? [],
      legend: { show: options.legend ?? true, live: true },
      cursor: { drag: { x: options.brushed !== undefined, y: false, setScale: false }, points: { size: 6 }, ...options.cursor },
      select: { show: options.brushed !== undefined, left: 0, top: 0, width: 0, height: 0 },
      plugins: options.plugins ?? [],
      hooks: {
        setSelect: [(u) => {
          if (u.select.width < 3) return;
          options.brushed?.(u.posToVal(u.select.left, 'x'), u.posToVal(u.select.left + u.select.width, 'x'));
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        }],
        ready: [(u) => {
          let downAt = 0;
          u.over.addEventListener('mousedown', (event) => { downAt = event.clientX; });
          u.over.addEventListener('click', (event) => {
            if (Math.abs(event.clientX - downAt) < 3 && u.cursor.idx != null) options.clicked?.(u.cursor.idx, 0);
          });
        }],
      },
    }, this.data, this.box);
  }
}
