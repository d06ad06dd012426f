// Who talks to whom, as a graph of workloads.

import type { Schema } from '../api/answer';
import { byHealth, type Health, ofScore, ofSuccess } from '../lib/health';

type ApiEdge = Schema<'Edge'>;
type Peer = Schema<'EdgePeer'>;
type Workload = Schema<'WorkloadStat'>;
type Golden = Schema<'Golden'>;

export interface Numbers {
  rps: number;
  successes: number;
  failures: number;
  /** Absent: nothing is known of it. */
  success: number | null;
  /** Milliseconds; of a sum of edges that of the worst. */
  p99: number | null;
}

/** How many of the edges are secured. */
export type Tls = 'all' | 'some' | 'none';
export type NodeKind = 'workload' | 'gateway' | 'namespace' | 'outside';

export interface Node {
  id: string;
  kind: NodeKind;
  name: string;
  /** Absent: it is not in the mesh. */
  namespace: string | undefined;
  numbers: Numbers | null;
  health: Health;
  /** Of the propagation audit. */
  score: number | null;
  /** Of a namespace: its workloads. */
  members: Node[];
}

export interface Edge {
  id: string;
  client: string;
  server: string;
  numbers: Numbers;
  health: Health;
  tls: Tls;
  /** What it is the sum of; one: the edge itself. */
  members: ApiEdge[];
}

export interface Graph {
  nodes: Map<string, Node>;
  edges: Edge[];
}

export const OUTSIDE_CLIENTS = 'outside clients';

const workloadId = (namespace: string, name: string) => `${namespace}/${name}`;
export const namespaceId = (namespace: string) => `${namespace}/`;
export const isNamespaceId = (id: string) => id.endsWith('/') && id.length > 1;
export const edgeId = (client: string, server: string) => `${client}>${server}`;

/** Names of namespaces are not empty, so that none is taken for what is outside of the mesh. */
function peerId(peer: Peer): string {
  return peer.meshed ? workloadId(peer.namespace || 'default', peer.name ?? '') : `/${peer.name ?? ''}`;
}

/** Whether an id names this node, or the namespace that it is in. */
export function covers(id: string, node: Pick<Node, 'id' | 'namespace'>): boolean {
  return id === node.id || (node.namespace !== undefined && id === namespaceId(node.namespace));
}

export function numbersOf(golden: Golden | null | undefined): Numbers | null {
  if (!golden) return null;
  return {
    rps: golden.rps,
    successes: golden.successes,
    failures: golden.failures,
    success: golden.success_rate ?? null,
    p99: golden.latency_ms?.p99 ?? null,
  };
}

/** All of them as one: each counts by its requests, and of the latencies the worst stands. */
export function sum(all: readonly (Numbers | null)[]): Numbers {
  const total: Numbers = { rps: 0, successes: 0, failures: 0, success: null, p99: null };
  for (const one of all) {
    if (!one) continue;
    total.rps += one.rps;
    total.successes += one.successes;
    total.failures += one.failures;
    if (one.p99 !== null) total.p99 = Math.max(total.p99 ?? 0, one.p99);
  }
  const judged = total.successes + total.failures;
  if (judged > 0) total.success = total.successes / judged;
  return total;
}

const isSecured = (edge: ApiEdge) => edge.tls !== 'none';

export function edgeOf(client: string, server: string, members: ApiEdge[]): Edge {
  const numbers = sum(members.map((edge) => numbersOf(edge.golden)));
  const secured = members.filter(isSecured).length;
  const tls = secured === 0 ? 'none' : secured === members.length ? 'all' : 'some';
  return { id: edgeId(client, server), client, server, numbers, health: ofSuccess(numbers.success), tls, members };
}

function workloadNode(workload: Workload): Node {
  const numbers = numbersOf(workload.inbound?.golden);
  return {
    id: workloadId(workload.namespace, workload.workload),
    kind: workload.role === 'gateway' ? 'gateway' : 'workload',
    name: workload.workload,
    namespace: workload.namespace,
    numbers,
    health: ofSuccess(numbers?.success),
    score: workload.propagation_score ?? null,
    members: [],
  };
}

/** A node that only edges name. */
function peerNode(peer: Peer, served: Numbers | null): Node {
  return {
    id: peerId(peer),
    kind: peer.meshed ? 'workload' : 'outside',
    name: peer.name || OUTSIDE_CLIENTS,
    namespace: peer.meshed ? peer.namespace || 'default' : undefined,
    numbers: served,
    health: ofSuccess(served?.success),
    score: null,
    members: [],
  };
}

export function graphOf(edges: readonly ApiEdge[], workloads: readonly Workload[]): Graph {
  const nodes = new Map<string, Node>();
  for (const workload of workloads) {
    const node = workloadNode(workload);
    nodes.set(node.id, node);
  }
  const between = new Map<string, { client: string; server: string; members: ApiEdge[] }>();
  const served = new Map<string, Numbers[]>();
  for (const edge of edges) {
    const [client, server] = [peerId(edge.client), peerId(edge.server)];
    const id = edgeId(client, server);
    const known = between.get(id);
    if (known) known.members.push(edge);
    else between.set(id, { client, server, members: [edge] });
    const numbers = numbersOf(edge.golden);
    if (numbers && !nodes.has(server)) served.set(server, [...(served.get(server) ?? []), numbers]);
  }
  for (const { client, server } of edges) {
    for (const peer of [client, server]) {
      const id = peerId(peer);
      const known = served.get(id);
      if (!nodes.has(id)) nodes.set(id, peerNode(peer, known ? sum(known) : null));
    }
  }
  return { nodes, edges: [...between.values()].map((one) => edgeOf(one.client, one.server, one.members)) };
}

/** It takes traces apart. */
export const breaksTraces = (node: Node) =>
  node.kind === 'namespace' ? node.members.some((one) => ofScore(one.score) === 'bad') : ofScore(node.score) === 'bad';

export const isUnwell = (health: Health) => health === 'bad' || health === 'warn';

/** Worst first, then the busiest. */
export function worstFirst(a: Edge, b: Edge): number {
  return byHealth(a.health, b.health) || b.numbers.rps - a.numbers.rps;
}
