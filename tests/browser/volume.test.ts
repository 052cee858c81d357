// SPDX-License-Identifier: MIT
// Many records: the page stays bounded, usable, and right in what it counts. How fast it is, tests/bench/viewer.mjs measures.
import assert from 'node:assert/strict';

import { Daemon, until } from './support/daemon.js';
import { test } from './support/limited.js';
import { ViewerPage, withBrowser } from './support/viewer_page.js';

const browser = withBrowser();

/** Every hundredth is an error. */
const burst = (from: number, count: number): string[] => Array.from({ length: count }, (_, i) => JSON.stringify({
  timestamp: '2025-06-26T10:30:45.123456', type: 'log', level: (from + i) % 100 === 0 ? 'ERROR' : 'INFO', message: `m${from + i}`, n: from + i, user_agent: 'x'.repeat(100),
}));

const elements = (page: ViewerPage): Promise<number> => page.page.evaluate(() => document.querySelectorAll('#rows > *').length);

test('a burst of 30,000: all are counted, few are elements, the newest is in view', async () => {
  const daemon = await Daemon.start();
  const page = await ViewerPage.open(browser(), daemon.url);
  await page.page.evaluate(() => {
    const w = window as unknown as { most: number };
    w.most = 0;
    new MutationObserver(() => { w.most = Math.max(w.most, (document.getElementById('rows') as HTMLElement).childElementCount); }).observe(document.getElementById('rows') as Node, { childList: true });
  });
  for (let i = 0; i < 30_000; i += 5000) await daemon.send(burst(i, 5000));
  await page.waitCount(30_000, 60_000);
  await until(async () => ((await page.messages()).at(-1) ?? '').startsWith('m29999'));
  assert.equal(await page.count('errors'), 300);
  assert.ok(await page.page.evaluate(() => (window as unknown as { most: number }).most) < 120);
  assert.equal(await page.rowCount(), 30_000);
  assert.ok(await page.atBottom());
  // Anywhere in the list at once, and what is there is right.
  for (const share of [0.1, 0.5, 0.9]) {
    await page.page.evaluate((part) => { const s = document.getElementById('scroller') as HTMLElement; s.scrollTop = s.scrollHeight * part; }, share);
    await until(async () => {
      const [first] = await page.rows();
      const n = Number(/^m(\d+)/.exec(first?.cells['message'] ?? '')?.[1]);
      return Math.abs(n - 30_000 * share) < 200;
    });
    assert.ok((await elements(page)) < 120);
  }
  await page.close();
  await daemon.close();
});

test('at thousands a second a person can use it', async () => {
  const daemon = await Daemon.start();
  const page = await ViewerPage.open(browser(), daemon.url);
  await page.page.evaluate(() => {
    const w = window as unknown as { longest: number };
    w.longest = 0;
    let last = performance.now();
    const frame = (now: number): void => {
      w.longest = Math.max(w.longest, now - last);
      last = now;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  let sent = 0;
  let stop = false;
  const sender = (async () => {
    const began = performance.now();
    while (!stop) {
      await daemon.send(burst(sent, 250));
      sent += 250;
      await new Promise((done) => setTimeout(done, Math.max(0, began + sent / 5 - performance.now())));
    }
  })();
  await until(async () => (await page.count('all')) >= 5000, 30_000);
  // What is in view is drawn in every frame, also while hundreds of rows come with each.
  const blank = await page.page.evaluate(() => new Promise<number>((done) => {
    const box = (document.getElementById('scroller') as HTMLElement).getBoundingClientRect();
    let frames = 0;
    let missing = 0;
    const look = (): void => {
      // After this frame's own drawing.
      setTimeout(() => {
        for (const y of [0.2, 0.5, 0.8]) {
          if (!document.elementFromPoint(box.left + 200, box.top + box.height * y)?.closest('[data-index]')) missing += 1;
        }
        frames += 1;
        if (frames < 30) requestAnimationFrame(look);
        else done(missing);
      });
    };
    look();
  }));
  assert.equal(blank, 0);
  // By the mouse where a row is: rows do not stand still for a moment.
  const list = await page.page.locator('#scroller').boundingBox();
  await page.page.mouse.click((list?.x ?? 0) + 300, (list?.y ?? 0) + 200);
  await page.page.locator('#panel').waitFor();
  await page.page.keyboard.press('Escape');
  await page.filter('777');
  await until(async () => {
    const messages = await page.messages();
    return messages.length > 0 && messages.every((one) => one.includes('777'));
  }, 20_000);
  stop = true;
  await sender;
  // Far more than a frame should take, and far less than a page that hangs: the machine may be busy with other things.
  assert.ok((await page.page.evaluate(() => (window as unknown as { longest: number }).longest)) < 3000);
  await page.close();
  await daemon.close();
});

test('a rare match in a long log is found, and nothing else is carried', async () => {
  const daemon = await Daemon.start();
  for (let i = 0; i < 40_000; i += 5000) await daemon.send(burst(i, 5000));
  const page = await ViewerPage.open(browser(), `${daemon.url}#level=ERROR`);
  await until(async () => (await page.rowCount()) === 400, 30_000, () => page.rowCount());
  const messages = await page.messages();
  assert.ok(messages.every((one) => Number(/^m(\d+)/.exec(one)?.[1]) % 100 === 0));
  await page.close();
  await daemon.close();
});
