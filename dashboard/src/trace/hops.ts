// The spans with which hops begin, in the order in which the API tells of hops.

import { isClient, isServer, type Model, type Node, serverOf } from './model';

function hopNodes(model: Model): Node[] {
  const hops: Node[] = [];
  for (const index of model.order) {
    const node = model.nodes[index] as Node;
    if (isClient(node.span) || (isServer(node.span) && !isAnswer(model, node))) hops.push(node);
  }
  return hops;
}

/** Whether a SERVER span is what the CLIENT span above it led to. */
function isAnswer(model: Model, node: Node): boolean {
  const parent = node.parent === undefined ? undefined : model.nodes[node.parent];
  return parent !== undefined && isClient(parent.span) && serverOf(model, parent) === node;
}

/** The span of each hop of the answer; none where the two do not agree. */
export function spansOfHops(model: Model): (Node | undefined)[] {
  const hops = model.trace.hops ?? [];
  const nodes = hopNodes(model);
  const agree = nodes.length === hops.length && nodes.every((node, i) => node.span.name === hops[i]?.name);
  return hops.map((_, i) => (agree ? nodes[i] : undefined));
}
