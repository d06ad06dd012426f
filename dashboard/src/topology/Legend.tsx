import { type Health, MARKS, WORDS } from '../lib/health';
import { DASHES } from './draw/palette';

const SHOWN: readonly Health[] = ['good', 'warn', 'bad', 'none'];

export function Legend() {
  return (
    <ul className="legend topo-legend" aria-label="What the picture means">
      {SHOWN.map((health) => (
        <li key={health}>
          <svg width="34" height="10" aria-hidden="true">
            <line
              x1="0"
              y1="5"
              x2="34"
              y2="5"
              strokeWidth="2.4"
              stroke={`var(--${health})`}
              strokeDasharray={DASHES[health].join(' ')}
            />
          </svg>
          <span className={`text-${health}`} aria-hidden="true">
            {MARKS[health]}
          </span>
          {WORDS[health]}
        </li>
      ))}
      <li>wider: more requests</li>
      <li>
        <Lock isShut /> mTLS
      </li>
      <li>
        <Lock isShut={false} /> not secured
      </li>
      <li>
        <svg width="26" height="14" aria-hidden="true">
          <rect
            x="1"
            y="1"
            width="24"
            height="12"
            rx="6"
            fill="none"
            stroke="var(--line-strong)"
            strokeDasharray="4 3"
          />
        </svg>
        not in the mesh
      </li>
      <li>
        <svg width="26" height="14" aria-hidden="true" stroke="var(--line-strong)">
          <rect x="1" y="1" width="24" height="12" rx="3" fill="none" />
          <rect x="1" y="1" width="4" height="12" rx="2" fill="var(--line-strong)" />
        </svg>
        gateway
      </li>
      <li>
        <svg width="22" height="14" aria-hidden="true" fill="none" stroke="var(--bad)" strokeWidth="1.5">
          <path d="M8.300 5.200A2.600 2.600 0 1 0 8.300 8.800M13.700 5.200A2.600 2.600 0 1 1 13.700 8.800M9.800 11 12.200 3" />
        </svg>
        breaks traces
      </li>
    </ul>
  );
}

function Lock({ isShut }: { isShut: boolean }) {
  const colour = isShut ? 'var(--good)' : 'var(--soft)';
  return (
    <svg width="12" height="14" aria-hidden="true" fill="none" stroke={colour} strokeWidth="1.3">
      <path d={isShut ? 'M3.600 6V4.500a2.400 2.400 0 0 1 4.800 0V6' : 'M2 6V4.500a2.400 2.400 0 0 1 4.500-1'} />
      <rect x="2" y="6" width="8" height="6" rx="1" fill={isShut ? colour : 'none'} />
    </svg>
  );
}
