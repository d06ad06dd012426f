// The last hours again: a slider for the moment that the page speaks of.

import { useEffect, useEffectEvent, useRef, useState } from 'react';
import { useAnswer } from '../api/answer';
import { moment } from '../lib/format';
import { usePageTime, windowMillis } from '../lib/time';
import { useAddress } from '../lib/url';
import { atOf, PLACES, steppedFrom, timeOf, untilOf } from './moments';

const SPAN = '6h';
const SPAN_MS = 6 * 3_600_000;
const STEPS = ['10s', '1m', '5m', '15m'] as const;
const TICK_MS = 1000;
/** A slider that is dragged asks once, where it rests. */
const SETTLE_MS = 160;

export function Replay({ isReady }: { isReady: boolean }) {
  const { until, window: length } = usePageTime();
  const { set } = useAddress();
  const [now, setNow] = useState(Date.now);
  const [dragged, setDragged] = useState<number>();
  const [isPlaying, setPlaying] = useState(false);
  const [step, setStep] = useState<(typeof STEPS)[number]>('1m');
  const timer = useRef(0);
  // Where the store begins. The first picture does not wait for it.
  const kept = useAnswer('/api/v1/stat', { window: SPAN }, { when: isReady });
  const known = kept.data ? Date.parse(kept.data.window.from) : Number.NaN;
  const from = Math.min(Math.max(Number.isNaN(known) ? now - SPAN_MS : known, now - SPAN_MS), now - 60_000);
  const at = dragged ?? atOf(until, from, now);

  useEffect(() => {
    const clock = window.setInterval(() => setNow(Date.now()), 10_000);
    return () => window.clearInterval(clock);
  }, []);
  useEffect(() => () => window.clearTimeout(timer.current), []);

  const go = (next: string | undefined) => set({ until: next ?? null }, { replace: true });
  const slide = (place: number) => {
    setDragged(place);
    setPlaying(false);
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => {
      setDragged(undefined);
      go(untilOf(place, from, Date.now()));
    }, SETTLE_MS);
  };
  const tick = useEffectEvent(() => {
    // Nobody looks: each step would ask the server.
    if (document.hidden) return;
    const next = steppedFrom(until, windowMillis(step) ?? 60_000, Date.now());
    if (next === undefined) setPlaying(false);
    go(next);
  });
  useEffect(() => {
    if (!isPlaying) return;
    const ticking = window.setInterval(() => tick(), TICK_MS);
    return () => window.clearInterval(ticking);
  }, [isPlaying]);
  const play = () => {
    // From now there is nothing to come: it begins where the store does.
    if (!isPlaying && until === undefined) go(untilOf(0, from, now));
    setPlaying(!isPlaying);
  };

  const isNow = at >= PLACES;
  const shown = isNow ? 'now' : moment(timeOf(at, from, now));
  return (
    <div className="topo-replay">
      <button type="button" className="button" onClick={play} aria-pressed={isPlaying}>
        {isPlaying ? 'Pause' : 'Replay'}
      </button>
      <span className="soft">{moment(from).slice(11, 16)}</span>
      <input
        type="range"
        min={0}
        max={PLACES}
        value={at}
        aria-label={`Moment, of the last ${SPAN}`}
        aria-valuetext={isNow ? 'now' : `the ${length} up to ${shown}`}
        onChange={(event) => slide(Number(event.target.value))}
      />
      <span className="topo-moment">
        {isNow ? 'now' : shown}
        <span className="soft"> · the {length} before</span>
      </span>
      <label className="row">
        <span className="soft">Step</span>
        <select
          value={step}
          onChange={(event) => setStep(event.target.value as typeof step)}
          aria-label="Step of the replay"
        >
          {STEPS.map((choice) => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      </label>
      <button type="button" className="button" disabled={until === undefined} onClick={() => go(undefined)}>
        Now
      </button>
    </div>
  );
}
