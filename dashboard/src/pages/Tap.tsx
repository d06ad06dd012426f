// Requests as they happen.

import { useMemo } from 'react';
import { useAnswer } from '../api/answer';
import { useAddress } from '../lib/url';
import { command, filtersOf, isNarrow, NO_FILTERS } from '../tap/filters';
import { LiveRequests } from '../tap/LiveRequests';
import { TapForm } from '../tap/TapForm';
import { PageHead } from '../ui/parts';

export function TapPage() {
  const { query, set } = useAddress();
  const filters = useMemo(() => filtersOf(query), [query]);
  const stat = useAnswer('/api/v1/stat', { window: '1h' });
  const workloads = useMemo(() => [...new Set(stat.data?.workloads.map((one) => one.workload))].sort(), [stat.data]);

  return (
    <>
      <PageHead title="Tap" sub="Requests as they happen" command={command(filters)} />
      <TapForm filters={filters} workloads={workloads} />
      <LiveRequests filters={filters}>
        {isNarrow(filters) && (
          <button type="button" className="button" onClick={() => set(NO_FILTERS)}>
            Show everything
          </button>
        )}
      </LiveRequests>
    </>
  );
}
