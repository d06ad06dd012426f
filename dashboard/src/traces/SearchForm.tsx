// What to look for. It is applied when it is submitted, and when a field is left.

import { type FormEvent, useRef } from 'react';
import { useAddress } from '../lib/url';
import { Choice, Field, Suggestions, Tick } from '../ui/Fields';
import {
  DEFAULT_LIMIT,
  duration,
  type Filters,
  isNarrow,
  LIMITS,
  NO_FILTERS,
  tagsOf,
  typedTag,
  withoutTag,
  withTag,
} from './filters';

interface Props {
  filters: Filters;
  services: readonly string[];
  routes: readonly string[];
  /** Look again, although nothing else is looked for. */
  again: () => void;
}

export function SearchForm({ filters, services, routes, again }: Props) {
  const { set } = useAddress();
  const form = useRef<HTMLFormElement>(null);

  const apply = () => {
    if (!form.current) return false;
    const given = new FormData(form.current);
    const text = (name: string) => String(given.get(name) ?? '').trim();
    const limit = text('limit');
    const next: Filters = {
      service: text('service'),
      route: text('route'),
      status: text('status'),
      min_duration: text('min_duration') && duration(text('min_duration')),
      max_duration: text('max_duration') && duration(text('max_duration')),
      tags: filters.tags,
      errors: given.has('errors'),
      limit,
    };
    const tag = typedTag(text('tag'));
    if (tag) {
      next.tags = withTag(filters.tags, tag);
      const box = form.current.elements.namedItem('tag');
      if (box instanceof HTMLInputElement) box.value = '';
    }
    const isSame = (Object.keys(next) as (keyof Filters)[]).every((name) => next[name] === filters[name]);
    if (!isSame) set({ ...next, limit: limit === DEFAULT_LIMIT ? null : limit });
    return !isSame;
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!apply()) again();
  };

  return (
    <search className="panel">
      <form ref={form} className="fields" onSubmit={submit} aria-label="Search traces">
        <Field
          label="Service"
          name="service"
          value={filters.service}
          list="trace-services"
          onBlur={apply}
          width="9.5em"
        >
          <Suggestions id="trace-services" of={services} />
        </Field>
        <Field label="Route" name="route" value={filters.route} list="trace-routes" onBlur={apply} width="15em">
          <Suggestions id="trace-routes" of={routes} />
        </Field>
        <Field
          label="Status"
          name="status"
          value={filters.status}
          placeholder="5xx"
          list="trace-statuses"
          onBlur={apply}
          width="7em"
        >
          <Suggestions id="trace-statuses" of={['2xx', '3xx', '4xx', '5xx']} />
        </Field>
        <Field
          label="Took at least"
          name="min_duration"
          value={filters.min_duration}
          placeholder="200ms"
          onBlur={apply}
          width="6em"
        />
        <Field
          label="at most"
          name="max_duration"
          value={filters.max_duration}
          placeholder="2s"
          onBlur={apply}
          width="6em"
        />
        <Field label="Tag" name="tag" value="" placeholder="name=value" onBlur={apply} width="11em" />
        <Choice label="Newest" name="limit" value={filters.limit} onChange={apply}>
          {LIMITS.map((limit) => (
            <option key={limit}>{limit}</option>
          ))}
        </Choice>
        <Tick label="Errors only" name="errors" value={filters.errors} onChange={apply} />
        <button type="submit" className="button primary last">
          Search
        </button>
      </form>
      {isNarrow(filters) && (
        <div className="row chips">
          {tagsOf(filters.tags).map((tag) => (
            <button
              key={`${tag.name}=${tag.value}`}
              type="button"
              className="chip mono"
              title={`Search without ${tag.name}=${tag.value}`}
              onClick={() => set({ tags: withoutTag(filters.tags, tag) })}
            >
              {tag.name}={tag.value} <span aria-hidden="true">×</span>
              <span className="visually-hidden">: take it away</span>
            </button>
          ))}
          <button type="button" className="chip" onClick={() => set(NO_FILTERS)}>
            Search for everything
          </button>
        </div>
      )}
    </search>
  );
}
