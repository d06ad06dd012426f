import { useState } from 'react';

/** Copies a text. */
export function Copy({ text, what }: { text: string; what: string }) {
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard?.writeText(text);
    setCopied(true);
    window.setTimeout(() => setCopied(false), 1500);
  };
  return (
    <button type="button" className="quiet" onClick={() => void copy()} aria-label={`Copy ${what}`}>
      {isCopied ? 'copied' : 'copy'}
    </button>
  );
}
