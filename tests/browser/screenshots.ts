// SPDX-License-Identifier: MIT
// Makes the pictures of docs/viewer.md: node tests/viewer/run.mjs tests/browser/screenshots.ts [FOLDER]
import { chromium } from 'playwright-core';

import { Daemon } from './support/daemon.js';
import { call, iso, request, response } from './support/records.js';

const folder = process.argv[2] ?? 'docs/images';
const conversations: [string, string][] = [
  ['Explain what a Unix socket is, in two sentences.', 'A Unix socket lets two processes of one machine exchange bytes under an address in the file system. Nothing of it touches the network, and file permissions say who may connect.'],
  ['Why does my program wait for the disk?', 'It calls fsync after every write. Collect what comes within a few milliseconds, write it at once, and sync on a timer.'],
  ['Write a haiku about append-only logs.', 'Lines fall, one by one,\nnone is ever taken back:\nthe disk remembers.'],
  ['Übersetze ins Deutsche: the log only grows.', 'Das Protokoll wächst nur.'],
  ['Which is faster: one write of a megabyte or a thousand of a kilobyte?', 'The one. Each call costs a trip into the kernel, and the bytes are the same.'],
];
const models = ['llama-3.2-3b', 'llama-3.2-3b', 'mistral-7b-instruct', 'qwen2.5-14b'];

/** Numbers in [0, 1) that are the same each time. */
function random(seed: number): () => number {
  return () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 4294967296;
  };
}

function traffic(now: number): Record<string, unknown>[] {
  const next = random(7);
  const records: Record<string, unknown>[] = [];
  const count = 420;
  for (let i = 0; i < count; i += 1) {
    const busy = 1 + Math.sin(i / 40) * 0.6;
    const at = now - Math.round((count - i) * 8500 * busy) - 4000;
    const id = `req_${1719396645 + i}`;
    const kind = next();
    if (kind < 0.14) records.push(...call({ id, at, endpoint: 'list_models', method: 'GET', durationMs: 8 + next() * 20 }));
    else if (kind < 0.17) records.push({ timestamp: iso(at), level: 'INFO', message: 'Model uploaded successfully: new-model.gguf', module: 'models', type: 'custom_event', event_type: 'model_upload', filename: 'new-model.gguf', file_size: 4294967296 });
    else if (kind < 0.2) records.push({ timestamp: iso(at), level: 'WARNING', message: 'Context window nearly full', module: 'models', type: 'log', used: 7538, limit: 8192 });
    else {
      const [question, answer] = conversations[Math.floor(next() * conversations.length)] as [string, string];
      const model = models[Math.floor(next() * models.length)] as string;
      const outputTokens = 20 + Math.floor(next() * 220);
      const speed = (model.startsWith('llama') ? 72 : model.startsWith('mistral') ? 48 : 24) * (0.85 + next() * 0.3);
      const durationMs = Math.round(((outputTokens / speed) * 1000) / 0.8 * 100) / 100;
      const failed = next() < 0.05;
      records.push(request({ id, at, model, question }), response({
        id, at: at + durationMs, model, durationMs: failed ? 180.4 : durationMs, outputTokens, inputTokens: 40 + Math.floor(next() * 1800),
        status: failed ? 500 : 200, answer: failed ? 'CUDA out of memory: tried to allocate 2.1 GiB' : answer,
      }));
    }
  }
  records.push(request({ id: 'req_open', at: now - 2500, question: 'Tell me a long story about a lighthouse.' }));
  return records;
}

async function main(): Promise<void> {
  const daemon = await Daemon.start();
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] });
  try {
    await daemon.store(traffic(Date.now()));
    const context = await browser.newContext({ viewport: { width: 1440, height: 860 }, colorScheme: 'dark' });
    const page = await context.newPage();
    const shot = (name: string): Promise<unknown> => page.screenshot({ path: `${folder}/viewer-${name}.png` });
    await page.goto(`${daemon.url}#hours=1`);
    await page.locator('#rows > [data-index]').first().waitFor();
    await page.locator('.facet').nth(4).waitFor();
    await page.waitForTimeout(500);
    await shot('live');
    await page.locator('#rows > .is-ok', { hasText: 'haiku' }).last().click();
    await page.locator('.turn.assistant').waitFor();
    await page.waitForTimeout(300);
    await shot('request');
    await page.keyboard.press('Escape');
    await page.emulateMedia({ colorScheme: 'light' });
    await page.waitForTimeout(300);
    await shot('light');
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.click('#view-plots');
    await page.locator('.plot canvas').nth(8).waitFor();
    await page.waitForTimeout(500);
    await shot('plots');
    await page.click('#view-records');
    await page.setViewportSize({ width: 390, height: 780 });
    await page.keyboard.press('f');
    await page.waitForTimeout(500);
    await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
    await shot('phone');
  } finally {
    await browser.close();
    await daemon.close();
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
