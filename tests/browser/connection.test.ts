// SPDX-License-Identifier: MIT
// The viewer says truly how it is connected, and loses or doubles nothing when the connection breaks.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';

import { Daemon, until } from './support/daemon.js';
import { test } from './support/limited.js';
import { PathProxy, prefix } from './support/path_proxy.js';
import { numbered } from './support/records.js';
import { ViewerPage, withBrowser } from './support/viewer_page.js';

const browser = withBrowser();
const names = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => `m${from + i}`);

async function with_(run: (daemon: Daemon, proxy: PathProxy) => Promise<void>): Promise<void> {
  const daemon = await Daemon.start();
  const proxy = await PathProxy.start(daemon.port);
  try {
    await run(daemon, proxy);
  } finally {
    await proxy.close();
    await daemon.close();
  }
}

test('disconnect and connect: what came meanwhile is not lost; live tells the age of the last event', () => with_(async (daemon) => {
  const page = await ViewerPage.open(browser(), daemon.url);
  await daemon.send(numbered(0, 3));
  await page.waitMessages(names(0, 3));
  await until(async () => /· (now|last event \d+ s ago)/.test(await page.text('#state-age')), 5000, () => page.text('#state-age'));
  await page.page.click('#connect');
  await page.state('disconnected');
  assert.equal(await page.text('#state-text'), 'disconnected by you');
  await daemon.store(numbered(3, 6));
  assert.deepEqual(await page.messages(), names(0, 3));
  await page.page.click('#connect');
  await page.waitMessages(names(0, 6));
  await page.state('live');
  // The numbers at the foot follow the rows at a slower pace.
  await until(async () => (await page.count('all')) === 6, 5000, () => page.count('all'));
  await page.close();
}));

test('killed again and again in the middle of a flood, the page shows what the log holds, each record once', () => with_(async (daemon) => {
  const page = await ViewerPage.open(browser(), daemon.url);
  page.connectionWillFail = true;
  let stop = false;
  const flood = (async () => {
    for (let i = 0; !stop; i += 20) {
      await daemon.send(numbered(i, i + 20)).catch(() => undefined);
      await new Promise((done) => setTimeout(done, 5));
    }
  })();
  for (let round = 0; round < 2; round += 1) {
    const before = await page.count('all');
    await until(async () => (await page.count('all')) > before, 20_000);
    await daemon.stop('SIGKILL');
    await page.state('reconnecting');
    assert.match(await page.text('#state-text'), /^reconnecting, resuming from #\d+$/);
    await daemon.start();
    await page.state('live');
  }
  stop = true;
  await flood;
  // The last connections may still wait for the daemon. What is lost or there twice stays so.
  const found = async (): Promise<{ stored: string[]; count: number; shown: string[] }> => ({
    stored: daemon.storedLines().map((line) => (JSON.parse(line) as { message: string }).message),
    count: await page.count('all'),
    shown: await page.messages(),
  });
  await until(async () => {
    const { stored, count, shown } = await found();
    return count === stored.length && shown.length > 0 && JSON.stringify(shown) === JSON.stringify(stored.slice(-shown.length));
  }, 20_000, async () => {
    const { stored, count, shown } = await found();
    return { stored: stored.length, count, shown, ends: stored.slice(-shown.length) };
  });
  await page.close();
}));

test('a stopped daemon is told and waited for', () => with_(async (daemon) => {
  const page = await ViewerPage.open(browser(), daemon.url);
  page.connectionWillFail = true;
  await daemon.send(numbered(0, 5));
  await page.waitMessages(names(0, 5));
  await daemon.stop();
  await page.state('stopped');
  assert.match(await page.text('#state-text'), /^daemon stopped; waiting for it, resuming from #\d+$/);
  // That is the longest text of the bar: it makes room, and nothing lies on anything else.
  for (const width of [1500, 1200, 1000, 800]) {
    await page.page.setViewportSize({ width, height: 700 });
    const { apart, pageWidth } = await page.page.evaluate(() => {
      const search = document.querySelector('.search')!.getBoundingClientRect();
      const actions = document.querySelector('.actions')!.getBoundingClientRect();
      return { apart: search.right <= actions.left || search.top >= actions.bottom, pageWidth: document.documentElement.scrollWidth };
    });
    assert.ok(apart, `at ${width} the search box is not beside nor under the buttons`);
    assert.ok(pageWidth <= width, `at ${width} the page is ${pageWidth} wide`);
  }
  await daemon.start();
  await page.state('live');
  await daemon.send(numbered(5, 7));
  await page.waitMessages(names(0, 7));
  await page.close();
}));

test('it shows that storing fails, and that it works again', () => with_(async (daemon) => {
  const page = await ViewerPage.open(browser(), daemon.url);
  await daemon.send(numbered(0, 3));
  await page.waitMessages(names(0, 3));
  // A limit on the size of files stands in for a full disk.
  execFileSync('prlimit', [`--pid=${daemon.pid}`, '--fsize=1:']);
  await daemon.send(numbered(3, 5));
  await page.state('troubled');
  assert.match(await page.text('#state-text'), /^live, but storing fails: cannot store in /);
  execFileSync('prlimit', [`--pid=${daemon.pid}`, '--fsize=unlimited:']);
  await page.state('live');
  await page.waitCount(6);
  await page.close();
}));

test('under a path of a proxy, and a proxy that answers 502 for a while', () => with_(async (daemon, proxy) => {
  const page = await ViewerPage.open(browser(), proxy.url);
  page.connectionWillFail = true;
  await daemon.send(numbered(0, 4));
  await page.waitMessages(names(0, 4));
  assert.equal(proxy.streams().length, 1);
  assert.ok(proxy.streams()[0]?.endsWith('/stream?replay=200'));
  assert.ok(proxy.asked.every((path) => path.startsWith(prefix)));
  // An EventSource gives up for ever on any answer but 200: the page has to try again by itself.
  proxy.broken = true;
  await daemon.stop('SIGKILL');
  await until(async () => /attempts? failed/.test(await page.text('#state')), 30_000, () => page.text('#state'));
  assert.equal(await page.page.locator('#state').getAttribute('data-state'), 'reconnecting');
  await daemon.start();
  await daemon.send(numbered(4, 9));
  proxy.broken = false;
  await page.waitMessages(names(0, 9), 30_000);
  await page.state('live');
  assert.match(proxy.streams().at(-1) ?? '', /\/stream\?after=\d+$/);
  await page.close();
  // What an address narrows is asked for at once, and nothing else.
  const before = proxy.streams().length;
  const narrowed = await ViewerPage.open(browser(), `${proxy.url}#q=m7`);
  await narrowed.waitMessages(['m7']);
  assert.match(proxy.streams().slice(before).join(' '), /^\S*\/stream\?after=\d+&q=m7$/);
  await narrowed.close();
}));

test('a connection that died silently is noticed', () => with_(async (daemon, proxy) => {
  const page = await ViewerPage.open(browser(), proxy.url);
  await daemon.send(numbered(0, 2));
  await page.waitMessages(names(0, 2));
  proxy.silenceOpenStreams();
  await daemon.store(numbered(2, 4));
  assert.deepEqual(await page.messages(), names(0, 2));
  // 41 s later, as far as the page can tell.
  await page.page.evaluate(() => { const now = Date.now; Date.now = () => now() + 41_000; });
  await page.waitMessages(names(0, 4));
  await page.state('live');
  assert.equal(proxy.streams().length, 2);
  await page.close();
}));

test('a hidden tab gives its connection back, and resumes when it is looked at', () => with_(async (daemon, proxy) => {
  const page = await ViewerPage.open(browser(), proxy.url, {
    init: `
      const later = window.setTimeout;
      window.setTimeout = (call, delay, ...rest) => later(call, delay === 30000 ? 300 : delay, ...rest);
      Object.defineProperty(document, 'visibilityState', { get: () => window.pretended ?? 'visible' });`,
  });
  const look = (how: string): Promise<void> => page.page.evaluate((state) => {
    (window as unknown as { pretended: string }).pretended = state;
    document.dispatchEvent(new Event('visibilitychange'));
  }, how);
  await daemon.send(numbered(0, 3));
  await page.waitMessages(names(0, 3));
  await look('hidden');
  await look('visible'); // a short look elsewhere changes nothing
  await look('hidden');
  await page.state('hidden');
  assert.match(await page.text('#state-text'), /^paused while hidden, resuming from #\d+$/);
  await daemon.store(numbered(3, 6));
  assert.equal(await page.count('all'), 3);
  await look('visible');
  await page.waitMessages(names(0, 6));
  assert.equal(proxy.streams().length, 2);
  await page.close();
}));

test('a tab that gets no connection says why: six others hold one', () => with_(async (daemon) => {
  const first = await ViewerPage.open(browser(), daemon.url);
  const context = first.page.context();
  const others = [];
  for (let i = 0; i < 5; i += 1) {
    const page = await context.newPage();
    others.push(page);
    await page.goto(daemon.url);
    await page.locator('#state[data-state=live]').waitFor();
  }
  // The page itself comes from the browser's cache only after it has asked; so the seventh is made to look at a stream that waits.
  const stuck = await context.newPage();
  await stuck.route('**/api/v1/logs', (route) => route.fulfill({ path: 'static/index.html', contentType: 'text/html' }));
  await stuck.route('**/logs/assets/*', async (route) => {
    const name = route.request().url().split('/').pop() as string;
    const folder = process.env['LIVELOGD_VIEWER_FILES'] ?? 'build/release/static/viewer';
    await route.fulfill({ path: `${folder}/${name}`, contentType: name.endsWith('css') ? 'text/css' : 'text/javascript' });
  });
  await stuck.goto(daemon.url);
  await until(async () => /6 other tabs of this page hold a connection/.test(await stuck.locator('#state').innerText()), 20_000, () => stuck.locator('#state').innerText());
  await others[0]?.close();
  await stuck.locator('#state[data-state=live]').waitFor({ timeout: 20_000 });
  await first.close();
}));
