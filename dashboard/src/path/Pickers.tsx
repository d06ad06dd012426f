// A workload and one of its routes.

import { useAnswer } from '../api/answer';
import { usePageTime } from '../lib/time';
import { useAddress } from '../lib/url';
import { WorkloadChoice } from '../ui/choices';

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
  const names = [...new Set((routes.data?.routes ?? []).map((one) => one.route))];
  return (
    <div className="row">
      <WorkloadChoice
        label="Workload"
        workloads={stat.data?.workloads ?? []}
        workload={workload}
        namespace={namespace}
        choose={(chosen) => set({ workload: chosen?.workload, namespace: chosen?.namespace, route: null })}
        all="all"
      />
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
