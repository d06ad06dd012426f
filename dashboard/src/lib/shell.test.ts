import { expect, test } from 'vitest';
import { quoted } from './shell';

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
