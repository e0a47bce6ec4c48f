import type { QmpCommands, QmpEvents } from './generated/qemu-7.2.ts';

export type { NoArguments, QmpCommands, QmpEvents } from './generated/qemu-7.2.ts';

/** What a map of commands must look like, such as the `QmpCommands` of a file made by {@link generateTypes}. */
export type CommandMap<Commands> = {
  readonly [C in keyof Commands]: { readonly arguments: object; readonly returns: unknown };
};

/** What a map of events must look like. */
export type EventMap<Events> = { readonly [E in keyof Events]: object };

/** Arguments of {@link QmpClient.execute} after the command's name; those that may be empty may be left out. */
export type ExecuteRest<C extends keyof Commands, Options, Commands extends CommandMap<Commands> = QmpCommands> =
  Record<never, never> extends Commands[C]['arguments']
    ? [args?: Commands[C]['arguments'] | undefined, options?: Options | undefined]
    : [args: Commands[C]['arguments'], options?: Options | undefined];

/** Names of the known events. */
export type EventName<Events extends EventMap<Events> = QmpEvents> = keyof Events & string;
