// What is said of nodes and edges, and the commands that say the same.

import { count, percent, rate, time } from '../lib/format';
import { WORDS } from '../lib/health';
import { quoted } from '../lib/shell';
import { breaksTraces, type Edge, type Graph, type Node, OUTSIDE_CLIENTS, type Tls } from './model';

export const KINDS: Record<Node['kind'], string> = {
  workload: 'workload',
  gateway: 'gateway',
  namespace: 'namespace',
  outside: 'not in the mesh',
};

/** Of one edge, or of a sum of them. */
export function tlsWords(tls: Tls, edges: Edge['members']): string {
  if (tls === 'none') return 'not secured';
  if (tls === 'all') return 'mTLS';
  return edges.length === 1 ? 'some of it is secured' : 'some are secured';
}

export function nameOf(node: Node | undefined, id: string): string {
  return node?.name ?? id.replace(/^\//, '');
}

/** A node in one sentence, for whoever does not see the picture. */
export function nodeWords(node: Node, { edges }: Graph): string {
  const calls = edges.filter((edge) => edge.client === node.id).length;
  const called = edges.filter((edge) => edge.server === node.id).length;
  const parts = [`${node.name}, ${KINDS[node.kind]}${node.kind === 'workload' ? ` in ${node.namespace}` : ''}`];
  if (node.kind === 'namespace') parts.push(`${count(node.members.length)} workloads`);
  parts.push(WORDS[node.health]);
  if (node.numbers?.success != null) {
    parts.push(`${percent(node.numbers.success)} success`, `${rate(node.numbers.rps)} requests a second`);
  }
  if (breaksTraces(node)) parts.push('breaks traces');
  return `${parts.join(', ')}. Calls ${calls}, called by ${called}.`;
}

export function edgeWords(edge: Edge, nodes: Graph['nodes']): string {
  const { numbers } = edge;
  const ends = `${nameOf(nodes.get(edge.client), edge.client)} calls ${nameOf(nodes.get(edge.server), edge.server)}`;
  const of = `${rate(numbers.rps)} requests a second, ${percent(numbers.success)} success, p99 ${time(numbers.p99)}`;
  return `${ends}: ${WORDS[edge.health]}, ${of}, ${tlsWords(edge.tls, edge.members)}.`;
}

interface Scope {
  /** As commands have the time. */
  flags: string;
  hasNamespaces: boolean;
}

const inNamespace = (node: Node | undefined, { hasNamespaces }: Scope) =>
  hasNamespaces && node?.namespace !== undefined ? ` -n ${quoted(node.namespace)}` : '';

/** The edges of a node. */
export function edgesCommand(node: Node | undefined, scope: Scope): string {
  if (!node || node.name === OUTSIDE_CLIENTS) return `clew edges${scope.flags}`;
  if (node.kind === 'namespace') return `clew edges -n ${quoted(node.name)}${scope.flags}`;
  return `clew edges ${quoted(node.name)}${inNamespace(node, scope)}${scope.flags}`;
}

/** The edge among those of its server, or of its client if that alone is in the mesh; with all columns. */
export function edgeCommand(client: Node | undefined, server: Node | undefined, scope: Scope): string {
  const end = server?.kind === 'outside' ? client : server;
  return edgesCommand(end, scope).replace(/^clew edges/, 'clew edges -o wide');
}

/** What the edge is made of; absent where a server's proxy does not count it. */
export function routesCommand(client: Node | undefined, server: Node | undefined, scope: Scope): string | undefined {
  if (!client || !server || client.kind === 'namespace' || server.kind === 'namespace') return undefined;
  if (server.kind === 'outside') {
    return `clew routes ${quoted(client.name)} --to ${quoted(server.name)}${inNamespace(client, scope)}${scope.flags}`;
  }
  const from = client.kind === 'outside' ? "'(unmeshed)'" : quoted(client.name);
  return `clew routes ${quoted(server.name)} --from ${from}${inNamespace(server, scope)}${scope.flags}`;
}
