// All workloads, worst first.

import { useMemo } from 'react';
import { Link } from 'wouter';
import { type Schema, useAnswer } from '../api/answer';
import { count, percent, rate, time } from '../lib/format';
import { byHealth, type Health, ofScore, ofSuccess } from '../lib/health';
import { measured } from '../lib/series';
import { usePageTime } from '../lib/time';
import { useAddress, workloadKey, workloadPath } from '../lib/url';
import { Empty, Failure, Figure, HealthMark, Loading, PageHead, Panel, Score, SuccessRate } from '../ui/parts';
import { Sparkline } from '../ui/Sparkline';
import { type Column, Table } from '../ui/Table';

type Workload = Schema<'WorkloadStat'>;

/** What others ask of it; of a gateway what it passes on. */
const golden = (workload: Workload) => workload.inbound?.golden;

export function health(workload: Workload): Health {
  const [served, passes] = [ofSuccess(golden(workload)?.success_rate), ofScore(workload.propagation_score)];
  // A trace that breaks fails nobody's request.
  const softened = passes === 'bad' ? 'warn' : passes;
  return byHealth(served, softened) <= 0 ? served : softened;
}

export function worstFirst(a: Workload, b: Workload): number {
  const p99 = (workload: Workload) => golden(workload)?.latency_ms?.p99 ?? 0;
  return byHealth(health(a), health(b)) || p99(b) - p99(a) || a.workload.localeCompare(b.workload);
}

export function OverviewPage() {
  const { asked, isLive, flags } = usePageTime();
  const { get, set, to, go } = useAddress();
  const stat = useAnswer('/api/v1/stat', asked, { live: isLive });
  const series = useAnswer('/api/v1/series', { ...asked, by: 'workload', points: 40 }, { live: isLive });
  const { data } = series;
  const lines = useMemo(
    () =>
      new Map(
        data?.series.map((row) => [
          workloadKey({ namespace: row.namespace ?? '', workload: row.workload ?? '' }),
          { rps: measured(row.rps, data), p99: row.p99_ms },
        ]),
      ),
    [data],
  );
  const line = (workload: Workload) => lines.get(workloadKey(workload));
  const filter = get('find') ?? '';
  const workloads = useMemo(() => {
    const fits = (workload: Workload) => workloadKey(workload).toLowerCase().includes(filter.toLowerCase());
    return (stat.data?.workloads ?? []).filter(fits).sort(worstFirst);
  }, [stat.data, filter]);

  const columns: Column<Workload>[] = [
    {
      key: 'workload',
      head: 'Workload',
      by: (workload) => workload.workload,
      cell: (workload) => (
        <span className="row" style={{ flexWrap: 'nowrap' }}>
          <HealthMark health={health(workload)} />
          <Link href={to(workloadPath(workload.namespace, workload.workload))}>{workload.workload}</Link>
          {workload.role === 'gateway' && <span className="tag">gateway</span>}
          {!workload.role && <span className="tag">gone</span>}
        </span>
      ),
    },
    {
      key: 'namespace',
      head: 'Namespace',
      by: (workload) => workload.namespace,
      cell: (workload) => workload.namespace,
    },
    {
      key: 'success',
      head: 'Success',
      isNumber: true,
      by: (workload) => golden(workload)?.success_rate,
      cell: (workload) => <SuccessRate rate={golden(workload)?.success_rate} />,
    },
    {
      key: 'rps',
      head: 'Requests/s',
      isNumber: true,
      by: (workload) => golden(workload)?.rps,
      cell: (workload) => rate(golden(workload)?.rps),
    },
    {
      key: 'rps-line',
      head: 'over time',
      cell: (workload) => (
        <Sparkline values={line(workload)?.rps ?? []} label={`Requests of ${workload.workload} over time`} />
      ),
    },
    ...(['p50', 'p95', 'p99'] as const).map(
      (quantile): Column<Workload> => ({
        key: quantile,
        head: quantile,
        title: 'Latency to the end of the response, as this workload’s proxy saw it',
        isNumber: true,
        by: (workload) => golden(workload)?.latency_ms?.[quantile],
        cell: (workload) => time(golden(workload)?.latency_ms?.[quantile]),
      }),
    ),
    {
      key: 'p99-line',
      head: 'over time',
      cell: (workload) => (
        <Sparkline
          values={line(workload)?.p99 ?? []}
          label={`p99 of ${workload.workload} over time`}
          colour="var(--p99)"
        />
      ),
    },
    {
      key: 'proxy',
      head: 'Proxy p99',
      title: 'The mesh’s own work on each request',
      isNumber: true,
      by: (workload) => workload.inbound?.proxy_time_ms?.p99,
      cell: (workload) => time(workload.inbound?.proxy_time_ms?.p99),
    },
    {
      key: 'score',
      head: 'Propagation',
      title: 'Of the calls that say something of it, the share that carried the trace context on',
      isNumber: true,
      by: (workload) => workload.propagation_score,
      cell: ({ propagation_score, namespace, workload }) =>
        ofScore(propagation_score) === 'bad' ? (
          <Link href={to(workloadPath(namespace, workload), { tab: 'propagation' })} title="It breaks traces: why">
            <Score score={propagation_score} />
          </Link>
        ) : (
          <Score score={propagation_score} />
        ),
    },
    {
      key: 'instances',
      head: 'Instances',
      isNumber: true,
      by: (workload) => workload.instances,
      cell: (workload) => count(workload.instances),
    },
  ];

  return (
    <>
      <PageHead title="Overview" sub="What every workload served, all requests counted" command={`clew stat${flags}`} />
      {stat.error && <Failure error={stat.error} retry={stat.retry} />}
      {stat.isLoading && <Loading />}
      {stat.data && <Sums workloads={stat.data.workloads} />}
      {stat.data && (
        <Panel
          title="Workloads"
          note="worst first"
          actions={
            <input
              type="search"
              placeholder="Filter"
              aria-label="Filter workloads by name"
              value={filter}
              onChange={(event) => set({ find: event.target.value }, { replace: true })}
            />
          }
        >
          {workloads.length > 0 ? (
            <Table
              label="Workloads"
              columns={columns}
              rows={workloads}
              id={workloadKey}
              open={(workload) => go(workloadPath(workload.namespace, workload.workload))}
            />
          ) : (
            <Nothing isFiltered={filter !== ''} />
          )}
        </Panel>
      )}
    </>
  );
}

function Nothing({ isFiltered }: { isFiltered: boolean }) {
  return isFiltered ? (
    <Empty title="No workload has such a name" />
  ) : (
    <Empty title="Nobody is in the mesh yet" command="clew run --name books --port 7002 -- ./books">
      Start a program with a proxy beside it, or a whole application with <code>clew up</code>.
    </Empty>
  );
}

function Sums({ workloads }: { workloads: Workload[] }) {
  const served = workloads.map(golden).filter((one) => one !== undefined && one !== null);
  const sum = (of: (one: Schema<'Golden'>) => number) => served.reduce((all, one) => all + of(one), 0);
  const judged = sum((one) => one.successes + one.failures);
  const failing = workloads.filter((workload) => health(workload) === 'bad').length;
  return (
    <div className="figures">
      <Figure label="Workloads">{count(workloads.length)}</Figure>
      <Figure label="Requests/s, all of them served">{rate(sum((one) => one.rps))}</Figure>
      <Figure label="Success">{percent(judged > 0 ? sum((one) => one.successes) / judged : undefined)}</Figure>
      <Figure label="Failing workloads">
        <span className={failing > 0 ? 'text-bad' : undefined}>{count(failing)}</span>
      </Figure>
    </div>
  );
}
