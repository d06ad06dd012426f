// What the selected traces have more or less often than the others.

import { useState } from 'react';
import { Link } from 'wouter';
import { type Answer, useAnswer } from '../api/answer';
import { count, percent } from '../lib/format';
import { changed, useAddress } from '../lib/url';
import { Empty, Failure, Loading, Panel } from '../ui/parts';
import { alsoSaid, points, said, search } from './differences';
import { type Filters, searched } from './filters';
import { NO_SELECTION, type Selection, selectionParameters } from './selection';

type Comparison = Answer<'/api/v1/traces/compare'>;
type Difference = Comparison['attributes'][number];

/** Differences that are shown at first. */
const FEW = 10;

interface Props {
  filters: Filters;
  selection: Selection;
  time: { window: string; until: string | undefined };
}

export function Compare({ filters, selection, time }: Props) {
  const { set } = useAddress();
  const answer = useAnswer('/api/v1/traces/compare', {
    ...time,
    ...searched(filters),
    ...selectionParameters(selection),
    limit: Number(filters.limit),
  });
  const { data } = answer;
  return (
    <Panel
      title="What differs"
      note={data && `${count(data.selected)} selected, compared with the ${count(data.rest)} others`}
      actions={
        <button type="button" className="button" onClick={() => set(NO_SELECTION)}>
          Select nothing
        </button>
      }
    >
      {answer.isLoading && <Loading what="Comparing" />}
      {answer.error && <Failure error={answer.error} retry={answer.retry} />}
      {data && data.attributes.length > 0 && <Differences of={data.attributes} tags={filters.tags} />}
      {data && data.attributes.length === 0 && <Nothing comparison={data} />}
      {data?.truncated && (
        <p className="soft note">There are more traces than could be compared; these are the newest of them.</p>
      )}
    </Panel>
  );
}

function Differences({ of, tags }: { of: Difference[]; tags: string }) {
  const { query } = useAddress();
  const [isAll, setAll] = useState(false);
  const shown = isAll ? of : of.slice(0, FEW);
  return (
    <>
      <table className="data differences">
        <thead>
          <tr>
            <th>What is so</th>
            <th>
              <span className="legend">
                <span>
                  <span className="swatch selected" />
                  of the selected
                </span>
                <span>
                  <span className="swatch rest" />
                  of the others
                </span>
              </span>
            </th>
            <th className="number" title="Points of a hundred between the two">
              Difference
            </th>
            <th>
              <span className="visually-hidden">Search</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map((one) => {
            const { about, is } = said(one);
            const change = search(one, tags);
            return (
              <tr key={`${one.kind} ${one.name} ${one.value}`}>
                <td>
                  <span className="so">
                    <span className="soft">{about}</span>
                    <span className="mono cut" title={is}>
                      {is}
                    </span>
                    <Also of={one} />
                  </span>
                </td>
                <td>
                  <Pair one={one} />
                </td>
                <td className="number">{points(one.difference)}</td>
                <td className="number">
                  {change && (
                    <Link href={`/traces?${changed(query, { ...change, ...NO_SELECTION })}`}>Search for it</Link>
                  )}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {of.length > FEW && (
        <div className="differences-more">
          <button type="button" className="button plain" onClick={() => setAll(!isAll)}>
            {isAll ? 'Show fewer' : `Show all ${of.length}`}
          </button>
        </div>
      )}
    </>
  );
}

/** What else the same traces have. */
function Also({ of }: { of: Difference }) {
  const also = alsoSaid(of);
  if (also.length === 0) return null;
  return (
    <details className="also soft">
      <summary>and {count(also.length + (of.also_more ?? 0))} more that the same traces have</summary>
      <ul>
        {also.map(({ about, is }) => (
          <li key={`${about} ${is}`}>
            {about} <span className="mono">{is}</span>
          </li>
        ))}
        {(of.also_more ?? 0) > 0 && <li>and {count(of.also_more)} others</li>}
      </ul>
    </details>
  );
}

function Pair({ one }: { one: Difference }) {
  return (
    <span className="pair">
      <Share share={one.selected_share} of={one.selected} kind="selected" />
      <Share share={one.rest_share} of={one.rest} kind="rest" />
    </span>
  );
}

function Share({ share, of, kind }: { share: number; of: number; kind: 'selected' | 'rest' }) {
  return (
    <span className="share" title={`${count(of)} traces`}>
      <span className={`swatch ${kind}`} style={{ width: `${share * 100}%` }} />
      <span>{percent(share, share > 0 && share < 0.01 ? 1 : 0)}</span>
    </span>
  );
}

function Nothing({ comparison }: { comparison: Comparison }) {
  if (comparison.selected === 0) {
    return <Empty title="No trace is in this area">Drag over marks of the scatter, or give wider bounds.</Empty>;
  }
  if (comparison.rest === 0) {
    return <Empty title="All traces are selected">There are no others to compare them with: select fewer.</Empty>;
  }
  return (
    <Empty title="Nothing tells them apart">
      Services, calls and attributes are as frequent in the others as in them.
    </Empty>
  );
}
