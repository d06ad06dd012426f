// The golden metrics of one selection over time.

import type { Schema } from '../api/answer';
import { percent, rate, time } from '../lib/format';
import { measured } from '../lib/series';
import { Panel } from './parts';
import { type Line, TimeChart } from './TimeChart';

function latencyLines(row: Schema<'SeriesRow'>): Line[] {
  return [
    { label: 'p50', values: row.p50_ms, colour: '--p50' },
    { label: 'p95', values: row.p95_ms, colour: '--p95', dash: [6, 3] },
    { label: 'p99', values: row.p99_ms, colour: '--p99', dash: [2, 2] },
  ];
}

export function GoldenCharts({ series }: { series: Schema<'Series'> }) {
  const row = series.series[0];
  if (!row) return null;
  const { ends } = series;
  const proxy = row.proxy_p99_ms;
  return (
    <div className="columns charts">
      <Panel title="Requests" note="for each second" padded>
        <TimeChart
          label="Requests for each second"
          ends={ends}
          format={rate}
          lines={[{ label: 'requests/s', values: measured(row.rps, series), colour: '--accent', fill: true }]}
        />
      </Panel>
      <Panel title="Success" padded>
        <TimeChart
          label="Share of successes"
          ends={ends}
          format={(value) => percent(value, lowest(row.success_rate) < 0.99 ? 0 : 2)}
          max={1}
          min={lowest(row.success_rate)}
          lines={[{ label: 'success', values: row.success_rate, colour: '--good' }]}
        />
      </Panel>
      <Panel title="Latency" note="to the end of the response" padded>
        <TimeChart label="Latency" ends={ends} format={time} lines={latencyLines(row)} />
      </Panel>
      {proxy && (
        <Panel title="Proxy time" note="p99" padded>
          <TimeChart
            label="Proxy time, p99"
            ends={ends}
            format={time}
            lines={[{ label: 'p99', values: proxy, colour: '--proxy' }]}
          />
        </Panel>
      )}
    </div>
  );
}

/** Where the axis of a share begins, so that what is lost is seen. */
function lowest(shares: readonly (number | null)[]): number {
  const least = Math.min(...shares.filter((share) => share !== null), 1);
  return least > 0.99 ? 0.99 : least > 0.9 ? 0.9 : 0;
}
