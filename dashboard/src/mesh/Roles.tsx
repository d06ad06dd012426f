// The roles beside the proxies, and what is between the proxies.

import type { Schema } from '../api/answer';
import { Command, HealthMark, Panel } from '../ui/parts';

export function Roles({ mesh: { observe, control } }: { mesh: Schema<'Mesh'> }) {
  return (
    <Panel title="Roles" actions={<Command>clew version</Command>}>
      <dl className="mesh-facts">
        <div>
          <dt>
            <HealthMark health={control.answers ? 'good' : 'bad'} word={control.answers ? 'well' : 'fails'} /> control
          </dt>
          <dd>
            {control.answers ? 'answers' : (control.error ?? 'does not answer')}
            {!control.answers && (
              <span className="todo">
                Look at the log of the process that runs it. Proxies go on with what they know.
              </span>
            )}
          </dd>
        </div>
        <div>
          <dt>
            <HealthMark health="good" word="well" /> observe
          </dt>
          <dd>
            {observe.version}, process {observe.pid}
          </dd>
        </div>
      </dl>
    </Panel>
  );
}

export function Certificates() {
  return (
    <Panel title="Certificates" padded>
      <p>
        There are none yet: requests between proxies are not encrypted in this version. mTLS, with certificates that are
        renewed by themselves, comes in a later one.
      </p>
    </Panel>
  );
}
