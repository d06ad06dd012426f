// The search box: a combobox over workloads, pages and ids of traces.

import { type KeyboardEvent, type RefObject, useId, useMemo, useState } from 'react';
import { useAnswer } from '../api/answer';
import { type Found, find } from '../lib/search';
import { useAddress } from '../lib/url';

export function Search({ input }: { input: RefObject<HTMLInputElement | null> }) {
  const [text, setText] = useState('');
  const [isOpen, setOpen] = useState(false);
  const [at, setAt] = useState(0);
  const list = useId();
  const { go } = useAddress();
  const stat = useAnswer('/api/v1/stat', { window: '1h' }, { when: isOpen });
  const found = useMemo(() => find(text, stat.data?.workloads ?? []), [text, stat.data]);

  const choose = (chosen: Found | undefined) => {
    if (!chosen) return;
    setOpen(false);
    setText('');
    input.current?.blur();
    go(chosen.path);
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown') setAt((at + 1) % Math.max(found.length, 1));
    else if (event.key === 'ArrowUp') setAt((at + found.length - 1) % Math.max(found.length, 1));
    else if (event.key === 'Enter') choose(found[at]);
    else if (event.key === 'Escape') input.current?.blur();
    else return;
    event.preventDefault();
  };

  return (
    <div className="search">
      <input
        ref={input}
        type="search"
        role="combobox"
        placeholder="Find a workload, a page, a trace"
        aria-label="Search"
        aria-expanded={isOpen}
        aria-controls={list}
        aria-autocomplete="list"
        aria-activedescendant={isOpen && found[at] ? `${list}-${at}` : undefined}
        autoComplete="off"
        spellCheck={false}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onKeyDown={onKey}
      />
      {!isOpen && <span className="key mono">/</span>}
      <div id={list} role="listbox" aria-label="Found" hidden={!isOpen}>
        {isOpen && (
          <div className="found">
            {found.map((one, index) => (
              // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the box above
              <div
                key={`${one.kind} ${one.path}`}
                id={`${list}-${index}`}
                role="option"
                aria-selected={index === at}
                tabIndex={-1}
                onMouseDown={(event) => event.preventDefault()}
                onClick={() => choose(one)}
              >
                <span>{one.name}</span>
                <span className="soft">{one.kind}</span>
              </div>
            ))}
          </div>
        )}
      </div>
    </div>
  );
}
