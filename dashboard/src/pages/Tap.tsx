// Requests as they happen.

import { useEffect, useMemo, useState } from 'react';
import { question, useAnswer } from '../api/answer';
import { count } from '../lib/format';
import { useAddress } from '../lib/url';
import type { Tapped } from '../tap/buffer';
import { command, filtersOf, isNarrow, NO_FILTERS } from '../tap/filters';
import { Requests } from '../tap/Requests';
import { TapForm } from '../tap/TapForm';
import { type Tap, useTap } from '../tap/useTap';
import { Empty, Failure, Figure, PageHead, Panel } from '../ui/parts';
import '../tap/tap.css';

export function TapPage() {
  const { query, set } = useAddress();
  const filters = useMemo(() => filtersOf(query), [query]);
  const [isOn, setOn] = useState(true);
  const tap = useTap(question('/api/v1/tap', filters), isOn);
  const { tapped, refusal } = tap;
  const stat = useAnswer('/api/v1/stat', { window: '1h' });
  const settings = useAnswer('/api/v1/settings/telemetry', {});
  const workloads = useMemo(() => [...new Set(stat.data?.workloads.map((one) => one.workload))].sort(), [stat.data]);

  return (
    <>
      <PageHead title="Tap" sub="Requests as they happen" command={command(filters)} />
      <TapForm filters={filters} workloads={workloads} />
      {refusal && <Failure error={refusal} />}
      <div className="row tap-bar">
        <Counters tapped={tapped} />
        <span className="grow" />
        {isNarrow(filters) && (
          <button type="button" className="button" onClick={() => set(NO_FILTERS)}>
            Show everything
          </button>
        )}
        {tapped.came > 0 && (
          <button type="button" className="button" onClick={tap.clear}>
            Clear
          </button>
        )}
        <button type="button" className={isOn ? 'button' : 'button primary'} onClick={() => setOn(!isOn)}>
          {isOn ? 'Pause' : 'Go on'}
        </button>
      </div>
      {tapped.lines.length > 0 ? (
        <Requests tapped={tapped} shownHeaders={settings.data?.show_headers ?? []} />
      ) : (
        <Panel>
          <Nothing tap={tap} isOn={isOn} isNarrow={isNarrow(filters)} />
        </Panel>
      )}
    </>
  );
}

function Counters({ tapped: { came, skipped, watching } }: { tapped: Tapped }) {
  const unreachable = watching?.unreachable ?? [];
  return (
    <div className="figures">
      <Figure label="Shown">{count(came)}</Figure>
      <Figure label="Skipped, past the rate">{count(skipped)}</Figure>
      <Figure label="Instances watched">
        <span title={watching?.instances.join(', ')}>{count(watching?.instances.length)}</span>
      </Figure>
      {unreachable.length > 0 && (
        <Figure label="Instances that do not answer">
          <span className="text-bad">
            ■ {count(unreachable.length)} <span className="names">{unreachable.slice(0, 3).join(', ')}</span>
          </span>
        </Figure>
      )}
    </div>
  );
}

/** Long enough for requests to come, where there are any. */
const PATIENCE_MS = 4000;

function Nothing({ tap: { state, refusal, tapped }, isOn, isNarrow }: { tap: Tap; isOn: boolean; isNarrow: boolean }) {
  const [isLong, setLong] = useState(false);
  useEffect(() => {
    const timer = window.setTimeout(() => setLong(true), PATIENCE_MS);
    return () => window.clearTimeout(timer);
  }, []);
  if (refusal) return <Empty title="Nothing can be shown" />;
  if (!isOn || state === 'paused') {
    return <Empty title="Paused">Proxies send nothing while nobody looks: a paused tap costs nothing.</Empty>;
  }
  if (tapped.watching?.instances.length === 0) {
    return <Empty title="No instance fits">Nobody of this workload and namespace is in the mesh now.</Empty>;
  }
  if (!isLong) return <Empty title="Waiting for requests" />;
  return isNarrow ? (
    <Empty title="No request matches yet">They are shown as they end. Take a filter away to see more.</Empty>
  ) : (
    <Empty title="No request yet">They are shown as they end: send one to the gateway or to a service.</Empty>
  );
}
