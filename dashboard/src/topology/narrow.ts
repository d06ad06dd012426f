// What of a graph is shown: without what is hidden, around what is in focus, grouped by namespace.

import { ofSuccess } from '../lib/health';
import { covers, type Edge, edgeId, edgeOf, type Graph, isUnwell, type Node, namespaceId, sum } from './model';

export interface Narrowing {
  hidden: readonly string[];
  /** A node or a namespace; only what is so many steps from it stays. */
  focus: string | undefined;
  steps: number;
  onlyUnwell: boolean;
}

function around({ nodes, edges }: Graph, focus: string, steps: number): Graph {
  let reached = new Set([...nodes.values()].filter((node) => covers(focus, node)).map((node) => node.id));
  const kept = new Set<Edge>();
  for (let step = 0; step < steps; step++) {
    const next = new Set(reached);
    for (const edge of edges) {
      if (!reached.has(edge.client) && !reached.has(edge.server)) continue;
      kept.add(edge);
      next.add(edge.client).add(edge.server);
    }
    reached = next;
  }
  return { nodes: only(nodes, (node) => reached.has(node.id)), edges: [...kept] };
}

function only(nodes: Map<string, Node>, fits: (node: Node) => boolean): Map<string, Node> {
  return new Map([...nodes].filter(([, node]) => fits(node)));
}

export function narrowed(graph: Graph, { hidden, focus, steps, onlyUnwell }: Narrowing): Graph {
  let { nodes, edges } = graph;
  if (hidden.length > 0) {
    nodes = only(nodes, (node) => !hidden.some((id) => covers(id, node)));
    edges = edges.filter((edge) => nodes.has(edge.client) && nodes.has(edge.server));
  }
  if (focus) ({ nodes, edges } = around({ nodes, edges }, focus, steps));
  if (onlyUnwell) {
    edges = edges.filter((edge) => isUnwell(edge.health));
    const ends = new Set(edges.flatMap((edge) => [edge.client, edge.server]));
    nodes = only(nodes, (node) => ends.has(node.id));
  }
  return { nodes, edges };
}

export function namespacesOf(graph: Graph): string[] {
  const names = new Set<string>();
  for (const node of graph.nodes.values()) if (node.namespace !== undefined) names.add(node.namespace);
  return [...names].sort();
}

/** A namespace as one node. */
export function namespaceNode(namespace: string, members: Node[]): Node {
  const numbers = sum(members.map((node) => node.numbers));
  return {
    id: namespaceId(namespace),
    kind: 'namespace',
    name: namespace,
    namespace,
    numbers,
    health: ofSuccess(numbers.success),
    score: null,
    members,
  };
}

/** Namespaces that are not open are one node each, and edges between the same two are one. */
export function grouped(graph: Graph, isOpen: (namespace: string) => boolean): Graph {
  const nodes = new Map<string, Node>();
  const closed = new Map<string, Node[]>();
  const shown = new Map<string, string>();
  for (const node of graph.nodes.values()) {
    if (node.namespace === undefined || isOpen(node.namespace)) {
      nodes.set(node.id, node);
      shown.set(node.id, node.id);
    } else {
      const members = closed.get(node.namespace);
      if (members) members.push(node);
      else closed.set(node.namespace, [node]);
      shown.set(node.id, namespaceId(node.namespace));
    }
  }
  for (const [namespace, members] of closed) {
    const node = namespaceNode(namespace, members);
    nodes.set(node.id, node);
  }
  const between = new Map<string, { client: string; server: string; all: Edge[] }>();
  for (const edge of graph.edges) {
    const client = shown.get(edge.client) ?? edge.client;
    const server = shown.get(edge.server) ?? edge.server;
    // What stays inside of a closed namespace is not drawn.
    if (client === server && edge.client !== edge.server) continue;
    const id = edgeId(client, server);
    const known = between.get(id);
    if (known) known.all.push(edge);
    else between.set(id, { client, server, all: [edge] });
  }
  const edges = [...between.values()].map(({ client, server, all }) => {
    const [first] = all;
    const isItself = first && all.length === 1 && first.client === client && first.server === server;
    return isItself
      ? first
      : edgeOf(
          client,
          server,
          all.flatMap((edge) => edge.members),
        );
  });
  return { nodes, edges: edges.filter((edge) => nodes.has(edge.client) && nodes.has(edge.server)) };
}

/** Ids of the nodes whose name holds the text. */
export function found(graph: Graph, text: string): string[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === '') return [];
  const fits = (node: Node) => (node.namespace === undefined ? node.name : node.id).toLowerCase().includes(wanted);
  return [...graph.nodes.values()].filter(fits).map((node) => node.id);
}
