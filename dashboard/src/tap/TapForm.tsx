// Which requests to show.

import { Choice, Field, Suggestions, Tick } from '../ui/Fields';
import { FilterForm, textOf } from '../ui/FilterForm';
import { change, filtersOf, RATES, type TapFilters } from './filters';

interface Props {
  filters: TapFilters;
  workloads: readonly string[];
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'];

function read(given: FormData): TapFilters {
  const query = new URLSearchParams([...given.keys()].map((name) => [name, textOf(given, name)]));
  const filters = filtersOf(query);
  return { ...filters, method: filters.method.toUpperCase(), failures: given.has('failures') };
}

export function TapForm({ filters, workloads }: Props) {
  const rates = (RATES as readonly string[]).includes(filters.max_rps) ? RATES : [filters.max_rps, ...RATES];
  return (
    <FilterForm label="Filter requests" filters={filters} read={read} change={change}>
      {(apply) => (
        <>
          <Field
            label="Workload"
            name="workload"
            value={filters.workload}
            list="tap-workloads"
            placeholder="any"
            onBlur={apply}
            width="8em"
          />
          <Field
            label="Namespace"
            name="namespace"
            value={filters.namespace}
            placeholder="any"
            onBlur={apply}
            width="6.5em"
          />
          <Choice label="Side" name="direction" value={filters.direction} onChange={apply}>
            <option value="">both</option>
            <option value="inbound">inbound</option>
            <option value="outbound">outbound</option>
          </Choice>
          <Field
            label="Other side"
            name="peer"
            value={filters.peer}
            list="tap-workloads"
            placeholder="any"
            onBlur={apply}
            width="8em"
          />
          <Field label="Method" name="method" value={filters.method} list="tap-methods" onBlur={apply} width="5em" />
          <Field label="Path begins" name="path" value={filters.path} placeholder="/" onBlur={apply} width="8em" />
          <Field label="Route" name="route" value={filters.route} onBlur={apply} width="9em" />
          <Field label="Authority" name="authority" value={filters.authority} onBlur={apply} width="8em" />
          <Choice label="At most/s" name="max_rps" value={filters.max_rps} onChange={apply}>
            {rates.map((rate) => (
              <option key={rate}>{rate}</option>
            ))}
          </Choice>
          <Tick label="Failures only" name="failures" value={filters.failures} onChange={apply} />
          {/* Enter in a field applies. */}
          <button type="submit" hidden>
            Apply
          </button>
          <Suggestions id="tap-workloads" of={workloads} />
          <Suggestions id="tap-methods" of={METHODS} />
        </>
      )}
    </FilterForm>
  );
}
