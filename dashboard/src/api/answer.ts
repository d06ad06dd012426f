// Questions to the API, and what comes back: typed by the OpenAPI document.

import { QueryClient, useQuery } from '@tanstack/react-query';
import { useEffect, useLayoutEffect, useState } from 'react';
import { live } from './live';
import type { components, paths } from './schema';

const PREFIX = '/api/v1/';

type Schemas = components['schemas'];
export type Schema<Name extends keyof Schemas> = Schemas[Name];
export type Problem = Schema<'Problem'>;

/** Paths that answer GET with JSON. */
type Readable = {
  [Path in keyof paths]: paths[Path] extends {
    get: { responses: { 200: { content: { 'application/json': unknown } } } };
  }
    ? Path
    : never;
}[keyof paths];

type Get<Path extends Readable> = paths[Path] extends { get: infer Operation } ? Operation : never;

export type Answer<Path extends Readable> =
  Get<Path> extends { responses: { 200: { content: { 'application/json': infer Body } } } } ? Body : never;

type Given<Values> = [Values] extends [never]
  ? Record<string, never>
  : { [Key in keyof Values]?: Values[Key] | undefined };

export type Parameters<Path extends Readable> =
  Get<Path> extends { parameters: { query?: infer Query } } ? Given<NonNullable<Query>> : never;

/** What the API says when it does not answer (RFC 9457), or why nothing came at all. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly problem: Partial<Problem>,
  ) {
    super(problem.detail ?? problem.title ?? `status ${status}`);
  }
}

/** The path and query of a question, without the prefix; parameters that are not given are left out. */
export function question(path: string, parameters: object = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== null && value !== '' && value !== false) query.set(name, String(value));
  }
  query.sort();
  const name = path.replace(PREFIX, '');
  return query.size > 0 ? `${name}?${query}` : name;
}

/** The address of a question, for links. */
export function address(path: string, parameters: object = {}): string {
  return PREFIX + question(path, parameters);
}

export async function ask(asked: string, signal?: AbortSignal): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(PREFIX + asked, signal ? { signal } : {});
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Refusal(0, {
      title: 'Clew does not answer',
      detail: 'The API could not be reached. Is the mesh running?',
    });
  }
  if (response.ok) {
    return response.json().catch((error: unknown) => {
      if (signal?.aborted) throw error;
      throw new Refusal(response.status, { title: 'The answer cannot be read', detail: String(error) });
    });
  }
  const problem: unknown = await response.json().catch(() => ({}));
  throw new Refusal(response.status, problem as Partial<Problem>);
}

/** The answer, or what the server sent of the same question while that was on its way: it was answered later. */
export async function newest(asked: string, signal?: AbortSignal): Promise<unknown> {
  const begun = Date.now();
  const body = await ask(asked, signal);
  const sent = client.getQueryState([asked]);
  return sent?.data !== undefined && sent.dataUpdatedAt >= begun ? sent.data : body;
}

/** What is late comes within a second, or not at all. */
const RETRY_MS = 400;
const isLost = (failures: number, error: Error) => failures < 2 && error instanceof Refusal && error.status === 0;

export const client = new QueryClient({
  defaultOptions: {
    queries: {
      // What changes is sent by the server.
      staleTime: 60_000,
      // Nor is it kept longer when nobody shows it: a replay of a large mesh asks for another moment each second.
      gcTime: 60_000,
      refetchOnWindowFocus: false,
    },
  },
});

live.onAnswer((asked, status, body) => {
  if (status === 200) client.setQueryData([asked], body);
  else void client.invalidateQueries({ queryKey: [asked] });
});

/** Parameters that say of which time an answer is, or how much of it: not what is asked. */
const OF_TIME = ['window', 'until', 'points', 'limit'];

/** Whether two questions ask the same, perhaps of another time. */
export function isSameButForTime(one: string, other: string): boolean {
  const [first, second] = [one, other].map((asked) => {
    const [path, query] = asked.split('?');
    const left = new URLSearchParams(query);
    for (const name of OF_TIME) left.delete(name);
    return `${path}?${left}`;
  });
  return first === second;
}

const isLostOrLate = (failures: number, error: Error) =>
  isLost(failures, error) || (failures < 4 && error instanceof Refusal && error.status === 404);

/** A question as the cache knows it. */
export function queryOf(asked: string, retry = isLost) {
  return {
    queryKey: [asked],
    queryFn: ({ signal }: { signal: AbortSignal }) => newest(asked, signal),
    retry,
    retryDelay: RETRY_MS,
  };
}

interface Options {
  /** Follow what changes. */
  live?: boolean;
  /** How many seconds news of it can wait. */
  every?: number | undefined;
  /** Ask at all. */
  when?: boolean;
  /** What is not there may come within a second or two. */
  mayBeLate?: boolean;
}

export interface Asked<Body> {
  data: Body | undefined;
  error: Refusal | null;
  isLoading: boolean;
  retry: () => void;
}

function useQuestion(
  asked: string,
  { live: follow = false, every, when = true, mayBeLate = false }: Options,
): Asked<unknown> {
  useEffect(() => (follow && when ? live.watch(asked, every) : undefined), [asked, follow, every, when]);
  const query = useQuery({
    ...queryOf(asked, mayBeLate ? isLostOrLate : isLost),
    enabled: when,
    // While another time is asked for, the last one stands. What answers another question never does: it would be
    // read as the answer to this one.
    placeholderData: (before: unknown, query) =>
      query && isSameButForTime(String(query.queryKey[0]), asked) ? before : undefined,
  });
  const error =
    query.error instanceof Refusal ? query.error : query.error && new Refusal(0, { detail: String(query.error) });
  return {
    data: error ? undefined : query.data,
    error,
    isLoading: query.isPending && when,
    retry: () => void query.refetch(),
  };
}

/** The answer to a question, which changes as the server sends news of it when it is live. */
export function useAnswer<Path extends Readable>(
  path: Path,
  parameters: Parameters<Path>,
  options: Options = {},
): Asked<Answer<Path>> {
  return useQuestion(question(path, parameters), options) as Asked<Answer<Path>>;
}

/** Within this time after its end, spans of a trace may still come. */
const FOLLOWED_MS = 10_000;

/** What is left of so long after a moment. The clock that the moment is of may be ahead of this one. */
export function leftOf(length: number, after: number | undefined, now: number): number {
  return after === undefined ? 0 : Math.max(0, Math.min(after + length - now, length));
}

function useIsWithin(length: number, after: number | undefined): boolean {
  const [isWithin, setWithin] = useState(false);
  // Before it is painted: what is arriving would be called broken for a moment.
  useLayoutEffect(() => {
    const left = leftOf(length, after, Date.now());
    setWithin(left > 0);
    if (left === 0) return;
    const timer = window.setTimeout(() => setWithin(false), left);
    return () => window.clearTimeout(timer);
  }, [length, after]);
  return isWithin;
}

export interface AskedTrace extends Asked<Schema<'Trace'>> {
  /** More of its spans are expected. */
  isArriving: boolean;
}

/** One trace, whole: one that has only just ended is followed, for its spans come one after the other. */
export function useTrace(id: string): AskedTrace {
  const [end, setEnd] = useState<number>();
  const isNew = useIsWithin(FOLLOWED_MS, end);
  const options = { live: isNew, mayBeLate: true };
  const trace = useQuestion(`traces/${encodeURIComponent(id)}`, options) as Asked<Schema<'Trace'>>;
  const seen = trace.data && Date.parse(trace.data.start) + trace.data.duration_ms;
  if (!Object.is(seen, end)) setEnd(seen);
  return { ...trace, isArriving: trace.data?.state === 'arriving' };
}
