import { QemuError } from '../../base/errors.ts';
import { AgentClient } from '../../qmp/agent/agent-client.ts';
import type { AgentCommandOptions } from '../../qmp/agent/agent-dialogue.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { AgentTurns } from '../control/agent-turns.ts';
import { readFrozenMark, removeFrozenMark, writeFrozenMark } from '../quiesce/frozen-mark.ts';
import { thawGuest } from '../quiesce/thaw.ts';

/**
 * The guest agent of one machine. It has no lasting session: each command takes a turn at the agent, which serves one
 * client at a time, and a long one such as `exec` lets others in while it waits. Its commands throw `QEMU_NO_AGENT`
 * within 3 s when no agent answers, and `QEMU_LOCKED` while another command uses it.
 *
 * @example
 * import { Fleet, QemuError } from 'qemu-init';
 *
 * const fleet = Fleet.open();
 * const { agent } = fleet.machine(fleet.get('web'));
 * try {
 *   for (const { name, addresses } of await agent.networkInterfaces()) {
 *     console.log(name, addresses.map(({ address }) => address));
 *   }
 * } catch (error) {
 *   // Not every guest has an agent.
 *   if (!(error instanceof QemuError) || error.code !== 'QEMU_NO_AGENT') throw error;
 * }
 */
export class MachineAgent extends AgentClient {
  readonly #host: MachineContext;
  readonly #target: MachineRef;

  constructor(host: MachineContext, target: MachineRef) {
    super(new AgentTurns(host, target));
    this.#host = host;
    this.#target = target;
  }

  /**
   * Keeps the guest from writing to its file systems until {@link thaw}, or until the machine is stopped, which thaws it
   * first. `status` warns meanwhile. A freeze that fails is undone.
   *
   * @param mountPoints default: all file systems.
   * @param options the default time limit is 10 s.
   * @returns how many file systems are frozen.
   * @throws {QemuError} `QEMU_LOCKED` while another command keeps the guest frozen for a moment; `QEMU_COMMAND_FAILED`
   * when none can be frozen; as {@link AgentClient.execute}.
   */
  override async freeze(mountPoints?: readonly string[], options?: AgentCommandOptions): Promise<number> {
    const { files, longName } = this.#target;
    const mark = readFrozenMark(files);
    if (mark?.isHeld && !mark.isWished) {
      throw new QemuError('QEMU_LOCKED', `Another command has frozen machine "${longName}" for a moment`);
    }
    // A second freeze is refused by the agent, and its undoing must not end the first.
    if (mark?.isWished) return super.freeze(mountPoints, options);
    // Without an agent there is nothing to be undone.
    await this.ping(options);
    writeFrozenMark(files, true);
    try {
      const count = await super.freeze(mountPoints, options);
      if (count > 0) return count;
      throw new QemuError('QEMU_COMMAND_FAILED', `Machine "${longName}" has no file system that can be frozen`);
    } catch (error) {
      await thawGuest(this.#host, this.#target);
      throw error;
    }
  }

  /** Lets the guest write again. Returns how many file systems were frozen. */
  override async thaw(options?: AgentCommandOptions): Promise<number> {
    const count = await super.thaw(options);
    removeFrozenMark(this.#target.files);
    return count;
  }
}
