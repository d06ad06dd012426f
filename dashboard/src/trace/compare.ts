// Two traces side by side: the spans of one matched with those of the other by where they are.

import { childrenOf, type Model, type Node } from './model';
import { covered } from './pieces';

export interface Pair {
  key: string;
  depth: number;
  name: string;
  kind: string;
  service: string;
  /** Of how many with this name below the same span it is which one; from 1. */
  ordinal: number;
  ours: Node | undefined;
  theirs: Node | undefined;
  /** Ours less theirs, nanoseconds; of one that is missing all that it took. */
  difference: number;
  /** The same of the time that no span below it was open. These add up to the difference of the two traces. */
  ownDifference: number;
}

/** Pairs from above to below. What only one of the traces has stands where it would be. */
export function compare(ours: Model, theirs: Model): Pair[] {
  const pairs: Pair[] = [];
  const open = match('', 0, topOf(ours), topOf(theirs)).reverse();
  while (open.length > 0) {
    const pair = open.pop() as Pair;
    pair.difference = length(pair.ours) - length(pair.theirs);
    pair.ownDifference = own(ours, pair.ours) - own(theirs, pair.theirs);
    pairs.push(pair);
    const below = match(
      pair.key,
      pair.depth + 1,
      pair.ours ? childrenOf(ours, pair.ours) : [],
      pair.theirs ? childrenOf(theirs, pair.theirs) : [],
    );
    open.push(...below.reverse());
  }
  return pairs;
}

const topOf = (model: Model) => model.roots.map((root) => model.nodes[root] as Node);
const length = (node: Node | undefined) => (node ? node.end - node.start : 0);

function own(model: Model, node: Node | undefined): number {
  if (!node) return 0;
  const below = covered(childrenOf(model, node));
  return length(node) - below.reduce((sum, { from, to }) => sum + to - from, 0);
}

function match(above: string, depth: number, ours: Node[], theirs: Node[]): Pair[] {
  const pairs = new Map<string, Pair>();
  const add = (nodes: Node[], side: 'ours' | 'theirs') => {
    const seen = new Map<string, number>();
    for (const node of nodes) {
      const { kind, name, service } = node.span;
      const what = `${service}\t${kind}\t${name}`;
      const ordinal = (seen.get(what) ?? 0) + 1;
      seen.set(what, ordinal);
      const key = `${above}/${what}\t${ordinal}`;
      const pair = pairs.get(key);
      if (pair) pair[side] = node;
      else {
        const empty = { ours: undefined, theirs: undefined, difference: 0, ownDifference: 0 };
        pairs.set(key, { key, depth, name, kind, service, ordinal, ...empty, [side]: node });
      }
    }
  };
  add(ours, 'ours');
  add(theirs, 'theirs');
  return [...pairs.values()];
}
