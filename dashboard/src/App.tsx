import { Route, Switch, useLocation } from 'wouter';
import { unescaped } from './lib/url';
import { CriticalPathPage } from './pages/CriticalPath';
import { MeshPage } from './pages/Mesh';
import { OverviewPage } from './pages/Overview';
import { RoutesPage } from './pages/Routes';
import { TapPage } from './pages/Tap';
import { TopologyPage } from './pages/Topology';
import { TracePage } from './pages/Trace';
import { TracesPage } from './pages/Traces';
import { WorkloadPage } from './pages/Workload';
import { Boundary } from './ui/Boundary';
import { Frame } from './ui/Frame';
import { Empty } from './ui/parts';

export function App() {
  const [path] = useLocation();
  return (
    <Frame>
      <Boundary key={path}>
        <Switch>
          <Route path="/" component={OverviewPage} />
          <Route path="/topology" component={TopologyPage} />
          <Route path="/workloads/:namespace/:name">
            {({ namespace, name }) => (
              <WorkloadPage key={`${namespace}/${name}`} namespace={unescaped(namespace)} name={unescaped(name)} />
            )}
          </Route>
          <Route path="/routes" component={RoutesPage} />
          <Route path="/traces" component={TracesPage} />
          <Route path="/traces/:id">{({ id }) => <TracePage key={id} id={id} />}</Route>
          <Route path="/critical-path" component={CriticalPathPage} />
          <Route path="/tap" component={TapPage} />
          <Route path="/mesh" component={MeshPage} />
          <Route>
            <Empty title="There is no such page">Press g and o to go to the overview.</Empty>
          </Route>
        </Switch>
      </Boundary>
    </Frame>
  );
}
