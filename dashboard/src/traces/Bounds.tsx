// The selection as numbers: for keys, and for whoever knows what they want.

import { type FormEvent, useRef } from 'react';
import { clock } from '../lib/format';
import { millis } from './filters';
import type { Span } from './plot';
import { fromBox, type Selection, toBox } from './selection';

interface Props {
  /** The time of the plot. */
  time: Span;
  selection: Selection | undefined;
  select: (selection: Selection | undefined) => void;
}

const TIME_OF_DAY = '\\d{1,2}:\\d{2}(:\\d{2}([.]\\d{1,3})?)?';

export function Bounds({ time, selection, select }: Props) {
  const form = useRef<HTMLFormElement>(null);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!form.current) return;
    const given = new FormData(form.current);
    const text = (name: string) => String(given.get(name) ?? '');
    const next = {
      from: fromBox(text('from'), time.to),
      until: fromBox(text('until'), time.to),
      min: millis(text('min')),
      max: millis(text('max')),
    };
    const isEmpty = Object.values(next).every((bound) => bound === undefined);
    select(isEmpty ? undefined : next);
  };
  return (
    <form ref={form} key={JSON.stringify(selection ?? null)} className="bounds" onSubmit={submit} aria-label="Select">
      <span className="soft">Select traces that took</span>
      <Millis name="min" value={selection?.min} label="At least, in milliseconds" placeholder="0" />
      <span className="soft">to</span>
      <Millis name="max" value={selection?.max} label="At most, in milliseconds" placeholder="any" />
      <span className="soft">ms and began between</span>
      <TimeOfDay name="from" value={selection?.from} label="Began no earlier than" placeholder={clock(time.from)} />
      <span className="soft">and</span>
      <TimeOfDay name="until" value={selection?.until} label="Began no later than" placeholder={clock(time.to)} />
      <button type="submit" className="button">
        Select
      </button>
    </form>
  );
}

interface BoxProps {
  name: keyof Selection;
  value: number | undefined;
  label: string;
  placeholder: string;
}

function Millis({ name, value, label, placeholder }: BoxProps) {
  return (
    <input
      type="number"
      name={name}
      min={0}
      step="any"
      defaultValue={value}
      aria-label={label}
      placeholder={placeholder}
    />
  );
}

function TimeOfDay({ name, value, label, placeholder }: BoxProps) {
  return (
    <input
      type="text"
      name={name}
      pattern={TIME_OF_DAY}
      title="Such as 14:05 or 14:05:30.250"
      defaultValue={toBox(value)}
      aria-label={label}
      placeholder={placeholder}
    />
  );
}
