// One line of the waterfall.

import { memo, useMemo } from 'react';
import { time } from '../lib/format';
import { fault, pieceName, ServiceMark, serviceColour } from './look';
import { isError, isProxys, type Model, ms, type Node } from './model';
import type { OnPath, Stretch } from './path';
import { type Drawn, drawn, lines, piecesOf } from './pieces';
import type { Row } from './rows';

export const ROW_HEIGHT = 28;
const INDENT = 14;
/** Guides to the left go no deeper, so that names stay readable. */
const MAX_INDENT = 12;
/** Pixels that the work of a proxy has at least. */
const LEAST = 2;

interface Props {
  model: Model;
  row: Row;
  top: number;
  range: Stretch;
  /** Of the timeline, in pixels. */
  width: number;
  path: OnPath | undefined;
  isCursor: boolean;
  isOpened: boolean;
  isFaded: boolean;
  /** More spans are expected. */
  isArriving: boolean;
  toggle: (key: string, isOpen: boolean) => void;
  choose: (node: Node) => void;
}

export const WaterfallRow = memo(function WaterfallRow(props: Props) {
  const { model, row, top, isCursor, isOpened, isFaded, toggle, choose } = props;
  const node = model.nodes[row.index] as Node;
  const isMissing = row.kind === 'missing';
  const classes = ['wf-row', isCursor && 'cursor', isOpened && 'opened', isFaded && 'faded', isMissing && 'missing'];
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the tree around it
    <div
      id={`row-${row.key}`}
      className={classes.filter(Boolean).join(' ')}
      role="treeitem"
      aria-level={row.depth + 1}
      aria-expanded={row.hasChildren ? row.isOpen : undefined}
      aria-selected={isOpened}
      tabIndex={-1}
      style={{ transform: `translateY(${top}px)` }}
      onClick={() => (isMissing ? toggle(row.key, !row.isOpen) : choose(node))}
    >
      <div className="name" style={{ paddingLeft: 8 + Math.min(row.depth, MAX_INDENT) * INDENT }}>
        {row.depth > MAX_INDENT && <span className="soft deep">{row.depth}</span>}
        {row.hasChildren ? (
          <button
            type="button"
            className="caret"
            tabIndex={-1}
            aria-hidden="true"
            onClick={(event) => {
              event.stopPropagation();
              toggle(row.key, !row.isOpen);
            }}
          >
            {row.isOpen ? '▾' : '▸'}
          </button>
        ) : (
          <span className="caret" />
        )}
        {isMissing ? (
          <MissingName id={row.missing ?? ''} isArriving={props.isArriving} />
        ) : (
          <Name model={model} node={node} row={row} />
        )}
      </div>
      <div className="timeline" aria-hidden="true">
        {!isMissing && <Bar {...props} node={node} />}
      </div>
      <div className="duration">{!isMissing && time(ms(node.end - node.start))}</div>
    </div>
  );
});

function MissingName({ id, isArriving }: { id: string; isArriving: boolean }) {
  if (isArriving) return <span className="soft what-is-missing">parent {id} is not here yet</span>;
  return <span className="text-warn what-is-missing">? parent {id} is missing: nobody exported it</span>;
}

function Name({ model, node, row }: { model: Model; node: Node; row: Row }) {
  const { span } = node;
  const what = `${span.service} ${span.kind} ${span.name}`;
  return (
    <span className="what" title={isProxys(span) ? what : `${what}, of the library ${span.scope}`}>
      <ServiceMark model={model} service={span.service} />
      <b>{span.service}</b>
      {isProxys(span) ? (
        <span className="kind">{span.kind}</span>
      ) : (
        <span className="kind library">
          {span.kind === 'internal' || span.kind === 'unspecified' ? 'library' : `library ${span.kind}`}
        </span>
      )}
      <span className="span-name">{span.name}</span>
      {isError(span) && <span className="text-bad fault">✗ {fault(node)}</span>}
      {!row.isOpen && row.hasChildren && <span className="tag">+{node.below}</span>}
      {node.span.hidden_ancestors ? <span className="tag">{node.span.hidden_ancestors} hidden above</span> : null}
    </span>
  );
}

function Bar({ model, node, range, width, path }: Props & { node: Node }) {
  const pieces = useMemo(() => piecesOf(model, node), [model, node]);
  const least = (100 * LEAST) / width;
  const scale = 100 / (range.to - range.from);
  const left = (node.start - range.from) * scale;
  const right = (node.end - range.from) * scale;
  if (right < 0 || left > 100) {
    return <span className={`beside ${right < 0 ? 'before' : 'after'}`}>{right < 0 ? '◂' : '▸'}</span>;
  }
  const boxes = drawn(pieces, range, least);
  const stretches = lines(path?.when ?? [], range, least);
  const [from, to] = [Math.max(left, 0), Math.min(right, 100)];
  const classes = ['bar', isError(node.span) && 'error', !isProxys(node.span) && 'library'];
  return (
    <>
      <span
        className={classes.filter(Boolean).join(' ')}
        style={{ left: `${from}%`, width: `max(${LEAST}px, ${to - from}%)` }}
      />
      {boxes.map((box) => (
        <Box
          key={`${box.kind} ${box.left}`}
          box={box}
          colour={serviceColour(model, node.span.service)}
          isProxys={isProxys(node.span)}
        />
      ))}
      {path && to > from && <i className="on-path through" style={{ left: `${from}%`, width: `${to - from}%` }} />}
      {stretches.map(({ left, width }) => (
        <i key={left} className="on-path" style={{ left: `${left}%`, width: `max(${LEAST}px, ${width}%)` }} />
      ))}
    </>
  );
}

function Box({ box, colour, isProxys }: { box: Drawn; colour: string; isProxys: boolean }) {
  return (
    <i
      className={`part ${box.kind}${isProxys ? '' : ' library'}`}
      title={pieceName(box.kind)}
      style={{ left: `${box.left}%`, width: `${box.width}%`, ...(box.kind === 'below' ? { color: colour } : {}) }}
    />
  );
}
