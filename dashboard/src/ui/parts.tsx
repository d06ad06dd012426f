// Small parts of many pages.

import { type ReactNode, useEffect } from 'react';
import type { Refusal } from '../api/answer';
import { percent } from '../lib/format';
import { type Health, MARKS, ofScore, ofSuccess, WORDS } from '../lib/health';
import { useCopying } from './copying';

/** A mark, and what it says in words for whoever cannot tell colours. */
export function HealthMark({ health, word }: { health: Health; word?: string }) {
  return (
    <span className={`health ${health}`} title={word ?? WORDS[health]}>
      <span className="mark" aria-hidden="true">
        {MARKS[health]}
      </span>
      <span className="visually-hidden">{word ?? WORDS[health]}</span>
    </span>
  );
}

export function SuccessRate({ rate }: { rate: number | null | undefined }) {
  const health = ofSuccess(rate);
  return (
    <span className={`health ${health}`}>
      <span className="mark" aria-hidden="true">
        {MARKS[health]}
      </span>
      <span className={health === 'good' ? '' : `text-${health}`}>{percent(rate)}</span>
    </span>
  );
}

/** A score of the propagation audit, of 100. */
export function Score({ score }: { score: number | null | undefined }) {
  if (score === null || score === undefined) return <span className="soft">–</span>;
  const health = ofScore(score);
  const shown = percent(score, score > 0.99 && score < 1 ? 1 : 0).replace('%', '');
  return <span className={`tag ${health}`}>{shown}</span>;
}

/** The command that gives the same answer, to be copied. */
export function Command({ children }: { children: string }) {
  const { said, copy } = useCopying(children);
  return (
    <span className="command">
      <code>{children}</code>
      <button type="button" onClick={copy} aria-label={`Copy the command ${children}`}>
        {said}
      </button>
    </span>
  );
}

interface HeadProps {
  /** Of the page and of the browser's tab. */
  title: string;
  sub?: ReactNode;
  /** The command line for the same answer. */
  command?: string | undefined;
}

export function PageHead({ title, sub, command }: HeadProps) {
  useEffect(() => {
    document.title = `${title} · Clew`;
  }, [title]);
  return (
    <div className="page-head">
      <h1>{title}</h1>
      {sub && <span className="sub">{sub}</span>}
      {command && <Command>{command}</Command>}
    </div>
  );
}

interface PanelProps {
  title?: ReactNode;
  note?: ReactNode;
  actions?: ReactNode;
  /** With space around what is in it. */
  padded?: boolean;
  children: ReactNode;
}

export function Panel({ title, note, actions, padded = false, children }: PanelProps) {
  return (
    <section className="panel">
      {(title || actions) && (
        <header>
          {title && <h2>{title}</h2>}
          {note && <span className="note">{note}</span>}
          {actions && <span className="row actions">{actions}</span>}
        </header>
      )}
      {padded ? <div className="body">{children}</div> : children}
    </section>
  );
}

/** Nothing is there: what to do so that there is. */
export function Empty({ title, children, command }: { title: string; children?: ReactNode; command?: string }) {
  return (
    <div className="empty">
      <strong>{title}</strong>
      {children && <span>{children}</span>}
      {command && <Command>{command}</Command>}
    </div>
  );
}

/** What failed, and what to try. */
export function Failure({ error, retry }: { error: Refusal; retry?: () => void }) {
  const { title, detail, known } = error.problem;
  return (
    <div className="failure" role="alert">
      <span className="grow">
        <strong>{title ?? 'That did not work'}</strong> {detail}
        {known && known.length > 0 && <span> There are: {known.slice(0, 20).join(', ')}.</span>}
        {error.status === 0 && (
          <span>
            {' '}
            Start one with <code>clew demo</code> or <code>clew up</code>.
          </span>
        )}
      </span>
      {retry && (
        <button type="button" className="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

export function Loading({ what = 'Reading' }: { what?: string }) {
  return (
    <div className="loading" role="status">
      {what} …
    </div>
  );
}

export function Figure({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="figure">
      <div className="label">{label}</div>
      <div className="value">{children}</div>
    </div>
  );
}
