// Where a trace is not whole: who broke it, as far as it can be told (docs/tracing.md).

import type { Schema } from '../api/answer';
import { ofScore } from '../lib/health';
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

/**
 * Where the trace may end too early, which it does not show by itself: a workload that breaks traces by the audit served
 * a request of it, and made none of its own that is in it.
 */
export function endsOf(model: Model, audited: readonly Schema<'WorkloadPropagation'>[]): Break[] {
  return audited
    .filter(({ score }) => ofScore(score) === 'bad')
    .flatMap(({ name, namespace, advice = [] }): Break[] => {
      const isIts = ({ span, service }: Node) => service === name && (span.namespace ?? namespace) === namespace;
      const served = model.nodes.filter((node) => isIts(node) && isServer(node.span));
      const silent = served.filter((node) => !hasCall(model, node, isIts));
      if (silent.length === 0) return [];
      const calls = advice.flatMap((one) => one.calls);
      const named = calls.length > 0 ? `, such as ${calls.slice(0, 2).join(' and ')},` : '';
      return [
        {
          key: `ends ${namespace}/${name}`,
          at: silent.map((node) => node.index),
          what: `The trace may end too early at ${name}.`,
          means: `${name} does not pass on the trace context: if it asked for anything${named} while it served this, that is in other traces.`,
          workload: { namespace, name },
        },
      ];
    });
}

/** Whether there is a request below a span that the same workload made. */
function hasCall(model: Model, { children }: Node, isIts: (node: Node) => boolean): boolean {
  return children.some((child) => {
    const node = model.nodes[child];
    return node !== undefined && isIts(node) && (isClient(node.span) || hasCall(model, node, isIts));
  });
}
