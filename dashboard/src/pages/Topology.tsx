import { PageHead } from '../ui/parts';

export function TopologyPage() {
  return <PageHead title="Topology" />;
}
