import { asArray, asRecord } from '../../base/guards.ts';
import type { ExecuteOptions } from '../../qmp/command.ts';
import { AGENT_CHANNEL } from '../argv/channels.ts';
import type { AnyMonitor } from './ways.ts';

/** Whether a program in the guest has the agent's channel open; `missing`: the machine has none. */
export type ChannelState = 'open' | 'closed' | 'missing';

/**
 * What QEMU knows of the agent without asking it, which costs nothing even if it hangs.
 *
 * @throws {QemuError} as {@link QmpClient.execute}.
 */
export async function channelState(monitor: AnyMonitor, limits: ExecuteOptions): Promise<ChannelState> {
  const channels = asArray(await monitor.executeRaw('query-chardev', undefined, limits)).map(asRecord);
  const agent = channels.find(({ label }) => label === AGENT_CHANNEL);
  if (!agent) return 'missing';
  return agent['frontend-open'] === true ? 'open' : 'closed';
}
