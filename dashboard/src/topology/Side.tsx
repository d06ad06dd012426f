// What is selected, in numbers and words; else what stands out.

import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { count, percent, rate, time } from '../lib/format';
import { byHealth, ofScore } from '../lib/health';
import { useAddress, workloadPath } from '../lib/url';
import { Command, Figure, HealthMark, Score, SuccessRate } from '../ui/parts';
import { breaksTraces, type Edge, type Graph, isUnwell, type Node, worstFirst } from './model';
import { edgeCommand, edgesCommand, KINDS, nameOf, routesCommand, tlsWords } from './words';

export interface SideActs {
  select: (id: string | undefined) => void;
  hide: (id: string) => void;
  focus: (id: string) => void;
  toggle: (namespace: string) => void;
}

interface Props {
  graph: Graph;
  /** With what is in closed namespaces. */
  whole: Graph;
  node: Node | undefined;
  edge: Edge | undefined;
  isOpen: boolean;
  flags: string;
  acts: SideActs;
}

/** So many of a list; the table has all. */
const MOST = 8;

export function Side(props: Props) {
  return (
    <aside className="topo-side" aria-label="What is selected">
      {props.node ? <OfNode {...props} node={props.node} /> : null}
      {props.edge && !props.node ? <OfEdge {...props} edge={props.edge} /> : null}
      {!props.node && !props.edge ? <StandsOut {...props} /> : null}
    </aside>
  );
}

function Head({ children, kind, acts }: { children: ReactNode; kind: string; acts: SideActs }) {
  return (
    <header>
      <div className="grow">
        <h2>{children}</h2>
        <span className="soft">{kind}</span>
      </div>
      <button type="button" className="button plain" onClick={() => acts.select(undefined)} aria-label="Close">
        ✕
      </button>
    </header>
  );
}

const scopeOf = ({ whole, flags }: Pick<Props, 'whole' | 'flags'>) => {
  const namespaces = new Set([...whole.nodes.values()].map((node) => node.namespace));
  namespaces.delete(undefined);
  return { flags, hasNamespaces: namespaces.size > 1 };
};

function OfNode({ node, ...props }: Props & { node: Node }) {
  const { graph, acts, isOpen } = props;
  const { to } = useAddress();
  const isMeshed = node.kind === 'workload' || node.kind === 'gateway';
  const kind = isMeshed ? `${KINDS[node.kind]} in ${node.namespace}` : KINDS[node.kind];
  const calls = graph.edges.filter((edge) => edge.client === node.id);
  const called = graph.edges.filter((edge) => edge.server === node.id);
  return (
    <>
      <Head kind={kind} acts={acts}>
        <HealthMark health={node.health} />{' '}
        {isMeshed ? <Link href={to(workloadPath(node.namespace, node.name))}>{node.name}</Link> : node.name}
      </Head>
      <div className="figures">
        <Figure label="Success">
          <SuccessRate rate={node.numbers?.success} />
        </Figure>
        <Figure label="Requests/s">{rate(node.numbers?.rps)}</Figure>
        <Figure label={node.kind === 'namespace' ? 'Worst p99' : 'p99'}>{time(node.numbers?.p99)}</Figure>
        {isMeshed && (
          <Figure label="Propagation">
            <Score score={node.score} />
          </Figure>
        )}
      </div>
      {isMeshed && breaksTraces(node) && (
        <p className="topo-note">
          <b className="text-bad">Breaks traces:</b> its requests do not carry on the trace context that it was given.{' '}
          <Link href={to(workloadPath(node.namespace, node.name), { tab: 'propagation' })}>Why, and how to fix it</Link>
        </p>
      )}
      <div className="row">
        {isMeshed && (
          <>
            <Link className="button" href={to('/traces', { service: node.name })}>
              Traces
            </Link>
            <Link className="button" href={to('/tap', { workload: node.name, namespace: node.namespace })}>
              Tap
            </Link>
          </>
        )}
        {node.kind === 'namespace' && (
          <button type="button" className="button" onClick={() => acts.toggle(node.name)}>
            {isOpen ? 'Close' : 'Open'}
          </button>
        )}
        <button type="button" className="button" onClick={() => acts.focus(node.id)} title="Only its neighbours (f)">
          Focus
        </button>
        <button type="button" className="button" onClick={() => acts.hide(node.id)} title="Hide it (h)">
          Hide
        </button>
      </div>
      {node.kind === 'namespace' && <Members nodes={node.members} />}
      <EdgeList title="Called by" edges={called} end="client" props={props} />
      <EdgeList title="Calls" edges={calls} end="server" props={props} />
      <Command>{edgesCommand(node, scopeOf(props))}</Command>
    </>
  );
}

function Members({ nodes }: { nodes: Node[] }) {
  const { to } = useAddress();
  const worst = [...nodes].sort(
    (a, b) => byHealth(a.health, b.health) || (b.numbers?.rps ?? 0) - (a.numbers?.rps ?? 0),
  );
  return (
    <section>
      <h3>Workloads, worst first</h3>
      <ul className="topo-list">
        {worst.slice(0, MOST).map((node) => (
          <li key={node.id}>
            <HealthMark health={node.health} />
            <Link className="grow" href={to(workloadPath(node.namespace, node.name))}>
              {node.name}
            </Link>
            <span className="soft">{rate(node.numbers?.rps)}/s</span>
          </li>
        ))}
      </ul>
      <More of={worst.length} />
    </section>
  );
}

function More({ of }: { of: number }) {
  return of > MOST ? <p className="soft">and {count(of - MOST)} more</p> : null;
}

function EdgeList(list: {
  title: string;
  edges: Edge[];
  end: 'client' | 'server';
  props: Pick<Props, 'graph' | 'acts'>;
}) {
  const { title, edges, end, props } = list;
  if (edges.length === 0) return null;
  const { nodes } = props.graph;
  return (
    <section>
      <h3>
        {title} <span className="soft">{edges.length}</span>
      </h3>
      <ul className="topo-list">
        {[...edges]
          .sort(worstFirst)
          .slice(0, MOST)
          .map((edge) => (
            <li key={edge.id}>
              <HealthMark health={edge.health} />
              <button type="button" className="grow" onClick={() => props.acts.select(edge.id)}>
                {nameOf(nodes.get(edge[end]), edge[end])}
              </button>
              <span className="soft">
                {rate(edge.numbers.rps)}/s · {time(edge.numbers.p99)}
              </span>
            </li>
          ))}
      </ul>
      <More of={edges.length} />
    </section>
  );
}

function OfEdge({ edge, ...props }: Props & { edge: Edge }) {
  const { whole, graph, acts } = props;
  const { to } = useAddress();
  const [client, server] = [edge.client, edge.server].map((id) => graph.nodes.get(id) ?? whole.nodes.get(id));
  const [one] = edge.members.length === 1 ? edge.members : [];
  const quantiles = one?.golden?.latency_ms;
  const errors = Object.entries(one?.golden?.errors ?? {}).sort((a, b) => b[1] - a[1]);
  const traced = server?.kind === 'outside' ? client : server;
  const scope = scopeOf(props);
  const routes = routesCommand(client, server, scope);
  return (
    <>
      <Head kind={one ? 'edge' : `${count(edge.members.length)} edges together`} acts={acts}>
        <HealthMark health={edge.health} /> <End node={client} id={edge.client} acts={acts} /> →{' '}
        <End node={server} id={edge.server} acts={acts} />
      </Head>
      <div className="figures">
        <Figure label="Success">
          <SuccessRate rate={edge.numbers.success} />
        </Figure>
        <Figure label="Requests/s">{rate(edge.numbers.rps)}</Figure>
        {!one && <Figure label="Worst p99">{time(edge.numbers.p99)}</Figure>}
      </div>
      {quantiles && (
        <div className="figures">
          <Figure label="p50">{time(quantiles.p50)}</Figure>
          <Figure label="p95">{time(quantiles.p95)}</Figure>
          <Figure label="p99">{time(quantiles.p99)}</Figure>
        </div>
      )}
      <dl className="topo-facts">
        <dt>TLS</dt>
        <dd>{tlsWords(edge.tls, edge.members)}</dd>
        {one && <Identities head="Client is" ids={one.client_ids ?? []} />}
        {one && <Identities head="Server is" ids={one.server_ids ?? []} />}
        {one && one.between_ms != null && (
          <>
            <dt title="Mean latency at the client’s proxy less that at the server’s: network and kernel">Between</dt>
            <dd>{time(one.between_ms)}</dd>
          </>
        )}
        {one && one.services.length > 0 && (
          <>
            <dt>Service</dt>
            <dd>{one.services.join(', ')}</dd>
          </>
        )}
        {one && (
          <>
            <dt>Counted by</dt>
            <dd>{one.reported_by === 'outbound' ? 'the client’s proxy' : 'the server’s proxy'}</dd>
          </>
        )}
        {one?.golden && (
          <>
            <dt>Failures</dt>
            <dd>
              {count(one.golden.failures)} of {count(one.golden.requests)}
            </dd>
          </>
        )}
        {errors.map(([reason, many]) => (
          <Reason key={reason} reason={reason} many={many} />
        ))}
      </dl>
      {traced && traced.kind !== 'namespace' && traced.kind !== 'outside' && (
        <div className="row">
          <Link className="button" href={to('/traces', { service: traced.name })}>
            Traces
          </Link>
          <Link
            className="button"
            href={to('/tap', {
              workload: traced.name,
              namespace: traced.namespace,
              peer: (traced === server ? client : server)?.kind === 'outside' ? undefined : client?.name,
            })}
          >
            Tap
          </Link>
        </div>
      )}
      {!one && <Parts edge={edge} />}
      {routes && <Command>{routes}</Command>}
      <Command>{edgeCommand(client, server, scope)}</Command>
    </>
  );
}

/** Who one end has proven to be, in handshakes. */
function Identities({ head, ids }: { head: string; ids: string[] }) {
  if (ids.length === 0) return null;
  return (
    <>
      <dt>{head}</dt>
      <dd className="topo-identity">{ids.join(', ')}</dd>
    </>
  );
}

function Reason({ reason, many }: { reason: string; many: number }) {
  return (
    <>
      <dt>{reason.replaceAll('_', ' ')}</dt>
      <dd>{count(many)}</dd>
    </>
  );
}

function End({ node, id, acts }: { node: Node | undefined; id: string; acts: SideActs }) {
  return (
    <button type="button" className="topo-end" onClick={() => acts.select(id)}>
      {nameOf(node, id)}
    </button>
  );
}

/** The worst of what an edge is the sum of. */
function Parts({ edge }: { edge: Edge }) {
  const rateOf = (one: Edge['members'][number]) => one.golden?.success_rate;
  const worst = [...edge.members].sort((a, b) => (rateOf(a) ?? 2) - (rateOf(b) ?? 2)).slice(0, MOST);
  return (
    <section>
      <h3>Edges, worst first</h3>
      <ul className="topo-list">
        {worst.map((one) => (
          <li key={`${one.client.namespace} ${one.client.name} ${one.server.namespace} ${one.server.name}`}>
            <SuccessRate rate={rateOf(one)} />
            <span className="grow">
              {one.client.name ?? 'outside'} → {one.server.name}
            </span>
          </li>
        ))}
      </ul>
      <More of={edge.members.length} />
    </section>
  );
}

function StandsOut({ graph, whole, acts }: Props) {
  const unwell = graph.edges.filter((edge) => isUnwell(edge.health)).sort(worstFirst);
  const breaking = [...whole.nodes.values()]
    .filter((node) => ofScore(node.score) === 'bad')
    .sort((a, b) => (a.score ?? 0) - (b.score ?? 0));
  return (
    <>
      <header>
        <h2 className="grow">What stands out</h2>
      </header>
      <section>
        <h3>
          Edges that are not well <span className="soft">{unwell.length}</span>
        </h3>
        {unwell.length === 0 && (
          <p className="soft">
            {graph.edges.length > 0 ? 'All edges with traffic are well.' : 'Nobody called anybody in this time.'}
          </p>
        )}
        <ul className="topo-list">
          {unwell.slice(0, MOST).map((edge) => (
            <li key={edge.id}>
              <HealthMark health={edge.health} />
              <button type="button" className="grow" onClick={() => acts.select(edge.id)}>
                {nameOf(graph.nodes.get(edge.client), edge.client)} →{' '}
                {nameOf(graph.nodes.get(edge.server), edge.server)}
              </button>
              <span className={`text-${edge.health}`}>{percent(edge.numbers.success)}</span>
            </li>
          ))}
        </ul>
        <More of={unwell.length} />
      </section>
      <section>
        <h3>
          Workloads that break traces <span className="soft">{breaking.length}</span>
        </h3>
        {breaking.length === 0 && <p className="soft">None that the audit knows of.</p>}
        <ul className="topo-list">
          {breaking.slice(0, MOST).map((node) => (
            <li key={node.id}>
              <button type="button" className="grow" onClick={() => acts.select(node.id)}>
                {node.name}
              </button>
              <Score score={node.score} />
            </li>
          ))}
        </ul>
        <More of={breaking.length} />
      </section>
      <p className="soft">Select a workload or an edge for its numbers. Drag to move, turn the wheel to zoom.</p>
    </>
  );
}
