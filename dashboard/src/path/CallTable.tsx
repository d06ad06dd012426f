// How often the requests of a route call what.

import { Link } from 'wouter';
import { type Schema, useAnswer } from '../api/answer';
import { count } from '../lib/format';
import { usePageTime } from '../lib/time';
import { useAddress, workloadPath } from '../lib/url';
import { Command, Empty, Failure, Loading, Panel } from '../ui/parts';
import { type Column, Table } from '../ui/Table';
import { command, PATTERNS, remark } from './words';

type RouteCalls = Schema<'RouteCalls'>;
type RouteCall = Schema<'RouteCall'>;

interface CallRow {
  of: RouteCalls;
  call: RouteCall;
}

interface Props {
  workload?: string | undefined;
  namespace?: string | undefined;
  route?: string | undefined;
  /** Follow what changes. */
  isLive?: boolean;
}

export function CallTable({ workload, namespace, route, isLive = false }: Props) {
  const { to, go } = useAddress();
  const { asked, flags } = usePageTime();
  const calls = useAnswer('/api/v1/calls', { ...asked, workload, namespace, route }, { live: isLive });
  const rows = (calls.data?.routes ?? []).flatMap((of) => of.calls.map((call): CallRow => ({ of, call })));
  const hasOne = workload !== undefined && route !== undefined;
  const whose: Column<CallRow>[] = [
    {
      key: 'workload',
      head: 'Workload',
      by: ({ of }) => of.workload,
      cell: ({ of }) => <Link href={to(workloadPath(of.namespace, of.workload))}>{of.workload}</Link>,
    },
    {
      key: 'route',
      head: 'Route',
      by: ({ of }) => of.route,
      cell: ({ of }) => (
        <Link href={to('/critical-path', { workload: of.workload, namespace: of.namespace, route: of.route })}>
          {of.route}
        </Link>
      ),
    },
    {
      key: 'requests',
      head: 'Requests',
      isNumber: true,
      by: ({ of }) => of.requests,
      cell: ({ of }) => count(of.requests),
    },
  ];
  const columns: Column<CallRow>[] = [
    ...(hasOne ? [] : whose),
    { key: 'service', head: 'Service', by: ({ call }) => call.service, cell: ({ call }) => call.service ?? '–' },
    { key: 'called', head: 'Called', by: ({ call }) => call.route, cell: ({ call }) => call.route },
    {
      key: 'per',
      head: 'Per request',
      title: 'Over all requests of the route, the ones that called nothing included',
      isNumber: true,
      by: ({ call }) => call.per_request,
      cell: ({ call }) => call.per_request.toFixed(2),
    },
    { key: 'p50', head: 'Calls p50', isNumber: true, by: ({ call }) => call.p50, cell: ({ call }) => count(call.p50) },
    { key: 'p99', head: 'Calls p99', isNumber: true, by: ({ call }) => call.p99, cell: ({ call }) => count(call.p99) },
    {
      key: 'again',
      head: 'Again',
      title: 'Calls that followed a failed one of the same request: attempts again',
      isNumber: true,
      by: ({ call }) => call.again,
      cell: ({ call }) => count(call.again),
    },
    {
      key: 'pattern',
      head: 'Pattern',
      by: ({ call }) => call.pattern,
      cell: ({ call }) => call.pattern && <span className="tag warn">▲ {PATTERNS[call.pattern]}</span>,
    },
  ];
  return (
    <Panel
      title="Calls per request"
      note="by the ids that requests carry, without sampling"
      actions={<Command>{command('calls', { workload, namespace, route }, flags)}</Command>}
    >
      {calls.error && <Failure error={calls.error} retry={calls.retry} />}
      {calls.isLoading && <Loading />}
      {calls.data && rows.length === 0 && (
        <Empty title="No request in this window called anything with its trace ids">
          {hasOne
            ? 'It makes no calls, or does not pass the trace context on.'
            : 'Nobody makes calls, or nobody passes the trace context on.'}
        </Empty>
      )}
      {rows.length > 0 && (
        <>
          <Remarks rows={rows} />
          <Table
            label="Calls per request"
            columns={columns}
            rows={rows}
            id={({ of, call }) => [of.namespace, of.workload, of.route, call.service, call.route].join('\n')}
            {...(hasOne
              ? {}
              : {
                  open: ({ of }: CallRow) =>
                    go('/critical-path', { workload: of.workload, namespace: of.namespace, route: of.route }),
                })}
            sort="-per"
          />
        </>
      )}
    </Panel>
  );
}

function Remarks({ rows }: { rows: CallRow[] }) {
  const { to } = useAddress();
  const remarks = rows.flatMap(({ of, call }) => {
    const said = remark(of, call);
    return said ? [{ of, call, said }] : [];
  });
  if (remarks.length === 0) return null;
  return (
    <ul className="remarks">
      {remarks.map(({ of, call, said }) => (
        <li key={`${of.namespace} ${of.workload} ${of.route} ${call.service} ${call.route}`}>
          <span className="tag warn">▲ {said.title}</span>
          <span>
            {said.what} <span className="soft">{said.advice}</span>{' '}
            <Link
              href={to('/traces', { service: of.workload, route: of.route, errors: call.pattern === 'retry_storm' })}
            >
              traces
            </Link>
          </span>
        </li>
      ))}
    </ul>
  );
}
