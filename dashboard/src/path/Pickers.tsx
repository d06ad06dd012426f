// A workload and one of its routes.

import { useAnswer } from '../api/answer';
import { usePageTime } from '../lib/time';
import { useAddress } from '../lib/url';

interface Props {
  workload: string | undefined;
  namespace: string | undefined;
  route: string | undefined;
}

export function Pickers({ workload, namespace, route }: Props) {
  const { set } = useAddress();
  const { asked } = usePageTime();
  const stat = useAnswer('/api/v1/stat', asked);
  const routes = useAnswer(
    '/api/v1/routes',
    { ...asked, workload: workload ?? '', namespace },
    { when: workload !== undefined },
  );
  const workloads = stat.data?.workloads ?? [];
  const isOneNamespace = new Set(workloads.map((one) => one.namespace)).size <= 1;
  const names = [...new Set((routes.data?.routes ?? []).map((one) => one.route))];
  const key = workloads.find((one) => one.workload === workload && (!namespace || one.namespace === namespace));
  const value = key ? `${key.namespace}/${key.workload}` : (workload ?? '');
  return (
    <div className="row">
      <label className="row">
        <span className="soft">Workload</span>
        <select
          value={value}
          onChange={(event) => {
            const chosen = workloads.find((one) => `${one.namespace}/${one.workload}` === event.target.value);
            set({ workload: chosen?.workload, namespace: chosen?.namespace, route: null });
          }}
        >
          <option value="">all</option>
          {workload && !key && <option value={workload}>{workload}</option>}
          {workloads.map((one) => (
            <option key={`${one.namespace}/${one.workload}`} value={`${one.namespace}/${one.workload}`}>
              {isOneNamespace ? one.workload : `${one.workload} in ${one.namespace}`}
            </option>
          ))}
        </select>
      </label>
      {workload && (
        <label className="row">
          <span className="soft">Route</span>
          <select value={route ?? ''} onChange={(event) => set({ route: event.target.value })}>
            <option value="">its slowest</option>
            {route && !names.includes(route) && <option>{route}</option>}
            {names.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      )}
    </div>
  );
}
