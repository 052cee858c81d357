// SPDX-License-Identifier: MIT
// Signing in and out as a person does it, in a real browser: cookies, redirections and what stands behind '#'.
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import { Daemon, until } from './support/daemon.js';
import { test } from './support/limited.js';
import { PathProxy } from './support/path_proxy.js';
import { numbered } from './support/records.js';
import { ViewerPage, withBrowser } from './support/viewer_page.js';

const browser = withBrowser();
const token = 'correct-horse-battery-staple';

async function guarded(run: (daemon: Daemon, file: string) => Promise<void>): Promise<void> {
  const file = join('/tmp', `livelogd-token-${process.pid}-${Math.random().toString(36).slice(2)}`);
  writeFileSync(file, token, { mode: 0o600 });
  const daemon = await Daemon.start({ 'auth-token-file': file });
  try {
    await run(daemon, file);
  } finally {
    await daemon.close();
    rmSync(file);
  }
}

async function signIn(page: ViewerPage, given = token): Promise<void> {
  await page.page.fill('#token', given);
  await page.page.press('#token', 'Enter');
}

test('a person signs in, comes back to the address, sees records live, and signs out', () => guarded(async (daemon) => {
  const address = `${daemon.url}?x=1#q=level%3Ainfo`;
  const page = await ViewerPage.open(browser(), address, { live: false });
  page.connectionWillFail = true; // the answer to a wrong token is told on the console
  assert.match(page.page.url(), /\/api\/v1\/logs\/sign-in\?next=/);
  // Without the stylesheet the page would be white.
  assert.notEqual(await page.page.evaluate(() => getComputedStyle(document.body).backgroundColor), 'rgb(255, 255, 255)');
  assert.equal(await page.page.evaluate(() => document.activeElement?.id), 'token');
  await signIn(page, 'a-wrong-token-0123456789');
  await page.page.locator('[role=alert]').waitFor();
  assert.equal(await page.text('[role=alert]'), 'That is not the token.');
  await signIn(page);
  await page.state('live');
  assert.equal(page.page.url(), address);
  assert.equal(await page.page.inputValue('#search'), 'level:info');
  await daemon.send(numbered(0, 3));
  await page.waitMessages(['m0', 'm1', 'm2']);

  const [cookie] = await page.page.context().cookies();
  assert.equal(cookie?.name, `livelogd-${daemon.port}`);
  assert.deepEqual([cookie?.httpOnly, cookie?.sameSite, cookie?.secure], [true, 'Strict', false]);
  assert.equal(await page.page.evaluate(() => document.cookie), '');

  await page.page.click('#menu-toggle');
  await page.page.click('#sign-out');
  await page.page.locator('#token').waitFor();
  assert.deepEqual(await page.page.context().cookies(), []);
  assert.equal((await fetch(`${daemon.url}/recent`, { headers: { Cookie: `${cookie?.name}=${cookie?.value}` } })).status, 401);
  await page.close();
}));

test('a page whose session ends says so, keeps what it shows, and goes on where it was', () => guarded(async (daemon, file) => {
  const page = await ViewerPage.open(browser(), daemon.url, { live: false });
  page.connectionWillFail = true;
  await signIn(page);
  await page.state('live');
  await daemon.send(numbered(0, 3));
  await page.waitMessages(['m0', 'm1', 'm2']);
  const fresh = 'another-token-0123456789';
  writeFileSync(file, fresh);
  process.kill(daemon.pid, 'SIGHUP');
  await page.state('signed_out');
  assert.equal(await page.text('#state-text'), 'signed out');
  assert.equal(await page.text('#connect'), 'Sign in');
  assert.deepEqual(await page.messages(), ['m0', 'm1', 'm2']);
  await daemon.send(numbered(3, 5));
  await page.page.click('#connect');
  await signIn(page, fresh);
  await page.state('live');
  await page.waitMessages(['m0', 'm1', 'm2', 'm3', 'm4']);
  await page.close();
}));

test('a stream that a restarted daemon refuses is told as signed out', () => guarded(async (daemon) => {
  const page = await ViewerPage.open(browser(), daemon.url, { live: false });
  page.connectionWillFail = true;
  await signIn(page);
  await page.state('live');
  await daemon.send(numbered(0, 2));
  await page.waitMessages(['m0', 'm1']);
  // Sessions are kept in memory.
  await daemon.stop('SIGKILL');
  await daemon.start();
  await page.state('signed_out');
  await page.close();
}));

test('a link on another site leads to the viewer without signing in again', () => guarded(async (daemon) => {
  const page = await ViewerPage.open(browser(), daemon.url, { live: false });
  page.connectionWillFail = true; // 401 of the first of the two requests
  await signIn(page);
  await page.state('live');
  // "localhost" and "127.0.0.1" are different sites: SameSite=Strict keeps the cookie back.
  const other = createServer((_, answer) => answer.end(`<!doctype html><a id="go" href="${daemon.url}#q=level%3Ainfo">log</a>`));
  await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
  try {
    await page.page.goto(`http://localhost:${(other.address() as AddressInfo).port}/`);
    await page.page.click('#go');
    await page.state('live');
    assert.equal(page.page.url(), `${daemon.url}#q=level%3Ainfo`);
  } finally {
    other.close();
  }
  await page.close();
}));

test('without a session such a link leads to the sign-in, and not round in circles', () => guarded(async (daemon) => {
  const page = await ViewerPage.open(browser(), daemon.url, { live: false });
  page.connectionWillFail = true;
  const other = createServer((_, answer) => answer.end(`<!doctype html><a id="go" href="${daemon.url}#q=x">log</a>`));
  await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
  try {
    await page.page.goto(`http://localhost:${(other.address() as AddressInfo).port}/`);
    await page.page.click('#go');
    await page.page.locator('#token').waitFor();
    await signIn(page);
    await page.state('live');
    assert.equal(page.page.url(), `${daemon.url}#q=x`);
  } finally {
    other.close();
  }
  await page.close();
}));

test('under a path of a proxy', () => guarded(async (daemon) => {
  const proxy = await PathProxy.start(daemon.port);
  try {
    const page = await ViewerPage.open(browser(), proxy.url, { live: false });
    page.connectionWillFail = true;
    assert.equal(page.page.url(), `${proxy.url}/sign-in`);
    await signIn(page);
    await page.state('live');
    assert.equal(page.page.url(), proxy.url);
    await page.page.click('#menu-toggle');
    await page.page.click('#sign-out');
    await until(() => page.page.url() === `${proxy.url}/sign-in`, 5000, () => page.page.url());
    await page.close();
  } finally {
    await proxy.close();
  }
}));

test('where nobody has to sign in there is nothing to sign out of', async () => {
  const daemon = await Daemon.start();
  try {
    const page = await ViewerPage.open(browser(), daemon.url);
    const asked = page.page.waitForResponse(/\/session$/);
    await page.page.click('#menu-toggle');
    assert.deepEqual(await (await asked).json(), { required: false, signed_in: false });
    assert.equal(await page.page.locator('#sign-out').count(), 0);
    await page.close();
  } finally {
    await daemon.close();
  }
});
