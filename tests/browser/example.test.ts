// SPDX-License-Identifier: MIT
// The few lines of JavaScript that the guide gives to those who write a page of their own.
import assert from 'node:assert/strict';

import { Daemon, until } from './support/daemon.js';
import { test } from './support/limited.js';
import { ViewerPage, withBrowser } from './support/viewer_page.js';

const browser = withBrowser();

const example = `
const eventSource = new EventSource('/api/v1/logs/stream');

eventSource.onmessage = function(event) {
    const log = JSON.parse(event.data);
    console.log('New log:', log);
    
    // Process the log entry
    if (log.level === 'ERROR') {
        console.error('Error detected:', log.message);
    }
};

eventSource.onerror = function(event) {
    console.error('SSE connection error');
};
`;

test('it works as printed', async () => {
  const daemon = await Daemon.start();
  await daemon.store([{ level: 'INFO', message: 'before' }]);
  const page = await ViewerPage.open(browser(), daemon.url);
  page.connectionWillFail = true;
  await page.page.evaluate(`
    window.heard = [];
    for (const name of ['log', 'error']) console[name] = (...said) => window.heard.push([name, ...said]);
    ${example}
    window.example = eventSource;`);
  const heard = (): Promise<unknown[][]> => page.page.evaluate('window.heard');
  const open = (): Promise<boolean> => page.page.evaluate('window.example.readyState === EventSource.OPEN');
  await until(open);
  const good = { timestamp: '2025-06-26T10:30:45.123456', level: 'INFO', message: 'fine', n: 1 };
  const bad = { timestamp: '2025-06-26T10:30:46.123456', level: 'ERROR', message: 'broken' };
  await daemon.send([good, bad]);
  await until(async () => (await heard()).length === 3);
  assert.deepEqual(await heard(), [['log', 'New log:', good], ['log', 'New log:', bad], ['error', 'Error detected:', 'broken']]);
  // Pings, the farewell and the like have names of their own and do not get in the way; a lost connection is told.
  await daemon.stop();
  await daemon.start();
  await until(async () => (await heard()).length >= 4, 20_000);
  assert.ok((await heard()).slice(3).every((said) => JSON.stringify(said) === '["error","SSE connection error"]'));
  await until(open, 20_000);
  await daemon.send([{ ...good, message: 'again' }]);
  await until(async () => (await heard()).at(-1)?.[0] === 'log', 20_000);
  assert.deepEqual((await heard()).at(-1), ['log', 'New log:', { ...good, message: 'again' }]);
  await page.close();
  await daemon.close();
});
