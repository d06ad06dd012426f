// The settings in force. They are changed by a command, so that what changed is in someone's history.

import type { Schema } from '../api/answer';
import { Command, Panel } from '../ui/parts';
import { rows } from './settings';

export function Settings({ settings }: { settings: Schema<'TelemetrySettings'> }) {
  return (
    <Panel title="Settings in force" note="changed while everything runs" actions={<Command>clew settings</Command>}>
      <div className="table-scroll">
        <table className="data settings">
          <thead>
            <tr>
              <th>Setting</th>
              <th>Now</th>
              <th>What it is</th>
              <th>To change it</th>
            </tr>
          </thead>
          <tbody>
            {rows(settings).map(({ name, value, means, command }) => (
              <tr key={name}>
                <td>{name}</td>
                <td>
                  <strong>{value}</strong>
                </td>
                <td className="soft">{means}</td>
                <td>
                  <Command>{command}</Command>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}
