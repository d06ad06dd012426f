// A trace as a tree: spans below their parents, on one clock. The same rules as the server's (docs/latency.md).
//
// Times are whole nanoseconds after the start of the trace, so that parts add up exactly.

import type { Schema } from '../api/answer';

export type Span = Schema<'Span'>;
export type Trace = Schema<'Trace'>;

/** Scope of the spans that proxies write. */
export const PROXY_SCOPE = 'clew.proxy';

const NS = 1e6;

export interface Node {
  span: Span;
  /** Place in the model; names the node. */
  index: number;
  parent: number | undefined;
  /** By start. */
  children: number[];
  depth: number;
  /** Nodes below, all of them. */
  below: number;
  start: number;
  end: number;
  /** What its clock is wrong by at least, against its parent's. */
  skew: number;
  /** Whose its own time is: of a library the workload, whatever the library calls itself. */
  service: string;
}

export interface Model {
  trace: Trace;
  nodes: Node[];
  /** Spans without a parent here, by start. */
  roots: number[];
  /** Depth first, each above what is below it. */
  order: number[];
  /** Where everything has ended. */
  end: number;
  services: string[];
  /** Ids in the address: that of the span; of those that share one, with a number. */
  ids: Map<string, number>;
  /** The same the other way around. */
  names: string[];
  maxDepth: number;
}

export const isProxys = (span: Span) => span.scope === PROXY_SCOPE;
export const isClient = (span: Span) => isProxys(span) && span.kind === 'client';
export const isServer = (span: Span) => isProxys(span) && span.kind === 'server';
export const isError = (span: Span) => span.status === 'error';
export const ms = (nanos: number) => nanos / NS;
export const nanos = (millis: number) => Math.round(millis * NS);

export function text(span: Span, attribute: string): string | undefined {
  const value = span.attributes?.[attribute];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function build(trace: Trace): Model {
  const { spans } = trace;
  const parents = withoutCircles(parentsOf(spans));
  const nodes = spans.map((span, index): Node => {
    const start = nanos(span.offset_ms);
    return {
      span,
      index,
      parent: parents[index],
      children: [],
      depth: 0,
      below: 0,
      start,
      end: start + Math.max(0, nanos(span.duration_ms)),
      skew: 0,
      service: span.service,
    };
  });
  const at = (index: number) => nodes[index] as Node;
  const roots: number[] = [];
  for (const node of nodes) {
    if (node.parent === undefined) roots.push(node.index);
    else at(node.parent).children.push(node.index);
  }
  const byStart = (a: number, b: number) => at(a).start - at(b).start || a - b;
  roots.sort(byStart);

  // From above to below, each once its parent's time is known.
  const order: number[] = [];
  const shifts = new Array<number>(nodes.length).fill(0);
  const open = [...roots].reverse();
  let maxDepth = 0;
  while (open.length > 0) {
    const node = at(open.pop() as number);
    order.push(node.index);
    maxDepth = Math.max(maxDepth, node.depth);
    for (const below of node.children) {
      const child = at(below);
      child.depth = node.depth + 1;
      place(child, node, shifts);
      if (isOfApplication(child.span, node.span)) child.service = node.service;
    }
    node.children.sort(byStart);
    for (let i = node.children.length - 1; i >= 0; i -= 1) open.push(node.children[i] as number);
  }
  for (let i = order.length - 1; i >= 0; i -= 1) {
    const node = at(order[i] as number);
    if (node.parent !== undefined) at(node.parent).below += node.below + 1;
  }

  const ids = new Map<string, number>();
  const names: string[] = [];
  for (const index of order) {
    const id = uniqueId(ids, at(index).span.span_id);
    ids.set(id, index);
    names[index] = id;
  }
  const end = nodes.reduce((last, node) => Math.max(last, node.end), nanos(trace.duration_ms));
  return { trace, nodes, roots, order, end, services: servicesOf(order.map(at)), ids, names, maxDepth };
}

/** The SERVER span of the proxy that got what this proxy's CLIENT span sent. */
export function serverOf(model: Model, client: Node): Node | undefined {
  return childrenOf(model, client).find((child) => isServer(child.span));
}

export function childrenOf(model: Model, node: Node): Node[] {
  return node.children.map((child) => model.nodes[child] as Node);
}

function uniqueId(taken: Map<string, number>, id: string): string {
  let unique = id;
  for (let n = 2; taken.has(unique); n += 1) unique = `${id}.${n}`;
  return unique;
}

function servicesOf(nodes: Node[]): string[] {
  return [...new Set(nodes.map((node) => node.span.service))];
}

/**
 * The place of each span's parent. Where two spans have one id, as B3 allows it, the parent is another span than the
 * child, and rather the server's half.
 */
function parentsOf(spans: Span[]): (number | undefined)[] {
  const byId = new Map<string, number[]>();
  spans.forEach((span, index) => {
    const same = byId.get(span.span_id);
    if (same) same.push(index);
    else byId.set(span.span_id, [index]);
  });
  return spans.map((span, child) => {
    const others = (byId.get(span.parent_span_id ?? '') ?? []).filter((other) => other !== child);
    const isServers = (index: number) => spans[index]?.kind === 'server';
    if (span.parent_span_id !== span.span_id) return others.find(isServers) ?? others[0];
    return others[0];
  });
}

/** The same with one parent less in each circle. */
function withoutCircles(parents: (number | undefined)[]): (number | undefined)[] {
  const met = new Array<number>(parents.length).fill(-1);
  for (let first = 0; first < parents.length; first += 1) {
    let at = first;
    while (met[at] === -1) {
      met[at] = first;
      const parent = parents[at];
      if (parent === undefined) break;
      if (met[parent] === first) {
        parents[at] = undefined;
        break;
      }
      at = parent;
    }
  }
  return parents;
}

/**
 * Puts a span into the time of its parent. A request cannot be served before it was sent: where two clocks say so, the
 * server's is moved by the least that sets it right. What ends after its parent was not waited for and is cut off.
 */
function place(child: Node, parent: Node, shifts: number[]): void {
  const isShared = isSameClock(child.span, parent.span);
  let shift = isShared ? (shifts[parent.index] ?? 0) : 0;
  if (!isShared && child.span.kind === 'server' && parent.span.kind === 'client') {
    if (child.start < parent.start) shift = parent.start - child.start;
    else if (child.end > parent.end) shift = Math.max(parent.end - child.end, parent.start - child.start);
    child.skew = shift;
  }
  shifts[child.index] = shift;
  child.start = Math.min(Math.max(child.start + shift, parent.start), parent.end);
  child.end = Math.min(Math.max(child.end + shift, child.start), parent.end);
}

/** Whether two spans were written by one clock. Libraries may not know in which instance they are. */
function isSameClock(span: Span, parent: Span): boolean {
  const isKnown = Boolean(span.instance) && Boolean(parent.instance);
  if (isKnown && span.instance === parent.instance) return true;
  if ((isProxys(span) && isProxys(parent)) || isSent(span, parent)) return !isKnown && span.service === parent.service;
  return true;
}

/** Whether a span tells of the inside of the application that its parent tells of. */
function isOfApplication(span: Span, parent: Span): boolean {
  const isElsewhere = isSent(span, parent) && span.service !== parent.service;
  return !isProxys(span) && !isClient(parent) && !isElsewhere;
}

function isSent(span: Span, parent: Span): boolean {
  return span.kind === 'consumer' || (parent.kind === 'client' && span.kind === 'server');
}
