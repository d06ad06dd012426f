// The critical path of a request, and whose the time on it is.

import { childrenOf, isProxys, type Model, type Node, serverOf, text } from './model';
import type { Part } from './parts';

export interface Stretch {
  from: number;
  to: number;
}

export interface OnPath {
  node: Node;
  /** Nanoseconds that were waited for this one and for none below it. */
  own: number;
  /** When. */
  when: Stretch[];
}

/**
 * What a request waited for, from the span that stands for it. Back from the end of a span: the child that ended last
 * is what was waited for until then; before its start, the child that had ended last by then. The rest is the span's
 * own. All that is own adds up to the duration of the first.
 */
export function pathOf(model: Model, entry: number): OnPath[] {
  const path: OnPath[] = [];
  const open = [entry];
  while (open.length > 0) {
    const node = model.nodes[open.pop() as number] as Node;
    const when: Stretch[] = [];
    let until = node.end;
    let own = 0;
    const take = (from: number, to: number) => {
      if (to > from) when.push({ from, to });
      own += to - from;
    };
    const lastFirst = childrenOf(model, node).sort((a, b) => b.end - a.end || b.start - a.start || b.index - a.index);
    for (const child of lastFirst) {
      if (child.end <= until && child.end > child.start) {
        take(child.end, until);
        until = child.start;
        open.push(child.index);
      }
    }
    take(node.start, until);
    path.push({ node, own, when: when.reverse() });
  }
  return path;
}

/** The paths of all spans that nobody asked for here, by the place of the span. */
export function allPaths(model: Model): Map<number, OnPath> {
  const all = new Map<number, OnPath>();
  for (const root of model.roots) {
    for (const step of pathOf(model, root)) all.set(step.node.index, step);
  }
  return all;
}

/** What a time was spent on, and whose it is. */
export interface Owner {
  part: Part;
  of: string;
  to?: string | undefined;
  side?: 'inbound' | 'outbound' | undefined;
}

export interface Share extends Owner {
  nanos: number;
}

export function ownerKey({ part, of, to, side }: { part: string; of: string; to?: unknown; side?: unknown }): string {
  return [part, of, to ?? '', side ?? ''].join('\n');
}

/** Whose the time of a request is; the largest first. */
export function blame(model: Model, entry: number): Share[] {
  const sums = new Map<string, Share>();
  for (const { node, own } of pathOf(model, entry)) {
    for (const share of split(model, node, own)) {
      const key = ownerKey(share);
      const sum = sums.get(key);
      if (sum) sum.nanos += share.nanos;
      else if (share.nanos > 0) sums.set(key, { ...share });
    }
  }
  return [...sums.values()].sort((a, b) => b.nanos - a.nanos);
}

/** The proxy's work, its waits, and the rest of a time that a span has for itself. */
export function spent(node: Node, own: number): { work: number; wait: number; rest: number } {
  const time = node.span.proxy_time;
  const work = Math.min((time?.work_us ?? 0) * 1000, own);
  const wait = Math.min((time?.wait_us ?? 0) * 1000, own - work);
  return { work, wait, rest: own - work - wait };
}

/** What is beyond the proxy that wrote a span. */
export function beyond(model: Model, node: Node): Owner {
  const { span, service } = node;
  if (!isProxys(span)) return { part: 'application', of: service };
  // The time of a gateway's passage is told on its outbound side alone.
  if (span.kind === 'server') {
    return span.proxy_time ? { part: 'application', of: service } : { part: 'proxy', of: service, side: 'inbound' };
  }
  const server = serverOf(model, node);
  if (server) return { part: 'network', of: service, to: server.span.service };
  const workload = text(span, 'clew.peer.workload');
  if (workload) return { part: 'unseen', of: service, to: workload };
  return { part: 'outside', of: service, to: text(span, 'clew.dst_service') ?? text(span, 'server.address') };
}

function split(model: Model, node: Node, own: number): Share[] {
  const rest = beyond(model, node);
  if (!isProxys(node.span)) return [{ ...rest, nanos: own }];
  const side = node.span.kind === 'server' ? ('inbound' as const) : ('outbound' as const);
  const time = spent(node, own);
  return [
    { part: 'proxy', of: node.service, side, nanos: time.work },
    { part: 'wait', of: node.service, side, nanos: time.wait },
    { ...rest, nanos: time.rest },
  ];
}
