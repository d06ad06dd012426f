import { expect, test } from 'vitest';
import { type Column, sorted } from './Table';

interface Row {
  name: string;
  p99: number | null;
}

const columns: Column<Row>[] = [
  { key: 'name', head: 'name', cell: (row) => row.name, by: (row) => row.name },
  { key: 'p99', head: 'p99', cell: (row) => row.p99, by: (row) => row.p99 },
  { key: 'plain', head: 'plain', cell: () => null },
];
const rows: Row[] = [
  { name: 'b', p99: 1 },
  { name: 'c', p99: null },
  { name: 'a', p99: 10 },
];
const names = (sort?: string) => sorted(rows, columns, sort).map((row) => row.name);

test('rows are sorted by the column that is asked for, and what is missing comes last both ways', () => {
  expect(names('name')).toEqual(['a', 'b', 'c']);
  expect(names('p99')).toEqual(['b', 'a', 'c']);
  expect(names('-p99')).toEqual(['a', 'b', 'c']);
  expect(names('-name')).toEqual(['c', 'b', 'a']);
});

test('without a column to sort by they stay as they are', () => {
  expect(names()).toEqual(['b', 'c', 'a']);
  expect(names('plain')).toEqual(['b', 'c', 'a']);
});
