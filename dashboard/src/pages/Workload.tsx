import { PageHead } from '../ui/parts';

export function WorkloadPage({ namespace, name }: { namespace: string; name: string }) {
  return <PageHead title={name} sub={namespace} />;
}
