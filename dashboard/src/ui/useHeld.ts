// What someone looks at stands still.

import { type FocusEvent, useState } from 'react';

interface Held<Value> {
  /** What is to be shown. */
  shown: Value;
  /** There is something newer that is not shown. */
  isOld: boolean;
  /** Of the element in which the pointer or the focus holds it. */
  holding: {
    onPointerEnter: () => void;
    onPointerLeave: () => void;
    onFocus: () => void;
    onBlur: (event: FocusEvent) => void;
  };
}

/** The value as it was when the pointer or the focus came in, until it leaves; `of` is what the value answers. */
export function useHeld<Value>(value: Value, of: string): Held<Value> {
  const [held, setHeld] = useState<{ value: Value; of: string }>();
  const shown = held?.of === of ? held.value : value;
  const hold = () => setHeld((before) => (before?.of === of ? before : { value, of }));
  const release = () => setHeld(undefined);
  return {
    shown,
    isOld: shown !== value,
    holding: {
      onPointerEnter: hold,
      onPointerLeave: release,
      onFocus: hold,
      onBlur: ({ currentTarget, relatedTarget }) => {
        if (!currentTarget.contains(relatedTarget)) release();
      },
    },
  };
}
