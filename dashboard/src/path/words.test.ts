import { expect, test } from 'vitest';
import { blamed, command, remark, source } from './words';

const window = { from: '', to: '', seconds: 60 };
const part = { part: 'application', of: 'books', mean_ms: 9, mean_share: 0.9, slowest_ms: 5, slowest_share: 0.4 };
const path = {
  window,
  workload: 'webapp',
  namespace: 'default',
  route: 'GET /search',
  requests: 149,
  stands_for: 149,
  of: 156,
  traces_found: 149,
  traces_read: 149,
  mean_ms: 10,
  p99_ms: 20,
  slowest_ms: 12,
  parts: [
    part,
    { part: 'network', of: 'webapp', to: 'books', mean_ms: 1, mean_share: 0.1, slowest_ms: 7, slowest_share: 0.6 },
  ],
};

test('who is to blame is said of the mean and of the slowest', () => {
  expect(blamed(path)).toBe(
    '90.0% of the mean is the application books; 60.0% of the slowest is network and kernel between webapp and books.',
  );
  expect(blamed({ ...path, parts: [] })).toBe('');
});

test('from how many requests it is known is said', () => {
  expect(source(path)).toBe('From the spans of 149 of 156 requests.');
  expect(source({ ...path, requests: 157, stands_for: 157 })).toBe('From the spans of all 157 requests.');
  expect(source({ ...path, stands_for: 600, traces_found: 5000, traces_read: 2000 })).toBe(
    'From the spans of 149 of 156 requests, each for those that were not kept: 600 in all; 2,000 of 5,000 traces were read.',
  );
});

test('patterns of calls are said in words', () => {
  const call = {
    service: 'books',
    route: 'GET /books/{id}',
    calls: 60,
    callers: 10,
    per_request: 6,
    p50: 6,
    p99: 6,
    again: 0,
  };
  const of = { workload: 'webapp', namespace: 'default', route: 'GET /', requests: 10, calls: [] };
  expect(remark(of, call)).toBeUndefined();
  expect(remark(of, { ...call, pattern: 'n_plus_one' })?.what).toBe(
    'GET / of webapp calls GET /books/{id} of books 6.0 times a request, one after another or at once.',
  );
});

test('commands ask for what the page shows', () => {
  const chosen = { workload: 'webapp', namespace: 'shop', route: 'GET /' };
  expect(command('calls', chosen, ' --window 5m')).toBe("clew calls 'GET /' --workload webapp -n shop --window 5m");
  expect(command('calls', {}, '')).toBe('clew calls');
});
