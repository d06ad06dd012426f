// The layout of a graph, made in a worker. Nodes that were seen keep their places: a layout is only made anew when
// something comes that has none, or when something else is looked at.

import { useEffect, useRef, useState } from 'react';
import type { Edge, Graph, Node } from '../model';
import type { Done, Job } from './layout.worker';
import { type Placement, planOf } from './plan';

/** What is remembered may be so many times as much as what is there. */
const MOST = 2;

/** All that was seen of one view, so that what goes and comes again finds its place. */
export interface Memory {
  scope: string;
  nodes: Map<string, Node>;
  edges: Map<string, Edge>;
}

/** The memory with this graph; `undefined`: it holds all of it already. */
export function remembered(memory: Memory | undefined, scope: string, graph: Graph): Memory | undefined {
  const isSame = memory?.scope === scope && memory.nodes.size <= MOST * Math.max(graph.nodes.size, 10);
  const edges = new Map(graph.edges.map((edge) => [edge.id, edge]));
  if (!isSame) return { scope, nodes: graph.nodes, edges };
  const isKnown =
    [...graph.nodes.keys()].every((id) => memory.nodes.has(id)) &&
    [...edges.keys()].every((id) => memory.edges.has(id));
  if (isKnown) return undefined;
  return { scope, nodes: new Map([...memory.nodes, ...graph.nodes]), edges: new Map([...memory.edges, ...edges]) };
}

export interface Laid {
  scope: string;
  placement: Placement;
}

/** `undefined` until the first layout is there; then the last one, until the next is. */
export function useLayout(graph: Graph | undefined, scope: string): Laid | undefined {
  const [laid, setLaid] = useState<Laid>();
  const worker = useRef<Worker | undefined>(undefined);
  const memory = useRef<Memory | undefined>(undefined);
  const sent = useRef({ number: 0, scope: '' });

  useEffect(() => {
    const started = new Worker(new URL('./layout.worker.ts', import.meta.url), { type: 'module' });
    worker.current = started;
    memory.current = undefined;
    started.onmessage = ({ data }: MessageEvent<Done>) => {
      if (data.number === sent.current.number) setLaid({ scope: sent.current.scope, placement: data.placement });
    };
    return () => started.terminate();
  }, []);

  useEffect(() => {
    if (!graph) return;
    const next = remembered(memory.current, scope, graph);
    if (!next) return;
    memory.current = next;
    sent.current = { number: sent.current.number + 1, scope };
    const job: Job = {
      number: sent.current.number,
      plan: planOf({ nodes: next.nodes, edges: [...next.edges.values()] }),
    };
    worker.current?.postMessage(job);
  }, [graph, scope]);

  return laid;
}
