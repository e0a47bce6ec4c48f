/** Commands with the types of their arguments and answers. */
export interface QmpCommands {
  'query-status': { arguments: NoArguments; returns: { readonly status: string; readonly running: boolean } };
  'query-name': { arguments: NoArguments; returns: { readonly name?: string } };
  'query-uuid': { arguments: NoArguments; returns: { readonly UUID: string } };
  'query-commands': { arguments: NoArguments; returns: readonly { readonly name: string }[] };
  'query-qmp-schema': { arguments: NoArguments; returns: readonly Readonly<Record<string, unknown>>[] };
  quit: { arguments: NoArguments; returns: Readonly<Record<string, unknown>> };
  stop: { arguments: NoArguments; returns: Readonly<Record<string, unknown>> };
  cont: { arguments: NoArguments; returns: Readonly<Record<string, unknown>> };
  system_powerdown: { arguments: NoArguments; returns: Readonly<Record<string, unknown>> };
  system_reset: { arguments: NoArguments; returns: Readonly<Record<string, unknown>> };
  'x-exit-preconfig': { arguments: NoArguments; returns: Readonly<Record<string, unknown>> };
  'human-monitor-command': {
    arguments: { readonly 'command-line': string; readonly 'cpu-index'?: number | undefined };
    returns: string;
  };
  set_password: {
    arguments: {
      readonly protocol: 'vnc' | 'spice';
      readonly password: string;
      readonly connected?: string | undefined;
    };
    returns: Readonly<Record<string, unknown>>;
  };
}

/** Events with the types of their data. */
export interface QmpEvents {
  SHUTDOWN: { readonly guest: boolean; readonly reason: string };
  RESET: { readonly guest: boolean; readonly reason: string };
  POWERDOWN: Readonly<Record<string, unknown>>;
  STOP: Readonly<Record<string, unknown>>;
  RESUME: Readonly<Record<string, unknown>>;
}

/** For a command without arguments. */
export type NoArguments = Readonly<Record<never, never>>;
