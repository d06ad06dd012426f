// The same edges, as a list.

import { Link } from 'wouter';
import { rate, time } from '../lib/format';
import { useAddress, workloadPath } from '../lib/url';
import { Empty, HealthMark, SuccessRate } from '../ui/parts';
import { type Column, Table } from '../ui/Table';
import type { Edge, Graph, Node } from './model';
import { nameOf, tlsWords } from './words';

interface Props {
  graph: Graph;
  find: string;
  hasNamespaces: boolean;
  open: (id: string) => void;
}

const quantile = (edge: Edge, name: 'p50' | 'p95' | 'p99') => edge.members[0]?.golden?.latency_ms?.[name];

export function EdgeTable({ graph, find, hasNamespaces, open }: Props) {
  const wanted = find.trim().toLowerCase();
  const rows = graph.edges.filter((edge) => edge.id.toLowerCase().includes(wanted));
  const { to } = useAddress();
  const peer = (id: string) => <Peer node={graph.nodes.get(id)} id={id} hasNamespaces={hasNamespaces} to={to} />;
  const columns: Column<Edge>[] = [
    {
      key: 'client',
      head: 'Client',
      by: (edge) => nameOf(graph.nodes.get(edge.client), edge.client),
      cell: (edge) => (
        <span className="row" style={{ flexWrap: 'nowrap' }}>
          <HealthMark health={edge.health} />
          {peer(edge.client)}
        </span>
      ),
    },
    {
      key: 'server',
      head: 'Server',
      by: (edge) => nameOf(graph.nodes.get(edge.server), edge.server),
      cell: (edge) => peer(edge.server),
    },
    {
      key: 'success',
      head: 'Success',
      isNumber: true,
      by: (edge) => edge.numbers.success,
      cell: (edge) => <SuccessRate rate={edge.numbers.success} />,
    },
    {
      key: 'rps',
      head: 'Requests/s',
      isNumber: true,
      by: (edge) => edge.numbers.rps,
      cell: (edge) => rate(edge.numbers.rps),
    },
    ...(['p50', 'p95', 'p99'] as const).map(
      (name): Column<Edge> => ({
        key: name,
        head: name,
        title: 'Latency to the end of the response, as the proxy saw it that counts the edge',
        isNumber: true,
        by: (edge) => quantile(edge, name),
        cell: (edge) => time(quantile(edge, name)),
      }),
    ),
    {
      key: 'between',
      head: 'Between',
      title: 'Mean latency at the client’s proxy less that at the server’s: network and kernel',
      isNumber: true,
      by: (edge) => edge.members[0]?.between_ms,
      cell: (edge) => time(edge.members[0]?.between_ms),
    },
    { key: 'tls', head: 'TLS', by: (edge) => edge.tls, cell: (edge) => tlsWords(edge.tls, edge.members) },
  ];
  if (rows.length === 0) return <Empty title="No edge is of such a name" />;
  return (
    <Table label="Edges" columns={columns} rows={rows} id={(edge) => edge.id} open={(edge) => open(edge.server)} />
  );
}

interface PeerProps {
  node: Node | undefined;
  id: string;
  hasNamespaces: boolean;
  to: (path: string) => string;
}

function Peer({ node, id, hasNamespaces, to }: PeerProps) {
  if (!node || node.kind === 'outside') {
    return (
      <span>
        {nameOf(node, id)} <span className="tag">not in the mesh</span>
      </span>
    );
  }
  return (
    <span>
      <Link href={to(workloadPath(node.namespace, node.name))}>{node.name}</Link>
      {hasNamespaces && <span className="soft"> {node.namespace}</span>}
    </span>
  );
}
