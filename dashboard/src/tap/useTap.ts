// A tap that runs while it is wanted.

import { useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import { type Problem, Refusal, type Schema } from '../api/answer';
import { type LiveState, live } from '../api/live';
import { NOTHING_YET, TapBuffer, type Tapped } from './buffer';

/** As often as lines come into sight. */
const EVERY_MS = 250;

export interface Tap {
  tapped: Tapped;
  state: LiveState;
  refusal: Refusal | undefined;
  clear: () => void;
}

export function useTap(asked: string, isOn: boolean): Tap {
  const [tapped, setTapped] = useState(NOTHING_YET);
  const [refusal, setRefusal] = useState<Refusal>();
  const [cleared, setCleared] = useState(0);
  const state = useSyncExternalStore(live.subscribe, live.state);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another question begins with nothing, and so does what is cleared
  const buffer = useMemo(() => new TapBuffer(), [asked, cleared]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: as above
  useEffect(() => setTapped(NOTHING_YET), [buffer]);
  useEffect(() => {
    setRefusal(undefined);
    if (!isOn) return;
    const end = live.lines(
      asked,
      (line) => buffer.add(line as Schema<'TapLine'>),
      (status, body) => setRefusal(new Refusal(status, body as Partial<Problem>)),
    );
    const timer = window.setInterval(() => {
      const news = buffer.news();
      if (!news) return;
      setTapped(news);
      setRefusal(undefined);
    }, EVERY_MS);
    return () => {
      window.clearInterval(timer);
      end();
    };
  }, [asked, isOn, buffer]);

  const isLost = isOn && state === 'lost';
  useEffect(() => {
    if (!isLost) return;
    const stop = new AbortController();
    void whyNot(asked, stop.signal).then((found) => found && !stop.signal.aborted && setRefusal(found));
    return () => stop.abort();
  }, [asked, isLost]);

  return { tapped, state, refusal, clear: () => setCleared(cleared + 1) };
}

/** A stream of events that does not open does not say why: this asks once as a question, and reads the answer only when it is no. */
async function whyNot(asked: string, signal: AbortSignal): Promise<Refusal | undefined> {
  const stop = new AbortController();
  try {
    const url = `/api/v1/live?${new URLSearchParams({ watch: asked })}`;
    const response = await fetch(url, { signal: AbortSignal.any([signal, stop.signal]) });
    if (response.ok) return undefined;
    return new Refusal(response.status, (await response.json().catch(() => ({}))) as Partial<Problem>);
  } catch {
    return new Refusal(0, {
      title: 'Clew does not answer',
      detail: 'Live requests could not be reached. Is the mesh running?',
    });
  } finally {
    stop.abort();
  }
}
