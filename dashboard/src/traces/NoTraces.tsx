// No trace was found: why that may be, and what to do.

import { useAnswer } from '../api/answer';
import { usePageTime, WINDOWS, windowMillis } from '../lib/time';
import { useAddress } from '../lib/url';
import { Empty } from '../ui/parts';
import { NO_FILTERS } from './filters';

export function NoTraces({ isNarrow }: { isNarrow: boolean }) {
  const settings = useAnswer('/api/v1/settings/telemetry', {});
  if (settings.data?.tracing === false) {
    return (
      <Empty title="Tracing is off" command="clew settings --tracing on">
        Metrics go on without it. No trace began since it was switched off.
      </Empty>
    );
  }
  if (settings.data?.sampling_ratio === 0) {
    return (
      <Empty title="No trace is kept: the sampling ratio is 0" command="clew settings --sample 1">
        Keep all of them, or a share such as 0.1. One request can be kept without that: send it with the header{' '}
        <code>clew-debug: 1</code>.
      </Empty>
    );
  }
  return isNarrow ? <NoMatch /> : <NoTraffic />;
}

function NoMatch() {
  const { set } = useAddress();
  return (
    <Empty title="No trace matches">
      One span of a trace must satisfy all of it: service, route, status, duration and tags.
      <span className="row" style={{ justifyContent: 'center', marginTop: 12 }}>
        <Wider />
        <button type="button" className="button" onClick={() => set(NO_FILTERS)}>
          Search for everything
        </button>
      </span>
    </Empty>
  );
}

function NoTraffic() {
  return (
    <Empty title="No trace began in this time">
      A trace begins with a request that goes through a proxy: send one to the gateway or to a service.
      <span className="row" style={{ justifyContent: 'center', marginTop: 12 }}>
        <Wider />
      </span>
    </Empty>
  );
}

function Wider() {
  const { window } = usePageTime();
  const { set } = useAddress();
  const wider = WINDOWS.find((choice) => (windowMillis(choice) ?? 0) > (windowMillis(window) ?? 0) * 4);
  return (
    wider && (
      <button type="button" className="button primary" onClick={() => set({ window: wider })}>
        Look back {wider}
      </button>
    )
  );
}
