// A tap on the screen: what came, a pause, and the requests. It runs while it is shown.

import { type ReactNode, useEffect, useState } from 'react';
import { question, useAnswer } from '../api/answer';
import { count } from '../lib/format';
import { Empty, Failure, Figure, Panel } from '../ui/parts';
import type { Tapped } from './buffer';
import { isNarrow, type TapFilters } from './filters';
import { Requests } from './Requests';
import { type Tap, useTap } from './useTap';
import './tap.css';

interface Props {
  filters: TapFilters;
  /** Beside the button that pauses. */
  children?: ReactNode;
}

export function LiveRequests({ filters, children }: Props) {
  const [isOn, setOn] = useState(true);
  const tap = useTap(question('/api/v1/tap', filters), isOn);
  const { tapped, refusal } = tap;
  const settings = useAnswer('/api/v1/settings/telemetry', {});
  return (
    <>
      {refusal && <Failure error={refusal} />}
      <div className="row tap-bar">
        <Counters tapped={tapped} />
        <span className="grow" />
        {children}
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
      <Figure label="Received">{count(came)}</Figure>
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
