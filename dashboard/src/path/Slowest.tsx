// The slowest routes of all workloads, to choose one.

import { useQueries } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import { type Answer, queryOf, question, type Schema, useAnswer } from '../api/answer';
import { count, rate, time } from '../lib/format';
import { usePageTime } from '../lib/time';
import { useAddress, workloadPath } from '../lib/url';
import { Empty, Failure, Loading, Panel, SuccessRate } from '../ui/parts';
import { type Column, Table } from '../ui/Table';

interface RouteRow {
  workload: string;
  stat: Schema<'RouteStat'>;
}

/** Workloads whose routes are asked for, the slowest first. */
const MOST = 40;
/** Routes that are shown at first. */
const FEW = 10;

export function Slowest() {
  const { asked } = usePageTime();
  const [isAll, setAll] = useState(false);
  const { to, go } = useAddress();
  const stat = useAnswer('/api/v1/stat', asked);
  const workloads = [...(stat.data?.workloads ?? [])]
    .filter((one) => (one.inbound?.golden?.requests ?? 0) > 0)
    .sort((a, b) => (b.inbound?.golden?.latency_ms?.p99 ?? 0) - (a.inbound?.golden?.latency_ms?.p99 ?? 0));
  const asks = workloads
    .slice(0, MOST)
    .map(({ workload, namespace }) => question('/api/v1/routes', { ...asked, workload, namespace }));
  const answers = useQueries({ queries: asks.map((one) => queryOf(one)) });
  const unread = answers.filter(({ isError }) => isError).length;
  const p99 = ({ stat }: RouteRow) => stat.golden.latency_ms?.p99 ?? 0;
  const all = answers
    .flatMap(({ data }) => {
      const of = data as Answer<'/api/v1/routes'> | undefined;
      return (of?.routes ?? []).map((stat): RouteRow => ({ workload: of?.workload ?? '', stat }));
    })
    .sort((a, b) => p99(b) - p99(a));
  const rows = isAll ? all : all.slice(0, FEW);
  const chosen = ({ workload, stat }: RouteRow) => ({ workload, namespace: stat.namespace, route: stat.route });
  const latency = (quantile: 'p50' | 'p99'): Column<RouteRow> => ({
    key: quantile,
    head: quantile,
    isNumber: true,
    by: ({ stat }) => stat.golden.latency_ms?.[quantile],
    cell: ({ stat }) => time(stat.golden.latency_ms?.[quantile]),
  });
  const columns: Column<RouteRow>[] = [
    {
      key: 'route',
      head: 'Route',
      by: ({ stat }) => stat.route,
      cell: (row) => <Link href={to('/critical-path', chosen(row))}>{row.stat.route}</Link>,
    },
    {
      key: 'workload',
      head: 'Workload',
      by: ({ workload }) => workload,
      cell: ({ workload, stat }) => <Link href={to(workloadPath(stat.namespace, workload))}>{workload}</Link>,
    },
    {
      key: 'requests',
      head: 'Requests',
      isNumber: true,
      by: ({ stat }) => stat.golden.requests,
      cell: ({ stat }) => count(stat.golden.requests),
    },
    {
      key: 'rps',
      head: 'Requests/s',
      isNumber: true,
      by: ({ stat }) => stat.golden.rps,
      cell: ({ stat }) => rate(stat.golden.rps),
    },
    {
      key: 'success',
      head: 'Success',
      isNumber: true,
      by: ({ stat }) => stat.golden.success_rate,
      cell: ({ stat }) => <SuccessRate rate={stat.golden.success_rate} />,
    },
    latency('p50'),
    latency('p99'),
  ];
  return (
    <Panel
      title="Slowest routes"
      note={`choose one to see whose its time is${workloads.length > MOST ? `; of the ${MOST} slowest workloads` : ''}`}
      actions={
        all.length > FEW && (
          <button type="button" className="button" onClick={() => setAll(!isAll)}>
            {isAll ? `The slowest ${FEW}` : `All ${all.length}`}
          </button>
        )
      }
    >
      {stat.error && <Failure error={stat.error} retry={stat.retry} />}
      {stat.isLoading && <Loading />}
      {unread > 0 && (
        <p className="note-line text-warn">
          ▲ The routes of {count(unread)} workloads could not be read: they are not here.
        </p>
      )}
      {rows.length > 0 && (
        <Table
          label="Slowest routes"
          columns={columns}
          rows={rows}
          id={({ workload, stat }) => [stat.namespace, workload, stat.service, stat.route].join('\n')}
          open={(row) => go('/critical-path', chosen(row))}
          sort="-p99"
        />
      )}
      {stat.data && workloads.length === 0 && (
        <Empty title="Nobody was asked anything in this window" command="clew demo">
          Routes are there once requests go through the mesh.
        </Empty>
      )}
    </Panel>
  );
}
