// What to look for. It is applied when it is submitted, and when a field is left.

import { useAddress } from '../lib/url';
import { Choice, Field, Suggestions, Tick } from '../ui/Fields';
import { FilterForm, textOf } from '../ui/FilterForm';
import {
  change,
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
  const read = (given: FormData, form: HTMLFormElement): Filters => {
    const [least, most] = [textOf(given, 'min_duration'), textOf(given, 'max_duration')];
    return {
      service: textOf(given, 'service'),
      route: textOf(given, 'route'),
      status: textOf(given, 'status'),
      min_duration: least && duration(least),
      max_duration: most && duration(most),
      tags: withTyped(filters.tags, form),
      errors: given.has('errors'),
      limit: textOf(given, 'limit'),
    };
  };
  return (
    <FilterForm
      label="Search traces"
      filters={filters}
      read={read}
      change={change}
      again={again}
      below={isNarrow(filters) && <Chips filters={filters} />}
    >
      {(apply) => (
        <>
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
        </>
      )}
    </FilterForm>
  );
}

/** With the tag that was typed, whose box is empty from then on. */
function withTyped(tags: string, form: HTMLFormElement): string {
  const box = form.elements.namedItem('tag');
  if (!(box instanceof HTMLInputElement)) return tags;
  const tag = typedTag(box.value);
  if (!tag) return tags;
  box.value = '';
  return withTag(tags, tag);
}

/** Tags that are searched for, each to be taken away, and all filters at once. */
function Chips({ filters }: { filters: Filters }) {
  const { set } = useAddress();
  return (
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
  );
}
