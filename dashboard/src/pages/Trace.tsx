import { PageHead } from '../ui/parts';

export function TracePage({ id }: { id: string }) {
  return <PageHead title={id} />;
}
