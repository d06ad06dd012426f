// Routes that were found, and how one of them does.

import { Link } from 'wouter';
import { type Schema, useAnswer } from '../api/answer';
import { routesCommand } from '../lib/shell';
import { usePageTime } from '../lib/time';
import { useAddress, workloadPath } from '../lib/url';
import { ClientChoice, WorkloadChoice } from '../ui/choices';
import { GoldenCharts } from '../ui/GoldenCharts';
import { Heatmap, HeatmapLegend } from '../ui/Heatmap';
import { Empty, Failure, Loading, PageHead, Panel } from '../ui/parts';
import { ROUTE_COLUMNS } from '../ui/routeColumns';
import { Table } from '../ui/Table';

/** A route may be counted under several services. */
const keyOf = ({ service, route }: Schema<'RouteStat'>) => `${service ?? ''}/${route}`;

export function RoutesPage() {
  const { asked, isLive, flags } = usePageTime();
  const { get, set, to } = useAddress();
  const stat = useAnswer('/api/v1/stat', asked, { live: isLive });
  const workloads = (stat.data?.workloads ?? []).filter((workload) => workload.inbound?.golden);
  const busiest = [...workloads].sort((a, b) => (b.inbound?.golden?.rps ?? 0) - (a.inbound?.golden?.rps ?? 0))[0];
  const workload = get('workload') ?? busiest?.workload;
  const namespace = get('workload') ? get('namespace') : busiest?.namespace;
  const [from, route] = [get('from'), get('route')];
  const edges = useAnswer(
    '/api/v1/edges',
    { ...asked, workload, namespace },
    { live: isLive, when: workload !== undefined },
  );
  const routes = useAnswer(
    '/api/v1/routes',
    { ...asked, workload: workload ?? '', namespace, from },
    { live: isLive, when: workload !== undefined },
  );

  return (
    <>
      <PageHead
        title="Routes"
        sub="Found automatically: nothing has to be configured"
        command={workload ? routesCommand({ workload, namespace, from }, flags) : undefined}
      />
      {stat.error && <Failure error={stat.error} retry={stat.retry} />}
      <div className="row">
        <WorkloadChoice
          label="of"
          workloads={workloads}
          workload={workload}
          namespace={namespace}
          choose={(chosen) =>
            set({ workload: chosen?.workload, namespace: chosen?.namespace, from: null, route: null })
          }
        />
        <ClientChoice
          edges={edges.data?.edges ?? []}
          workload={workload}
          from={from}
          choose={(next) => set({ workload, namespace, from: next })}
        />
        {workload && (
          <Link href={to(workloadPath(namespace, workload))} className="button">
            Its page
          </Link>
        )}
      </div>
      {route && workload && <OneRoute workload={workload} namespace={namespace} route={route} from={from} />}
      {workload && (
        <Panel title={`Routes of ${workload}`} note={from ? `asked by ${from}` : undefined}>
          {routes.error && <Failure error={routes.error} retry={routes.retry} />}
          {routes.isLoading && <Loading />}
          {routes.data && routes.data.routes.length > 0 && (
            <Table
              label={`Routes of ${workload}`}
              columns={ROUTE_COLUMNS}
              rows={routes.data.routes}
              id={keyOf}
              selected={routes.data.routes.filter((one) => one.route === route).map(keyOf)[0]}
              open={(one) => set({ workload, namespace, route: one.route })}
              sort="-rps"
            />
          )}
          {routes.data?.routes.length === 0 && <Empty title="Nobody asked it for anything in this time" />}
        </Panel>
      )}
      {stat.data && workloads.length === 0 && (
        <Panel>
          <Empty title="Nobody asked anybody for anything in this time" command="clew demo">
            Routes are learned from the requests that pass.
          </Empty>
        </Panel>
      )}
    </>
  );
}

interface One {
  workload: string;
  namespace: string | undefined;
  route: string;
  from: string | undefined;
}

function OneRoute({ workload, namespace, route, from }: One) {
  const { asked, isLive } = usePageTime();
  const { set, to } = useAddress();
  const of = { ...asked, workload, namespace, route, from, points: 90 };
  const series = useAnswer('/api/v1/series', of, { live: isLive });
  const heatmap = useAnswer('/api/v1/heatmap', of, { live: isLive });
  return (
    <>
      <Panel
        title={route}
        note={`latency of ${workload}${from ? ` for ${from}` : ''}`}
        actions={
          <>
            <Link className="button" href={to('/critical-path', { workload, namespace, route })}>
              Where its time goes
            </Link>
            <Link className="button" href={to('/traces', { service: workload, route })}>
              Traces
            </Link>
            <button type="button" className="button" onClick={() => set({ route: null })}>
              Close
            </button>
          </>
        }
        padded
      >
        {heatmap.error && <Failure error={heatmap.error} retry={heatmap.retry} />}
        {heatmap.data && heatmap.data.bounds_ms.length > 0 && (
          <>
            <Heatmap map={heatmap.data} />
            <HeatmapLegend map={heatmap.data} />
          </>
        )}
        {heatmap.data?.bounds_ms.length === 0 && <Empty title="No request of this route ended in this time" />}
      </Panel>
      {series.data && <GoldenCharts series={series.data} />}
    </>
  );
}
