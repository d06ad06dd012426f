// Whose the time of a route is, over all its requests, and how often they call what.

import { usePageTime } from '../lib/time';
import { useAddress } from '../lib/url';
import { Blame } from '../path/Blame';
import { CallTable } from '../path/CallTable';
import { Pickers } from '../path/Pickers';
import { Slowest } from '../path/Slowest';
import { command } from '../path/words';
import { PageHead } from '../ui/parts';
import '../trace/trace.css';
import '../path/path.css';

export function CriticalPathPage() {
  const { get } = useAddress();
  const { flags, isLive } = usePageTime();
  const [workload, namespace, route] = [get('workload'), get('namespace'), get('route')];
  return (
    <>
      <PageHead
        title="Critical path"
        sub="Whose the time of a route is, over all its requests"
        command={workload ? command('critical-path', { workload, namespace, route }, flags) : undefined}
      />
      <Pickers workload={workload} namespace={namespace} route={route} />
      {workload ? (
        <>
          <Blame workload={workload} namespace={namespace} route={route} />
          <CallTable workload={workload} namespace={namespace} route={route} isLive={isLive} />
        </>
      ) : (
        <>
          <Slowest />
          <CallTable isLive={isLive} />
        </>
      )}
    </>
  );
}
