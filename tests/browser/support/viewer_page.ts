// SPDX-License-Identifier: MIT
// The viewer as a test sees and uses it, in Debian's Chromium.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before } from 'node:test';
import { chromium, type Browser, type BrowserContextOptions, type Locator, type Page } from 'playwright-core';

import { until } from './daemon.js';
import { limitMs } from './limited.js';

export const root = process.cwd();
const flags = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking', '--disable-component-update', '--no-first-run',
  // Tests that count bytes or frames must not depend on which window is in front.
  '--disable-backgrounding-occluded-windows', '--disable-renderer-backgrounding', '--enable-precise-memory-info', '--js-flags=--expose-gc'];

let shared: Browser | null = null;

/** One browser for the tests of a file. */
export function withBrowser(): () => Browser {
  before(async () => {
    shared = await chromium.launch({ executablePath: '/usr/bin/chromium', args: flags });
  }, { timeout: limitMs });
  after(async () => {
    await shared?.close();
  }, { timeout: limitMs });
  return () => shared as Browser;
}

export interface ShownRow {
  className: string;
  cells: Record<string, string>;
}

export class ViewerPage {
  /** What was said on the console, and errors of the page. */
  complaints: string[] = [];
  /** Set by a test that cuts the connection: the browser reports each attempt that fails. */
  connectionWillFail = false;

  private constructor(readonly page: Page) {}

  static async open(browser: Browser, url: string, options: BrowserContextOptions & { live?: boolean; init?: string } = {}): Promise<ViewerPage> {
    const { live = true, init, ...context } = options;
    const made = await browser.newContext({ viewport: { width: 1400, height: 900 }, colorScheme: 'dark', ...context });
    if (init) await made.addInitScript({ content: init });
    const page = await made.newPage();
    const one = new ViewerPage(page);
    page.on('console', (message) => {
      if (['warning', 'error'].includes(message.type())) one.complaints.push(message.text());
    });
    page.on('pageerror', (error) => one.complaints.push(`${error.message}\n${error.stack ?? ''}`));
    await useFilesOf(process.env['LIVELOGD_VIEWER_FILES'], page);
    await page.goto(url);
    // A link to a record opens paused.
    if (live) await page.locator('#state:is([data-state=live], [data-state=paused])').waitFor();
    return one;
  }

  /** Closes the page; fails if it had anything to complain about (a violation of the security policy is one). */
  async close(): Promise<void> {
    const real = this.complaints.filter((one) => !this.connectionWillFail || !/net::ERR_|the server responded with a status of/.test(one));
    await this.page.context().close();
    assert.deepEqual(real, []);
  }

  async state(wanted: string, ms = 20_000): Promise<void> {
    await until(async () => (await this.page.locator('#state').getAttribute('data-state')) === wanted, ms, async () => `state ${wanted}, is ${await this.text('#state')}`);
  }

  text(selector: string): Promise<string> {
    return this.page.locator(selector).innerText();
  }

  /** The rows that are elements at the moment, from top to bottom. */
  rows(): Promise<ShownRow[]> {
    return this.page.evaluate(() => [...document.querySelectorAll<HTMLElement>('#rows > [data-index]')]
      .sort((a, b) => Number(a.dataset['index']) - Number(b.dataset['index']))
      .map((row) => ({
        className: row.className,
        cells: Object.fromEntries([...row.children].map((cell) => [(cell as HTMLElement).dataset['column'], cell.textContent ?? ''])),
      })));
  }

  async messages(): Promise<string[]> {
    return (await this.rows()).map((row) => row.cells['message'] ?? '');
  }

  async waitMessages(expected: string[], ms = 10_000): Promise<void> {
    await until(async () => JSON.stringify(await this.messages()) === JSON.stringify(expected), ms, async () => ({ expected, is: await this.messages() }));
  }

  async waitLast(expected: string, ms = 10_000): Promise<void> {
    await until(async () => (await this.messages()).at(-1) === expected, ms, async () => ({ expected, is: (await this.messages()).slice(-3) }));
  }

  /** A counter at the bottom. */
  async count(which: 'all' | 'errors'): Promise<number> {
    return Number((await this.text(`#count-${which}`)).replace(/,/g, ''));
  }

  async waitCount(expected: number, ms = 20_000): Promise<void> {
    await until(async () => (await this.count('all')) === expected, ms, async () => `${expected} records, are ${await this.count('all')}`);
  }

  /** How many rows the list has, in view or not. */
  async rowCount(): Promise<number> {
    return Number((await this.page.locator('#rows > [data-index]').first().getAttribute('aria-setsize').catch(() => null)) ?? 0);
  }

  async filter(q: string): Promise<void> {
    await this.page.fill('#search', q);
    await this.page.press('#search', 'Enter');
  }

  async wheel(pixels: number): Promise<void> {
    const box = await this.page.locator('#scroller').boundingBox();
    await this.page.mouse.move((box?.x ?? 0) + 200, (box?.y ?? 0) + 100);
    await this.page.mouse.wheel(0, pixels);
  }

  /** Drags over a plot, from one part of its width to another. */
  async brush(plot: Locator, from: number, to: number): Promise<void> {
    const box = await plot.boundingBox();
    assert.ok(box);
    await this.page.mouse.move(box.x + box.width * from, box.y + 20);
    await this.page.mouse.down();
    await this.page.mouse.move(box.x + box.width * to, box.y + 20, { steps: 5 });
    await this.page.mouse.up();
  }

  atBottom(): Promise<boolean> {
    return this.page.evaluate(() => {
      const s = document.getElementById('scroller') as HTMLElement;
      return s.scrollTop + s.clientHeight >= s.scrollHeight - 4;
    });
  }

  async tab(name: string): Promise<string> {
    await this.page.click(`#tab-${name}`);
    return this.text('#tab-panel');
  }
}

/** Files of a folder in place of those in the program: for work on the viewer without building the daemon each time. */
async function useFilesOf(folder: string | undefined, page: Page): Promise<void> {
  if (!folder) return;
  // The daemon's own headers stay, the security policy above all.
  await page.context().route('**/api/v1/logs', async (route) =>
    route.fulfill({ response: await route.fetch(), body: readFileSync(`${root}/static/index.html`) }));
  await page.context().route('**/logs/assets/*', async (route) => {
    const name = route.request().url().split('/').pop() as string;
    await route.fulfill({ response: await route.fetch(), body: readFileSync(`${folder}/${name}`) });
  });
}
