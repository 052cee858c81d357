// SPDX-License-Identifier: MIT
// Filter box, chips, facets, histogram, address.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';

import { Daemon, until } from './support/daemon.js';
import { test } from './support/limited.js';
import { call, iso, numbered } from './support/records.js';
import { ViewerPage, withBrowser } from './support/viewer_page.js';

const browser = withBrowser();
let daemon: Daemon;

before(async () => {
  daemon = await Daemon.start();
  const now = Date.now();
  await daemon.store([
    ...numbered(0, 1000, { level: 'DEBUG' }),
    ...call({ id: 'a', at: now - 3_600_000, endpoint: 'generate_response', status: 200 }),
    ...call({ id: 'b', at: now - 3_600_000, endpoint: 'upload_model', status: 500, answer: 'disk full' }),
    ...call({ id: 'c', at: now - 60_000, endpoint: 'list_models', method: 'GET', status: 200, durationMs: 12 }),
    ...call({ id: 'd', at: now - 60_000, endpoint: 'list_models', method: 'GET', status: 404, durationMs: 8, answer: 'Model not found' }),
    { timestamp: iso(now), level: 'WARNING', message: 'needle <in> a "haystack"', type: 'custom_event', event_type: 'x' },
    ...numbered(1000, 1300, { level: 'DEBUG' }),
  ]);
});
after(() => daemon.close());

test('level and type narrow on the server, over the whole log, and the address says so', async () => {
  const page = await ViewerPage.open(browser(), daemon.url);
  await page.waitLast('m1299');
  await page.page.selectOption('#level', 'WARNING');
  await until(async () => (await page.rows()).length === 3, 10_000, async () => page.messages());
  assert.deepEqual((await page.rows()).map((row) => row.cells['status']), ['500', '404', '']);
  await page.page.selectOption('#type', 'errors');
  await until(async () => (await page.rows()).length === 2);
  assert.equal(new URL(page.page.url()).hash, '#level=WARNING&type=errors');
  assert.match(await page.text('.chips'), /level ≥ WARNING/);
  await daemon.send([{ level: 'ERROR', message: 'live error', type: 'log' }, { level: 'INFO', message: 'live info' }]);
  await until(async () => (await page.messages()).at(-1) === 'live error');
  await page.page.click('#clear-filter');
  await page.waitLast('live info');
  assert.equal(new URL(page.page.url()).hash, '');
  await page.close();
});

test('the grammar: words, phrases, fields, comparisons, negation; what was searched for is marked', async () => {
  const page = await ViewerPage.open(browser(), daemon.url);
  for (const [q, expected] of [
    ['needle', ['needle <in> a "haystack"']],
    ['"a \\"haystack\\""', ['needle <in> a "haystack"']],
    ['NEEDLE -type:request', ['needle <in> a "haystack"']],
    ['m77 -level:warning', ['m77', ...Array.from({ length: 10 }, (_, i) => `m77${i}`)]],
    ['message:m5', ['m5']],
  ] as [string, string[]][]) {
    await page.filter(q);
    await until(async () => JSON.stringify((await page.messages()).map((one) => one.replace('event_type=x', ''))) === JSON.stringify(expected), 10_000, async () => ({ q, is: await page.messages() }));
  }
  await page.filter('status:4xx');
  await until(async () => (await page.rows()).length === 1 && (await page.rows())[0]?.cells['status'] === '404');
  await page.filter('duration_ms<10 type:response');
  await until(async () => (await page.rows()).map((row) => row.cells['duration']).join() === '8.00 ms');
  await page.filter('needle');
  await until(async () => (await page.page.locator('#rows mark').allInnerTexts()).join() === 'needle');
  await page.close();
});

test('a term that cannot be read is pointed at, and the list stays', async () => {
  const page = await ViewerPage.open(browser(), daemon.url);
  page.connectionWillFail = true; // the browser reports the 400
  await page.filter('message:m5');
  await page.waitMessages(['m5']);
  await page.filter('message:m5 duration_ms>fast');
  await page.page.locator('#filter-error').waitFor();
  assert.match(await page.text('#filter-error'), /after > comes a number/);
  assert.equal(await page.text('#filter-error mark'), 'duration_ms>fast');
  assert.equal(await page.page.getAttribute('#search', 'aria-invalid'), 'true');
  assert.deepEqual(await page.messages(), ['m5']);
  await page.filter('message:m6');
  await page.waitMessages(['m6']);
  assert.equal(await page.page.locator('#filter-error').count(), 0);
  await page.close();
});

test('a link shows the same view; chips turn terms around and take them away', async () => {
  const page = await ViewerPage.open(browser(), `${daemon.url}#q=type%3Aresponse+-status%3A200&hours=24`);
  await until(async () => (await page.rows()).map((row) => row.cells['status']).join() === '500,404', 10_000, async () => page.rows());
  assert.equal(await page.page.inputValue('#search'), 'type:response -status:200');
  await page.page.locator('.chip', { hasText: '-status:200' }).locator('button').first().click();
  await until(async () => (await page.rows()).map((row) => row.cells['status']).join() === '200,200');
  assert.equal(await page.page.inputValue('#search'), 'type:response status:200');
  await page.page.locator('.chip', { hasText: 'type:response' }).locator('.cross').click();
  await until(async () => (await page.page.inputValue('#search')) === 'status:200');
  // The browser's own way of changing it.
  await page.page.evaluate(() => { location.hash = '#q=needle'; });
  await until(async () => (await page.messages()).length === 1 && (await page.page.inputValue('#search')) === 'needle');
  await page.close();
});

test('facets count, include and exclude', async () => {
  const page = await ViewerPage.open(browser(), daemon.url);
  const value = (field: string, name: string) => page.page.locator(`.facet li[data-field="${field}"][data-value="${name}"]`);
  await value('status', '404').waitFor();
  assert.equal(await value('level', 'WARNING').locator('.n').innerText(), '1');
  assert.equal(await value('endpoint', 'list_models').locator('.n').innerText(), '4');
  assert.equal(await value('method', 'GET').locator('.n').innerText(), '4');
  assert.ok(await value('model', 'llama-3.2-3b').count());
  assert.equal(await value('', 'ModelError').locator('.n').innerText(), '2');
  await value('endpoint', 'list_models').locator('.value').click();
  await until(async () => (await page.rows()).length === 2);
  assert.equal(await page.page.inputValue('#search'), 'endpoint:list_models');
  await value('status', '404').hover();
  await value('status', '404').locator('.without').click();
  await until(async () => (await page.page.inputValue('#search')) === 'endpoint:list_models -status:404');
  await until(async () => (await page.rows()).filter((row) => row.cells['status'] === '404').length === 0);
  await value('endpoint', 'list_models').locator('.value').click(); // again: taken out
  await until(async () => (await page.page.inputValue('#search')) === '-status:404');
  await page.close();
});

test('two values of one facet: records with either', async () => {
  const page = await ViewerPage.open(browser(), `${daemon.url}#q=type:response`);
  const value = (name: string) => page.page.locator(`.facet li[data-field="status"][data-value="${name}"]`);
  const statuses = async (): Promise<string> => (await page.rows()).map((row) => row.cells['status']).join();
  // The facets count what is filtered; a window's worth of other values is gone from them once one is chosen.
  await page.page.evaluate(() => { location.hash = '#q=type:response+status:(404|500)'; });
  await until(async () => (await statuses()) === '500,404', 10_000, statuses);
  await until(async () => (await value('404').getAttribute('class')) === 'on' && (await value('500').getAttribute('class')) === 'on');
  await value('500').locator('.value').click();
  await until(async () => (await page.page.inputValue('#search')) === 'type:response status:404');
  await until(async () => (await statuses()) === '404');
  await page.close();
});

test('brushing the histogram narrows the time, and one click widens it again', async () => {
  const page = await ViewerPage.open(browser(), `${daemon.url}#q=type:response&hours=2`);
  await until(async () => (await page.rows()).length === 4);
  const over = page.page.locator('.histogram .u-over');
  await over.waitFor();
  // The calls of an hour ago are in the middle of two hours, the others at the end.
  await page.brush(over, 0.35, 0.65);
  await until(async () => (await page.rows()).map((row) => row.cells['status']).join() === '200,500', 10_000, async () => page.rows());
  const hash = new URLSearchParams(new URL(page.page.url()).hash.slice(1));
  assert.match(hash.get('since') ?? '', /^\d{4}-\d\d-\d\dT/);
  assert.ok(Date.parse(hash.get('until') ?? '') > Date.parse(hash.get('since') ?? ''));
  await page.page.click('#unzoom');
  await until(async () => (await page.rows()).length === 4);
  await page.close();
});

test('a long search tells how far it is', async () => {
  const page = await ViewerPage.open(browser(), `${daemon.url}#q=nothing_has_this`);
  await until(async () => /No record of the log matches/.test(await page.text('#empty')));
  assert.match(await page.text('#older'), /beginning of the log reached/);
  await daemon.send([{ message: 'now something: nothing_has_this' }]);
  await page.waitMessages(['now something: nothing_has_this']);
  await page.close();
});

test('alt-click on a cell shows only its value, with shift it leaves it out', async () => {
  const page = await ViewerPage.open(browser(), `${daemon.url}#q=type:response`);
  await until(async () => (await page.rows()).length === 4);
  await page.page.locator('#rows .status', { hasText: '500' }).click({ modifiers: ['Alt'] });
  await until(async () => (await page.page.inputValue('#search')) === 'type:response status:500');
  await until(async () => (await page.rows()).length === 1);
  await page.close();
});
