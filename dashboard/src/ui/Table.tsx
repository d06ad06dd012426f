// Tables: sorted by a click on a head, walked through with the arrow keys, and drawn in part when they are long.

import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, type ReactNode, useMemo, useRef, useState } from 'react';

export interface Column<Row> {
  key: string;
  head: ReactNode;
  /** What the head means. */
  title?: string;
  cell: (row: Row) => ReactNode;
  /** What to sort by; absent: the column is not sorted by. Missing values come last. */
  by?: (row: Row) => number | string | null | undefined;
  isNumber?: boolean;
  width?: string;
}

interface TableProps<Row> {
  label: string;
  columns: Column<Row>[];
  rows: Row[];
  id: (row: Row) => string;
  /** What a row leads to. */
  open?: (row: Row) => void;
  selected?: string | undefined;
  /** Sorted so at first; `-` before the key: largest first. Absent: in the order in which they come. */
  sort?: string;
}

/** Rows from which on only those in sight are drawn. */
const MANY = 120;
const ROW_HEIGHT = 34;

export function sorted<Row>(rows: Row[], columns: Column<Row>[], sort: string | undefined): Row[] {
  const isDown = sort?.startsWith('-') ?? false;
  const by = columns.find((column) => column.key === sort?.replace('-', ''))?.by;
  if (!by) return rows;
  return [...rows].sort((a, b) => {
    const [one, other] = [by(a) ?? null, by(b) ?? null];
    if (one === null || other === null) return Number(one === null) - Number(other === null);
    const order =
      typeof one === 'string' || typeof other === 'string' ? String(one).localeCompare(String(other)) : one - other;
    return isDown ? -order : order;
  });
}

export function Table<Row>({ label, columns, rows, id, open, selected, sort }: TableProps<Row>) {
  const [order, setOrder] = useState(sort);
  const inOrder = useMemo(() => sorted(rows, columns, order), [rows, columns, order]);
  const scroll = useRef<HTMLDivElement>(null);
  const isLong = inOrder.length > MANY;
  const virtual = useVirtualizer({
    count: inOrder.length,
    enabled: isLong,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 20,
  });
  const items = virtual.getVirtualItems();
  const [first, last] = isLong ? [items[0]?.index ?? 0, (items.at(-1)?.index ?? -1) + 1] : [0, inOrder.length];
  const before = first * ROW_HEIGHT;
  const after = (inOrder.length - last) * ROW_HEIGHT;

  const onKey = (event: KeyboardEvent<HTMLTableRowElement>, row: Row) => {
    const here = event.currentTarget;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      const next = event.key === 'ArrowDown' ? here.nextElementSibling : here.previousElementSibling;
      if (next instanceof HTMLElement) next.focus();
      event.preventDefault();
    } else if (event.key === 'Enter' && open && event.target === here) open(row);
  };

  return (
    <div className={isLong ? 'table-scroll long' : 'table-scroll'} ref={scroll}>
      <table className="data" aria-label={label} aria-rowcount={isLong ? inOrder.length + 1 : undefined}>
        <thead>
          <tr>
            {columns.map(({ key, head, title, by, isNumber, width }) => {
              const isUp = order === key;
              const isSorted = isUp || order === `-${key}`;
              return (
                <th
                  key={key}
                  title={title}
                  className={isNumber ? 'number' : undefined}
                  style={width ? { width, minWidth: width } : undefined}
                  aria-sort={isSorted ? (isUp ? 'ascending' : 'descending') : undefined}
                >
                  {by ? (
                    <button type="button" onClick={() => setOrder(order === `-${key}` ? key : `-${key}`)}>
                      {head}
                      {isSorted && <span aria-hidden="true"> {isUp ? '↑' : '↓'}</span>}
                    </button>
                  ) : (
                    head
                  )}
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>
          <Space height={before} />
          {inOrder.slice(first, last).map((row, index) => (
            <tr
              key={id(row)}
              className={open ? 'link' : undefined}
              aria-rowindex={isLong ? first + index + 2 : undefined}
              aria-selected={selected === id(row) ? true : undefined}
              tabIndex={open ? 0 : undefined}
              style={isLong ? { height: ROW_HEIGHT } : undefined}
              onClick={
                open &&
                ((event) => {
                  // A link in the row goes its own way.
                  if (!(event.target as Element).closest('a, button')) open(row);
                })
              }
              onKeyDown={(event) => onKey(event, row)}
            >
              {columns.map(({ key, cell, isNumber }) => (
                <td key={key} className={isNumber ? 'number' : undefined}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
          <Space height={after} />
        </tbody>
      </table>
    </div>
  );
}

/** Room for the rows that are not drawn. */
function Space({ height }: { height: number }) {
  return height > 0 ? <tr style={{ height }} /> : null;
}
