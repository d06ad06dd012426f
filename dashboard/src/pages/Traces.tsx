import { PageHead } from '../ui/parts';

export function TracesPage() {
  return <PageHead title="Traces" />;
}
