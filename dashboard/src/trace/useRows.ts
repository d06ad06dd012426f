// The rows of the tree that are seen, by what is folded and what was searched for.

import { useCallback, useMemo, useState } from 'react';
import type { Model, Node } from './model';
import { allPaths, type OnPath } from './path';
import { type Folding, type Row, revealing, rowsOf } from './rows';

interface Shown {
  /** Levels that are open; absent: all. */
  depth: number | undefined;
  isPathOnly: boolean;
}

export interface Rows {
  rows: Row[];
  /** Of each row by its key. */
  places: Map<string, number>;
  paths: Map<number, OnPath>;
  toggle: (key: string, isOpen: boolean) => void;
  /** Opens all above a node. */
  unfoldTo: (node: Node) => void;
  /** Forgets what was opened and closed by hand. */
  forget: () => void;
}

export function useRows(model: Model, { depth = Number.POSITIVE_INFINITY, isPathOnly }: Shown): Rows {
  const [byHand, setByHand] = useState<Folding['byHand']>(new Map());
  const paths = useMemo(() => allPaths(model), [model]);
  const rows = useMemo(
    () =>
      rowsOf(
        model,
        { depth, byHand },
        isPathOnly ? (node) => (paths.get(node.index)?.own ?? 0) > 0 || hasPathBelow(model, node, paths) : undefined,
      ),
    [model, depth, byHand, isPathOnly, paths],
  );
  const places = useMemo(() => new Map(rows.map((row, place) => [row.key, place])), [rows]);
  const toggle = useCallback(
    (key: string, isOpen: boolean) => setByHand((before) => new Map(before).set(key, isOpen)),
    [],
  );
  const unfoldTo = useCallback(
    (node: Node) => setByHand((before) => revealing(model, { depth: 0, byHand: before }, node.index).byHand),
    [model],
  );
  const forget = useCallback(() => setByHand(new Map()), []);
  return { rows, places, paths, toggle, unfoldTo, forget };
}

function hasPathBelow(model: Model, node: Node, paths: Rows['paths']): boolean {
  return node.children.some(
    (child) => paths.has(child) && (model.nodes[child]?.end ?? 0) > (model.nodes[child]?.start ?? 0),
  );
}
