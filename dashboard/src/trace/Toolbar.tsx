import { useAddress } from '../lib/url';
import type { Model, Node } from './model';

interface Props {
  model: Model;
  /** Spans with the text that is looked for. */
  found: Set<number> | undefined;
  cursor: number | undefined;
  reveal: (node: Node) => void;
  /** Forgets what was opened and closed by hand. */
  unfold: () => void;
}

export function Toolbar({ model, found, cursor, reveal, unfold }: Props) {
  const { get, set } = useAddress();
  const isPathOnly = get('only') === 'path';
  const depths = Array.from({ length: Math.min(model.maxDepth, 12) }, (_, n) => n + 1);
  const inOrder = found ? model.order.filter((index) => found.has(index)) : [];
  const step = (by: number) => {
    if (inOrder.length === 0) return;
    const here = inOrder.indexOf(cursor ?? -1);
    const next = here === -1 ? (by > 0 ? 0 : inOrder.length - 1) : (here + by + inOrder.length) % inOrder.length;
    reveal(model.nodes[inOrder[next] as number] as Node);
  };
  const errors = model.order.filter((index) => model.nodes[index]?.span.status === 'error');
  const nextError = () => {
    const place = model.order.indexOf(cursor ?? -1);
    const next = errors.find((index) => model.order.indexOf(index) > place) ?? errors[0];
    if (next !== undefined) reveal(model.nodes[next] as Node);
  };
  return (
    <header className="wf-toolbar">
      <label className="row">
        <span className="soft">Open</span>
        <select
          value={get('depth') ?? ''}
          onChange={(event) => {
            unfold();
            set({ depth: event.target.value }, { replace: true });
          }}
        >
          <option value="">all levels</option>
          {depths.map((depth) => (
            <option key={depth} value={depth}>
              {depth === 1 ? '1 level' : `${depth} levels`}
            </option>
          ))}
        </select>
      </label>
      <button
        type="button"
        className="button"
        aria-pressed={isPathOnly}
        onClick={() => set({ only: isPathOnly ? null : 'path' }, { replace: true })}
      >
        Critical path only
      </button>
      {errors.length > 0 && (
        <button type="button" className="button" onClick={nextError}>
          <span className="text-bad">✗</span> Next error
        </button>
      )}
      <span className="grow" />
      {found && (
        <span className="soft" aria-live="polite">
          {found.size === 0 ? 'none' : `${found.size} of ${model.nodes.length}`}
        </span>
      )}
      <input
        type="search"
        placeholder="Find in spans"
        aria-label="Find in the names, services and attributes of the spans. Enter goes to the next."
        value={get('find') ?? ''}
        onChange={(event) => set({ find: event.target.value }, { replace: true })}
        onKeyDown={(event) => {
          if (event.key === 'Enter') step(event.shiftKey ? -1 : 1);
        }}
      />
    </header>
  );
}
