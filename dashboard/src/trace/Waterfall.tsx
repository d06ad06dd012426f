// The waterfall: the tree of spans, each with a bar of what its time was spent on.

import { useVirtualizer } from '@tanstack/react-virtual';
import { type CSSProperties, type KeyboardEvent, useCallback, useEffect, useMemo, useRef } from 'react';
import { time } from '../lib/format';
import { useAddress } from '../lib/url';
import { Details } from './Details';
import { Legend } from './Legend';
import { MiniMap } from './MiniMap';
import { type Model, ms, type Node } from './model';
import type { Stretch } from './path';
import { ROW_HEIGHT, WaterfallRow } from './Row';
import { parseRange, rangeText, zoomed } from './range';
import { keyOf, missingKey, ticks } from './rows';
import { Toolbar } from './Toolbar';
import { useCursor } from './useCursor';
import { useRows } from './useRows';
import { NameResizer, useNameWidth, useWidth } from './width';

interface Props {
  model: Model;
  /** More spans are expected. */
  isArriving: boolean;
}

export function Waterfall({ model, isArriving }: Props) {
  const { get, set } = useAddress();
  const [depth, asked] = [Number(get('depth')), get('range')];
  const wanted = (get('find') ?? '').trim().toLowerCase();
  const range = useMemo(() => parseRange(asked, model.end), [asked, model]);
  const setRange = useCallback(
    (next: Stretch | undefined) => set({ range: next && rangeText(next, model.end) }, { replace: true }),
    [set, model],
  );

  const shown = useRows(model, { depth: depth > 0 ? depth : undefined, isPathOnly: get('only') === 'path' });
  const { rows, places, paths, toggle, forget } = shown;
  const { cursor, setCursor, at, row, openedNode, open, reveal } = useCursor(model, shown);
  const found = useMemo(() => (wanted ? findIn(model, wanted) : undefined), [model, wanted]);

  const scroll = useRef<HTMLDivElement>(null);
  const tree = useRef<HTMLDivElement>(null);
  const [timeline, width] = useWidth();
  const [nameWidth, setNameWidth] = useNameWidth();
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 12,
    scrollPaddingStart: 34,
  });
  useEffect(() => {
    const place = places.get(cursor ?? '');
    if (place !== undefined) virtual.scrollToIndex(place, { align: 'auto' });
  }, [cursor, places, virtual]);
  const choose = useCallback(
    (node: Node) => {
      setCursor(keyOf(node));
      open(node);
      tree.current?.focus({ preventScroll: true });
    },
    [setCursor, open],
  );

  const onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== tree.current || !row) return;
    const go = (place: number) => setCursor(rows[Math.min(Math.max(place, 0), rows.length - 1)]?.key);
    const page = Math.max(1, Math.floor((scroll.current?.clientHeight ?? 0) / ROW_HEIGHT) - 2);
    const node = model.nodes[row.index] as Node;
    if (event.key === 'ArrowDown') go(at + 1);
    else if (event.key === 'ArrowUp') go(at - 1);
    else if (event.key === 'PageDown') go(at + page);
    else if (event.key === 'PageUp') go(at - page);
    else if (event.key === 'Home') go(0);
    else if (event.key === 'End') go(rows.length - 1);
    else if (event.key === 'ArrowRight') {
      if (row.hasChildren && !row.isOpen) toggle(row.key, true);
      else if (row.hasChildren) go(at + 1);
    } else if (event.key === 'ArrowLeft') {
      if (row.hasChildren && row.isOpen) toggle(row.key, false);
      else if (node.parent !== undefined) setCursor(keyOf(model.nodes[node.parent] as Node));
      else if (row.kind === 'span' && node.span.parent_span_id)
        go(places.get(missingKey(node.span.parent_span_id)) ?? at);
    } else if (event.key === 'Enter' && row.kind === 'span') open(node);
    else if (event.key === 'Escape') open(undefined);
    else if (event.key === '+' || event.key === '-')
      setRange(zoomed(range, event.key === '+' ? 0.5 : 2, model.end, node));
    else if (event.key === '0') setRange(undefined);
    else return;
    event.preventDefault();
  };

  return (
    <section className="panel waterfall" style={{ '--name': `${nameWidth}px` } as CSSProperties} aria-label="Waterfall">
      <Toolbar model={model} found={found} cursor={row?.index} reveal={reveal} unfold={forget} />
      <div className={openedNode ? 'with-details' : undefined}>
        <div className="lanes">
          <MiniMap model={model} paths={paths} range={range} setRange={setRange} />
          <div ref={scroll} className="rows">
            <div className="axis">
              <div className="name">
                Span
                <NameResizer width={nameWidth} setWidth={setNameWidth} />
              </div>
              <div className="timeline" ref={timeline}>
                {ticks(range.from, range.to, Math.max(2, Math.floor(width / 110))).map((mark) => (
                  <span key={mark} style={{ left: `${(100 * (mark - range.from)) / (range.to - range.from)}%` }}>
                    {time(ms(mark))}
                  </span>
                ))}
              </div>
              <div className="duration">Time</div>
            </div>
            <div
              ref={tree}
              className="tree"
              style={{ height: virtual.getTotalSize() }}
              role="tree"
              aria-label={`Spans of the trace: ${rows.length} rows. Arrow keys move, Enter opens the details.`}
              aria-activedescendant={row && `row-${row.key}`}
              tabIndex={0}
              onKeyDown={onKey}
            >
              {virtual.getVirtualItems().map(({ index, start }) => {
                const row = rows[index];
                if (!row) return null;
                return (
                  <WaterfallRow
                    key={row.key}
                    model={model}
                    row={row}
                    top={start}
                    range={range}
                    width={width}
                    path={paths.get(row.index)}
                    isCursor={row.key === (rows[at]?.key ?? '')}
                    isOpened={row.kind === 'span' && row.index === openedNode?.index}
                    isArriving={isArriving}
                    isFaded={found !== undefined && !found.has(row.index)}
                    toggle={toggle}
                    choose={choose}
                  />
                );
              })}
            </div>
          </div>
        </div>
        {openedNode && (
          <Details
            key={openedNode.index}
            model={model}
            node={openedNode}
            path={paths.get(openedNode.index)}
            isArriving={isArriving}
            close={() => {
              open(undefined);
              tree.current?.focus({ preventScroll: true });
            }}
            zoom={() => setRange({ from: openedNode.start, to: Math.max(openedNode.end, openedNode.start + 1000) })}
            reveal={reveal}
          />
        )}
      </div>
      <Legend />
    </section>
  );
}

/** Places of the spans with this text in their name, service or attributes. */
function findIn(model: Model, wanted: string): Set<number> {
  const found = new Set<number>();
  for (const index of model.order) {
    const { span } = model.nodes[index] as Node;
    const texts = [
      span.name,
      span.service,
      span.kind,
      span.status,
      span.span_id,
      ...Object.values(span.attributes ?? {}),
    ];
    if (texts.some((one) => String(one).toLowerCase().includes(wanted))) found.add(index);
  }
  return found;
}
