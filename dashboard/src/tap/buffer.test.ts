import { expect, test } from 'vitest';
import { TapBuffer, type TapRequest } from './buffer';

const request = (path: string) => ({ type: 'request', path }) as TapRequest & { type: 'request' };

test('the newest requests are kept, newest first, and all are counted', () => {
  const buffer = new TapBuffer(3);
  for (let number = 1; number <= 8; number += 1) buffer.add(request(`/${number}`));
  const news = buffer.news();
  expect(news?.lines.map((line) => line.request.path)).toEqual(['/8', '/7', '/6']);
  expect(news?.lines.map((line) => line.id)).toEqual([8, 7, 6]);
  expect(news?.came).toBe(8);
});

test('what was skipped adds up, and who is watched is told anew', () => {
  const buffer = new TapBuffer();
  buffer.add({ type: 'watching', instances: ['books-1'], unreachable: [] });
  buffer.add({ type: 'skipped', requests: 10 });
  buffer.add({ type: 'skipped', requests: 5 });
  buffer.add({ type: 'watching', instances: [], unreachable: ['books-1'] });
  const news = buffer.news();
  expect(news?.skipped).toBe(15);
  expect(news?.watching?.unreachable).toEqual(['books-1']);
});

test('without anything new there is no news', () => {
  const buffer = new TapBuffer();
  expect(buffer.news()).toBeUndefined();
  buffer.add(request('/'));
  expect(buffer.news()).toBeDefined();
  expect(buffer.news()).toBeUndefined();
});
