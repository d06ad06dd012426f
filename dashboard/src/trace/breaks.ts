// Where a trace is not whole: who broke it, as far as it can be told (docs/tracing.md).

import { isClient, isProxys, isServer, type Model, type Node, text } from './model';
import { orphansOf } from './rows';

export interface Break {
  key: string;
  /** The spans at the break, by the place of the node. */
  at: number[];
  /** What is there to be seen. */
  what: string;
  /** What it means. */
  means: string;
  /** Whose propagation tells more. */
  workload?: { namespace: string; name: string } | undefined;
}

const workloadOf = (node: Node) => ({ namespace: node.span.namespace ?? '', name: node.service });

export function breaksOf(model: Model): Break[] {
  const breaks: Break[] = [];
  const orphans = orphansOf(model);
  for (const [id, children] of orphans.children) {
    const node = model.nodes[children[0] as number] as Node;
    breaks.push({ key: id, at: children, ...missing(id, children.length, node) });
  }
  const roots = model.roots.filter((root) => !orphans.parents.has(root)).map((root) => model.nodes[root] as Node);
  for (const root of roots) {
    if (!isClient(root.span) || text(root.span, 'clew.direction') !== 'outbound') continue;
    breaks.push({
      key: root.span.span_id,
      at: [root.index],
      what: `${root.service} began this trace with a request of its own: ${root.span.name}.`,
      means: `Its proxy saw no trace context on it. If ${root.service} made it for a request that it was serving, it dropped the context; a timer or a consumer looks the same here.`,
      workload: workloadOf(root),
    });
  }
  if (roots.length > 1) {
    breaks.push({
      key: 'roots',
      at: roots.map((root) => root.index),
      what: `The trace has ${roots.length} roots.`,
      means:
        'Someone passed on the id of the trace without the id of a span: the pieces belong together, and which called which is not known.',
      workload: undefined,
    });
  }
  return breaks;
}

function missing(id: string, count: number, node: Node): Pick<Break, 'what' | 'means' | 'workload'> {
  const { span, service } = node;
  const spans = count === 1 ? `A span of ${service} names` : `${count} spans, of ${service} first, name`;
  const what = `${spans} the parent ${id}, and nobody exported it.`;
  if (isServer(span)) {
    const peer = text(span, 'clew.peer.workload');
    return peer
      ? {
          what,
          means: `It would be a span of the proxy of ${peer}. It comes late, or was lost on its way here.`,
          workload: undefined,
        }
      : {
          what,
          means: `Whoever asked ${service} is outside of the mesh and has a trace of its own, which is not sent here.`,
          workload: undefined,
        };
  }
  if (isProxys(span)) {
    return {
      what,
      means: `${service} sent a context that is not the one it was given: a library inside has spans that are not sent here, the application made it up, or the span of its own proxy is late or lost.`,
      workload: workloadOf(node),
    };
  }
  return {
    what,
    means: `A library in ${service} has spans that are not sent here, or have not come yet.`,
    workload: workloadOf(node),
  };
}
