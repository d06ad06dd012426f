// What is wrong with a part, below it.

import { Command, HealthMark } from '../ui/parts';
import type { Trouble } from './troubles';

export interface Named {
  of?: string;
  trouble: Trouble;
}

export function Troubles({ all }: { all: Named[] }) {
  return (
    <ul className="troubles">
      {all.map(({ of, trouble: { health, what, todo, command } }) => (
        <li key={`${of} ${what}`}>
          <HealthMark health={health} />
          <span className="found">
            <span>
              {of && <strong>{of}: </strong>}
              {what}
            </span>
            <span className="todo">{todo}</span>
          </span>
          {command && <Command>{command}</Command>}
        </li>
      ))}
    </ul>
  );
}
