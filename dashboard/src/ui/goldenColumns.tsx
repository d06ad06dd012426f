// Columns that every table of golden metrics has.

import type { Schema } from '../api/answer';
import { count, rate, time } from '../lib/format';
import { SuccessRate } from './parts';
import type { Column } from './Table';

type Golden = Schema<'Golden'>;

export function goldenColumns<Row>(of: (row: Row) => Golden | null | undefined): Column<Row>[] {
  return [
    {
      key: 'success',
      head: 'Success',
      isNumber: true,
      by: (row) => of(row)?.success_rate,
      cell: (row) => <SuccessRate rate={of(row)?.success_rate} />,
    },
    { key: 'rps', head: 'Requests/s', isNumber: true, by: (row) => of(row)?.rps, cell: (row) => rate(of(row)?.rps) },
    ...(['p50', 'p95', 'p99'] as const).map(
      (quantile): Column<Row> => ({
        key: quantile,
        head: quantile,
        title: 'Latency to the end of the response',
        isNumber: true,
        by: (row) => of(row)?.latency_ms?.[quantile],
        cell: (row) => time(of(row)?.latency_ms?.[quantile]),
      }),
    ),
    {
      key: 'failures',
      head: 'Failed',
      title: 'By the server or the mesh',
      isNumber: true,
      by: (row) => of(row)?.failures,
      cell: (row) => {
        const failures = of(row)?.failures;
        return <span className={failures ? 'text-bad' : 'soft'}>{count(failures)}</span>;
      },
    },
  ];
}
