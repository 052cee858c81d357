// SPDX-License-Identifier: MIT
// The rows of the list: records in the order of their ids, a response folded into the row of its request.

import type { LogRecord } from './record.js';

export type RowState = 'record' | 'in_flight' | 'ok' | 'failed' | 'no_request';

export interface Row {
  /** Identifies the row for as long as it is in the list: the id of its first record, halves for notices. */
  readonly key: number;
  /** Of a pair the request; null only of notices. */
  readonly first: LogRecord | null;
  /** The response that belongs to `first`. */
  second: LogRecord | null;
  /** Of a row that is no record: what it says. */
  readonly notice: string;
}

/** What a row is about: of a pair the one that tells the outcome. */
export function lastRecord(row: Row): LogRecord | null {
  return row.second ?? row.first;
}

export function isErrorRow(row: Row): boolean {
  return row.first?.isError === true || row.second?.isError === true;
}

export function stateOf(row: Row): RowState {
  const first = row.first;
  if (!first || first.kind === 'other') return 'record';
  if (first.kind === 'response') return first.isError ? 'failed' : 'no_request';
  if (!row.second) return first.requestId === '' ? 'record' : 'in_flight';
  return row.second.isError ? 'failed' : 'ok';
}

export interface RowLimits {
  rows: number;
  /** Of kept text, over all rows. */
  characters: number;
}

export const defaultLimits: RowLimits = { rows: 100_000, characters: 64 * 1024 * 1024 };

export class RowList {
  readonly rows: Row[] = [];
  records = 0;
  /** Records that had to go to keep within the limits, since the last clear(). */
  removed = 0;
  private characters = 0;
  private readonly open = new Map<string, Row[]>();
  private folds: boolean;

  constructor(folds = true, private readonly limits: RowLimits = defaultLimits) {
    this.folds = folds;
  }

  get full(): boolean {
    return this.rows.length >= this.limits.rows || this.characters >= this.limits.characters;
  }

  get firstKey(): number {
    return this.rows[0]?.key ?? Infinity;
  }

  /** Adds a record with a higher id than all others. Returns its row, which is not a new one if it was folded. */
  append(record: LogRecord): Row {
    this.account(record);
    const partner = record.kind === 'response' ? this.takeOpen(record.requestId) : undefined;
    if (partner) {
      partner.second = record;
      return partner;
    }
    const row: Row = { key: record.id, first: record, second: null, notice: '' };
    this.rows.push(row);
    this.noteOpen(row);
    return row;
  }

  /** Says something between two rows, at the end. `after` is the id that it stands behind. */
  appendNotice(after: number, notice: string): void {
    this.rows.push({ key: after + 0.5, first: null, second: null, notice });
  }

  /** Adds older records, in the order of their ids. Rows of responses whose request is among them are folded into it. */
  prepend(records: LogRecord[]): void {
    if (records.length === 0) return;
    this.rebuild([...records, ...this.flatten()], this.notices());
  }

  /** Takes away rows at the beginning until the list is within its limits; returns how many. */
  trimOldest(): number {
    if (!this.full) return 0;
    // A tenth more than needed, so that not every record that comes moves the whole array.
    const rows = Math.floor(this.limits.rows * 0.9);
    const characters = this.limits.characters * 0.9;
    let count = 0;
    while (count < this.rows.length && (this.rows.length - count > rows || this.characters > characters)) {
      this.forget(this.rows[count] as Row);
      count += 1;
    }
    this.rows.splice(0, count);
    return count;
  }

  /** The same at the end. */
  trimNewest(): number {
    let count = 0;
    while (this.full && this.rows.length > 0) {
      for (let i = 0; i < 100 && this.rows.length > 0; i += 1) {
        this.forget(this.rows.pop() as Row);
        count += 1;
      }
    }
    return count;
  }

  setFolding(folds: boolean): void {
    if (folds === this.folds) return;
    this.folds = folds;
    this.rebuild(this.flatten(), this.notices());
  }

  clear(): void {
    this.rows.length = 0;
    this.open.clear();
    this.records = 0;
    this.removed = 0;
    this.characters = 0;
  }

  /** The row that shows the record of an id, and its place; -1 if there is none. */
  indexOf(id: number): number {
    let low = 0;
    let high = this.rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.rows[middle] as Row).key < id) low = middle + 1;
      else high = middle;
    }
    if (this.rows[low]?.key === id) return low;
    return this.rows.findIndex((row) => row.second?.id === id);
  }

  /** The place of a row; -1 if it is not in the list any more. */
  placeOf(row: Row): number {
    let low = 0;
    let high = this.rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.rows[middle] as Row).key < row.key) low = middle + 1;
      else high = middle;
    }
    return this.rows[low]?.key === row.key ? low : -1;
  }

  /** The nearest row from `index` on in a direction (1, -1) that satisfies `wanted`; -1 if there is none. */
  search(index: number, direction: 1 | -1, wanted: (row: Row) => boolean): number {
    for (let i = index + direction; i >= 0 && i < this.rows.length; i += direction) {
      if (wanted(this.rows[i] as Row)) return i;
    }
    return -1;
  }

  private account(record: LogRecord): void {
    this.records += 1;
    this.characters += record.text.length + 200;
  }

  private forget(row: Row): void {
    for (const record of [row.first, row.second]) {
      if (!record) continue;
      this.records -= 1;
      this.removed += 1;
      this.characters -= record.text.length + 200;
    }
    if (row.first && !row.second && row.first.kind === 'request') {
      const waiting = this.open.get(row.first.requestId);
      if (waiting) {
        const left = waiting.filter((one) => one !== row);
        if (left.length > 0) this.open.set(row.first.requestId, left);
        else this.open.delete(row.first.requestId);
      }
    }
  }

  private noteOpen(row: Row): void {
    const first = row.first;
    if (!this.folds || !first || first.kind !== 'request' || first.requestId === '') return;
    const waiting = this.open.get(first.requestId);
    if (waiting) waiting.push(row);
    else this.open.set(first.requestId, [row]);
  }

  // A response belongs to the nearest earlier request of its id that has none yet.
  private takeOpen(requestId: string): Row | undefined {
    if (!this.folds || requestId === '') return undefined;
    const waiting = this.open.get(requestId);
    const row = waiting?.pop();
    if (waiting?.length === 0) this.open.delete(requestId);
    return row;
  }

  private flatten(): LogRecord[] {
    const records: LogRecord[] = [];
    for (const row of this.rows) {
      if (row.first) records.push(row.first);
      if (row.second) records.push(row.second);
    }
    return records.sort((a, b) => a.id - b.id);
  }

  private notices(): Row[] {
    return this.rows.filter((row) => row.first === null);
  }

  private rebuild(records: LogRecord[], notices: Row[]): void {
    const removed = this.removed;
    this.clear();
    this.removed = removed;
    let next = 0;
    for (const record of records) {
      while (next < notices.length && (notices[next] as Row).key < record.id) {
        this.rows.push(notices[next] as Row);
        next += 1;
      }
      this.append(record);
    }
    this.rows.push(...notices.slice(next));
  }
}
