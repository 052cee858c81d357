// SPDX-License-Identifier: MIT
// Numbers and times for people.

export type TimeMode = 'sent' | 'local' | 'utc' | 'relative';

// By hand: the first Intl.NumberFormat costs as much time as drawing a row of the list forty times.
export function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

const one = (value: number): string => String(Math.round(value * 10) / 10);

/** 950, 1.2k, 34k, 5.6M. */
export function short(value: number): string {
  const size = Math.abs(value);
  if (size < 1000) return size < 10 && !Number.isInteger(value) ? one(value) : String(Math.round(value));
  if (size < 999_500) return `${size < 9950 ? one(value / 1e3) : Math.round(value / 1e3)}k`;
  return `${one(value / 1e6)}M`;
}

export function bytes(value: number): string {
  if (value < 1024) return `${value} B`;
  if (value < 1024 * 1024) return `${one(value / 1024)} KiB`;
  return `${one(value / 1024 / 1024)} MiB`;
}

/** Milliseconds: "0.25 ms", "45 ms", "2.11 s", "3 min 05 s", "2 h 04 min". */
export function duration(ms: number): string {
  if (ms < 10) return `${ms.toFixed(ms === 0 ? 0 : 2)} ms`;
  if (ms < 999.5) return `${ms.toFixed(0)} ms`;
  if (ms < 9_995) return `${(ms / 1000).toFixed(2)} s`;
  if (ms < 99_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${two(Math.floor((seconds % 3600) / 60))} min`;
}

/** How long ago, coarsely: "now", "12 s", "5 min", "3 h", "2 d". */
export function age(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 1) return 'now';
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

export const two = (value: number): string => String(value).padStart(2, '0');

const iso = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?)\s*(Z|[+-]\d\d:?\d\d)?$/;

/** Milliseconds since 1970 of a timestamp as records carry them; without offset it is local time here. NaN if it is none. */
export function epochOf(timestamp: string): number {
  const found = iso.exec(timestamp);
  if (!found) return NaN;
  const [, date, time, offset] = found as unknown as [string, string, string, string | undefined];
  const zone = offset && offset !== 'Z' && !offset.includes(':') ? `${offset.slice(0, 3)}:${offset.slice(3)}` : (offset ?? '');
  // Browsers read three digits of a second alike, more of them not.
  return Date.parse(`${date}T${time.replace(',', '.').replace(/(\.\d{3})\d+/, '$1')}${zone}`);
}

/** The local date as in a timestamp. */
export function localDate(epoch: number): string {
  const d = new Date(epoch);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
}

export function clock(epoch: number, utc = false): string {
  const d = new Date(epoch);
  const ms = String(utc ? d.getUTCMilliseconds() : d.getMilliseconds()).padStart(3, '0');
  return utc
    ? `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())}.${ms}`
    : `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}.${ms}`;
}

/** The time of a row: time of day, before it month and day if that is not today. Other spellings are shown as they are. */
export function rowTime(timestamp: string, mode: TimeMode, now: number): string {
  const found = iso.exec(timestamp);
  if (!found) return timestamp;
  if (mode === 'sent') {
    const time = (found[2] as string).replace(/([.,]\d{3})\d+$/, '$1');
    return found[1] === localDate(now) ? time : `${(found[1] as string).slice(5)} ${time}`;
  }
  const epoch = epochOf(timestamp);
  if (Number.isNaN(epoch)) return timestamp;
  if (mode === 'relative') {
    return epoch > now + 999 ? `in ${age(epoch - now)}` : now - epoch < 1000 ? 'now' : `${age(now - epoch)} ago`;
  }
  const utc = mode === 'utc';
  const date = utc ? new Date(epoch).toISOString().slice(0, 10) : localDate(epoch);
  const today = utc ? new Date(now).toISOString().slice(0, 10) : localDate(now);
  return `${date === today ? '' : `${date.slice(5)} `}${clock(epoch, utc)}${utc ? 'Z' : ''}`;
}

/** A moment for a filter or a heading, local time with offset to the second: "2026-11-28T10:30:00+01:00". */
export function isoLocal(epoch: number): string {
  const d = new Date(epoch);
  const offset = -d.getTimezoneOffset();
  const zone = offset === 0 ? 'Z' : `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  return `${localDate(epoch)}T${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}${zone}`;
}
