import { expect, test } from 'vitest';
import { endHealth, listed, ofIngest, ofMember, ofStore } from './troubles';

const well = {
  id: 'books-1',
  version: '0.1.0',
  leaving: false,
  last_scrape: '2026-01-01T00:00:00Z',
  spans: { emitted: 10, exported: 8, dropped: {}, waiting: 2, unsampled: 0 },
  series: { family: 'clew_requests_total', used: 5, limit: 1000, by_family: {}, dropped: {} },
};
const store = {
  path: 'x',
  bytes: 1,
  bytes_limit: 1024 * 1024,
  age_limit_seconds: 60,
  traces: 1,
  series: 1,
  spans_written: 1,
  spans_repeated: 0,
  scrapes_written: 1,
  traces_expired: 0,
  lost: {},
};
const ingest = {
  requests: 1,
  spans_received: 1,
  spans_stored: 1,
  spans_refused: {},
  requests_refused: {},
  values_cut: 0,
};

test('what is well has nothing to say', () => {
  expect(ofMember(well, '0.1.0')).toEqual([]);
  expect(ofMember({ ...well, spans: null, series: null }, undefined)).toEqual([]);
  expect(ofStore(store)).toEqual([]);
  expect(ofIngest(ingest)).toEqual([]);
});

test('whatever is wrong is told with what to do about it', () => {
  const troubles = ofMember(
    {
      ...well,
      version: '0.0.9',
      scrape_error: 'refused',
      spans: { ...well.spans, dropped: { queue_full: 3 } },
      series: { ...well.series, dropped: { clew_requests_total: 4 } },
      access_log_lines_dropped: 5,
    },
    '0.1.0',
  );
  expect(troubles.map((trouble) => trouble.health)).toEqual(['bad', 'warn', 'warn', 'warn', 'warn']);
  expect(troubles.every((trouble) => trouble.todo !== '')).toBe(true);
  expect(troubles[2]?.what).toBe('3 of its spans are lost: 3 queue full');
  expect(ofStore({ ...store, lost: { samples_refused: 1 }, crowded_at: '2026-01-01T00:00:00Z' }).length).toBe(2);
  expect(ofIngest({ ...ingest, spans_refused: { store_full: 1 }, requests_refused: { shed: 2 } }).length).toBe(2);
});

test('reasons are in words', () => {
  expect(listed({ queue_full: 1200, export_failed: 0, shed: 1 })).toBe('1,200 queue full, 1 shed');
});

test('a certificate that was not renewed in time is told before it ends', () => {
  const now = Date.parse('2026-01-01T12:00:00Z');
  expect(endHealth(now + 2 * 3_600_000, now)).toBe('good');
  expect(endHealth(now + 3_600_000, now)).toBe('warn');
  expect(endHealth(now, now)).toBe('bad');
});
