// The row that the keys are at, and the span whose details are open, which is in the address.

import { useCallback, useEffect, useRef, useState } from 'react';
import { useAddress } from '../lib/url';
import type { Model, Node } from './model';
import { keyOf, type Row } from './rows';
import type { Rows } from './useRows';

/** Details follow a cursor that rests so long. */
const REST_MS = 120;

interface Cursor {
  /** The key of its row. */
  cursor: string | undefined;
  setCursor: (key: string | undefined) => void;
  /** Its place among the rows. */
  at: number;
  row: Row | undefined;
  openedNode: Node | undefined;
  open: (node: Node | undefined) => void;
  /** Shows a node wherever it is, and its details. */
  reveal: (node: Node) => void;
}

export function useCursor(model: Model, { rows, places, unfoldTo }: Rows): Cursor {
  const { get, set } = useAddress();
  const opened = get('span');
  const openedNode = opened === undefined ? undefined : model.nodes[model.ids.get(opened) ?? -1];
  const [cursor, setCursor] = useState(() => (openedNode ? keyOf(openedNode) : rows[0]?.key));
  const at = places.get(cursor ?? '') ?? 0;
  const row = rows[at];
  const open = useCallback(
    (node: Node | undefined) => set({ span: node && model.names[node.index] }, { replace: true }),
    [set, model],
  );
  const reveal = useCallback(
    (node: Node) => {
      unfoldTo(node);
      setCursor(keyOf(node));
      open(node);
    },
    [unfoldTo, open],
  );

  // A span that is opened from elsewhere is shown.
  const shown = useRef<string | undefined>(undefined);
  useEffect(() => {
    if (!openedNode || shown.current === opened) return;
    shown.current = opened;
    if (!places.has(keyOf(openedNode))) unfoldTo(openedNode);
    setCursor(keyOf(openedNode));
  }, [opened, openedNode, places, unfoldTo]);
  useEffect(() => {
    if (opened === undefined || !row || row.kind === 'missing') return;
    const id = model.names[row.index];
    if (id === opened) return;
    const timer = window.setTimeout(() => {
      shown.current = id;
      set({ span: id }, { replace: true });
    }, REST_MS);
    return () => window.clearTimeout(timer);
  }, [row, opened, model, set]);

  return { cursor, setCursor, at, row, openedNode, open, reveal };
}
