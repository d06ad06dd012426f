import { PageHead } from '../ui/parts';

export function TapPage() {
  return <PageHead title="Tap" />;
}
