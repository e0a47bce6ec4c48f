import type { Machines } from '../machines.ts';
import type { Services } from '../service/services.ts';

/** What a start and a stop need of a fleet. */
export interface FleetParts {
  readonly machines: Machines;
  /** The service manager that runs the machines, if they are its units. */
  readonly services: Services | undefined;
}
