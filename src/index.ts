export type { Inspection } from './config/machine-config.ts';
export type * from './config/types.ts';
export { BlockDevice, type CommitOptions, type MirrorOptions, type SnapshotOptions } from './domain/block-device.ts';
export type { Image, ImageFormat, InsertedMedium } from './domain/block-image.ts';
export { BlockJob } from './domain/block-job.ts';
export type { BlockStats } from './domain/block-stats.ts';
export type { Cpu } from './domain/cpu.ts';
export { Domain, type RunState } from './domain/domain.ts';
export type { JobOptions } from './domain/job-events.ts';
export type { PciDevice, PciRegion } from './domain/pci-device.ts';
export type { ScreenDumpOptions } from './domain/screen-dump.ts';
export * from './errors.ts';
export {
  type CommandLine,
  Fleet,
  type FleetStatus,
  type ManyOptions,
  type StartManyOptions,
  type StopManyOptions,
} from './fleet/fleet.ts';
export type { Outcome } from './fleet/outcome.ts';
export type { RestartState } from './fleet/restart-state.ts';
export type { Services } from './fleet/services.ts';
export type { Option } from './machine/argv/option.ts';
export type { NicLink } from './machine/argv/request.ts';
export { type LaunchOptions, Machine, type MachineOptions } from './machine/code/machine.ts';
export { type ConfiguredLaunchOptions, ConfiguredMachine } from './machine/configured-machine.ts';
export type { EndCause, MachineEnd } from './machine/end.ts';
export type { EndOptions } from './machine/ends-within.ts';
export type { Host, LinkOptions, Network, Notice, Notify, SetUpOptions, Target } from './machine/host.ts';
export type { Rung } from './machine/ladder.ts';
export { type EventWish, MonitoredMachine, type ShutdownOptions } from './machine/monitored-machine.ts';
export type { PassedFd } from './machine/passed-fd.ts';
export type { RecordedVnc } from './machine/record.ts';
export type { LaunchMode } from './machine/request.ts';
export type { StartOptions, StartResult } from './machine/start.ts';
export type { MachineState, MachineStatus } from './machine/status.ts';
export type { StopOptions, StopResult } from './machine/stop.ts';
export * from './qmp/index.ts';
export type { DetachedProcess, ProcessEnd } from './system/launch-process.ts';
export {
  type MachinePaths,
  machinePaths,
  type Paths,
  resolvePaths,
  type Scope,
  type ScopeOptions,
} from './system/paths.ts';
export { VERSION } from './version.ts';
