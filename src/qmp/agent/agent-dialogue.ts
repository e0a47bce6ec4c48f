/** What one command may take. */
export interface AgentCommandOptions {
  /**
   * Milliseconds until the answer, commands before it included; `Infinity` for no limit. Default: 5 s; with the agent of a
   * machine 3 s, in which commands before it and other sessions do not count.
   */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A way to send commands to a guest agent: one lasting session, or a session whenever one is needed. */
export interface AgentDialogue {
  /**
   * Sends a command and waits for its answer.
   *
   * @throws {QmpRefusedError} `QEMU_QMP_REFUSED`. @throws {QemuError} `QEMU_TIMEOUT` (with the agent of a machine
   * `QEMU_NO_AGENT`), `QEMU_ABORTED`, `QEMU_QMP_CLOSED`, `QEMU_QMP_PROTOCOL`, `QEMU_QMP_BAD_REPLY`, `QEMU_USAGE`.
   */
  execute(command: string, args?: object, options?: AgentCommandOptions): Promise<unknown>;
  /**
   * The same of a command that must not take effect when nobody waits for it any more: after one that is given up, the
   * one that undoes it is sent, and not waited for. The agent does one after the other.
   *
   * @throws {QemuError} as {@link execute}.
   */
  executeOrUndo(
    command: string,
    args: object | undefined,
    undo: string,
    options: AgentCommandOptions,
  ): Promise<unknown>;
  /**
   * Sends a command that is answered only when it fails, and waits until the agent is past it or gone.
   *
   * @throws {QemuError} as {@link execute}.
   */
  executeSilent(command: string, args?: object, options?: AgentCommandOptions): Promise<void>;
  /** Called before a pause between two commands: lets other clients use the agent if that is possible. */
  rest?(): void;
  close(): void;
}
