import { expect, test } from 'vitest';
import {
  command,
  duration,
  filtersOf,
  isNarrow,
  millis,
  searched,
  tagsOf,
  tagsText,
  typedTag,
  withoutTag,
  withTag,
} from './filters';

const of = (query: string) => filtersOf(new URLSearchParams(query));

test('the address says what is searched for, and what it does not name is not asked', () => {
  const filters = of('service=books&errors=true&limit=7&window=5m');
  expect(searched(filters)).toEqual({ service: 'books', errors: true });
  expect(filters.limit).toBe('500');
  expect([isNarrow(filters), isNarrow(of('limit=100&window=5m'))]).toEqual([true, false]);
});

test('times are read as people write them, and asked in whole milliseconds', () => {
  expect(['200ms', '1.5 s', '200', '2m', '0'].map(millis)).toEqual([200, 1500, 200, 120_000, 0]);
  expect([millis('fast'), millis('-1s'), millis('')]).toEqual([undefined, undefined, undefined]);
  expect(['1.5s', '2000', '200', '2m', 'fast '].map(duration)).toEqual(['1500ms', '2s', '200ms', '120s', 'fast']);
});

test('tags may hold commas, percent and equals signs', () => {
  const tags = [
    { name: 'a=b', value: 'x,y' },
    { name: 'load', value: '50%=half' },
  ];
  expect(tagsText(tags)).toBe('a%3Db=x%2Cy,load=50%25=half');
  expect(tagsOf(tagsText(tags))).toEqual(tags);
  expect(tagsOf('')).toEqual([]);
  expect(tagsOf('bad%zz=1,=2,x')).toEqual([{ name: 'bad%zz', value: '1' }]);
});

test('a tag is there once, and can be taken away', () => {
  const tag = { name: 'retry', value: 'true' };
  const once = withTag(withTag('zone=a', tag), tag);
  expect(once).toBe('zone=a,retry=true');
  expect(withoutTag(once, tag)).toBe('zone=a');
});

test('a typed tag has a name', () => {
  expect(typedTag(' zone = a=b ')).toEqual({ name: 'zone', value: 'a=b' });
  expect(typedTag('zone=')).toEqual({ name: 'zone', value: '' });
  expect([typedTag('zone'), typedTag('=a')]).toEqual([undefined, undefined]);
});

test('the command asks the same', () => {
  expect(command(of(''), '')).toBe('clew traces --limit 500');
  expect(command(of('service=books&route=GET+/books/{id}&status=5xx&tags=zone=a&errors=true'), ' --window 5m')).toBe(
    "clew traces --service books --route 'GET /books/{id}' --status 5xx --tag zone=a --errors --window 5m --limit 500",
  );
});
