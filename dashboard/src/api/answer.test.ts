import { afterEach, expect, test, vi } from 'vitest';
import { client, isSameButForTime, leftOf, newest, question } from './answer';

afterEach(() => {
  vi.unstubAllGlobals();
  client.clear();
});

test.each([
  [{ window: '5m', points: 40 }, true],
  [{ window: '1m', until: '2026-01-01T00:00:00Z', points: 90, limit: 100 }, true],
  [{ window: '1m', workload: 'ratings' }, false],
  [{ window: '1m', route: 'GET /books' }, false],
])('an answer stands for another time, and for nothing else: %o', (parameters, isSame) => {
  const asked = (given: object) => question('/api/v1/series', { workload: 'books', ...given });
  expect(isSameButForTime(asked({ window: '1m' }), asked(parameters))).toBe(isSame);
});

test('another path is another question', () => {
  expect(isSameButForTime('stat?window=1m', 'edges?window=1m')).toBe(false);
});

test('what is not given is not asked', () => {
  expect(question('/api/v1/stat', { window: '1m', until: undefined, workload: '' })).toBe('stat?window=1m');
});

test('a trace arrives for two seconds after its end, also by a clock that is ahead', () => {
  expect([500, 2000, 9000, -60_000].map((now) => leftOf(2000, 0, now))).toEqual([1500, 0, 0, 2000]);
  expect(leftOf(2000, undefined, 0)).toBe(0);
});

test('what the server sent while a question was on its way is newer than the answer', async () => {
  client.setQueryData(['stat'], 'before', { updatedAt: 1 });
  const answers = (meanwhile: () => void) =>
    vi.stubGlobal('fetch', async () => {
      meanwhile();
      return new Response('"answered"');
    });
  answers(() => {});
  expect(await newest('stat')).toBe('answered');
  answers(() => client.setQueryData(['stat'], 'sent'));
  expect(await newest('stat')).toBe('sent');
});
