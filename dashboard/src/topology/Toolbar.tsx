// What of the topology is shown, and how.

import type { FormEvent } from 'react';
import { MAX_STEPS, type View } from './view';

interface Props {
  view: View;
  /** How many were found. */
  found: number;
  namespaces: number;
  open: number;
  nameOf: (id: string) => string;
  set: (change: Record<string, string | number | null>, options?: { replace?: boolean }) => void;
  next: () => void;
  openAll: (all: boolean) => void;
  unhide: (id: string | undefined) => void;
}

export function Toolbar({ view, found, namespaces, open, nameOf, set, next, openAll, unhide }: Props) {
  const submit = (event: FormEvent) => {
    event.preventDefault();
    next();
  };
  return (
    <div className="row topo-tools">
      <form className="row" onSubmit={submit}>
        <input
          type="search"
          placeholder="Find a workload"
          aria-label="Find a workload in the topology; Enter goes to the next"
          value={view.find}
          onChange={(event) => set({ find: event.target.value }, { replace: true })}
        />
        {view.find !== '' && (
          <span className="soft" role="status">
            {found} found
          </span>
        )}
        {found > 0 && (
          <button type="submit" className="button">
            Next
          </button>
        )}
      </form>
      <label className="row">
        <span className="soft">Edges</span>
        <select
          value={view.onlyUnwell ? 'unwell' : ''}
          onChange={(event) => set({ edges: event.target.value })}
          aria-label="Which edges"
        >
          <option value="">all</option>
          <option value="unwell">not well</option>
        </select>
      </label>
      {!view.isTable && namespaces > 1 && (
        <>
          {open < namespaces && (
            <button type="button" className="button" onClick={() => openAll(true)}>
              Open all namespaces
            </button>
          )}
          {open > 0 && (
            <button type="button" className="button" onClick={() => openAll(false)}>
              Close all
            </button>
          )}
        </>
      )}
      <span className="grow" />
      <fieldset className="topo-switch" aria-label="Show as">
        <button type="button" className="button" aria-pressed={!view.isTable} onClick={() => set({ as: null })}>
          Picture
        </button>
        <button type="button" className="button" aria-pressed={view.isTable} onClick={() => set({ as: 'table' })}>
          Table
        </button>
      </fieldset>
      {(view.focus !== undefined || view.hidden.length > 0) && (
        <div className="row topo-chips">
          {view.focus !== undefined && (
            <span className="topo-chip">
              around <b>{nameOf(view.focus)}</b>,
              <select
                value={view.steps}
                aria-label="How many steps around it"
                onChange={(event) => set({ steps: event.target.value === '1' ? null : event.target.value })}
              >
                {Array.from({ length: MAX_STEPS }, (_, index) => index + 1).map((steps) => (
                  <option key={steps} value={steps}>
                    {steps === 1 ? '1 step' : `${steps} steps`}
                  </option>
                ))}
              </select>
              <button type="button" onClick={() => set({ focus: null, steps: null })} aria-label="Show all again">
                ✕
              </button>
            </span>
          )}
          {view.hidden.map((id) => (
            <span key={id} className="topo-chip">
              <span>
                hidden: <b>{nameOf(id)}</b>
              </span>
              <button type="button" onClick={() => unhide(id)} aria-label={`Show ${nameOf(id)} again`}>
                ✕
              </button>
            </span>
          ))}
          {view.hidden.length > 1 && (
            <button type="button" className="button plain" onClick={() => unhide(undefined)}>
              Show all
            </button>
          )}
        </div>
      )}
    </div>
  );
}
