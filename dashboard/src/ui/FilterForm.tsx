// A form that narrows what a page shows. What is given is in the address: it is applied when the form is submitted, and
// when a field is left.

import { type FormEvent, type ReactNode, useRef } from 'react';
import { type Change, useAddress } from '../lib/url';

interface Props<Filters> {
  label: string;
  /** Those that the address has. */
  filters: Filters;
  /** What the fields say now. */
  read: (given: FormData, form: HTMLFormElement) => Filters;
  /** The address for them. */
  change: (next: Filters) => Change;
  /** The form was submitted, and nothing in it is new. */
  again?: () => void;
  /** The fields; each calls `apply` when it is left or changed. */
  children: (apply: () => void) => ReactNode;
  /** Below the fields. */
  below?: ReactNode;
}

export function FilterForm<Filters extends object>(props: Props<Filters>) {
  const { label, filters, read, change, again, children, below } = props;
  const { set } = useAddress();
  const form = useRef<HTMLFormElement>(null);
  const apply = () => {
    if (!form.current) return false;
    const next = read(new FormData(form.current), form.current);
    const isSame = (Object.keys(next) as (keyof Filters)[]).every((name) => next[name] === filters[name]);
    if (!isSame) set(change(next));
    return !isSame;
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!apply()) again?.();
  };
  return (
    <search className="panel">
      <form ref={form} className="fields" onSubmit={submit} aria-label={label}>
        {children(apply)}
      </form>
      {below}
    </search>
  );
}

/** What a field says. */
export function textOf(given: FormData, name: string): string {
  return String(given.get(name) ?? '').trim();
}
