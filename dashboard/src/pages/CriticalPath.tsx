import { PageHead } from '../ui/parts';

export function CriticalPathPage() {
  return <PageHead title="CriticalPath" />;
}
