export type { Incoming, PskKey, QmpAddress } from './address.ts';
export type {
  AgentCommandInfo,
  AgentInfo,
  GuestAddress,
  GuestFileSystem,
  GuestInterface,
  GuestUser,
} from './agent/agent-answers.ts';
export { AgentClient } from './agent/agent-client.ts';
export type { AgentCommandOptions, AgentDialogue } from './agent/agent-dialogue.ts';
export type { GuestExecOptions, GuestExecResult } from './agent/agent-exec.ts';
export type { AgentSessionOptions } from './agent/agent-session.ts';
export { QmpClient } from './client.ts';
export type { ExecuteOptions } from './command.ts';
export type { CommandMap, EventMap, EventName, ExecuteRest, NoArguments, QmpCommands, QmpEvents } from './commands.ts';
export type { QmpClientOptions } from './connect.ts';
export type { EventFilter, EventMatch, KnownEvent, QmpEvent } from './event.ts';
export type { SubscribeOptions, WaitOptions } from './event-hub.ts';
export type { EventSubscription } from './event-subscription.ts';
export { generateTypesFromMonitor } from './generate/generate-from-monitor.ts';
export { type GenerateTypesOptions, generateTypes } from './generate/generate-types.ts';
export type * as QmpTypes from './generated/qemu-7.2.ts';
export { findHmpError } from './hmp.ts';
export { type ListenTarget, QmpListener } from './listener.ts';
export type { QmpGreeting, QmpVersion } from './message.ts';
export { openSessions, type SessionsOptions } from './sessions.ts';
export type { QmpEnd, QmpState } from './state.ts';
export { type DialOptions, openStream } from './transport.ts';
