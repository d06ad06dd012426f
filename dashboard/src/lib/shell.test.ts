import { expect, test } from 'vitest';
import { inNamespace, quoted, routesCommand } from './shell';

test('a shell reads a quoted text as one word', () => {
  expect(['books', '/a/b', 'a=b', 'GET /', "it's", '', '$HOME'].map(quoted)).toEqual([
    'books',
    '/a/b',
    'a=b',
    "'GET /'",
    "'it'\\''s'",
    "''",
    "'$HOME'",
  ]);
});

test('the namespace that everything is in by itself is not named', () => {
  expect([undefined, 'default', 'shop', 'a b'].map(inNamespace)).toEqual(['', '', ' -n shop', " -n 'a b'"]);
});

test('routes are asked for as the page shows them', () => {
  expect(routesCommand({ workload: 'books', namespace: 'default', from: '(unmeshed)' }, ' --window 5m')).toBe(
    "clew routes books --from '(unmeshed)' --window 5m",
  );
  expect(routesCommand({ workload: 'books', namespace: 'shop', from: undefined }, '')).toBe(
    'clew routes books -n shop',
  );
});
