// Which rows of the tree are seen.

import { type Model, ms, type Node } from './model';

export interface Row {
  kind: 'span' | 'missing';
  /** Place of the node; of a missing parent, of its first child. */
  index: number;
  key: string;
  depth: number;
  isOpen: boolean;
  hasChildren: boolean;
  /** Of a missing parent: its id. */
  missing?: string;
}

export interface Folding {
  /** From this depth on, rows are closed. */
  depth: number;
  /** Those that someone opened or closed by hand, by key. */
  byHand: ReadonlyMap<string, boolean>;
}

export const ALL_OPEN: Folding = { depth: Number.POSITIVE_INFINITY, byHand: new Map() };

export const keyOf = (node: Node) => `s${node.index}`;
export const missingKey = (id: string) => `m${id}`;

/** The rows from above to below. A parent that nobody exported has a row, with its children below it. */
export function rowsOf(model: Model, folding: Folding, isShown: (node: Node) => boolean = () => true): Row[] {
  const isOpen = (key: string, depth: number) => folding.byHand.get(key) ?? depth < folding.depth;
  const rows: Row[] = [];
  const walk = (top: number, deeper: number) => {
    const open = [top];
    while (open.length > 0) {
      const node = model.nodes[open.pop() as number] as Node;
      if (!isShown(node)) continue;
      const key = keyOf(node);
      const depth = node.depth + deeper;
      const row: Row = {
        kind: 'span',
        index: node.index,
        key,
        depth,
        isOpen: isOpen(key, depth),
        hasChildren: node.children.some((child) => isShown(model.nodes[child] as Node)),
      };
      rows.push(row);
      if (!row.isOpen) continue;
      for (let i = node.children.length - 1; i >= 0; i -= 1) open.push(node.children[i] as number);
    }
  };
  const orphans = orphansOf(model);
  for (const root of model.roots) {
    const id = orphans.parents.get(root);
    if (id === undefined) {
      walk(root, 0);
      continue;
    }
    const children = orphans.children.get(id) ?? [];
    if (children[0] !== root) continue;
    const key = missingKey(id);
    const row: Row = {
      kind: 'missing',
      index: root,
      key,
      depth: 0,
      isOpen: isOpen(key, 0),
      hasChildren: true,
      missing: id,
    };
    rows.push(row);
    if (row.isOpen) for (const child of children) walk(child, 1);
  }
  return rows;
}

/** The roots that name a parent, and by which they are held together. */
export function orphansOf(model: Model): { parents: Map<number, string>; children: Map<string, number[]> } {
  const parents = new Map<number, string>();
  const children = new Map<string, number[]>();
  for (const root of model.roots) {
    const id = model.nodes[root]?.span.parent_span_id;
    // A circle that was cut has a parent that is here.
    if (!id || model.ids.has(id)) continue;
    parents.set(root, id);
    const siblings = children.get(id);
    if (siblings) siblings.push(root);
    else children.set(id, [root]);
  }
  return { parents, children };
}

/** The folding in which a node is seen: all above it are open. */
export function revealing(model: Model, folding: Folding, index: number): Folding {
  const byHand = new Map(folding.byHand);
  let node = model.nodes[index];
  while (node) {
    const parent: Node | undefined = node.parent === undefined ? undefined : model.nodes[node.parent];
    if (parent) byHand.set(keyOf(parent), true);
    else if (node.span.parent_span_id) byHand.set(missingKey(node.span.parent_span_id), true);
    node = parent;
  }
  return { ...folding, byHand };
}

/** Where the axis has its marks: at round times, at most so many. */
export function ticks(from: number, to: number, most: number): number[] {
  const width = ms(to - from);
  if (!(width > 0)) return [from];
  const rough = width / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power * 1e6;
  const marks: number[] = [];
  for (let mark = Math.ceil(from / step) * step; mark <= to; mark += step) marks.push(mark);
  return marks;
}
