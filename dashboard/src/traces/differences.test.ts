import { expect, test } from 'vitest';
import { alsoSaid, points, said, search } from './differences';

test('each kind of difference is said in words, and searched for where a search finds it', () => {
  const attribute = { kind: 'attribute', name: 'zone', value: 'a,b' } as const;
  expect(said(attribute)).toEqual({ about: 'zone', is: 'a,b' });
  expect(search(attribute, 'x=1')).toEqual({ tags: 'x=1,zone=a%2Cb' });
  const error = { kind: 'error', name: 'error', value: 'books' } as const;
  expect(said(error)).toEqual({ about: 'failed', is: 'books' });
  expect(search(error, '')).toEqual({ service: 'books', errors: true });
  const calls = { kind: 'calls', name: 'authors', value: '3-4' } as const;
  expect(said(calls)).toEqual({ about: 'calls to authors', is: '3-4' });
  expect(search(calls, '')).toBeUndefined();
});

test('a difference has its sign', () => {
  expect([0.42, -0.075, 0.001].map(points)).toEqual(['+42', '−8', '±0']);
});

test('what the same traces have is said as a difference is', () => {
  const also = [
    { kind: 'attribute', name: 'zone', value: 'b' } as const,
    { kind: 'calls', name: 'authors', value: '2' } as const,
  ];
  const expected = [
    { about: 'zone', is: 'b' },
    { about: 'calls to authors', is: '2' },
  ];
  expect(alsoSaid({ also })).toEqual(expected);
  expect(alsoSaid({})).toEqual([]);
});
