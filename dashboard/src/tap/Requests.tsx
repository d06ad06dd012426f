// The requests of a tap, newest first. Only those in sight are drawn, and they stand still while someone looks at them.

import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, useRef, useState } from 'react';
import { Link } from 'wouter';
import { clock, count, shortId, time } from '../lib/format';
import { useAddress } from '../lib/url';
import { Panel } from '../ui/parts';
import type { Line, Tapped, TapRequest } from './buffer';
import { Detail } from './Detail';
import { outcome, parties } from './request';

/** Heads, and how wide the columns are: the same whatever comes, for the rows do not stand still. */
const COLUMNS: { head: string; width?: number; isNumber?: boolean }[] = [
  { head: 'Time', width: 130 },
  { head: 'Side', width: 50 },
  { head: 'Client → server', width: 204 },
  { head: 'Method', width: 76 },
  { head: 'Path' },
  { head: 'Route' },
  { head: 'Status', width: 112 },
  { head: 'Duration', width: 84, isNumber: true },
  { head: 'Proxy', width: 82, isNumber: true },
  { head: 'Trace', width: 98 },
];
const ROW_HEIGHT = 33;

interface Props {
  tapped: Tapped;
  shownHeaders: readonly string[];
}

export function Requests({ tapped, shownHeaders }: Props) {
  const scroll = useRef<HTMLDivElement>(null);
  const [held, setHeld] = useState<Tapped>();
  const [opened, setOpened] = useState<number>();
  // What was cleared is not held.
  const shown = held && held.came <= tapped.came ? held : tapped;
  const newer = tapped.came - shown.came;
  const rows = useVirtualizer({
    count: shown.lines.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW_HEIGHT,
    getItemKey: (index) => shown.lines[index]?.id ?? index,
    overscan: 12,
  });
  const items = rows.getVirtualItems();
  const before = items[0]?.start ?? 0;
  const after = rows.getTotalSize() - (items.at(-1)?.end ?? 0);

  const hold = () => setHeld((before) => before ?? tapped);
  const release = () => {
    const isAtTop = (scroll.current?.scrollTop ?? 0) === 0;
    if (isAtTop && opened === undefined && !scroll.current?.contains(document.activeElement)) setHeld(undefined);
  };
  const follow = () => {
    setOpened(undefined);
    setHeld(undefined);
    scroll.current?.scrollTo({ top: 0 });
  };
  const toggle = (id: number) => {
    hold();
    setOpened(opened === id ? undefined : id);
  };

  return (
    <Panel
      title="Requests"
      note={newer > 0 ? 'held while you look' : 'newest first'}
      actions={
        newer > 0 && (
          <button type="button" className="button newer" onClick={follow}>
            ↑ {count(newer)} newer
          </button>
        )
      }
    >
      {/* biome-ignore lint/a11y/noStaticElementInteractions: it only stands still while it is pointed at */}
      <div
        ref={scroll}
        className="tap-scroll"
        onPointerEnter={hold}
        onPointerLeave={release}
        onFocus={hold}
        onBlur={({ currentTarget, relatedTarget }) => {
          if (!currentTarget.contains(relatedTarget)) release();
        }}
        onScroll={({ currentTarget }) => {
          // The button above scrolls to the top from outside of it: nobody would ever leave what that holds.
          if (currentTarget.scrollTop > 0) hold();
        }}
      >
        <table className="data tap" aria-label="Requests, newest first" aria-rowcount={shown.lines.length + 1}>
          <thead>
            <tr>
              {COLUMNS.map(({ head, width, isNumber }) => (
                <th key={head} className={isNumber ? 'number' : undefined} style={width ? { width } : undefined}>
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          {before > 0 && <Space height={before} />}
          {items.map((item) => {
            const line = shown.lines[item.index];
            return (
              line && (
                <tbody key={item.key} data-index={item.index} ref={rows.measureElement}>
                  <Row line={line} index={item.index} isOpen={opened === line.id} toggle={toggle} />
                  {opened === line.id && (
                    <tr>
                      <td colSpan={COLUMNS.length} className="detail">
                        <Detail request={line.request} shownHeaders={shownHeaders} />
                      </td>
                    </tr>
                  )}
                </tbody>
              )
            );
          })}
          {after > 0 && <Space height={after} />}
        </table>
      </div>
    </Panel>
  );
}

function Space({ height }: { height: number }) {
  return (
    <tbody aria-hidden="true">
      <tr style={{ height }} />
    </tbody>
  );
}

interface RowProps {
  line: Line;
  index: number;
  isOpen: boolean;
  toggle: (id: number) => void;
}

function Row({ line: { id, request }, index, isOpen, toggle }: RowProps) {
  const { text, health, word } = outcome(request);
  const { client, server } = parties(request);
  const isInbound = request.direction === 'inbound';
  const time_ms = request.proxy_time ? request.proxy_time.work_us / 1000 : undefined;
  return (
    <tr
      className="link"
      aria-rowindex={index + 2}
      onClick={(event) => (event.target as Element).closest('a, button') === null && toggle(id)}
    >
      <td>
        <button
          type="button"
          className="expand mono"
          aria-expanded={isOpen}
          aria-label={`${clock(request.start, true)}: headers`}
          onClick={() => toggle(id)}
          onKeyDown={walk}
        >
          <span aria-hidden="true">{isOpen ? '▾' : '▸'}</span> {clock(request.start, true)}
        </button>
      </td>
      <td className="soft" title={isInbound ? 'Seen by the server’s proxy' : 'Seen by the client’s proxy'}>
        {isInbound ? 'in' : 'out'}
      </td>
      <td title={`${client} → ${server}`}>
        <span className={isInbound ? 'soft' : 'watched'}>{client}</span>
        <span className="soft"> → </span>
        <span className={isInbound ? 'watched' : 'soft'}>{server}</span>
      </td>
      <td className="mono">{request.method}</td>
      <td className="mono">
        <span title={request.path}>{request.path}</span>
      </td>
      <td className="mono soft">
        <span title={request.route}>{request.route}</span>
      </td>
      <td>
        <span className={`tag ${health}`} title={word}>
          {health === 'bad' && <span aria-hidden="true">✕ </span>}
          {text}
        </span>
      </td>
      <td className="number">{time(request.duration_ms)}</td>
      <td className="number soft">{time(time_ms)}</td>
      <td>
        <TraceLink request={request} />
      </td>
    </tr>
  );
}

function TraceLink({ request }: { request: TapRequest }) {
  const { to } = useAddress();
  if (!request.trace_id) return <span className="soft">–</span>;
  if (!request.sampled) {
    return (
      <span className="soft mono" title="Not sampled: no span of it is kept">
        not kept
      </span>
    );
  }
  return (
    <Link className="mono" href={to(`/traces/${request.trace_id}`)} title={request.trace_id}>
      {shortId(request.trace_id)}
    </Link>
  );
}

/** To the next row with the arrow keys. */
function walk(event: KeyboardEvent<HTMLButtonElement>): void {
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
  if (step === 0) return;
  event.preventDefault();
  const all = [...(event.currentTarget.closest('table')?.querySelectorAll<HTMLElement>('button.expand') ?? [])];
  all[all.indexOf(event.currentTarget) + step]?.focus();
}
