// SPDX-License-Identifier: MIT
// Records are shown as text, whatever is in them.
import assert from 'node:assert/strict';

import { Daemon, until } from './support/daemon.js';
import { test } from './support/limited.js';
import { ViewerPage, withBrowser } from './support/viewer_page.js';

const browser = withBrowser();
const payloads = [
  '<script>window.hit=1;alert(1)</script>',
  "<img src=x onerror='window.hit=1;alert(1)'>",
  '"><svg/onload=window.hit=1>',
  "<style>*{display:none}</style><iframe srcdoc='<script>parent.hit=1</script>'></iframe>",
  'javascript:window.hit=1',
  "</pre></div><a href='javascript:alert(1)'>x</a>",
  "{{constructor.constructor('window.hit=1')()}} ${window.hit=1} __proto__",
  'level-error" onmouseover="window.hit=1',
];
const fields = [
  'timestamp', 'level', 'message', 'module', 'type', 'request_id', 'method', 'url', 'endpoint', 'remote_addr', 'user_agent', 'content_type', 'status_code', 'duration_ms',
  'request_body', 'response_body', 'model', '__proto__', 'constructor', 'toString',
];
const allowedTags = ['A', 'ARTICLE', 'ASIDE', 'BODY', 'BUTTON', 'CANVAS', 'CODE', 'DD', 'DETAILS', 'DIALOG', 'DIV', 'DL', 'DT', 'FOOTER', 'FIGCAPTION', 'FIGURE', 'H1', 'H2', 'H3', 'H4', 'HEADER', 'I',
  'INPUT', 'KBD', 'LI', 'MAIN', 'MARK', 'NAV', 'NOSCRIPT', 'OPTION', 'P', 'PRE', 'RECT', 'SECTION', 'SELECT', 'SPAN', 'SUMMARY', 'TABLE', 'TBODY', 'TD', 'TH', 'THEAD', 'TR', 'UL', 'B',
  'PATH', 'SVG'];

test('markup in every field and key stays text, in rows, facets, panel and plots', async () => {
  const daemon = await Daemon.start();
  const page = await ViewerPage.open(browser(), daemon.url);
  const { page: p } = page;
  p.on('dialog', (dialog) => assert.fail(`a dialog: ${dialog.message()}`));
  const records: Record<string, unknown>[] = [];
  for (const payload of payloads.slice(0, 2)) {
    for (const field of fields) records.push(JSON.parse(`{${JSON.stringify(field)}:${JSON.stringify(payload)}}`) as Record<string, unknown>);
  }
  for (const payload of payloads) {
    records.push(JSON.parse(`{${fields.map((field) => `${JSON.stringify(field)}:${JSON.stringify(payload)}`).join()}}`) as Record<string, unknown>);
    records.push({ [payload]: { [payload]: [payload] } });
    records.push({ type: 'request', request_id: payload, method: payload, endpoint: payload, request_body: { model: payload, messages: [{ role: payload, content: payload }, { role: 'user', content: [{ type: 'image_url', image_url: { url: payload } }, { type: 'text', text: payload }] }] } });
    records.push({ type: 'response', request_id: payload, status_code: 500, error_type: payload, duration_ms: 3, response_body: { error: payload, model: payload, choices: [{ finish_reason: payload, message: { content: payload, tool_calls: [{ function: { name: payload, arguments: payload } }] } }] } });
  }
  await daemon.store(records);
  await daemon.send(payloads.filter((payload) => !payload.includes('\n'))); // malformed lines quote what they were
  await page.waitCount(records.length + payloads.length);
  const check = async (where: string): Promise<void> => {
    const found = await p.evaluate(() => ({
      hit: (window as unknown as { hit?: number }).hit ?? 0,
      tags: [...new Set([...document.querySelectorAll('body, body *')].map((element) => element.tagName.toUpperCase()))],
      handlers: [...document.querySelectorAll('body *')].flatMap((element) => element.getAttributeNames()).filter((name) => name.startsWith('on') || name === 'srcdoc' || name === 'srcset'),
      links: [...document.querySelectorAll('a')].map((a) => a.getAttribute('href')),
      polluted: 'message' in {} || Object.prototype.hasOwnProperty.call(Object.prototype, 'polluted'),
    }));
    assert.equal(found.hit, 0, where);
    assert.deepEqual(found.tags.filter((tag) => !allowedTags.includes(tag)), [], where);
    assert.deepEqual([found.handlers, found.links.filter((link) => !/^logs\/assets\/licenses.txt$/.test(link ?? '')), found.polluted], [[], [], false], where);
  };
  await check('list');
  // Every row is opened, and every tab of calls.
  await p.keyboard.press('g');
  await p.keyboard.press('Enter');
  const rows = await page.rowCount();
  for (let i = 0; i < rows; i += 1) {
    await p.keyboard.press('j');
    if (i % 12 === 0) await p.locator('#tab-panel .tree, #tab-panel .turn, #tab-panel .raw, #tab-panel .note').first().waitFor();
  }
  await check('panel');
  await p.keyboard.press('g');
  for (const payload of payloads.slice(0, 3)) {
    await p.evaluate((text) => {
      const found = [...document.querySelectorAll('#rows .request')].find((one) => one.textContent?.includes(text));
      (found as HTMLElement | undefined)?.click();
    }, payload);
    for (const tab of ['Request', 'Response', 'Timing', 'Raw']) {
      if (await p.locator(`#tab-${tab}`).count()) await page.tab(tab);
    }
    await check('tabs');
  }
  await p.click('#view-plots');
  await p.locator('.plot canvas').first().waitFor({ timeout: 10_000 }).catch(async () => assert.fail(`no plots: ${await page.text('#app')} ${page.complaints.join()}`));
  await check('plots');
  await page.close();
  await daemon.close();
});

test('a hostile link is only a filter', async () => {
  const daemon = await Daemon.start();
  await daemon.store([{ message: 'here' }]);
  const page = await ViewerPage.open(browser(), `${daemon.url}#type=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E&q=%22%3Cscript%3Ealert(1)%3C/script%3E%22&level=%3Cb%3E&view=%3Ci%3E&id=%3Cu%3E`);
  page.page.on('dialog', (dialog) => assert.fail(`a dialog: ${dialog.message()}`));
  await until(async () => /No record of the log matches/.test(await page.text('#empty')));
  assert.equal(await page.page.locator('img, script:not([src])').count(), 0);
  assert.equal(await page.page.inputValue('#type'), '<img src=x onerror=alert(1)>');
  await page.close();
  await daemon.close();
});

test('steering characters are made visible, and a cell cannot turn its neighbours around', async () => {
  const daemon = await Daemon.start();
  await daemon.store([
    { message: '\u202egnp.exe', level: 'INFO' }, { message: 'nul\u0000 esc\u001b[31m', level: '\u202eINFO' }, { message: 'line\nnext', user: 'zero\u200bwidth' }, { message: 'שלום עולם', method: 'GET', endpoint: 'שלום' },
    { message: 'last' },
  ]);
  const page = await ViewerPage.open(browser(), daemon.url);
  await page.waitLast('last');
  const messages = await page.messages();
  assert.deepEqual(messages.slice(0, 3), ['⟨U+202E⟩gnp.exe', 'nul␀ esc␛[31m', 'line␊nextuser=zero⟨U+200B⟩width']);
  const order = await page.page.evaluate(() => [...document.querySelectorAll('#rows > [data-index]')].every((row) => {
    const lefts = [...row.children].map((cell) => cell.getBoundingClientRect().left);
    return lefts.every((left, i) => i === 0 || left >= (lefts[i - 1] as number));
  }));
  assert.ok(order);
  await page.page.locator('#rows > [data-index]', { hasText: 'gnp' }).click();
  await until(async () => /⟨U\+202E⟩gnp\.exe/.test(await page.text('#tab-panel')));
  await page.close();
  await daemon.close();
});

test('strings of megabytes and thousands of fields change nothing but their own row', async () => {
  const daemon = await Daemon.start();
  await daemon.store([
    { message: 'before' }, { message: `big ${'x'.repeat(6_000_000)}` }, Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`field${i}`, i])),
    `{"message":"deep","a":${'['.repeat(120)}${']'.repeat(120)}}`, { message: 'after' },
  ]);
  const page = await ViewerPage.open(browser(), daemon.url);
  await page.waitLast('after');
  const heights = await page.page.evaluate(() => [...document.querySelectorAll('#rows > [data-index]')].map((row) => row.getBoundingClientRect().height));
  assert.deepEqual([...new Set(heights)], [24]);
  assert.ok(((await page.messages())[1] ?? '').length < 1000);
  const took = async (text: string): Promise<void> => {
    await page.page.locator('#rows > [data-index]', { hasText: text }).click();
    await page.page.locator('#tab-panel .tree').waitFor({ timeout: 15_000 });
    await page.tab('Raw');
    await page.page.locator('#tab-panel pre').waitFor({ timeout: 15_000 });
    await page.page.click('#tab-Overview');
  };
  await took('big x');
  await took('deep');
  await took('field0');
  await page.close();
  await daemon.close();
});

test('the page says what it may load: itself, and no script or style of a record', async () => {
  const daemon = await Daemon.start();
  const answer = await daemon.get('');
  const policy = answer.headers.get('content-security-policy') ?? '';
  for (const part of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "require-trusted-types-for 'script'", "trusted-types 'none'", "frame-ancestors 'none'", "base-uri 'none'"]) {
    assert.ok(policy.includes(part), part);
  }
  assert.doesNotMatch(policy, /unsafe|https?:/);
  const html = await answer.text();
  assert.doesNotMatch(html, /<script(?![^>]* src=)|<style| style=| on\w+=/);
  const page = await ViewerPage.open(browser(), daemon.url);
  const foreign: string[] = [];
  page.page.on('request', (request) => { if (new URL(request.url()).host !== new URL(daemon.url).host && !request.url().startsWith('data:')) foreign.push(request.url()); });
  await page.page.reload();
  await page.state('live');
  const refused = await page.page.evaluate(() => {
    try {
      document.createElement('div').innerHTML = '<b>x</b>';
      return 'taken';
    } catch (error) {
      return (error as Error).name;
    }
  });
  assert.equal(refused, 'TypeError');
  page.complaints = page.complaints.filter((one) => !/TrustedHTML/.test(one));
  assert.deepEqual(foreign, []);
  await page.close();
  await daemon.close();
});

test('the files come compressed and are asked for again only when they have changed', async () => {
  const daemon = await Daemon.start();
  for (const path of ['', '/assets/first.js', '/assets/viewer.js', '/assets/plots.js', '/assets/viewer.css', '/assets/licenses.txt']) {
    const first = await daemon.get(path);
    assert.equal(first.status, 200, path);
    const tag = first.headers.get('etag') ?? '';
    assert.match(tag, /^"[0-9a-f]{16}"$/);
    assert.equal(first.headers.get('cache-control'), 'no-cache');
    assert.equal(first.headers.get('content-encoding'), 'gzip');
    const again = await fetch(daemon.url + path, { headers: { 'If-None-Match': tag }, cache: 'no-store' });
    assert.equal(again.status, 304, path);
    assert.equal(await again.text(), '');
    const plain = await fetch(daemon.url + path, { headers: { 'Accept-Encoding': 'identity' } });
    assert.notEqual(plain.headers.get('etag'), tag);
  }
  await daemon.close();
});
