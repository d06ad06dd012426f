// The waterfall: the tree of spans, each with a bar of what its time was spent on.

import { useVirtualizer } from '@tanstack/react-virtual';
import { type CSSProperties, type KeyboardEvent, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { time } from '../lib/format';
import { useAddress } from '../lib/url';
import { Details } from './Details';
import { Legend } from './Legend';
import { MiniMap } from './MiniMap';
import { type Model, ms, type Node } from './model';
import { allPaths, type Stretch } from './path';
import { ROW_HEIGHT, WaterfallRow } from './Row';
import { parseRange, rangeText, zoomed } from './range';
import { type Folding, keyOf, missingKey, revealing, rowsOf, ticks } from './rows';
import { Toolbar } from './Toolbar';
import { NameResizer, useNameWidth, useWidth } from './width';

interface Props {
  model: Model;
  /** More spans are expected. */
  isArriving: boolean;
}

export function Waterfall({ model, isArriving }: Props) {
  const { get, set } = useAddress();
  const opened = get('span');
  const [depth, asked] = [Number(get('depth')), get('range')];
  const isPathOnly = get('only') === 'path';
  const wanted = (get('find') ?? '').trim().toLowerCase();
  const range = useMemo(() => parseRange(asked, model.end), [asked, model]);
  const setRange = useCallback(
    (next: Stretch | undefined) => set({ range: next && rangeText(next, model.end) }, { replace: true }),
    [set, model],
  );

  const [byHand, setByHand] = useState<Folding['byHand']>(new Map());
  const folding = useMemo(
    (): Folding => ({ depth: depth > 0 ? depth : Number.POSITIVE_INFINITY, byHand }),
    [depth, byHand],
  );
  const paths = useMemo(() => allPaths(model), [model]);
  const rows = useMemo(
    () =>
      rowsOf(
        model,
        folding,
        isPathOnly ? (node) => (paths.get(node.index)?.own ?? 0) > 0 || hasPathBelow(model, node, paths) : undefined,
      ),
    [model, folding, isPathOnly, paths],
  );
  const places = useMemo(() => new Map(rows.map((row, place) => [row.key, place])), [rows]);
  const found = useMemo(() => (wanted ? findIn(model, wanted) : undefined), [model, wanted]);

  const openedNode = opened === undefined ? undefined : model.nodes[model.ids.get(opened) ?? -1];
  const [cursor, setCursor] = useState(() => (openedNode ? keyOf(openedNode) : rows[0]?.key));
  const at = places.get(cursor ?? '') ?? 0;

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

  const toggle = useCallback(
    (key: string, isOpen: boolean) => setByHand((before) => new Map(before).set(key, isOpen)),
    [],
  );
  const open = useCallback(
    (node: Node | undefined) => set({ span: node && model.names[node.index] }, { replace: true }),
    [set, model],
  );
  const choose = useCallback(
    (node: Node) => {
      setCursor(keyOf(node));
      open(node);
      tree.current?.focus({ preventScroll: true });
    },
    [open],
  );
  const reveal = useCallback(
    (node: Node) => {
      setByHand((before) => revealing(model, { depth: 0, byHand: before }, node.index).byHand);
      setCursor(keyOf(node));
      open(node);
    },
    [model, open],
  );

  // A span that is opened from elsewhere is shown.
  const shown = useRef<string | undefined>(undefined);
  useEffect(() => {
    if (!openedNode || shown.current === opened) return;
    shown.current = opened;
    const place = places.get(keyOf(openedNode));
    if (place === undefined)
      setByHand((before) => revealing(model, { depth: 0, byHand: before }, openedNode.index).byHand);
    setCursor(keyOf(openedNode));
  }, [opened, openedNode, places, model]);
  useEffect(() => {
    const place = places.get(cursor ?? '');
    if (place !== undefined) virtual.scrollToIndex(place, { align: 'auto' });
  }, [cursor, places, virtual]);
  // Details follow the cursor, once it rests.
  const row = rows[at];
  useEffect(() => {
    if (opened === undefined || !row || row.kind === 'missing') return;
    const id = model.names[row.index];
    if (id === opened) return;
    const timer = window.setTimeout(() => {
      shown.current = id;
      set({ span: id }, { replace: true });
    }, 120);
    return () => window.clearTimeout(timer);
  }, [row, opened, model, set]);

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
      <Toolbar model={model} found={found} cursor={row?.index} reveal={reveal} unfold={() => setByHand(new Map())} />
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

function hasPathBelow(model: Model, node: Node, paths: ReturnType<typeof allPaths>): boolean {
  return node.children.some(
    (child) => paths.has(child) && (model.nodes[child]?.end ?? 0) > (model.nodes[child]?.start ?? 0),
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
