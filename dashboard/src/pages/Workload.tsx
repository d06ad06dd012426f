// One workload: who asks it, whom it asks, and how it does.

import { useMemo } from 'react';
import { Link } from 'wouter';
import { type Asked, type Schema, useAnswer } from '../api/answer';
import { ago, clock, count, percent, rate, shortId, time } from '../lib/format';
import { inNamespace, quoted, routesCommand } from '../lib/shell';
import { usePageTime } from '../lib/time';
import { useAddress } from '../lib/url';
import { ofWorkload, command as tapCommand } from '../tap/filters';
import { LiveRequests } from '../tap/LiveRequests';
import { ClientChoice } from '../ui/choices';
import { GoldenCharts } from '../ui/GoldenCharts';
import { Command, Empty, Failure, Figure, Loading, PageHead, Panel, Score } from '../ui/parts';
import { ROUTE_COLUMNS } from '../ui/routeColumns';
import { type Column, Table } from '../ui/Table';
import { Octopus } from '../workload/Octopus';
import { Propagation } from '../workload/Propagation';

interface Of {
  namespace: string;
  name: string;
}

const TABS = [
  ['routes', 'Routes'],
  ['instances', 'Instances'],
  ['tap', 'Live tap'],
  ['traces', 'Traces'],
  ['propagation', 'Propagation'],
] as const;

export function WorkloadPage({ namespace, name }: Of) {
  const { asked, isLive, flags } = usePageTime();
  const { get, set, to } = useAddress();
  const of = { ...asked, workload: name, namespace };
  const stat = useAnswer('/api/v1/stat', of, { live: isLive });
  const edges = useAnswer('/api/v1/edges', of, { live: isLive });
  const series = useAnswer('/api/v1/series', { ...of, points: 90 }, { live: isLive });
  const workload = stat.data?.workloads[0];
  const golden = workload?.inbound?.golden;
  const tab = TABS.find(([key]) => key === get('tab'))?.[0] ?? 'routes';

  return (
    <>
      <PageHead
        title={name}
        sub={`workload in ${namespace}${workload?.role === 'gateway' ? ', a gateway' : ''}`}
        command={`clew stat ${quoted(name)}${inNamespace(namespace)}${flags}`}
      />
      {stat.error && <Failure error={stat.error} retry={stat.retry} />}
      {stat.isLoading && <Loading />}
      {workload && (
        <div className="figures">
          <Figure label="Success">{percent(golden?.success_rate)}</Figure>
          <Figure label="Requests/s">{rate(golden?.rps)}</Figure>
          <Figure label="p50">{time(golden?.latency_ms?.p50)}</Figure>
          <Figure label="p99">{time(golden?.latency_ms?.p99)}</Figure>
          <Figure label="Proxy p99">{time(workload.inbound?.proxy_time_ms?.p99)}</Figure>
          <Figure label="Instances">{count(workload.instances)}</Figure>
          <Figure label="Propagation">
            <Score score={workload.propagation_score} />
          </Figure>
          <span className="grow" />
          <span className="row">
            <Link className="button" href={to('/topology', { sel: `${namespace}/${name}` })}>
              In the topology
            </Link>
            <Link className="button" href={to('/critical-path', { workload: name, namespace })}>
              Where its time goes
            </Link>
          </span>
        </div>
      )}
      {edges.data && (
        <Panel title="Clients and servers" note="by the client’s side, where it is meshed">
          <Octopus name={name} namespace={namespace} edges={edges.data.edges} golden={golden} />
        </Panel>
      )}
      {series.data && <GoldenCharts series={series.data} />}
      <nav className="tabs" aria-label={`Parts of ${name}`}>
        {TABS.map(([key, title]) => (
          <button
            key={key}
            type="button"
            aria-current={key === tab ? 'page' : undefined}
            onClick={() => set({ tab: key === 'routes' ? null : key }, { replace: true })}
          >
            {title}
          </button>
        ))}
      </nav>
      {tab === 'routes' && <RoutesTab namespace={namespace} name={name} edges={edges.data?.edges ?? []} />}
      {tab === 'instances' && <InstancesTab namespace={namespace} name={name} />}
      {tab === 'tap' && <TapTab namespace={namespace} name={name} />}
      {tab === 'traces' && <TracesTab name={name} />}
      {tab === 'propagation' && <Propagation namespace={namespace} name={name} />}
    </>
  );
}

/** What is asked of a question: its failure, its waiting, or what is drawn of its answer. */
function Shown<Body>({ asked, children }: { asked: Asked<Body>; children: (body: Body) => React.ReactNode }) {
  if (asked.error) return <Failure error={asked.error} retry={asked.retry} />;
  if (!asked.data) return <Loading />;
  return children(asked.data);
}

function RoutesTab({ namespace, name, edges }: Of & { edges: readonly Schema<'Edge'>[] }) {
  const { asked, isLive, flags } = usePageTime();
  const { get, set, go } = useAddress();
  const from = get('from');
  const routes = useAnswer('/api/v1/routes', { ...asked, workload: name, namespace, from }, { live: isLive });
  return (
    <Panel
      title="Routes"
      note="found automatically, all requests counted"
      actions={
        <>
          <ClientChoice
            edges={edges}
            workload={name}
            from={from}
            choose={(next) => set({ from: next }, { replace: true })}
          />
          <Command>{routesCommand({ workload: name, namespace, from }, flags)}</Command>
        </>
      }
    >
      <Shown asked={routes}>
        {(body) =>
          body.routes.length > 0 ? (
            <Table
              label={`Routes of ${name}`}
              columns={ROUTE_COLUMNS}
              rows={body.routes}
              id={(route) => `${route.service}/${route.route}`}
              open={(route) => go('/routes', { workload: name, namespace, route: route.route, from })}
              sort="-rps"
            />
          ) : (
            <Empty title="Nobody asked it for anything in this time" />
          )
        }
      </Shown>
    </Panel>
  );
}

const INSTANCE_COLUMNS: Column<Schema<'Instance'>>[] = [
  { key: 'id', head: 'Instance', by: (instance) => instance.id, cell: (instance) => <code>{instance.id}</code> },
  { key: 'version', head: 'Proxy', by: (instance) => instance.version, cell: (instance) => instance.version },
  { key: 'started', head: 'Started', by: (instance) => instance.started, cell: (instance) => ago(instance.started) },
  {
    key: 'ports',
    head: 'Ports of the application',
    cell: (instance) =>
      instance.ports.map((port) => `${port.application_address} (${port.service}, ${port.protocol})`).join(', ') || '–',
  },
  {
    key: 'state',
    head: 'State',
    cell: (instance) => {
      if (instance.scrape_error) return <span className="tag bad">not read: {instance.scrape_error}</span>;
      if (!instance.last_scrape) return <span className="tag">not read yet</span>;
      return instance.leaving ? <span className="tag warn">leaving</span> : <span className="tag good">ready</span>;
    },
  },
  { key: 'read', head: 'Numbers read', cell: (instance) => ago(instance.last_scrape) },
];

function InstancesTab({ namespace, name }: Of) {
  const instances = useAnswer('/api/v1/instances', {}, { live: true });
  return (
    <Panel title="Instances" note="now">
      <Shown asked={instances}>
        {(body) => {
          const own = body.instances.filter((one) => one.workload === name && one.namespace === namespace);
          return own.length > 0 ? (
            <Table label={`Instances of ${name}`} columns={INSTANCE_COLUMNS} rows={own} id={(one) => one.id} />
          ) : (
            <Empty title="It has no instance now">Its numbers are those of instances that were here.</Empty>
          );
        }}
      </Shown>
    </Panel>
  );
}

function TapTab({ namespace, name }: Of) {
  const { to } = useAddress();
  const filters = useMemo(() => ofWorkload(namespace, name), [namespace, name]);
  return (
    <LiveRequests filters={filters}>
      <Command>{tapCommand(filters)}</Command>
      <Link className="button" href={to('/tap', { workload: name, namespace })}>
        Filter them
      </Link>
    </LiveRequests>
  );
}

const TRACE_COLUMNS: Column<Schema<'TraceSummary'>>[] = [
  { key: 'start', head: 'Start', by: (trace) => trace.start, cell: (trace) => clock(trace.start, true) },
  { key: 'id', head: 'Trace', cell: (trace) => <code>{shortId(trace.trace_id)}</code> },
  { key: 'root', head: 'Begins with', cell: (trace) => `${trace.root.service} ${trace.root.name}` },
  {
    key: 'duration',
    head: 'Duration',
    isNumber: true,
    by: (trace) => trace.duration_ms,
    cell: (trace) => time(trace.duration_ms),
  },
  { key: 'spans', head: 'Spans', isNumber: true, by: (trace) => trace.spans, cell: (trace) => count(trace.spans) },
  {
    key: 'errors',
    head: 'Errors',
    isNumber: true,
    by: (trace) => trace.errors,
    cell: (trace) => <span className={trace.errors > 0 ? 'text-bad' : 'soft'}>{count(trace.errors)}</span>,
  },
];

function TracesTab({ name }: { name: string }) {
  const { asked, isLive, flags } = usePageTime();
  const { to, go } = useAddress();
  const traces = useAnswer('/api/v1/traces', { ...asked, service: name, limit: 50 }, { live: isLive });
  return (
    <Panel
      title="Traces"
      note="the newest"
      actions={
        <>
          <Link className="button" href={to('/traces', { service: name })}>
            Search them
          </Link>
          <Command>{`clew traces --service ${quoted(name)}${flags} --limit 50`}</Command>
        </>
      }
    >
      <Shown asked={traces}>
        {(body) =>
          body.traces.length > 0 ? (
            <Table
              label={`Traces through ${name}`}
              columns={TRACE_COLUMNS}
              rows={body.traces}
              id={(trace) => trace.trace_id}
              open={(trace) => go(`/traces/${trace.trace_id}`)}
            />
          ) : (
            <Empty title="No trace went through it in this time" command="clew settings --sample 1">
              Traces are kept by the share of the settings. To keep all:
            </Empty>
          )
        }
      </Shown>
    </Panel>
  );
}
