// SPDX-License-Identifier: MIT
// Keys, looks, downloads, title, accessibility.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before } from 'node:test';

import { Daemon, until } from './support/daemon.js';
import { test } from './support/limited.js';
import { call, numbered } from './support/records.js';
import { root, ViewerPage, withBrowser } from './support/viewer_page.js';

const browser = withBrowser();
let daemon: Daemon;

before(async () => {
  daemon = await Daemon.start();
  await daemon.store([
    ...numbered(0, 20), { level: 'ERROR', message: 'error one' }, ...numbered(20, 40), { level: 'CRITICAL', message: 'error two' }, ...numbered(40, 60),
    ...call({ id: 'h1', question: 'a question', answer: 'an answer' }), { timestamp: '2026-01-02T03:04:05.678901+02:00', level: 'INFO', message: 'a certain time', user: { id: 'u7' } },
  ]);
});
after(() => daemon.close());

const selected = (page: ViewerPage): Promise<string> => page.page.evaluate(() => document.querySelector('[aria-selected=true] .message')?.textContent ?? '');

test('keys: move, errors, open, close, search, help, follow', async () => {
  const page = await ViewerPage.open(browser(), daemon.url);
  const press = (key: string): Promise<void> => page.page.keyboard.press(key);
  await page.waitLast('a certain timeuser={"id":"u7"}');
  await press('E');
  await until(async () => (await selected(page)) === 'error two');
  await press('E');
  await until(async () => (await selected(page)) === 'error one');
  await press('E');
  await until(async () => /no earlier error/.test(await page.text('#said')));
  await press('e');
  await until(async () => (await selected(page)) === 'error two');
  await press('j');
  await until(async () => (await selected(page)) === 'm40');
  await press('k');
  await press('k');
  await until(async () => (await selected(page)) === 'm39');
  await press('Enter');
  await page.page.locator('#panel h2', { hasText: 'm39' }).waitFor();
  await press('j'); // the panel goes with the selection
  await page.page.locator('#panel h2', { hasText: 'error two' }).waitFor();
  await press('p');
  assert.match(await page.text('#pinned'), /error two/);
  await press('Escape');
  await until(async () => (await page.page.locator('#panel').count()) === 0);
  await press('f');
  await page.state('live');
  await press('/');
  assert.equal(await page.page.evaluate(() => document.activeElement?.id), 'search');
  await page.page.keyboard.type('jke'); // typed, not obeyed
  assert.equal(await page.page.inputValue('#search'), 'jke');
  await page.page.fill('#search', '');
  await press('Escape');
  await press('?');
  await page.page.locator('#help').waitFor();
  await press('Escape');
  await until(async () => !(await page.page.locator('#help').isVisible()));
  await press('g');
  await until(async () => (await selected(page)) === 'm0');
  await press('v');
  await page.page.locator('.plots').waitFor();
  await press('v');
  await page.close();
});

test('everything can be reached and used with the keyboard alone', async () => {
  const page = await ViewerPage.open(browser(), daemon.url);
  const reached = new Set<string>();
  for (let i = 0; i < 60; i += 1) {
    await page.page.keyboard.press('Tab');
    reached.add(await page.page.evaluate(() => document.activeElement?.id || (document.activeElement?.className ?? '')));
  }
  for (const id of ['connect', 'view-records', 'view-plots', 'level', 'type', 'search', 'follow', 'clear', 'facets-toggle', 'menu-toggle', 'help-toggle', 'scroller']) {
    assert.ok(reached.has(id), `${id} of ${[...reached].join()}`);
  }
  await page.close();
});

test('time modes, columns, density and wrap, kept for the next visit', async () => {
  const page = await ViewerPage.open(browser(), daemon.url, { timezoneId: 'Asia/Tokyo' });
  const { page: p } = page;
  const time = async (): Promise<string> => (await page.rows()).at(-1)?.cells['time'] ?? '';
  await page.waitLast('a certain timeuser={"id":"u7"}');
  assert.equal(await time(), '01-02 03:04:05.678');
  await p.click('#menu-toggle');
  await p.getByText('Local', { exact: true }).click();
  await until(async () => (await time()) === '01-02 10:04:05.678');
  await p.getByText('UTC', { exact: true }).click();
  await until(async () => (await time()) === '01-02 01:04:05.678Z');
  await p.getByText('Relative', { exact: true }).click();
  await until(async () => /^\d+ d ago$/.test(await time()));
  await p.getByLabel('Level', { exact: true }).uncheck();
  await p.fill('#add-field', 'user.id');
  await p.press('#add-field', 'Enter');
  await until(async () => (await page.rows()).at(-1)?.cells['field:user.id'] === 'u7');
  assert.equal((await page.rows()).at(-1)?.cells['level'], undefined);
  const height = (): Promise<number> => p.locator('#rows > [data-index]').last().evaluate((row) => row.getBoundingClientRect().height);
  assert.equal(await height(), 24);
  await p.getByText('Comfortable').click();
  await until(async () => (await height()) === 32);
  await p.keyboard.press('Escape');
  await p.reload();
  await until(async () => (await page.rows()).at(-1)?.cells['field:user.id'] === 'u7');
  assert.equal(await height(), 32);
  await daemon.send([{ level: 'INFO', message: `wide ${'word '.repeat(80)}end` }]);
  await until(async () => /wide/.test((await page.messages()).at(-1) ?? ''));
  await p.keyboard.press('w');
  await until(async () => p.locator('#rows > [data-index]', { hasText: 'wide' }).evaluate((row) => row.getBoundingClientRect().height > 60));
  await until(() => page.atBottom());
  await page.close();
});

test('dark, light, and the system\'s choice', async () => {
  const page = await ViewerPage.open(browser(), daemon.url);
  const background = (): Promise<string> => page.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await background();
  await page.page.emulateMedia({ colorScheme: 'light' });
  await until(async () => (await background()) !== dark);
  await page.page.click('#menu-toggle');
  await page.page.getByText('Dark', { exact: true }).click();
  await until(async () => (await background()) === dark);
  await page.close();
});

test('download is what is filtered, in both forms, as stored', async () => {
  const page = await ViewerPage.open(browser(), `${daemon.url}#q=error&level=ERROR`);
  await until(async () => (await page.rows()).length === 2);
  await page.page.click('#menu-toggle');
  for (const [id, parse] of [
    ['#download-ndjson', (text: string) => text.trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>)],
    ['#download-json', (text: string) => JSON.parse(text) as Record<string, unknown>[]],
  ] as const) {
    const [download] = await Promise.all([page.page.waitForEvent('download'), page.page.click(id)]);
    assert.match(download.suggestedFilename(), id.includes('nd') ? /^logs-.*\.ndjson$/ : /^logs-.*\.json$/);
    const records = parse(readFileSync(await download.path(), 'utf8'));
    assert.deepEqual(records.map((one) => one['message']), ['error one', 'error two']);
  }
  await page.close();
});

test('title and icon tell errors that nobody has seen', async () => {
  const page = await ViewerPage.open(browser(), daemon.url);
  await until(async () => (await page.page.title()) === 'Live logs');
  await page.page.keyboard.press('Space');
  await page.state('paused');
  const icon = (): Promise<string> => page.page.evaluate(() => document.querySelector<HTMLLinkElement>('link[rel=icon]')?.href ?? '');
  const before = await icon();
  await daemon.send([{ level: 'ERROR', message: 'unseen 1' }, { level: 'INFO', message: 'x' }, { level: 'ERROR', message: 'unseen 2' }]);
  await until(async () => (await page.page.title()) === '(2) Live logs');
  assert.notEqual(await icon(), before);
  await page.page.keyboard.press('Space');
  await until(async () => (await page.page.title()) === 'Live logs');
  await page.close();
});

test('it fits a phone', async () => {
  const page = await ViewerPage.open(browser(), daemon.url, { viewport: { width: 390, height: 780 }, hasTouch: true });
  await until(async () => (await page.rows()).length > 5);
  const wide = await page.page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= 390, `${wide}`);
  await page.page.locator('#rows > [data-index]', { hasText: 'a question' }).tap();
  await page.page.locator('#panel').waitFor();
  const box = await page.page.locator('#panel').boundingBox();
  assert.ok(box && box.width >= 385 && box.x <= 5);
  await page.page.click('#close-panel');
  await page.page.click('#facets-toggle');
  await page.page.locator('.facets.sheet').waitFor();
  await page.close();
});

test('reduced motion is respected', async () => {
  const page = await ViewerPage.open(browser(), daemon.url, { reducedMotion: 'reduce' });
  const moving = await page.page.evaluate(() => document.getAnimations().length);
  assert.equal(moving, 0);
  await page.close();
});

test('axe finds nothing: list, panel, menu, plots, help; dark and light', async () => {
  const axe = readFileSync(`${root}/static/node_modules/axe-core/axe.min.js`, 'utf8');
  const page = await ViewerPage.open(browser(), daemon.url);
  const { page: p } = page;
  await p.evaluate(axe);
  const check = async (where: string): Promise<void> => {
    const found = await p.evaluate(async () => {
      type Axe = { run(node: unknown, options: unknown): Promise<{ violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[] }> };
      const result = await (window as unknown as { axe: Axe }).axe.run(document, { resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'] });
      return result.violations.map((one) => `${one.impact} ${one.id}: ${one.nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} ${node.failureSummary.slice(0, 200)}`).join(' | ')}`);
    });
    assert.deepEqual(found, [], where);
  };
  await until(async () => (await page.rows()).length > 5 && (await p.locator('.facet').count()) > 2);
  await check('list');
  await p.locator('#rows > [data-index]', { hasText: 'a question' }).click();
  await p.locator('.turn.assistant').waitFor();
  await check('panel');
  await p.click('#tab-Request');
  await check('Request');
  await p.emulateMedia({ colorScheme: 'light' });
  await p.click('#tab-Overview');
  await check('light');
  await p.click('#menu-toggle');
  await check('menu');
  await p.keyboard.press('Escape');
  await p.click('#view-plots');
  await p.locator('.plot canvas').first().waitFor();
  await p.emulateMedia({ colorScheme: 'dark' });
  await check('plots');
  await p.keyboard.press('?');
  await p.locator('#help').waitFor();
  await check('help');
  await page.close();
});
