// Where the time of the trace went, in one bar.

import { useMemo } from 'react';
import { portion, time } from '../lib/format';
import { Panel } from '../ui/parts';
import { PartLabel, Stack } from './look';
import { type Model, ms } from './model';
import { inWords, PART_NAMES, PARTS } from './parts';
import { blame, type Share } from './path';

export function Where({ model }: { model: Model }) {
  const shares = useMemo(() => model.roots.flatMap((root) => blame(model, root)), [model]);
  const whole = Math.max(
    shares.reduce((sum, share) => sum + share.nanos, 0),
    1,
  );
  const of = (part: string) =>
    shares.filter((share) => share.part === part).reduce((sum, share) => sum + share.nanos, 0);
  const parts = PARTS.map((part) => ({ part, nanos: of(part) })).filter(({ nanos }) => nanos > 0);
  const label = (part: string, nanos: number) => `${part} ${time(ms(nanos))}, ${portion(nanos / whole)}`;
  const most = largest(shares);
  return (
    <Panel padded>
      <div className="where">
        <div className="row">
          <h2>Where the time went</h2>
          {most && (
            <span className="note">
              along the critical path; {portion(most.nanos / whole)} is {inWords(most)}
            </span>
          )}
        </div>
        <Stack
          of={whole}
          label={parts.map(({ part, nanos }) => label(PART_NAMES[part], nanos)).join('; ')}
          slices={parts.map(({ part, nanos }) => ({
            key: part,
            part,
            size: nanos,
            label: label(PART_NAMES[part], nanos),
          }))}
        />
        <div className="where-parts">
          {parts.map(({ part, nanos }) => (
            <span key={part}>
              <PartLabel part={part} />
              <b>{time(ms(nanos))}</b>
              <span className="soft">{portion(nanos / whole)}</span>
            </span>
          ))}
        </div>
      </div>
    </Panel>
  );
}

function largest(shares: Share[]): Share | undefined {
  return shares.reduce<Share | undefined>(
    (most, share) => (share.nanos > (most?.nanos ?? 0) ? share : most),
    undefined,
  );
}
