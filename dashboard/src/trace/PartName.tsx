import { PartLabel } from './look';
import { isPart } from './parts';

/** The name of a part that the API told of; one that is not known yet as it is. */
export function PartName({ part }: { part: string }) {
  return isPart(part) ? <PartLabel part={part} /> : part;
}
