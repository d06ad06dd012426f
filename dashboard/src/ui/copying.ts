// Copying, and saying that it was done.

import { useEffect, useState } from 'react';

/** How long it is said. */
const SAID_MS = 1500;

/** Puts a text into the clipboard; whether it is there. */
async function toClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Browsers have a clipboard only where the page came by HTTPS or from this machine, and may forbid it.
    return bySelection(text);
  }
}

/** As browsers copied before they had a clipboard. */
function bySelection(text: string): boolean {
  const focused = document.activeElement;
  const box = document.createElement('textarea');
  box.value = text;
  box.style.position = 'fixed';
  box.style.opacity = '0';
  document.body.append(box);
  box.select();
  const isDone = document.execCommand('copy');
  box.remove();
  if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  return isDone;
}

/** What the button says, and what it does. */
export function useCopying(text: string): { said: string; copy: () => void } {
  const [isCopied, setCopied] = useState<boolean>();
  useEffect(() => {
    if (isCopied === undefined) return;
    const timer = window.setTimeout(() => setCopied(undefined), SAID_MS);
    return () => window.clearTimeout(timer);
  }, [isCopied]);
  const said = isCopied === undefined ? 'copy' : isCopied ? 'copied' : 'not copied';
  return { said, copy: () => void toClipboard(text).then(setCopied) };
}
