// SPDX-License-Identifier: MIT
// Requests with their responses: one row, one panel.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';

import { Daemon, until } from './support/daemon.js';
import { test } from './support/limited.js';
import { call, numbered, request, response } from './support/records.js';
import { ViewerPage, withBrowser } from './support/viewer_page.js';

const browser = withBrowser();
let daemon: Daemon;

before(async () => {
  daemon = await Daemon.start();
});
after(() => daemon.close());

const row = (page: ViewerPage, text: string) => page.page.locator('#rows > [data-index]', { hasText: text });

test('request and response are one row; one in flight ticks until its answer comes; failed ones stand out', async () => {
  await daemon.store([
    ...call({ id: 'ok1', question: 'first question', answer: 'first answer', inputTokens: 42, outputTokens: 128 }),
    ...call({ id: 'bad1', question: 'second question', status: 500, answer: 'CUDA out of memory' }),
    request({ id: 'open1', at: Date.now() - 2000, question: 'third question' }),
  ]);
  const page = await ViewerPage.open(browser(), daemon.url);
  await until(async () => (await page.rows()).length === 3);
  const [ok, bad, open] = await page.rows();
  assert.match(ok?.className ?? '', /is-ok/);
  assert.equal(ok?.cells['status'], '200');
  assert.equal(ok?.cells['duration'], '1.23 s');
  assert.equal(ok?.cells['model'], 'llama-3.2-3b');
  assert.equal(ok?.cells['tokens'], '42 → 128');
  assert.equal(ok?.cells['speed'], '130');
  assert.equal(ok?.cells['message'], 'first question→ first answer');
  assert.match(bad?.className ?? '', /is-error/);
  assert.equal(bad?.cells['message'], 'second question→ CUDA out of memory');
  assert.match(open?.className ?? '', /is-in_flight/);
  const before = open?.cells['duration'] ?? '';
  await until(async () => (await page.rows())[2]?.cells['duration'] !== before, 5000);
  await daemon.send([response({ id: 'open1', answer: 'third answer' })]);
  await until(async () => /is-ok/.test((await page.rows())[2]?.className ?? ''));
  await page.waitCount(6);
  // Unfolded: each record is a row.
  await page.page.click('#menu-toggle');
  await page.page.getByLabel('Fold a response into its request').uncheck();
  await until(async () => (await page.rows()).length === 6);
  await page.close();
});

test('the panel: conversation, tree, timing, raw, as the daemon has them', async () => {
  await daemon.store(call({ id: 'panel1', question: 'How long is a panel?', answer: 'As long as it needs.\nTwo lines.', durationMs: 2000, inputTokens: 100, outputTokens: 80 }));
  const page = await ViewerPage.open(browser(), daemon.url);
  await row(page, 'How long is a panel?').click();
  const panel = page.page.locator('#panel');
  await page.page.locator('.turn.assistant').waitFor();
  assert.equal(await panel.locator('h2').innerText(), 'POST generate_response');
  const overview = await page.text('#tab-panel');
  assert.match(overview, /How long is a panel\?[^]*As long as it needs\.\nTwo lines\./);
  assert.match(overview, /input\s+100/);
  assert.match(overview, /output\s+80/);
  assert.match(overview, /decode\s+50 tok\/s/);
  const asked = await page.tab('Request');
  assert.match(asked, /System\s+You are a helpful assistant\.\s+User\s+How long is a panel\?/);
  assert.match(asked, /temperature\s*0\.7/);
  assert.match(asked, /user_agent\s*curl\/7\.88\.1/);
  assert.match(await page.tab('Response'), /finish_reason\s*stop/);
  const timing = await page.tab('Timing');
  assert.match(timing, /reading the prompt\s+300 ms\s+15 %/);
  assert.match(timing, /writing the answer\s+1\.60 s\s+80 %/);
  const raw = await page.tab('Raw');
  assert.match(raw, /"request_id": "panel1"[^]*"duration_ms": 2000/);
  await page.page.keyboard.press('Escape');
  await until(async () => (await panel.count()) === 0);
  await page.close();
});

test('a link to a record opens it among its neighbours; in context leaves the filter', async () => {
  await daemon.store([...numbered(0, 300), { level: 'INFO', message: 'the one to link to', number: 4294967296 }, ...numbered(300, 900)]);
  const [found] = (await (await daemon.get('/recent?ids=true&search=the+one+to+link+to')).json()) as { livelog_id: number }[];
  const page = await ViewerPage.open(browser(), `${daemon.url}#id=${found?.livelog_id}`);
  await page.page.locator('#panel').waitFor();
  await until(async () => /number\s*4294967296/.test(await page.text('#tab-panel')));
  const shown = await page.messages();
  const at = shown.indexOf('the one to link tonumber=4294967296');
  assert.ok(at > 2, JSON.stringify(shown));
  assert.deepEqual([shown[at - 1], shown[at + 1]], ['m299', 'm300']);
  // On to the live end by scrolling, without a hole.
  await until(async () => {
    await page.page.evaluate(() => { const s = document.getElementById('scroller') as HTMLElement; s.scrollTop = s.scrollHeight; });
    return (await page.messages()).at(-1) === 'm899';
  }, 15_000);
  assert.ok((await page.rowCount()) > 700, 'it has not jumped to the newest');
  await page.page.keyboard.press('Escape');
  await page.filter('"the one"');
  await until(async () => (await page.rows()).length === 1);
  await row(page, 'the one to link to').click();
  await page.page.click('#in-context');
  await until(async () => (await page.messages()).includes('m299') && (await page.messages()).includes('m300'));
  assert.equal(await page.page.inputValue('#search'), '');
  assert.equal(new URL(page.page.url()).hash, `#id=${found?.livelog_id}`);
  await page.close();
});

test('a record that is gone is told', async () => {
  const page = await ViewerPage.open(browser(), `${daemon.url}#id=12345`);
  await until(async () => /record #12345 is not in the log/.test(await page.text('#said')));
  await page.close();
});

test('copy as JSON, as curl, as a link; what is copied is what was logged', async () => {
  await daemon.store(call({ id: 'copy1', question: "it's copied" }));
  const page = await ViewerPage.open(browser(), daemon.url, { permissions: ['clipboard-read', 'clipboard-write'] });
  const clipboard = (): Promise<string> => page.page.evaluate(() => navigator.clipboard.readText());
  await row(page, "it's copied").click();
  await page.page.locator('#copy-curl').click();
  await until(async () => (await page.text('#said')) === 'curl command copied');
  assert.match(await clipboard(), /^curl \\\n {2}'http:\/\/localhost:5001\/api\/v1\/generate_response' \\\n {2}-H 'Content-Type: application\/json' \\\n {2}--data-binary '\{"model":.*it'\\''s copied/);
  await page.page.locator('#copy-json').click();
  await until(async () => (await page.text('#said')) === 'JSON copied');
  const both = JSON.parse(await clipboard()) as { type: string }[];
  assert.deepEqual(both.map((one) => one.type), ['request', 'response']);
  await page.page.locator('#copy-link').click();
  await until(async () => (await page.text('#said')) === 'link copied');
  assert.match(await clipboard(), /^http:\/\/127\.0\.0\.1:\d+\/api\/v1\/logs#id=\d+$/);
  await page.close();
});

test('a response that the filter found alone shows its request in the panel', async () => {
  await daemon.store(call({ id: 'alone1', question: 'why alone?', status: 503, answer: 'overloaded' }));
  const page = await ViewerPage.open(browser(), `${daemon.url}#q=status:503`);
  await until(async () => (await page.rows()).length === 1);
  await page.page.locator('#rows > [data-index]').first().click();
  await until(async () => /why alone\?/.test(await page.text('#tab-panel')), 5000, () => page.text('#tab-panel'));
  assert.match(await page.text('#tab-panel'), /overloaded/);
  await page.close();
});

test('long bodies are folded, and there in whole when asked for', async () => {
  const long = 'word '.repeat(60_000);
  await daemon.store(call({ id: 'long1', question: `long story ${long}`, answer: 'short' }));
  const page = await ViewerPage.open(browser(), daemon.url, { permissions: ['clipboard-read', 'clipboard-write'] });
  await row(page, 'long story').click();
  await page.page.locator('.turn.user .more').waitFor();
  // What is copied is whole, although what is shown is not.
  for (const id of ['#copy-json', '#copy-curl']) {
    await page.page.locator(id).click();
    await until(async () => (await page.text('#said')) === (id === '#copy-json' ? 'JSON copied' : 'curl command copied'));
    const copied = await page.page.evaluate(() => navigator.clipboard.readText());
    assert.ok(copied.includes(long.trim()) && !copied.includes('livelogd_elided'), `${id} ${copied.length}`);
  }
  assert.ok((await page.text('.turn.user')).length < 3000);
  await page.page.getByRole('button', { name: 'Load everything' }).click();
  await until(async () => (await page.page.getByRole('button', { name: 'Load everything' }).count()) === 0);
  await page.page.locator('.turn.user .more').click();
  await until(async () => (await page.text('.turn.user')).length > 299_000);
  await page.close();
});
