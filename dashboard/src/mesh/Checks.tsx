// What `clew check` looks at: what is wrong first, with what to do about it.

import type { Schema } from '../api/answer';
import type { Health } from '../lib/health';
import { HealthMark, Panel } from '../ui/parts';

type Check = Schema<'Check'>;

const HEALTH: Record<Schema<'CheckStatus'>, Health> = { ok: 'good', warn: 'warn', fail: 'bad' };
const WORDS: Record<Schema<'CheckStatus'>, string> = { ok: 'well', warn: 'look at it', fail: 'fails' };

export function Checks({ checks }: { checks: Check[] }) {
  const wrong = checks.filter((check) => check.status !== 'ok');
  const well = checks.filter((check) => check.status === 'ok');
  const failed = wrong.filter((check) => check.status === 'fail').length;
  const doubtful = wrong.length - failed;
  const parts = [
    ...(failed > 0 ? [`${failed} ${failed === 1 ? 'fails' : 'fail'}`] : []),
    ...(doubtful > 0 ? [`${doubtful} to look at`] : []),
    wrong.length === 0 ? `all ${well.length} are well` : `${well.length} well`,
  ];
  return (
    <Panel title="Checks" note={parts.join(', ')}>
      {wrong.length > 0 && (
        <ul className="checks wrong">
          {wrong.map((check) => (
            <Row key={check.name} check={check} />
          ))}
        </ul>
      )}
      <ul className="checks">
        {well.map((check) => (
          <Row key={check.name} check={check} />
        ))}
      </ul>
    </Panel>
  );
}

function Row({ check: { name, status, found, hint } }: { check: Check }) {
  return (
    <li>
      <HealthMark health={HEALTH[status]} word={WORDS[status]} />
      <strong>{name}</strong>
      <span className="found">
        {found}
        {hint && (
          <span className="todo">
            <Prose text={hint} />
          </span>
        )}
      </span>
    </li>
  );
}

/** Text in which commands stand between backticks. */
function Prose({ text }: { text: string }) {
  return text.split('`').map((part, index) =>
    // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one text do not move
    index % 2 === 1 ? <code key={index}>{part}</code> : part,
  );
}
