import { stateRule } from '../../machine/control/run-state.ts';
import type { Style } from './output.ts';

/** The colour of a machine's state in a table; of other columns none. */
export function stateStyle(cell: string, heading: string): Style | undefined {
  if (heading !== 'STATE') return undefined;
  if (cell === 'running') return 'green';
  if (cell === 'stopped') return 'dim';
  return cell === 'dead' || cell === 'unresponsive' || stateRule(cell).severity === 'error' ? 'red' : 'yellow';
}
