// Who talks to whom, and how well: a picture, or the same as a table.

import { useMemo, useRef } from 'react';
import { useAnswer } from '../api/answer';
import { usePageTime } from '../lib/time';
import { useAddress, workloadPath } from '../lib/url';
import { EdgeTable } from '../topology/EdgeTable';
import { Graph, type Shown } from '../topology/Graph';
import { Legend } from '../topology/Legend';
import { useLayout } from '../topology/layout/useLayout';
import { type Graph as GraphModel, graphOf, isNamespaceId, namespaceId } from '../topology/model';
import { found as findIn, grouped, namespaceNode, namespacesOf, narrowed } from '../topology/narrow';
import { Replay } from '../topology/Replay';
import { Side } from '../topology/Side';
import { Toolbar } from '../topology/Toolbar';
import '../topology/topology.css';
import { givenFor, listed, openOf, useView } from '../topology/view';
import { edgesCommand } from '../topology/words';
import { Empty, Failure, Loading, PageHead, Panel } from '../ui/parts';

export function TopologyPage() {
  const { asked, isLive, flags } = usePageTime();
  const edges = useAnswer('/api/v1/edges', asked, { live: isLive });
  const stat = useAnswer('/api/v1/stat', asked, { live: isLive });
  const view = useView();
  const { set, go } = useAddress();
  const shown = useRef<Shown>(null);

  // One without the other would be laid out twice.
  const isThere = edges.data !== undefined && (stat.data !== undefined || stat.error !== null);
  const whole = useMemo(
    () => (isThere ? graphOf(edges.data?.edges ?? [], stat.data?.workloads ?? []) : undefined),
    [isThere, edges.data, stat.data],
  );
  const { hidden, focus, steps, onlyUnwell } = view;
  const kept = useMemo(
    () => whole && narrowed(whole, { hidden, focus, steps, onlyUnwell }),
    [whole, hidden, focus, steps, onlyUnwell],
  );
  const namespaces = useMemo(() => (kept ? namespacesOf(kept) : []), [kept]);
  const open = useMemo(() => openOf(view.open, namespaces, kept?.nodes.size ?? 0), [view.open, namespaces, kept]);
  const graph = useMemo(() => kept && grouped(kept, (namespace) => open.has(namespace)), [kept, open]);
  const scope = JSON.stringify([hidden, focus, steps, onlyUnwell, [...open].sort()]);
  const laid = useLayout(view.isTable ? undefined : graph, scope);
  const found = useMemo(() => (kept ? findIn(kept, view.find) : []), [kept, view.find]);
  /** Those that are in closed namespaces are found there. */
  const foundShown = useMemo(() => new Set(found.map((id) => standIn(graph, kept, id) ?? id)), [found, graph, kept]);

  const setOpen = (next: Set<string>, others = {}) =>
    set({ open: givenFor(next, namespaces, kept?.nodes.size ?? 0), ...others });
  const toggle = (namespace: string) => {
    const next = new Set(open);
    if (!next.delete(namespace)) next.add(namespace);
    setOpen(next, { sel: namespaceId(namespace) });
  };
  const select = (id: string | undefined) => set({ sel: id ?? null }, { replace: true });
  const hide = (id: string) =>
    set({ hide: listed([...new Set([...hidden, id])]), sel: null, ...(id === focus && { focus: null, steps: null }) });
  const unhide = (id: string | undefined) =>
    set({ hide: listed(id === undefined ? [] : hidden.filter((one) => one !== id)) });
  const enter = (id: string) => {
    const node = whole?.nodes.get(id);
    if (node && node.kind !== 'outside') go(workloadPath(node.namespace, node.name));
  };
  const acts = { select, hide, toggle, focus: (id: string) => set({ focus: id, sel: id, open: null }) };
  const next = () => {
    const id = found[(found.indexOf(view.selected ?? '') + 1) % found.length];
    const node = id === undefined ? undefined : kept?.nodes.get(id);
    if (id === undefined || !node) return;
    if (node.namespace !== undefined && !open.has(node.namespace)) {
      setOpen(new Set([...open, node.namespace]), { sel: id });
    } else select(id);
    shown.current?.centre(id);
  };

  const selected = view.selected;
  const node = selected === undefined ? undefined : nodeOf(graph, kept, selected);
  const edge = selected === undefined ? undefined : graph?.edges.find((one) => one.id === selected);
  const focused = focus === undefined || !whole ? undefined : nodeOf(graph, whole, focus);
  const nameOf = (id: string) => (isNamespaceId(id) ? id.slice(0, -1) : (whole?.nodes.get(id)?.name ?? id));
  const hasNamespaces = whole !== undefined && namespacesOf(whole).length > 1;
  const command = edgesCommand(steps === 1 ? focused : undefined, { flags, hasNamespaces });
  const failure = edges.error ?? stat.error;
  return (
    <>
      <PageHead title="Topology" sub="Who talks to whom, and how well" command={command} />
      {failure && (
        <Failure
          error={failure}
          retry={() => {
            edges.retry();
            stat.retry();
          }}
        />
      )}
      {!failure && !isThere && <Loading />}
      {whole && kept && graph && (
        <>
          <Toolbar
            view={view}
            found={found.length}
            namespaces={namespaces.length}
            open={open.size}
            nameOf={nameOf}
            set={set}
            next={next}
            openAll={(all) => setOpen(new Set(all ? namespaces : []))}
            unhide={unhide}
          />
          <Panel>
            {graph.nodes.size === 0 ? (
              <Nothing isEmpty={whole.nodes.size === 0} onlyUnwell={onlyUnwell} />
            ) : view.isTable ? (
              <EdgeTable graph={kept} find={view.find} hasNamespaces={hasNamespaces} open={enter} />
            ) : (
              <div className="topo">
                <div className="topo-main">
                  <Graph
                    ref={shown}
                    graph={graph}
                    laid={laid}
                    scope={scope}
                    selected={(selected && standIn(graph, kept, selected)) ?? selected}
                    found={foundShown}
                    select={select}
                    toggle={toggle}
                    enter={enter}
                    hide={hide}
                    focus={acts.focus}
                  />
                  <Legend />
                </div>
                <Side
                  graph={graph}
                  whole={whole}
                  node={node}
                  edge={edge}
                  isOpen={node?.namespace !== undefined && open.has(node.namespace)}
                  flags={flags}
                  acts={acts}
                />
              </div>
            )}
          </Panel>
        </>
      )}
      <Panel>
        <Replay isReady={isThere && (laid !== undefined || view.isTable)} />
      </Panel>
    </>
  );
}

/** The closed namespace that a node is in. */
function standIn(graph: GraphModel | undefined, kept: GraphModel | undefined, id: string): string | undefined {
  const namespace = kept?.nodes.get(id)?.namespace;
  if (namespace === undefined || !graph || graph.nodes.has(id)) return undefined;
  return namespaceId(namespace);
}

/** A node that is shown, that is in a closed namespace, or that is a namespace itself. */
function nodeOf(graph: GraphModel | undefined, kept: GraphModel | undefined, id: string) {
  const node = graph?.nodes.get(id) ?? kept?.nodes.get(id);
  if (node || !isNamespaceId(id) || !kept) return node;
  const name = id.slice(0, -1);
  const members = [...kept.nodes.values()].filter((one) => one.namespace === name);
  return members.length > 0 ? namespaceNode(name, members) : undefined;
}

function Nothing({ isEmpty, onlyUnwell }: { isEmpty: boolean; onlyUnwell: boolean }) {
  if (!isEmpty) {
    return onlyUnwell ? (
      <Empty title="All edges are well">Of those that had traffic in this time, none fails.</Empty>
    ) : (
      <Empty title="Nothing is left to show">
        All of it is hidden, or out of focus: the marks above take that back.
      </Empty>
    );
  }
  return (
    <Empty title="Nobody talked to anybody in this time" command="clew demo">
      Start an application under load, or your own program with <code>clew run</code>: edges come with its first
      requests. Or look at a longer time.
    </Empty>
  );
}
