// SPDX-License-Identifier: MIT
// How much the viewer takes: node tests/viewer/run.mjs tests/bench/viewer_load.ts [records]
//
// Prints one JSON object: time until the first rows are elements, and until they are painted: median (least-most); with 0 records no more than that; frame times at steady rates of records for 4 s each, and the
// highest rate at which 95 % and 99 % of them stay below 50 ms; frames while scrolling through 90,000 rows and more; heap, rows and
// elements after so many records.
import { chromium, type Page } from 'playwright-core';

import { Daemon, until } from '../browser/support/daemon.js';
import { call } from '../browser/support/records.js';

const total = Number(process.argv[2] ?? 1_000_000);
const frameLimitMs = 50;
const firstRowsRounds = 9;

const line = (n: number): string => JSON.stringify({
  timestamp: new Date().toISOString(), level: n % 100 === 0 ? 'ERROR' : 'INFO', message: `record ${n} of a load test`, module: 'bench', type: 'log', n,
  endpoint: 'generate_response', duration_ms: n % 1000, model: 'llama-3.2-3b', user_agent: 'bench/1.0 (a line of about three hundred bytes, as apps write them)',
});

async function send(daemon: Daemon, from: number, count: number): Promise<void> {
  await daemon.send(Array.from({ length: count }, (_, i) => line(from + i)));
}

/** Frame times in ms while `run` goes on. */
async function frames(page: Page, run: () => Promise<void>): Promise<number[]> {
  await page.evaluate(() => {
    const w = window as unknown as { frames: number[]; stopFrames: boolean };
    w.frames = [];
    w.stopFrames = false;
    let last = performance.now();
    const tick = (now: number): void => {
      w.frames.push(now - last);
      last = now;
      if (!w.stopFrames) requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  });
  await run();
  return page.evaluate(() => {
    const w = window as unknown as { frames: number[]; stopFrames: boolean };
    w.stopFrames = true;
    return w.frames.slice(2);
  });
}

const share = (values: number[], part: number): number => [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) * part)] ?? 0;
const round = (n: number): number => Math.round(n * 10) / 10;
const received = async (page: Page): Promise<number> => Number((await page.locator('#count-all').innerText()).replace(/,/g, ''));

async function main(): Promise<void> {
  const daemon = await Daemon.start({ 'log-max-bytes': 100 * 1024 * 1024, 'log-backup-count': 20 });
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--enable-precise-memory-info', '--js-flags=--expose-gc'] });
  const result: Record<string, unknown> = {};
  try {
    await daemon.store(Array.from({ length: 300 }, (_, i) => call({ id: `b${i}` })).flat());
    // A tab of the same browser and profile, one of a fresh profile, and the same tab loaded again.
    const times: Record<string, { rows: number[]; painted: number[] }> = {};
    const open = async (how: string, page: Page, load: () => Promise<unknown>): Promise<void> => {
      await load();
      // Of this page the rows are the first text that is painted.
      const found = (): Promise<[number, number] | null> => page.evaluate(() => {
        const rows = performance.getEntriesByName('first-rows')[0];
        const painted = performance.getEntriesByName('first-contentful-paint')[0];
        return rows && painted ? [rows.startTime, painted.startTime] : null;
      });
      const [rows, painted] = await until(found, 10_000);
      const of = (times[how] ??= { rows: [], painted: [] });
      of.rows.push(rows);
      of.painted.push(painted);
      await page.waitForTimeout(500);
    };
    const profile = await browser.newContext();
    for (let i = 0; i < firstRowsRounds; i += 1) {
      const tab = await profile.newPage();
      await open('new_tab', tab, () => tab.goto(daemon.url));
      await open('reload', tab, () => tab.reload());
      await tab.close();
      const fresh = await browser.newPage();
      await open('fresh_profile', fresh, () => fresh.goto(daemon.url));
      await fresh.close();
    }
    await profile.close();
    const middle = (values: number[]): string => `${Math.round(share(values, 0.5))} (${Math.round(Math.min(...values))}-${Math.round(Math.max(...values))})`;
    result['first_rows_ms'] = Object.fromEntries(Object.entries(times).map(([how, of]) => [how, { rows: middle(of.rows), painted: middle(of.painted) }]));
    if (total === 0) return console.log(JSON.stringify(result, null, 2));

    const page = await browser.newPage();
    await page.goto(daemon.url);
    await page.locator('#state[data-state=live]').waitFor();
    let sent = 0;
    const at = async (rate: number): Promise<{ p50: number; p95: number; p99: number; worst: number; reached: number }> => {
      const seconds = 4;
      const start = await received(page);
      let done = 0;
      const took = await frames(page, async () => {
        const began = performance.now();
        while (performance.now() - began < seconds * 1000) {
          const due = Math.min(2000, Math.floor(((performance.now() - began) / 1000) * rate) - done);
          if (due > 0) await send(daemon, sent + done, due);
          done += Math.max(due, 0);
          await new Promise((next) => setTimeout(next, 10));
        }
      });
      sent += done;
      await until(async () => (await received(page)) >= start + done, 60_000);
      return { p50: round(share(took, 0.5)), p95: round(share(took, 0.95)), p99: round(share(took, 0.99)), worst: round(Math.max(...took)), reached: Math.round(done / seconds) };
    };
    const rates: Record<string, Awaited<ReturnType<typeof at>>> = {};
    const sustained = { p95: 0, p99: 0 };
    for (const rate of [100, 1000, 2500, 5000, 10_000]) {
      const one = await at(rate);
      rates[String(rate)] = one;
      if (one.p95 <= frameLimitMs) sustained.p95 = rate;
      if (one.p99 <= frameLimitMs) sustained.p99 = rate;
    }
    result['frames_ms_at_rate'] = rates;
    result['sustained_per_s'] = sustained;

    // The list is full now or is made so; a person scrolls through it.
    while (sent < 110_000) {
      await send(daemon, sent, 5000);
      sent += 5000;
    }
    await until(async () => (await received(page)) >= sent, 120_000);
    await page.keyboard.press('Space');
    const scrolling = await frames(page, () => page.evaluate(() => new Promise<void>((done) => {
      const scroller = document.getElementById('scroller') as HTMLElement;
      const height = scroller.scrollHeight;
      let step = 0;
      const next = (): void => {
        // A hard flick: a third of a screen each frame.
        scroller.scrollTop = height / 2 - step * 250;
        step += 1;
        if (step < 240) requestAnimationFrame(next);
        else done();
      };
      next();
    })));
    const rows = await page.locator('#rows > [data-index]').first().getAttribute('aria-setsize');
    result['scrolling'] = { rows: Number(rows), p50_ms: round(share(scrolling, 0.5)), p95_ms: round(share(scrolling, 0.95)), worst_ms: round(Math.max(...scrolling)) };
    await page.keyboard.press('f');

    const began = performance.now();
    const from = await received(page);
    while (from + (sent - from) < total && sent < total) {
      const batch = Math.min(10_000, total - sent);
      await send(daemon, sent, batch);
      sent += batch;
      await until(async () => (await received(page)) > sent - 60_000, 60_000);
    }
    await until(async () => (await received(page)) >= Math.min(sent, total), 120_000);
    await page.evaluate(() => (window as unknown as { gc(): void }).gc());
    result['after'] = {
      records: await received(page),
      seconds: round((performance.now() - began) / 1000),
      heap_mib: round((await page.evaluate(() => (performance as unknown as { memory: { usedJSHeapSize: number } }).memory.usedJSHeapSize)) / 1024 / 1024),
      rows: Number(await page.locator('#rows > [data-index]').first().getAttribute('aria-setsize')),
      elements: await page.evaluate(() => document.querySelectorAll('*').length),
    };
  } finally {
    await browser.close();
    await daemon.close();
  }
  console.log(JSON.stringify(result, null, 2));
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
