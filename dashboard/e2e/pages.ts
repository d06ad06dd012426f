// The pages, each with an address and something that is there when it is drawn.

export const PAGES = [
  { name: 'overview', path: '/', drawn: 'main table[aria-label="Workloads"] tbody tr' },
  { name: 'topology', path: '/topology', drawn: 'main canvas' },
  { name: 'workload', path: '/workloads/default/books', drawn: '.octopus .middle' },
  {
    name: 'propagation',
    path: '/workloads/default/webapp?tab=propagation',
    drawn: 'main table[aria-label^="Requests"] tbody tr',
  },
  { name: 'workload-tap', path: '/workloads/default/books?tab=tap', drawn: 'table.tap tbody tr.link' },
  { name: 'routes', path: '/routes?workload=books&namespace=default&route=GET%20%2Fbooks', drawn: '.heatmap canvas' },
  { name: 'traces', path: '/traces', drawn: 'main table tbody tr' },
  { name: 'critical-path', path: '/critical-path?workload=webapp&route=GET%20%2Fsearch', drawn: 'main table tbody tr' },
  { name: 'tap', path: '/tap?workload=books', drawn: 'main h1' },
  { name: 'mesh', path: '/mesh', drawn: 'main table tbody tr' },
] as const;

/** Parts of pages with commands of their own. */
export const PARTS = [
  { path: '/topology?sel=default/books', drawn: 'aside .command' },
  { path: '/topology?sel=default/webapp>default/books', drawn: 'aside .command' },
  { path: '/workloads/default/books?tab=traces', drawn: 'main table[aria-label^="Traces"] tbody tr' },
  { path: '/routes?workload=webapp&from=gateway', drawn: 'main table tbody tr' },
  {
    path: '/traces?service=webapp&route=GET%20%2Fbooks%2F%7Bid%7D&status=200&min_duration=1ms&tags=http.request.method%3DGET',
    drawn: 'main table tbody tr',
  },
  { path: '/tap?workload=books&direction=inbound&route=GET%20%2Fbooks%2F%7Bid%7D', drawn: 'main h1' },
] as const;
