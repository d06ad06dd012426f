// The roles beside the proxies, and what is between the proxies.

import type { Schema } from '../api/answer';
import { count, moment } from '../lib/format';
import { Command, HealthMark, Panel } from '../ui/parts';
import { endHealth } from './troubles';

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

/** Who has proven to be whom, and until when. */
export function Certificates({ members }: { members: Schema<'MeshMember'>[] }) {
  const certified = members.filter((member) => member.certificate);
  const ends = certified.flatMap(({ certificate }) => (certificate ? [Date.parse(certificate.expires)] : [])).sort();
  const refused = certified.reduce((all, { certificate }) => all + (certificate?.refused_clients ?? 0), 0);
  const first = ends[0];
  return (
    <Panel title="Certificates" note="of TLS between the proxies" actions={<Command>clew edges -o wide</Command>}>
      {first === undefined ? (
        <p className="padded">Nobody has one: requests between proxies go in clear.</p>
      ) : (
        <dl className="mesh-facts">
          <div>
            <dt>
              <HealthMark health={certified.length === members.length ? 'good' : 'warn'} /> Proxies that have one
            </dt>
            <dd>
              {count(certified.length)} of {count(members.length)}
            </dd>
          </div>
          <div>
            <dt>
              <HealthMark health={endHealth(first, Date.now())} /> The first one ends
            </dt>
            <dd>
              <time>{moment(first)}</time>
              {endHealth(first, Date.now()) === 'good' ? (
                <span className="muted"> · renewed before that by itself</span>
              ) : (
                <span className="todo">
                  Its proxy gets no new one from control. Without one nobody connects to it, and it to nobody.
                </span>
              )}
            </dd>
          </div>
          <div>
            <dt>
              <HealthMark health={refused > 0 ? 'warn' : 'good'} /> Clients refused
            </dt>
            <dd>
              {count(refused)}
              {refused > 0 && (
                <span className="todo">
                  Their TLS handshake failed: their certificate is not believed, or has ended.
                </span>
              )}
            </dd>
          </div>
        </dl>
      )}
    </Panel>
  );
}
