// Where the trace is not whole, and who can tell more.

import { useState } from 'react';
import { Link } from 'wouter';
import { useAddress, workloadPath } from '../lib/url';
import type { Break } from './breaks';
import type { Model } from './model';

const FEW = 3;

export function BreakNotes({ model, breaks }: { model: Model; breaks: Break[] }) {
  const { to, set } = useAddress();
  const [isAll, setAll] = useState(false);
  if (breaks.length === 0) return null;
  const shown = isAll ? breaks : breaks.slice(0, FEW);
  return (
    <section className="breaks" aria-label="Where the trace is not whole">
      {shown.map(({ key, at, what, means, workload }) => (
        <div key={key}>
          <span className="text-warn" aria-hidden="true">
            ▲
          </span>
          <p>
            <b>{what}</b> {means}{' '}
            <button
              type="button"
              className="quiet"
              onClick={() => set({ view: null, span: model.names[at[0] ?? 0] }, { replace: true })}
            >
              show the span
            </button>
            {workload && (
              <>
                {' · '}
                <Link href={to(workloadPath(workload.namespace, workload.name), { tab: 'propagation' })}>
                  propagation of {workload.name}
                </Link>
              </>
            )}
          </p>
        </div>
      ))}
      {breaks.length > FEW && (
        <button type="button" className="quiet" onClick={() => setAll(!isAll)}>
          {isAll ? 'fewer' : `${breaks.length - FEW} more`}
        </button>
      )}
    </section>
  );
}
