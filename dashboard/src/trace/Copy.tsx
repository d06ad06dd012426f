import { useCopying } from '../ui/copying';

/** Copies a text. */
export function Copy({ text, what }: { text: string; what: string }) {
  const { said, copy } = useCopying(text);
  return (
    <button type="button" className="quiet" onClick={copy} aria-label={`Copy ${what}`}>
      {said}
    </button>
  );
}
