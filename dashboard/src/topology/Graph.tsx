// The picture, and the keys that walk through it.

import { type KeyboardEvent, useEffect, useEffectEvent, useId, useImperativeHandle, useRef, useState } from 'react';
import { useTheme } from '../ui/theme';
import { palette } from './draw/palette';
import { Picture } from './draw/picture';
import { neighbour } from './draw/scene';
import type { Laid } from './layout/useLayout';
import { type Graph as GraphModel, isNamespaceId, namespaceId } from './model';
import { edgeWords, nodeWords } from './words';

export interface Shown {
  centre: (id: string) => void;
}

interface Props {
  ref: React.Ref<Shown>;
  graph: GraphModel;
  laid: Laid | undefined;
  /** What the graph is a view of; a layout of another is not for it. */
  scope: string;
  selected: string | undefined;
  found: ReadonlySet<string>;
  select: (id: string | undefined) => void;
  toggle: (namespace: string) => void;
  /** To the page of a node. */
  enter: (id: string) => void;
  hide: (id: string) => void;
  focus: (id: string) => void;
}

export function Graph({ ref, graph, laid, scope, selected, found, ...acts }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const below = useRef<HTMLCanvasElement>(null);
  const above = useRef<HTMLCanvasElement>(null);
  const [picture, setPicture] = useState<Picture>();
  const [said, setSaid] = useState('');
  const anchor = useRef<string | undefined>(undefined);
  const theme = useTheme();
  const hint = useId();

  const select = useEffectEvent(acts.select);
  const toggle = useEffectEvent((namespace: string) => {
    anchor.current = namespaceId(namespace);
    acts.toggle(namespace);
  });
  useEffect(() => {
    if (!host.current || !below.current || !above.current) return;
    const made = new Picture(host.current, below.current, above.current, palette(), {
      select: (id) => select(id),
      toggle: (namespace) => toggle(namespace),
    });
    setPicture(made);
    return () => made.destroy();
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the colours are those of the theme
  useEffect(() => picture?.paintWith(palette()), [picture, theme]);
  useEffect(() => {
    // Until a layout for it is there, the picture before stands.
    if (!picture || laid?.scope !== scope) return;
    picture.show(graph, laid, anchor.current);
    anchor.current = undefined;
  }, [picture, graph, laid, scope]);
  useEffect(() => picture?.emphasise(selected, found), [picture, selected, found]);

  const tell = useEffectEvent((id: string | undefined) => {
    const node = id === undefined ? undefined : graph.nodes.get(id);
    const edge = graph.edges.find((one) => one.id === id);
    setSaid(node ? nodeWords(node, graph) : edge ? edgeWords(edge, graph.nodes) : '');
  });
  useEffect(() => {
    tell(selected);
    if (selected !== undefined) picture?.reveal(selected);
  }, [picture, selected]);

  useImperativeHandle(ref, () => ({ centre: (id) => picture?.centre(id) }), [picture]);

  const onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !picture) return;
    const { key } = event;
    if (key.startsWith('Arrow')) {
      const next = picture.places && neighbour(picture.places, selected, key);
      if (next !== undefined) acts.select(next);
    } else if (key === 'Escape') acts.select(undefined);
    else if (key === '+' || key === '=') picture.zoom(1.3);
    else if (key === '-') picture.zoom(1 / 1.3);
    else if (key === '0') picture.fit();
    else if (selected === undefined) return;
    else if (key === 'Enter') {
      if (isNamespaceId(selected)) toggle(selected.slice(0, -1));
      else acts.enter(selected);
    } else if (key === 'h') acts.hide(selected);
    else if (key === 'f') acts.focus(selected);
    else return;
    event.preventDefault();
  };

  return (
    <div className="topo-picture">
      {/* biome-ignore-start lint/a11y/noNoninteractiveTabindex: it is walked through with the keys */}
      <div
        ref={host}
        className="topo-canvas"
        role="application"
        tabIndex={0}
        aria-label={`Topology: ${graph.nodes.size} nodes, ${graph.edges.length} edges`}
        aria-describedby={hint}
        onKeyDown={onKey}
      >
        <canvas ref={below} />
        <canvas ref={above} />
      </div>
      {/* biome-ignore-end lint/a11y/noNoninteractiveTabindex: it is walked through with the keys */}
      {!laid && <div className="topo-wait">Laying it out …</div>}
      <p id={hint} className="visually-hidden">
        Right and left arrow go to what a node calls and to what calls it, up and down through all nodes. Enter opens
        the workload, or a namespace. h hides, f shows only the neighbours, plus and minus zoom, 0 shows all. The table
        shows the same edges as a list.
      </p>
      <div className="visually-hidden" aria-live="polite">
        {said}
      </div>
      <div className="topo-zoom">
        <button
          type="button"
          className="button"
          onClick={() => picture?.zoom(1.3)}
          aria-label="Larger"
          title="Larger (+)"
        >
          +
        </button>
        <button
          type="button"
          className="button"
          onClick={() => picture?.zoom(1 / 1.3)}
          aria-label="Smaller"
          title="Smaller (-)"
        >
          −
        </button>
        <button type="button" className="button" onClick={() => picture?.fit()} title="All of it (0)">
          Fit
        </button>
      </div>
    </div>
  );
}
