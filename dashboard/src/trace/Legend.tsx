import { Swatch } from './look';
import { PART_MEANINGS, PART_NAMES, PARTS } from './parts';

export function Legend() {
  return (
    <div className="legend wf-legend">
      {PARTS.map((part) => (
        <span key={part} title={PART_MEANINGS[part]}>
          <Swatch kind={part} />
          {PART_NAMES[part]}
        </span>
      ))}
      <span title="A span below it was open; in the colour of the service">
        <Swatch kind="below" />
        in the spans below
      </span>
      <span title="What the request waited for, back from its end: of two calls at once the one that ended last. Thick where it was waited for this span and none below it.">
        <i className="path-swatch" aria-hidden="true" />
        critical path
      </span>
      <span>A proxy’s part is two pixels wide at least; where in the span it was is known by its phase alone.</span>
    </div>
  );
}
