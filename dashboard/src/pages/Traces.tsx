// Search for traces: which there are, how long they took, and what tells some of them from the others.

import { useMemo } from 'react';
import { question, useAnswer } from '../api/answer';
import { clock, count } from '../lib/format';
import { usePageTime } from '../lib/time';
import { useAddress } from '../lib/url';
import { Bounds } from '../traces/Bounds';
import { Compare } from '../traces/Compare';
import { command, filtersOf, isNarrow, searched } from '../traces/filters';
import { List } from '../traces/List';
import { NoTraces } from '../traces/NoTraces';
import { Scatter } from '../traces/Scatter';
import { SearchForm } from '../traces/SearchForm';
import { isSelected, NO_SELECTION, type Selection, selectionOf, selectionParameters } from '../traces/selection';
import { Failure, Loading, PageHead, Panel } from '../ui/parts';
import { useHeld } from '../ui/useHeld';
import '../traces/traces.css';

/** Seconds that a list of traces can wait for newer ones. */
const EVERY = 5;

export function TracesPage() {
  const { asked, isLive, flags } = usePageTime();
  const { query, set, go } = useAddress();
  const filters = useMemo(() => filtersOf(query), [query]);
  const selection = useMemo(() => selectionOf(query), [query]);
  const search = { ...asked, ...searched(filters), limit: Number(filters.limit) };
  const answer = useAnswer('/api/v1/traces', search, { live: isLive && !selection, every: EVERY });
  const { shown: data, isOld, holding } = useHeld(answer.data, question('/api/v1/traces', search));
  const stat = useAnswer('/api/v1/stat', { window: '1h' });
  const isOfService = filters.service !== '' && stat.data?.workloads.some((one) => one.workload === filters.service);
  const served = useAnswer(
    '/api/v1/routes',
    { window: '1h', workload: filters.service },
    { when: isOfService ?? false },
  );
  const found = data?.traces ?? NONE;
  const isEmpty = found.length === 0;

  const services = useMemo(() => [...new Set(stat.data?.workloads.map((one) => one.workload))].sort(), [stat.data]);
  const routes = useMemo(() => {
    const names = isOfService ? served.data?.routes.map((one) => one.route) : found.map(routeOf);
    return [...new Set(names)].sort();
  }, [isOfService, served.data, found]);
  const shown = useMemo(
    () => (selection ? found.filter((trace) => isSelected(selection, trace)) : found),
    [found, selection],
  );
  const span = useMemo(() => {
    const to = Date.parse(data?.window.to ?? '');
    // Where there are more, the time that those found are from: the rest of the window would look as if nothing were in it.
    const earliest = data?.truncated ? data.traces.at(-1)?.start : undefined;
    return { from: Date.parse(earliest ?? data?.window.from ?? ''), to };
  }, [data]);

  const select = (next: Selection | undefined) => {
    // What was selected stays in sight: the page's time ends where it ends now.
    const until = asked.until ?? new Date(span.to + 1).toISOString();
    if (next) set({ ...NO_SELECTION, ...selectionParameters(next), until });
    else set(NO_SELECTION);
  };

  return (
    <>
      <PageHead title="Traces" sub="What single requests did" command={command(filters, flags)} />
      <SearchForm filters={filters} services={services} routes={routes} again={answer.retry} />
      {answer.error && <Failure error={answer.error} retry={answer.retry} />}
      {answer.isLoading && <Loading what="Searching" />}
      {data && isEmpty && (
        <Panel>
          <NoTraces isNarrow={isNarrow(filters)} />
        </Panel>
      )}
      {data && !isEmpty && (
        <div className="held" {...holding}>
          <Panel
            title="Duration over time"
            note="Drag to select an area and compare it with the rest"
            actions={<Marks />}
          >
            <Scatter
              traces={found}
              time={span}
              selection={selection}
              select={select}
              open={(trace) => go(`/traces/${trace.trace_id}`)}
            />
            <Bounds time={span} selection={selection} select={select} />
          </Panel>
          {selection && <Compare filters={filters} selection={selection} time={asked} />}
          <Panel
            title={selection ? 'Selected traces' : 'Traces'}
            note={
              <Found
                shown={shown.length}
                all={selection ? found.length : undefined}
                from={data.truncated ? span.from : undefined}
                to={span.to}
                searchedBackTo={data.searched_back_to}
              />
            }
            actions={isOld && <span className="soft">held while you look</span>}
          >
            <List traces={shown} />
          </Panel>
        </div>
      )}
    </>
  );
}

const NONE: never[] = [];

const routeOf = (trace: { root: { route?: string | null; name: string } }) => trace.root.route ?? trace.root.name;

interface FoundProps {
  shown: number;
  all: number | undefined;
  from: number | undefined;
  to: number;
  searchedBackTo: string | null | undefined;
}

function Found({ shown, all, from, to, searchedBackTo }: FoundProps) {
  if (all !== undefined) return `${count(shown)} of ${count(all)}`;
  if (searchedBackTo) return `${count(shown)}; what began before ${clock(searchedBackTo)} was not searched`;
  if (from !== undefined)
    return `the newest ${count(shown)}, from ${clock(from)} to ${clock(to)}: there are more before`;
  return `${count(shown)}, up to ${clock(to)}`;
}

function Marks() {
  return (
    <span className="legend">
      <span>
        <span className="mark-dot" aria-hidden="true">
          ●
        </span>{' '}
        well
      </span>
      <span>
        <span className="mark-dot" aria-hidden="true">
          ○
        </span>{' '}
        spans missing
      </span>
      <span>
        <span className="mark-dot" aria-hidden="true">
          ◌
        </span>{' '}
        arriving
      </span>
      <span>
        <span className="mark-cross" aria-hidden="true">
          ✕
        </span>{' '}
        a span failed
      </span>
      <span>larger: more spans</span>
    </span>
  );
}
