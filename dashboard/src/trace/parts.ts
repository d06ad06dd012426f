// What time is spent on: names, colours and patterns of the parts, the same on all pages.

export const PARTS = ['application', 'proxy', 'wait', 'network', 'outside', 'unseen'] as const;
export type Part = (typeof PARTS)[number];

export const PART_NAMES: Record<Part, string> = {
  application: 'application',
  proxy: 'proxy',
  wait: 'wait',
  network: 'network and kernel',
  outside: 'outside of the mesh',
  unseen: 'server without a span',
};

export const PART_MEANINGS: Record<Part, string> = {
  application: 'The application’s own time: without the time in which a request that it made was open',
  proxy: 'Work of the proxies: what the mesh added',
  wait: 'What a request waited for in a proxy: a place on a connection, a new connection, a TLS handshake',
  network: 'Network and kernel between two proxies',
  outside: 'A server without a proxy, and the way to it; the two cannot be told apart',
  unseen: 'A server in the mesh of which there is no span, and the way to it',
};

interface Owned {
  part: string;
  of: string;
  to?: string | null | undefined;
  side?: string | null | undefined;
}

export function isPart(part: string): part is Part {
  return (PARTS as readonly string[]).includes(part);
}

export function partName(part: string): string {
  return isPart(part) ? PART_NAMES[part] : part;
}

/** Whose it is: `webapp → books`, `books, inbound`. */
export function owner({ of, to, side }: Owned): string {
  if (to) return `${of} → ${to}`;
  return side ? `${of}, ${side}` : of;
}

/** The part as one says it. */
export function inWords({ part, of, to, side }: Owned): string {
  const whom = to ?? 'somewhere';
  switch (part) {
    case 'application':
      return `the application ${of}`;
    case 'proxy':
      return `${side ?? ''} work of the proxy of ${of}`.trim();
    case 'wait':
      return `${side ?? ''} waits of the proxy of ${of}`.trim();
    case 'network':
      return `network and kernel between ${of} and ${whom}`;
    case 'outside':
      return `${whom}, which is outside of the mesh`;
    default:
      return `${whom}, of which no span is there`;
  }
}
