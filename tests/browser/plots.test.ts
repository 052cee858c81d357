// SPDX-License-Identifier: MIT
// Plots of what the daemon has added up.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';

import { Daemon, until } from './support/daemon.js';
import { test } from './support/limited.js';
import { call } from './support/records.js';
import { ViewerPage, withBrowser } from './support/viewer_page.js';

const browser = withBrowser();
let daemon: Daemon;

before(async () => {
  daemon = await Daemon.start();
  const now = Date.now();
  await daemon.store(Array.from({ length: 120 }, (_, i) => call({
    id: `p${i}`, at: now - (120 - i) * 25_000, model: i % 2 ? 'llama-3.2-3b' : 'qwen2.5-14b', status: i % 20 === 7 ? 500 : 200, answer: 'x',
    durationMs: 500 + (i % 10) * 300, inputTokens: 50 + i * 5, outputTokens: 40 + i,
  })).flat());
});
after(() => daemon.close());

const plot = (page: ViewerPage, title: string) => page.page.locator('.plot', { has: page.page.locator('figcaption', { hasText: title }) });

test('every plot is drawn, has a name, and its axes can be read on both themes', async () => {
  const page = await ViewerPage.open(browser(), `${daemon.url}#view=plots&hours=1`);
  await until(async () => (await page.page.locator('.plot canvas').count()) >= 10, 10_000, async () => page.page.locator('.plot canvas').count());
  const titles = await page.page.locator('.plot figcaption').allInnerTexts();
  assert.deepEqual(titles, ['Requests and errors', 'Response time', 'Decode speed, tokens/s', 'Prefill speed, tokens/s', 'Tokens in and out',
    'Output tokens by model', 'Each request: how long it took', 'First token by prompt size', 'Status codes', 'Endpoints']);
  for (const box of await page.page.locator('.plot-box').all()) {
    assert.equal(await box.getAttribute('role'), 'img');
    assert.ok(((await box.getAttribute('aria-label')) ?? '').length > 10);
  }
  const contrast = (): Promise<number[]> => page.page.evaluate(() => [...document.querySelectorAll<HTMLCanvasElement>('.plot canvas')].map((canvas) => {
    // The strongest contrast that the drawing has against the page: axis text is most of it.
    const luminance = (r: number, g: number, b: number): number => {
      const [x, y, z] = [r, g, b].map((v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4)) as [number, number, number];
      return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const [r, g, b] = (getComputedStyle(canvas.closest('.plot') as Element).backgroundColor.match(/\d+/g) ?? []).map(Number) as [number, number, number];
    const under = luminance(r, g, b);
    const width = Math.round(60 * devicePixelRatio);
    const data = (canvas.getContext('2d') as CanvasRenderingContext2D).getImageData(0, 0, width, canvas.height).data;
    let best = 1;
    for (let i = 0; i < data.length; i += 4) {
      const opacity = (data[i + 3] as number) / 255;
      if (opacity < 0.2) continue;
      const blend = (color: number, below: number): number => color * opacity + below * (1 - opacity);
      const over = luminance(blend(data[i] as number, r), blend(data[i + 1] as number, g), blend(data[i + 2] as number, b));
      best = Math.max(best, (Math.max(over, under) + 0.05) / (Math.min(over, under) + 0.05));
    }
    return best;
  }));
  await until(async () => (await contrast()).every((ratio) => ratio >= 4.5), 5000, contrast);
  await page.page.emulateMedia({ colorScheme: 'light' });
  await until(async () => (await contrast()).every((ratio) => ratio >= 4.5), 5000, contrast);
  page.complaints = page.complaints.filter((one) => !one.includes('getImageData')); // the test's own reading
  await page.close();
});

test('the numbers are the daemon\'s', async () => {
  const page = await ViewerPage.open(browser(), `${daemon.url}#view=plots&hours=1`);
  await until(async () => /240 records, 120 requests, 6 errors/.test(await page.text('.plots-head')), 10_000, () => page.text('.plots-head'));
  assert.match(await page.text('#response-times'), /^Answered within 1\.7\d s \(p50\), .* \(p99\), 3\.20 s at most\.$/);
  const stats = (await (await daemon.get('/stats?hours=1')).json()) as { llm_stats: Record<string, { requests: number; output_tokens: number }> };
  for (const [name, model] of Object.entries(stats.llm_stats)) {
    const cells = await page.page.locator('.model-table tr', { hasText: name }).locator('td').allInnerTexts();
    assert.equal(cells[0], String(model.requests));
  }
  await page.close();
});

test('a bar leads to its records, a point to its request, brushing narrows the time', async () => {
  const page = await ViewerPage.open(browser(), `${daemon.url}#view=plots&hours=1`);
  const status = plot(page, 'Status codes').locator('.u-over');
  await status.waitFor();
  await until(async () => (await page.page.locator('.plot canvas').count()) >= 9);
  await status.scrollIntoViewIfNeeded();
  const bar = await status.boundingBox();
  assert.ok(bar);
  await page.page.mouse.move(bar.x + bar.width * 0.75, bar.y + bar.height - 4);
  await page.page.mouse.click(bar.x + bar.width * 0.75, bar.y + bar.height - 4); // the second of two: 500
  await until(async () => (await page.page.inputValue('#search')) === 'status:500');
  await until(async () => (await page.rows()).length === 6);
  await page.page.click('#clear-filter');
  await page.page.click('#view-plots');
  const points = plot(page, 'Each request').locator('.u-over');
  await points.waitFor();
  await until(async () => (await page.page.locator('.plot canvas').count()) >= 9);
  await points.scrollIntoViewIfNeeded();
  const box = await points.boundingBox();
  assert.ok(box);
  await page.page.mouse.move(box.x + box.width * 0.5, box.y + box.height / 2);
  await page.page.mouse.click(box.x + box.width * 0.5, box.y + box.height / 2);
  await page.page.locator('#panel h2', { hasText: 'generate_response' }).waitFor();
  await page.page.keyboard.press('Escape');
  await page.page.click('#view-plots');
  const first = plot(page, 'Requests and errors').locator('.u-over');
  await first.scrollIntoViewIfNeeded();
  await page.brush(first, 0.4, 0.8);
  await until(() => /since=/.test(page.page.url()));
  await until(async () => Number(/([\d,]+) records/.exec(await page.text('.plots-head'))?.[1]) < 240);
  await page.close();
});

test('plots come although their file could not be had at first', async () => {
  const page = await ViewerPage.open(browser(), 'about:blank', { live: false });
  page.connectionWillFail = true;
  let refused = 0;
  await page.page.route('**/assets/plots.js', async (route) => {
    refused += 1;
    await route.abort();
  });
  await page.page.goto(`${daemon.url}#view=plots&hours=1`);
  await until(async () => (await page.page.locator('.plot canvas').count()) >= 10, 20_000, async () => page.page.locator('.plot canvas').count());
  assert.equal(refused, 1);
  await page.close();
});
