// Choosing a workload, and who asks it.

import type { Schema } from '../api/answer';
import { workloadKey } from '../lib/url';

type Named = Pick<Schema<'WorkloadStat'>, 'workload' | 'namespace'>;

interface WorkloadProps {
  label: string;
  workloads: readonly Named[];
  /** What is chosen; without a namespace the first of this name. */
  workload: string | undefined;
  namespace: string | undefined;
  choose: (chosen: Named | undefined) => void;
  /** What no choice is called; absent: one has to be chosen. */
  all?: string;
}

export function WorkloadChoice({ label, workloads, workload, namespace, choose, all }: WorkloadProps) {
  const isOneNamespace = new Set(workloads.map((one) => one.namespace)).size <= 1;
  const chosen = workloads.find((one) => one.workload === workload && (!namespace || one.namespace === namespace));
  return (
    <label className="row">
      <span className="soft">{label}</span>
      <select
        value={chosen ? workloadKey(chosen) : (workload ?? '')}
        onChange={(event) => choose(workloads.find((one) => workloadKey(one) === event.target.value))}
      >
        {all !== undefined && <option value="">{all}</option>}
        {/* One that had no requests in this time. */}
        {workload && !chosen && <option value={workload}>{workload}</option>}
        {workloads.map((one) => (
          <option key={workloadKey(one)} value={workloadKey(one)}>
            {isOneNamespace ? one.workload : `${one.workload} in ${one.namespace}`}
          </option>
        ))}
      </select>
    </label>
  );
}

interface ClientProps {
  /** Edges of the workload. */
  edges: readonly Schema<'Edge'>[];
  workload: string | undefined;
  from: string | undefined;
  choose: (from: string) => void;
}

export function ClientChoice({ edges, workload, from, choose }: ClientProps) {
  const clients = new Set(edges.flatMap(({ server, client }) => (server.name === workload ? (client.name ?? []) : [])));
  // What is asked for is shown, also when it asked nothing in this time.
  if (from) clients.add(from);
  return (
    <label className="row">
      <span className="soft">asked by</span>
      <select value={from ?? ''} onChange={(event) => choose(event.target.value)}>
        <option value="">everyone</option>
        {[...clients].map((client) => (
          <option key={client}>{client}</option>
        ))}
      </select>
    </label>
  );
}
