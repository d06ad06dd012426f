// Columns of the tables of routes: which they are, where their names come from, and how they do.

import type { Schema } from '../api/answer';
import { goldenColumns } from './goldenColumns';
import type { Column } from './Table';

type Route = Schema<'RouteStat'>;

/** Where a name comes from: in a word, and what that means. */
const SOURCES: Record<Schema<'RouteSource'>, readonly [string, string]> = {
  learned: ['learned', 'A template that the proxies found in the paths of requests'],
  configured: ['configured', 'From the configuration of the mesh: an HTTPRoute, or routes of a service'],
  openapi: ['OpenAPI', 'From an OpenAPI document of the service'],
  proto: ['.proto', 'From a .proto file of the service'],
  grpc: ['gRPC', 'The gRPC method that was called; nobody described it'],
  other: ['other', 'Requests of many routes together, or of none that is known'],
};

function Source({ source }: { source: Route['source'] }) {
  if (!source) return <span className="soft">–</span>;
  const [word, meaning] = SOURCES[source];
  return (
    <span className="soft" title={meaning}>
      {word}
    </span>
  );
}

export const ROUTE_COLUMNS: Column<Route>[] = [
  { key: 'route', head: 'Route', by: (route) => route.route, cell: (route) => <code>{route.route}</code> },
  {
    key: 'source',
    head: 'Found by',
    title: 'Where the name of the route comes from',
    by: (route) => route.source,
    cell: (route) => <Source source={route.source} />,
  },
  ...goldenColumns((route: Route) => route.golden),
];
