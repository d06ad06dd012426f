// One tapped request: its headers, and what else is known of it.

import { useState } from 'react';
import type { Schema } from '../api/answer';
import { bytes, time } from '../lib/format';
import { Command } from '../ui/parts';
import type { TapRequest } from './buffer';
import { showHeader } from './filters';
import { phases, REDACTED } from './request';

interface Props {
  request: TapRequest;
  shownHeaders: readonly string[];
}

export function Detail({ request, shownHeaders }: Props) {
  const redacted = [...request.request_headers, ...request.response_headers].filter(({ value }) => value === REDACTED);
  const [chosen, setChosen] = useState(redacted[0]?.name);
  const facts: [string, string | undefined | null][] = [
    ['Instance', request.instance],
    ['Authority', request.authority],
    ['Service', request.service],
    ['Protocol', `${request.scheme}, HTTP/${request.protocol_version}`],
    ['Error', request.error],
    ['Request body', bytes(request.request_bytes)],
    ['Response body', bytes(request.response_bytes)],
    ['Waited in the proxy', request.proxy_time ? time(request.proxy_time.wait_us / 1000) : undefined],
    [
      'Proxy’s work',
      phases(request)
        .map(([name, ms]) => `${name} ${time(ms)}`)
        .join(', '),
    ],
  ];
  return (
    <div className="tap-detail">
      <dl>
        {facts.map(
          ([name, value]) =>
            value && (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
      </dl>
      <Headers title="Request headers" of={request.request_headers} choose={setChosen} chosen={chosen} />
      <Headers title="Response headers" of={request.response_headers} choose={setChosen} chosen={chosen} />
      {chosen && (
        <p className="hint">
          <span>
            The proxy took the values out before it sent them. To show <code>{chosen}</code> from now on:
          </span>
          <Command>{showHeader(chosen, shownHeaders)}</Command>
        </p>
      )}
    </div>
  );
}

interface HeadersProps {
  title: string;
  of: readonly Schema<'TapHeader'>[];
  chosen: string | undefined;
  choose: (name: string) => void;
}

function Headers({ title, of, chosen, choose }: HeadersProps) {
  return (
    <section>
      <h3>{title}</h3>
      {of.length === 0 && <span className="soft">none</span>}
      <dl>
        {of.map(({ name, value }, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a header may be there twice, and the order does not change
          <div key={`${index} ${name}`}>
            <dt className="mono">{name}</dt>
            <dd className="mono">
              {value === REDACTED ? (
                <button
                  type="button"
                  className="tag redacted"
                  aria-pressed={chosen === name}
                  title={`How to show ${name}`}
                  onClick={() => choose(name)}
                >
                  redacted
                </button>
              ) : (
                value
              )}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
