import { expect, test } from 'vitest';
import { question } from '../api/answer';
import { change, command, filtersOf, isNarrow, showHeader } from './filters';

const of = (query: string) => filtersOf(new URLSearchParams(query));

test('the address says what is shown; without a word of it, little enough to read', () => {
  expect(question('/api/v1/tap', of(''))).toBe('tap?max_rps=20');
  expect(question('/api/v1/tap', of('workload=books&direction=inbound&failures=true&max_rps=5&x=y'))).toBe(
    'tap?direction=inbound&failures=true&max_rps=5&workload=books',
  );
  expect([of('direction=up').direction, of('max_rps=many').max_rps]).toEqual(['', '20']);
  expect([isNarrow(of('max_rps=5')), isNarrow(of('peer=webapp'))]).toEqual([false, true]);
  expect(change(of('')).max_rps).toBeNull();
});

test('the command shows the same', () => {
  expect(command(of(''))).toBe('clew tap --max-rps 20');
  expect(command(of('workload=books&namespace=shop&route=GET+/books/{id}&failures=true&max_rps=100'))).toBe(
    "clew tap books -n shop --route 'GET /books/{id}' --failures --max-rps 100",
  );
});

test('one more header is shown, and those that were before', () => {
  expect(showHeader('host', [])).toBe('clew settings --show-header host');
  expect(showHeader('host', ['date', 'host'])).toBe('clew settings --show-header date --show-header host');
});
