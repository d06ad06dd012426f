import { layoutOf } from './layout';
import type { Placement, Plan } from './plan';

export interface Job {
  number: number;
  plan: Plan;
}

export interface Done {
  number: number;
  placement: Placement;
}

self.onmessage = ({ data }: MessageEvent<Job>) => {
  const done: Done = { number: data.number, placement: layoutOf(data.plan) };
  self.postMessage(done);
};
