// What is around every page: where to go, what to search, of which time.

import { type ReactNode, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import { Link, useLocation } from 'wouter';
import { useAnswer } from '../api/answer';
import { live } from '../api/live';
import { moment } from '../lib/format';
import { PLACES, placeOf, useKeys } from '../lib/keys';
import { usePageTime, WINDOWS } from '../lib/time';
import { useAddress } from '../lib/url';
import { Icon } from './icons';
import { Search } from './Search';
import { chooseTheme, useTheme } from './theme';

export function Frame({ children }: { children: ReactNode }) {
  const [path] = useLocation();
  const { to, go } = useAddress();
  const search = useRef<HTMLInputElement>(null);
  const help = useRef<HTMLDialogElement>(null);
  const act = useMemo(
    () => ({ go, search: () => search.current?.focus(), help: () => help.current?.showModal() }),
    [go],
  );
  useKeys(act);
  const version = useAnswer('/api/v1/version', {});
  const here = placeOf(path);

  return (
    <div className="frame">
      <aside className="sidebar" aria-label="Clew">
        <Link className="brand" href={to('/')}>
          <img src="/clew.svg" width="24" height="24" alt="" />
          <span>Clew</span>
        </Link>
        <nav aria-label="Pages">
          {PLACES.map((place) => (
            <Link
              key={place.path}
              href={to(place.path)}
              className={place === here ? 'here' : undefined}
              aria-current={place.path === path ? 'page' : undefined}
              title={`${place.name} (g ${place.key})`}
            >
              <Icon name={place.path} />
              <span>{place.name}</span>
            </Link>
          ))}
        </nav>
        <div className="foot">
          <ThemeButton />
          <button type="button" className="button plain" onClick={act.help} aria-label="Keys">
            <span>Keys</span> <kbd>?</kbd>
          </button>
          {version.data && <span>clew {version.data.version}</span>}
        </div>
      </aside>
      <div>
        <header className="topbar">
          <Search input={search} />
          <span className="space" />
          <TimeControl />
        </header>
        <main>{children}</main>
      </div>
      <Help dialog={help} />
    </div>
  );
}

function ThemeButton() {
  const theme = useTheme();
  const other = theme === 'dark' ? 'light' : 'dark';
  return (
    <button type="button" className="button plain" onClick={() => chooseTheme(other)}>
      {other === 'dark' ? 'Dark' : 'Light'}
    </button>
  );
}

const STATES = {
  live: 'live',
  connecting: 'connecting',
  paused: 'paused',
  lost: 'no connection',
  idle: 'still',
} as const;

function TimeControl() {
  const { window, until } = usePageTime();
  const { set } = useAddress();
  const state = useSyncExternalStore(live.subscribe, live.state);
  const [isPaused, setPaused] = useState(live.paused);
  const pause = (paused: boolean) => {
    live.pause(paused);
    setPaused(paused);
  };
  return (
    <div className="row">
      <label className="row">
        <span className="soft">Last</span>
        <select value={window} onChange={(event) => set({ window: event.target.value })} aria-label="Time window">
          {(WINDOWS as readonly string[]).includes(window) ? null : <option>{window}</option>}
          {WINDOWS.map((choice) => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      </label>
      {until ? (
        <button type="button" className="button" onClick={() => set({ until: null })}>
          until {moment(until)} · back to now
        </button>
      ) : (
        <button
          type="button"
          className="button"
          aria-pressed={isPaused}
          onClick={() => pause(!isPaused)}
          title={isPaused ? 'Follow again' : 'Pause: nothing is asked of the server'}
        >
          <span className={`live is-${state}`}>
            <span className="dot" aria-hidden="true" />
            {isPaused ? 'paused' : STATES[state]}
          </span>
        </button>
      )}
    </div>
  );
}

function Help({ dialog }: { dialog: React.RefObject<HTMLDialogElement | null> }) {
  return (
    <dialog ref={dialog} aria-label="Keys">
      <h2>Keys</h2>
      <table>
        <tbody>
          <tr>
            <td>
              <kbd>/</kbd>
            </td>
            <td>Search workloads, pages, traces by id</td>
          </tr>
          {PLACES.map((place) => (
            <tr key={place.key}>
              <td>
                <kbd>g</kbd> <kbd>{place.key}</kbd>
              </td>
              <td>{place.name}</td>
            </tr>
          ))}
          <tr>
            <td>
              <kbd>↑</kbd> <kbd>↓</kbd> <kbd>Enter</kbd>
            </td>
            <td>Through a list, and into what is chosen</td>
          </tr>
        </tbody>
      </table>
      <form method="dialog" style={{ marginTop: 12, textAlign: 'right' }}>
        <button type="submit" className="button">
          Close
        </button>
      </form>
    </dialog>
  );
}
