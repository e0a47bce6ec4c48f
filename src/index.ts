export type { EndOptions } from './base/abort.ts';
export { ConfigError } from './base/config-error.ts';
export * from './base/errors.ts';
export type { Problem } from './base/problem.ts';
export { type LongWorkOptions, type OnProgress, type Progress, progressOf } from './base/progress.ts';
export { VERSION } from './base/version.ts';
export type * from './config/device-config.ts';
export type { Inspection } from './config/machine-config.ts';
export type { MonitorConfig } from './config/monitor-config.ts';
export type { RegistryEntry } from './config/registry.ts';
export type * from './config/types.ts';
export { BlockDevice, type CommitOptions, type MirrorOptions, type SnapshotOptions } from './domain/block-device.ts';
export type { Image, ImageFormat, InsertedMedium } from './domain/block-image.ts';
export { BlockJob } from './domain/block-job.ts';
export type { BlockStats } from './domain/block-stats.ts';
export type { Cpu } from './domain/cpu.ts';
export { Domain, type RunState } from './domain/domain.ts';
export { Job, type ProgressOptions, type SettledJob } from './domain/job.ts';
export { JobError, type JobFailure } from './domain/job-error.ts';
export type { JobOptions } from './domain/job-events.ts';
export { jobId, parseJobId } from './domain/job-id.ts';
export type { JobRow } from './domain/job-row.ts';
export type { PciDevice, PciRegion } from './domain/pci-device.ts';
export type { ScreenDumpOptions, Screenshot } from './domain/screen/screen-dump.ts';
export type { CheckMachineOptions } from './fleet/check/check-machine.ts';
export type { CommandLine } from './fleet/command-line.ts';
export type { ManyOptions } from './fleet/life/many.ts';
export type { StartManyOptions } from './fleet/life/start-many.ts';
export type { StopManyOptions } from './fleet/life/stop-many.ts';
export type { FleetStatus } from './fleet/look/fleet-status.ts';
export type { FleetOptions } from './fleet/open-options.ts';
export type { Registration } from './fleet/register.ts';
export type { Restored, RestoreOptions } from './fleet/restore/restored.ts';
export type { ServedDisk, ServeOptions } from './fleet/restore/serve-disk.ts';
export type { Outcome } from './fleet/schedule/outcome.ts';
export type { RestartState } from './fleet/service/restart-state.ts';
export type { Services } from './fleet/service/services.ts';
export type { StartFailure } from './fleet/service/start-failure.ts';
export type { Option } from './machine/argv/option.ts';
export type { NicLink } from './machine/argv/request.ts';
export type { BackupOptions, BackupResult } from './machine/backup/create-backup.ts';
export type { BackupPoint, Destination } from './machine/backup/destination.ts';
export type { BackupDisk, BackupFile, BackupManifest } from './machine/backup/manifest.ts';
export type { RemovedPoint } from './machine/backup/merge.ts';
export type { VerifiedPoint } from './machine/backup/verify.ts';
export type { AttachOptions } from './machine/change/attach.ts';
export type { BalloonOptions, BalloonResult } from './machine/change/balloon.ts';
export type { DiscOptions, DiscResult } from './machine/change/disc.ts';
export type { ReloadOptions, ReloadResult } from './machine/change/reload.ts';
export type {
  LinkOptions,
  MachineContext,
  MachineRef,
  Network,
  Notice,
  Notify,
  SetUpOptions,
} from './machine/context.ts';
export type { AgentOptions } from './machine/control/agent.ts';
export type { CheckOptions as DiskCheckOptions } from './machine/disks/check-images.ts';
export type { CheckedImage } from './machine/disks/check-layer.ts';
export type { DirtyBitmap, ImageSnapshot } from './machine/disks/disk-layer.ts';
export type { DiskList, ListedDisk, ListedImage } from './machine/disks/list-disks.ts';
export type { MirrorOptions as DiskMirrorOptions } from './machine/disks/mirror.ts';
export type { MoveResult } from './machine/disks/move-result.ts';
export type { ResizeOptions, ResizeResult } from './machine/disks/resize.ts';
export { type BackupId, Backups, MachineBackups } from './machine/library/backups.ts';
export { Machine, type MachineLaunchOptions } from './machine/library/machine.ts';
export { MachineAgent } from './machine/library/machine-agent.ts';
export type { MachineDisks } from './machine/library/machine-disks.ts';
export { type PendingWait, RunningMachine, type ShutdownOptions } from './machine/library/running-machine.ts';
export { Snapshots } from './machine/library/snapshots.ts';
export { type LaunchOptions, type MachineOptions, TransientMachine } from './machine/library/transient-machine.ts';
export type { RestartLiveOptions, RestartLiveResult } from './machine/live/restart-result.ts';
export type { MigrateOptions, MigrateResult } from './machine/move/migrate-result.ts';
export type { FullDisk } from './machine/observe/disk-room.ts';
export type { DumpResult } from './machine/observe/dump.ts';
export type { GuestAddressRow } from './machine/observe/guest-addresses.ts';
export type { MachineState, MachineStatus, MoveStatus } from './machine/observe/status.ts';
export type { KeyDifference } from './machine/plug/difference.ts';
export type { KeyFate } from './machine/plug/plan.ts';
export type { Quiesce, Quiesced, QuiesceOptions } from './machine/quiesce/quiesce.ts';
export type { EndCause, MachineEnd } from './machine/run/last-run.ts';
export type { RecordedVnc } from './machine/run/record.ts';
export type { KeyOptions } from './machine/screen/keyboard.ts';
export type { CreatedSnapshot, CreateSnapshotOptions } from './machine/snapshot/create-options.ts';
export type { DeletedSnapshot } from './machine/snapshot/delete.ts';
export type { Snapshot } from './machine/snapshot/list.ts';
export type { Life, RevertedSnapshot } from './machine/snapshot/revert.ts';
export type { StartResult } from './machine/start/already-running.ts';
export type { LaunchMode, StartOptions } from './machine/start/launch-request.ts';
export type { PassedFd } from './machine/start/passed-fd.ts';
export type { SaveResult } from './machine/state/save-machine.ts';
export type { StopOptions, StopResult } from './machine/stop/stop.ts';
export type { OnStopStep, PlannedStep, Rung, StopStep } from './machine/stop/stop-plan.ts';
export type { ResumeResult } from './machine/work/resume-work.ts';
export type { CloneOptions, CloneResult } from './provision/clone/clone.ts';
export type { CreateOptions } from './provision/create.ts';
export type { Creation } from './provision/create-from.ts';
export type { DeleteOptions } from './provision/delete/delete.ts';
export type { DeletedFile } from './provision/delete/delete-plan.ts';
export type { ExportedMachine } from './provision/export/export-machine.ts';
export type { ExportFormat } from './provision/export/format.ts';
export type { ExportLoss } from './provision/export/libvirt/losses.ts';
export type { ImageRecord, PullOptions, PullResult, StoredImage } from './provision/images/image-store.ts';
export type { CopiedFile } from './provision/import/copy-disks.ts';
export type { ImportItem, ImportOutcome } from './provision/import/draft.ts';
export type { ImportFormat } from './provision/import/format.ts';
export type { ImportedMachine } from './provision/import/import.ts';
export type {
  ImportFileOptions,
  ImportMachineOptions,
  ImportResult,
  ImportSource,
} from './provision/import/import-file.ts';
export { Fleet } from './provision/library/fleet.ts';
export { Images } from './provision/library/images.ts';
export type { RenameResult } from './provision/rename.ts';
export type { SeedOptions } from './provision/seed/seed-folder.ts';
export type { Settings, ShortOptions } from './provision/short-options.ts';
export * from './qmp/index.ts';
export {
  type MachinePaths,
  machinePaths,
  type Paths,
  resolvePaths,
  type Scope,
  type ScopeOptions,
} from './system/paths.ts';
export type { DetachedProcess, ProcessEnd } from './system/process/launch-process.ts';
