import { PageHead } from '../ui/parts';

export function RoutesPage() {
  return <PageHead title="Routes" />;
}
