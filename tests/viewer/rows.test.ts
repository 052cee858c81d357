// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { makeRecord, fieldsOf, type LogRecord } from '../../static/src/model/record.js';
import { isErrorRow, RowList, stateOf, type Row } from '../../static/src/model/rows.js';

const record = (id: number, more: Record<string, unknown> = {}): LogRecord => makeRecord(id, JSON.stringify({ message: `m${id}`, ...more }));
const request = (id: number, requestId: unknown): LogRecord => record(id, { type: 'request', request_id: requestId });
const response = (id: number, requestId: unknown, status = 200): LogRecord => record(id, { type: 'response', request_id: requestId, status_code: status });
const shape = (list: RowList): string => list.rows.map((row: Row) => (row.first ? `${row.first.id}${row.second ? `+${row.second.id}` : ''}` : 'notice')).join(' ');

/** What the list must be for any records in the order of their ids: the daemon's own rule for pairs. */
function expected(records: LogRecord[]): string {
  const rows: { first: LogRecord; second: LogRecord | null }[] = [];
  for (const one of records) {
    const partner = one.kind === 'response' && one.requestId !== ''
      ? [...rows].reverse().find((row) => row.first.kind === 'request' && row.first.requestId === one.requestId && !row.second) : undefined;
    if (partner) partner.second = one;
    else rows.push({ first: one, second: null });
  }
  return rows.map((row) => `${row.first.id}${row.second ? `+${row.second.id}` : ''}`).join(' ');
}

test('a response folds into the nearest earlier request of its id that has none yet', () => {
  const list = new RowList();
  for (const one of [request(1, 'a'), request(2, 'b'), record(3), response(4, 'a'), response(5, 'c'), request(6, 'b'), response(7, 'b', 500), response(8, 'b')]) list.append(one);
  assert.equal(shape(list), '1+4 2+8 3 5 6+7');
  assert.deepEqual(list.rows.map(stateOf), ['ok', 'ok', 'record', 'no_request', 'failed']);
  assert.deepEqual(list.rows.map(isErrorRow), [false, false, false, false, true]);
  assert.equal(list.records, 8);
});

test('ids are compared as the daemon does: 7 and "7" are one, none and others are none', () => {
  const list = new RowList();
  for (const one of [request(1, 7), response(2, '7'), request(3, ''), response(4, ''), request(5, null), response(6, null), request(7, { a: 1 }), response(8, { a: 1 })]) list.append(one);
  assert.equal(shape(list), '1+2 3 4 5 6 7 8');
  assert.equal(stateOf(list.rows[1] as Row), 'record');
});

test('older records in front fold the responses that were alone', () => {
  const list = new RowList();
  for (const one of [response(10, 'a'), record(11), response(12, 'b', 404)]) list.append(one);
  list.appendNotice(11, 'gap');
  list.prepend([request(5, 'b'), record(6), request(7, 'a')]);
  assert.equal(shape(list), '5+12 6 7+10 11 notice');
  assert.equal(list.records, 6);
});

test('appended and prepended in any pieces, the rows are those of one pass', () => {
  let seed = 42;
  const random = (below: number): number => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed % below;
  };
  for (let round = 0; round < 200; round += 1) {
    const all = Array.from({ length: 40 }, (_, i) => {
      const id = String(random(4));
      return [record(i + 1), request(i + 1, id), response(i + 1, id)][random(3)] as LogRecord;
    });
    const from = random(30) + 5;
    const list = new RowList();
    for (const one of all.slice(from)) list.append(one);
    let end = from;
    while (end > 0) {
      const start = Math.max(0, end - 1 - random(8));
      list.prepend(all.slice(start, end));
      end = start;
    }
    assert.equal(shape(list), expected(all));
    list.setFolding(false);
    assert.equal(shape(list), all.map((one) => one.id).join(' '));
    list.setFolding(true);
    assert.equal(shape(list), expected(all));
    assert.ok(list.rows.every((row, i) => i === 0 || (list.rows[i - 1] as Row).key < row.key));
  }
});

test('the list is bounded in rows and in characters, and tells what had to go', () => {
  const list = new RowList(true, { rows: 100, characters: 1e9 });
  for (let i = 1; i <= 1000; i += 1) {
    if (list.full) list.trimOldest();
    list.append(record(i));
  }
  assert.ok(list.rows.length <= 100 && list.rows.length >= 90);
  assert.equal(list.removed + list.records, 1000);
  assert.equal(list.rows[list.rows.length - 1]?.first?.id, 1000);
  const wide = new RowList(true, { rows: 1e9, characters: 100_000 });
  for (let i = 1; i <= 1000; i += 1) {
    if (wide.full) wide.trimOldest();
    wide.append(record(i, { pad: 'x'.repeat(1000) }));
  }
  assert.ok(wide.rows.length < 100 && wide.rows.length > 50);
  const old = wide.rows.length;
  while (!wide.full) wide.append(record(2000 + wide.records, { pad: 'x'.repeat(1000) }));
  wide.trimNewest();
  assert.ok(!wide.full && wide.rows.length >= old - 110);
});

test('a response to a request that had to go is a row of its own', () => {
  const list = new RowList(true, { rows: 10, characters: 1e9 });
  list.append(request(1, 'a'));
  for (let i = 2; i <= 30; i += 1) {
    list.trimOldest();
    list.append(record(i));
  }
  list.append(response(31, 'a'));
  assert.equal(list.rows[list.rows.length - 1]?.first?.id, 31);
});

test('rows are found by the id of either record', () => {
  const list = new RowList();
  for (const one of [record(1), request(3, 'a'), record(5), response(8, 'a'), record(9)]) list.append(one);
  assert.deepEqual([1, 3, 5, 8, 9, 2, 100].map((id) => list.indexOf(id)), [0, 1, 2, 1, 3, -1, -1]);
  assert.equal(list.search(0, 1, (row) => row.first?.id === 9), 3);
  assert.equal(list.search(3, -1, (row) => row.second !== null), 1);
  assert.equal(list.search(3, 1, () => true), -1);
});

test('severity and errors are the daemon\'s', () => {
  const of = (fields: Record<string, unknown>): [number, boolean] => {
    const one = record(1, fields);
    return [one.severity, one.isError];
  };
  assert.deepEqual(of({ level: 'warn' }), [3, false]);
  assert.deepEqual(of({ level: 'Fatal' }), [5, true]);
  assert.deepEqual(of({ level: 40 }), [4, true]);
  assert.deepEqual(of({ level: '35' }), [3, false]);
  assert.deepEqual(of({ level: 5 }), [0, false]);
  assert.deepEqual(of({ level: 'noise' }), [2, false]);
  assert.deepEqual(of({}), [2, false]);
  assert.deepEqual(of({ status_code: 404 }), [2, true]);
  assert.deepEqual(of({ status_code: '500' }), [2, false]);
});

test('long records keep their row and drop their text', () => {
  const one = makeRecord(1, JSON.stringify({ message: 'y'.repeat(100_000), level: 'ERROR', type: 'response', request_id: 'r' }));
  assert.equal(one.text, '');
  assert.equal(one.whole, false);
  assert.deepEqual([one.kind, one.requestId, one.isError], ['response', 'r', true]);
  assert.ok(fieldsOf(one).message.length < 500);
});

test('what is no object is shown as it came', () => {
  assert.equal(fieldsOf(makeRecord(1, '<html>')).message, '<html>');
  assert.equal(fieldsOf(makeRecord(1, '[1,2]')).message, '[1,2]');
});
