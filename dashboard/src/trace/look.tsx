// How services and parts of time look: a colour, and always a word or a pattern beside it.

import type { Model, Node } from './model';
import { PART_MEANINGS, PART_NAMES, type Part } from './parts';
import type { PieceKind } from './pieces';

const COLOURS = 8;

export function serviceColour(model: Model, service: string): string {
  return `var(--service-${Math.max(0, model.services.indexOf(service)) % COLOURS})`;
}

export function ServiceMark({ model, service }: { model: Model; service: string }) {
  return <span className="service-mark" style={{ background: serviceColour(model, service) }} aria-hidden="true" />;
}

export const pieceName = (kind: PieceKind) => (kind === 'below' ? 'in the spans below' : PART_NAMES[kind]);

export function Swatch({ kind }: { kind: PieceKind }) {
  return <span className={`swatch part ${kind}`} aria-hidden="true" />;
}

export function PartLabel({ part }: { part: Part }) {
  return (
    <span className="part-label" title={PART_MEANINGS[part]}>
      <Swatch kind={part} />
      {PART_NAMES[part]}
    </span>
  );
}

/** What went wrong, as short as it can be said. */
export function fault({ span }: Node): string {
  const said = (name: string) => {
    const value = span.attributes?.[name];
    return value === undefined || value === null || value === '' ? undefined : String(value);
  };
  const grpc = said('rpc.grpc.status_code');
  return (
    said('error.type') ??
    said('http.response.status_code') ??
    (grpc ? `grpc ${grpc}` : undefined) ??
    span.status_message ??
    'error'
  );
}

export interface Slice {
  key: string;
  part: PieceKind;
  label: string;
  size: number;
  /** Words on it, where there is room. */
  text?: string | undefined;
}

/** One bar of several parts, as wide as `of`; the words are in what it is beside. */
export function Stack({ slices, of, label }: { slices: Slice[]; of: number; label: string }) {
  return (
    <div className="stack" role="img" aria-label={label}>
      {slices.map(({ key, part, label, size, text }) =>
        size > 0 ? (
          <span key={key} className={`part ${part}`} style={{ width: `${(100 * size) / of}%` }} title={label}>
            {text && <em>{text}</em>}
          </span>
        ) : null,
      )}
    </div>
  );
}
