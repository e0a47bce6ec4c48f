/*
 * QMP commands and events of QEMU 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+b3), x86_64,
 * made from its answer to `query-qmp-schema`. Do not edit: `qemu-init qmp-types` makes such a file anew.
 *
 * Types are named after the place where they are first met. Arguments are closed: a member or value that this QEMU does
 * not know is an error. Answers and events are open: other versions add members and values. An integer that a number
 * cannot hold exactly is a bigint at run time.
 */

/** Commands with the types of their arguments and answers. */
export interface QmpCommands {
  'add-fd': { arguments: AddFdArguments; returns: AddFdResult };
  add_client: { arguments: AddClientArguments; returns: EmptyResult };
  'announce-self': { arguments: AnnounceSelfArguments; returns: EmptyResult };
  balloon: { arguments: BalloonArguments; returns: EmptyResult };
  'block-commit': { arguments: BlockCommitArguments; returns: EmptyResult };
  'block-dirty-bitmap-add': { arguments: BlockDirtyBitmapAddArguments; returns: EmptyResult };
  'block-dirty-bitmap-clear': { arguments: BlockDirtyBitmapClearArguments; returns: EmptyResult };
  'block-dirty-bitmap-disable': { arguments: BlockDirtyBitmapClearArguments; returns: EmptyResult };
  'block-dirty-bitmap-enable': { arguments: BlockDirtyBitmapClearArguments; returns: EmptyResult };
  'block-dirty-bitmap-merge': { arguments: BlockDirtyBitmapMergeArguments; returns: EmptyResult };
  'block-dirty-bitmap-remove': { arguments: BlockDirtyBitmapClearArguments; returns: EmptyResult };
  'block-export-add': { arguments: BlockExportAddArguments; returns: EmptyResult };
  'block-export-del': { arguments: BlockExportDelArguments; returns: EmptyResult };
  'block-job-cancel': { arguments: BlockJobCancelArguments; returns: EmptyResult };
  'block-job-complete': { arguments: BlockJobCompleteArguments; returns: EmptyResult };
  'block-job-dismiss': { arguments: BlockJobDismissArguments; returns: EmptyResult };
  'block-job-finalize': { arguments: BlockJobFinalizeArguments; returns: EmptyResult };
  'block-job-pause': { arguments: BlockJobPauseArguments; returns: EmptyResult };
  'block-job-resume': { arguments: BlockJobResumeArguments; returns: EmptyResult };
  'block-job-set-speed': { arguments: BlockJobSetSpeedArguments; returns: EmptyResult };
  'block-latency-histogram-set': { arguments: BlockLatencyHistogramSetArguments; returns: EmptyResult };
  'block-set-write-threshold': { arguments: BlockSetWriteThresholdArguments; returns: EmptyResult };
  'block-stream': { arguments: BlockStreamArguments; returns: EmptyResult };
  block_resize: { arguments: BlockResizeArguments; returns: EmptyResult };
  block_set_io_throttle: { arguments: BlockSetIoThrottleArguments; returns: EmptyResult };
  'blockdev-add': { arguments: BlockdevAddArguments; returns: EmptyResult };
  'blockdev-backup': { arguments: BlockdevBackupArguments; returns: EmptyResult };
  'blockdev-change-medium': { arguments: BlockdevChangeMediumArguments; returns: EmptyResult };
  'blockdev-close-tray': { arguments: BlockdevCloseTrayArguments; returns: EmptyResult };
  'blockdev-create': { arguments: BlockdevCreateArguments; returns: EmptyResult };
  'blockdev-del': { arguments: BlockdevDelArguments; returns: EmptyResult };
  'blockdev-insert-medium': { arguments: BlockdevInsertMediumArguments; returns: EmptyResult };
  'blockdev-mirror': { arguments: BlockdevMirrorArguments; returns: EmptyResult };
  'blockdev-open-tray': { arguments: BlockdevOpenTrayArguments; returns: EmptyResult };
  'blockdev-remove-medium': { arguments: BlockdevRemoveMediumArguments; returns: EmptyResult };
  'blockdev-reopen': { arguments: BlockdevReopenArguments; returns: EmptyResult };
  'blockdev-snapshot': { arguments: BlockdevSnapshotArguments; returns: EmptyResult };
  'blockdev-snapshot-delete-internal-sync': {
    arguments: BlockdevSnapshotDeleteInternalSyncArguments;
    returns: BlockdevSnapshotDeleteInternalSyncResult;
  };
  'blockdev-snapshot-internal-sync': { arguments: BlockdevSnapshotInternalSyncArguments; returns: EmptyResult };
  'blockdev-snapshot-sync': { arguments: BlockdevSnapshotSyncArguments; returns: EmptyResult };
  'calc-dirty-rate': { arguments: CalcDirtyRateArguments; returns: EmptyResult };
  'cancel-vcpu-dirty-limit': { arguments: CancelVcpuDirtyLimitArguments; returns: EmptyResult };
  'change-backing-file': { arguments: ChangeBackingFileArguments; returns: EmptyResult };
  'change-vnc-password': { arguments: ChangeVncPasswordArguments; returns: EmptyResult };
  'chardev-add': { arguments: ChardevAddArguments; returns: ChardevAddResult };
  'chardev-change': { arguments: ChardevChangeArguments; returns: ChardevAddResult };
  'chardev-remove': { arguments: ChardevRemoveArguments; returns: EmptyResult };
  'chardev-send-break': { arguments: ChardevSendBreakArguments; returns: EmptyResult };
  client_migrate_info: { arguments: ClientMigrateInfoArguments; returns: EmptyResult };
  closefd: { arguments: ClosefdArguments; returns: EmptyResult };
  cont: { arguments: NoArguments; returns: EmptyResult };
  'device-list-properties': {
    arguments: DeviceListPropertiesArguments;
    returns: readonly DeviceListPropertiesResult[];
  };
  device_add: { arguments: DeviceAddArguments & Readonly<Record<string, unknown>>; returns: EmptyResult };
  device_del: { arguments: DeviceDelArguments; returns: EmptyResult };
  'display-reload': { arguments: DisplayReloadArguments; returns: EmptyResult };
  'display-update': { arguments: DisplayUpdateArguments; returns: EmptyResult };
  /** @deprecated */
  'drive-backup': { arguments: DriveBackupArguments; returns: EmptyResult };
  'drive-mirror': { arguments: DriveMirrorArguments; returns: EmptyResult };
  'dump-guest-memory': { arguments: DumpGuestMemoryArguments; returns: EmptyResult };
  dumpdtb: { arguments: DumpdtbArguments; returns: EmptyResult };
  eject: { arguments: EjectArguments; returns: EmptyResult };
  expire_password: { arguments: ExpirePasswordArguments; returns: EmptyResult };
  getfd: { arguments: GetfdArguments; returns: EmptyResult };
  'human-monitor-command': { arguments: HumanMonitorCommandArguments; returns: string };
  'inject-nmi': { arguments: NoArguments; returns: EmptyResult };
  'input-send-event': { arguments: InputSendEventArguments; returns: EmptyResult };
  'job-cancel': { arguments: JobCancelArguments; returns: EmptyResult };
  'job-complete': { arguments: JobCompleteArguments; returns: EmptyResult };
  'job-dismiss': { arguments: JobDismissArguments; returns: EmptyResult };
  'job-finalize': { arguments: JobFinalizeArguments; returns: EmptyResult };
  'job-pause': { arguments: JobPauseArguments; returns: EmptyResult };
  'job-resume': { arguments: JobResumeArguments; returns: EmptyResult };
  memsave: { arguments: MemsaveArguments; returns: EmptyResult };
  migrate: { arguments: MigrateArguments; returns: EmptyResult };
  'migrate-continue': { arguments: MigrateContinueArguments; returns: EmptyResult };
  'migrate-incoming': { arguments: MigrateIncomingArguments; returns: EmptyResult };
  /** May be executed out of band. */
  'migrate-pause': { arguments: NoArguments; returns: EmptyResult };
  /** May be executed out of band. */
  'migrate-recover': { arguments: MigrateRecoverArguments; returns: EmptyResult };
  'migrate-set-capabilities': { arguments: MigrateSetCapabilitiesArguments; returns: EmptyResult };
  'migrate-set-parameters': { arguments: MigrateSetParametersArguments; returns: EmptyResult };
  'migrate-start-postcopy': { arguments: NoArguments; returns: EmptyResult };
  migrate_cancel: { arguments: NoArguments; returns: EmptyResult };
  /** @deprecated */
  'nbd-server-add': { arguments: NbdServerAddArguments; returns: EmptyResult };
  /** @deprecated */
  'nbd-server-remove': { arguments: NbdServerRemoveArguments; returns: EmptyResult };
  'nbd-server-start': { arguments: NbdServerStartArguments; returns: EmptyResult };
  'nbd-server-stop': { arguments: NoArguments; returns: EmptyResult };
  netdev_add: { arguments: NetdevAddArguments; returns: EmptyResult };
  netdev_del: { arguments: NetdevDelArguments; returns: EmptyResult };
  'object-add': { arguments: ObjectAddArguments; returns: EmptyResult };
  'object-del': { arguments: ObjectDelArguments; returns: EmptyResult };
  pmemsave: { arguments: PmemsaveArguments; returns: EmptyResult };
  qmp_capabilities: { arguments: QmpCapabilitiesArguments; returns: EmptyResult };
  'qom-get': { arguments: QomGetArguments; returns: unknown };
  'qom-list': { arguments: QomListArguments; returns: readonly DeviceListPropertiesResult[] };
  'qom-list-properties': { arguments: QomListPropertiesArguments; returns: readonly DeviceListPropertiesResult[] };
  'qom-list-types': { arguments: QomListTypesArguments; returns: readonly QomListTypesResult[] };
  'qom-set': { arguments: QomSetArguments; returns: EmptyResult };
  'query-acpi-ospm-status': { arguments: NoArguments; returns: readonly QueryAcpiOspmStatusResult[] };
  'query-balloon': { arguments: NoArguments; returns: QueryBalloonResult };
  'query-block': { arguments: NoArguments; returns: readonly QueryBlockResult[] };
  'query-block-exports': { arguments: NoArguments; returns: readonly QueryBlockExportsResult[] };
  'query-block-jobs': { arguments: NoArguments; returns: readonly QueryBlockJobsResult[] };
  'query-blockstats': { arguments: QueryBlockstatsArguments; returns: readonly QueryBlockstatsResult[] };
  'query-chardev': { arguments: NoArguments; returns: readonly QueryChardevResult[] };
  'query-chardev-backends': { arguments: NoArguments; returns: readonly QueryChardevBackendsResult[] };
  'query-colo-status': { arguments: NoArguments; returns: QueryColoStatusResult };
  'query-command-line-options': {
    arguments: QueryCommandLineOptionsArguments;
    returns: readonly QueryCommandLineOptionsResult[];
  };
  'query-commands': { arguments: NoArguments; returns: readonly QueryCommandsResult[] };
  'query-cpu-definitions': { arguments: NoArguments; returns: readonly QueryCpuDefinitionsResult[] };
  'query-cpu-model-expansion': { arguments: QueryCpuModelExpansionArguments; returns: QueryCpuModelExpansionResult };
  'query-cpus-fast': { arguments: NoArguments; returns: readonly QueryCpusFastResult[] };
  'query-current-machine': { arguments: NoArguments; returns: QueryCurrentMachineResult };
  'query-dirty-rate': { arguments: NoArguments; returns: QueryDirtyRateResult };
  'query-display-options': { arguments: NoArguments; returns: QueryDisplayOptionsResult };
  'query-dump': { arguments: NoArguments; returns: QueryDumpResult };
  'query-dump-guest-memory-capability': { arguments: NoArguments; returns: QueryDumpGuestMemoryCapabilityResult };
  'query-fdsets': { arguments: NoArguments; returns: readonly QueryFdsetsResult[] };
  'query-hotpluggable-cpus': { arguments: NoArguments; returns: readonly QueryHotpluggableCpusResult[] };
  'query-iothreads': { arguments: NoArguments; returns: readonly QueryIothreadsResult[] };
  'query-jobs': { arguments: NoArguments; returns: readonly QueryJobsResult[] };
  'query-kvm': { arguments: NoArguments; returns: QueryKvmResult };
  'query-machines': { arguments: NoArguments; returns: readonly QueryMachinesResult[] };
  'query-memdev': { arguments: NoArguments; returns: readonly QueryMemdevResult[] };
  'query-memory-devices': { arguments: NoArguments; returns: readonly QueryMemoryDevicesResult[] };
  'query-memory-size-summary': { arguments: NoArguments; returns: QueryMemorySizeSummaryResult };
  'query-mice': { arguments: NoArguments; returns: readonly QueryMiceResult[] };
  'query-migrate': { arguments: NoArguments; returns: QueryMigrateResult };
  'query-migrate-capabilities': { arguments: NoArguments; returns: readonly QueryMigrateCapabilitiesResult[] };
  'query-migrate-parameters': { arguments: NoArguments; returns: QueryMigrateParametersResult };
  'query-name': { arguments: NoArguments; returns: QueryNameResult };
  'query-named-block-nodes': { arguments: QueryNamedBlockNodesArguments; returns: readonly QueryBlockResultInserted[] };
  'query-pci': { arguments: NoArguments; returns: readonly QueryPciResult[] };
  'query-pr-managers': { arguments: NoArguments; returns: readonly QueryPrManagersResult[] };
  'query-qmp-schema': { arguments: NoArguments; returns: readonly QueryQmpSchemaResult[] };
  'query-replay': { arguments: NoArguments; returns: QueryReplayResult };
  'query-rocker': { arguments: QueryRockerArguments; returns: QueryRockerResult };
  'query-rocker-of-dpa-flows': {
    arguments: QueryRockerOfDpaFlowsArguments;
    returns: readonly QueryRockerOfDpaFlowsResult[];
  };
  'query-rocker-of-dpa-groups': {
    arguments: QueryRockerOfDpaGroupsArguments;
    returns: readonly QueryRockerOfDpaGroupsResult[];
  };
  'query-rocker-ports': { arguments: QueryRockerPortsArguments; returns: readonly QueryRockerPortsResult[] };
  'query-rx-filter': { arguments: QueryRxFilterArguments; returns: readonly QueryRxFilterResult[] };
  'query-sev': { arguments: NoArguments; returns: QuerySevResult };
  'query-sev-attestation-report': {
    arguments: QuerySevAttestationReportArguments;
    returns: QuerySevAttestationReportResult;
  };
  'query-sev-capabilities': { arguments: NoArguments; returns: QuerySevCapabilitiesResult };
  'query-sev-launch-measure': { arguments: NoArguments; returns: QuerySevLaunchMeasureResult };
  'query-sgx': { arguments: NoArguments; returns: QuerySgxResult };
  'query-sgx-capabilities': { arguments: NoArguments; returns: QuerySgxResult };
  'query-spice': { arguments: NoArguments; returns: QuerySpiceResult };
  'query-stats': { arguments: QueryStatsArguments; returns: readonly QueryStatsResult[] };
  'query-stats-schemas': { arguments: QueryStatsSchemasArguments; returns: readonly QueryStatsSchemasResult[] };
  'query-status': { arguments: NoArguments; returns: QueryStatusResult };
  'query-target': { arguments: NoArguments; returns: QueryTargetResult };
  'query-tpm': { arguments: NoArguments; returns: readonly QueryTpmResult[] };
  'query-tpm-models': { arguments: NoArguments; returns: readonly QueryTpmResultModel[] };
  'query-tpm-types': { arguments: NoArguments; returns: readonly QueryTpmResultOptionsType[] };
  'query-uuid': { arguments: NoArguments; returns: QueryUuidResult };
  'query-vcpu-dirty-limit': { arguments: NoArguments; returns: readonly QueryVcpuDirtyLimitResult[] };
  'query-version': { arguments: NoArguments; returns: QueryVersionResult };
  'query-vm-generation-id': { arguments: NoArguments; returns: QueryVmGenerationIdResult };
  'query-vnc': { arguments: NoArguments; returns: QueryVncResult };
  'query-vnc-servers': { arguments: NoArguments; returns: readonly QueryVncServersResult[] };
  'query-xen-replication-status': { arguments: NoArguments; returns: QueryXenReplicationStatusResult };
  /** May be executed out of band. */
  'query-yank': { arguments: NoArguments; returns: readonly QueryYankResult[] };
  quit: { arguments: NoArguments; returns: EmptyResult };
  'remove-fd': { arguments: RemoveFdArguments; returns: EmptyResult };
  'replay-break': { arguments: ReplayBreakArguments; returns: EmptyResult };
  'replay-delete-break': { arguments: NoArguments; returns: EmptyResult };
  'replay-seek': { arguments: ReplaySeekArguments; returns: EmptyResult };
  'ringbuf-read': { arguments: RingbufReadArguments; returns: string };
  'ringbuf-write': { arguments: RingbufWriteArguments; returns: EmptyResult };
  'rtc-reset-reinjection': { arguments: NoArguments; returns: EmptyResult };
  screendump: { arguments: ScreendumpArguments; returns: EmptyResult };
  'send-key': { arguments: SendKeyArguments; returns: EmptyResult };
  'set-action': { arguments: SetActionArguments; returns: EmptyResult };
  'set-numa-node': { arguments: SetNumaNodeArguments; returns: EmptyResult };
  'set-vcpu-dirty-limit': { arguments: SetVcpuDirtyLimitArguments; returns: EmptyResult };
  set_link: { arguments: SetLinkArguments; returns: EmptyResult };
  set_password: { arguments: SetPasswordArguments; returns: EmptyResult };
  'sev-inject-launch-secret': { arguments: SevInjectLaunchSecretArguments; returns: EmptyResult };
  'snapshot-delete': { arguments: SnapshotDeleteArguments; returns: EmptyResult };
  'snapshot-load': { arguments: SnapshotLoadArguments; returns: EmptyResult };
  'snapshot-save': { arguments: SnapshotSaveArguments; returns: EmptyResult };
  stop: { arguments: NoArguments; returns: EmptyResult };
  system_powerdown: { arguments: NoArguments; returns: EmptyResult };
  system_reset: { arguments: NoArguments; returns: EmptyResult };
  system_wakeup: { arguments: NoArguments; returns: EmptyResult };
  'trace-event-get-state': { arguments: TraceEventGetStateArguments; returns: readonly TraceEventGetStateResult[] };
  'trace-event-set-state': { arguments: TraceEventSetStateArguments; returns: EmptyResult };
  transaction: { arguments: TransactionArguments; returns: EmptyResult };
  'watchdog-set-action': { arguments: WatchdogSetActionArguments; returns: EmptyResult };
  /** @experimental */
  'x-blockdev-amend': { arguments: XBlockdevAmendArguments; returns: EmptyResult };
  /** @experimental */
  'x-blockdev-change': { arguments: XBlockdevChangeArguments; returns: EmptyResult };
  /** @experimental */
  'x-blockdev-set-iothread': { arguments: XBlockdevSetIothreadArguments; returns: EmptyResult };
  /** @experimental */
  'x-colo-lost-heartbeat': { arguments: NoArguments; returns: EmptyResult };
  /** @experimental */
  'x-debug-block-dirty-bitmap-sha256': {
    arguments: BlockDirtyBitmapClearArguments;
    returns: XDebugBlockDirtyBitmapSha256Result;
  };
  /** @experimental */
  'x-debug-query-block-graph': { arguments: NoArguments; returns: XDebugQueryBlockGraphResult };
  /** @experimental */
  'x-exit-preconfig': { arguments: NoArguments; returns: EmptyResult };
  /** @experimental */
  'x-query-irq': { arguments: NoArguments; returns: XQueryIrqResult };
  /** @experimental */
  'x-query-jit': { arguments: NoArguments; returns: XQueryIrqResult };
  /** @experimental */
  'x-query-numa': { arguments: NoArguments; returns: XQueryIrqResult };
  /** @experimental */
  'x-query-opcount': { arguments: NoArguments; returns: XQueryIrqResult };
  /** @experimental */
  'x-query-profile': { arguments: NoArguments; returns: XQueryIrqResult };
  /** @experimental */
  'x-query-ramblock': { arguments: NoArguments; returns: XQueryIrqResult };
  /** @experimental */
  'x-query-rdma': { arguments: NoArguments; returns: XQueryIrqResult };
  /** @experimental */
  'x-query-roms': { arguments: NoArguments; returns: XQueryIrqResult };
  /** @experimental */
  'x-query-usb': { arguments: NoArguments; returns: XQueryIrqResult };
  /** @experimental */
  'x-query-virtio': { arguments: NoArguments; returns: readonly XQueryVirtioResult[] };
  /** @experimental */
  'x-query-virtio-queue-element': {
    arguments: XQueryVirtioQueueElementArguments;
    returns: XQueryVirtioQueueElementResult;
  };
  /** @experimental */
  'x-query-virtio-queue-status': {
    arguments: XQueryVirtioQueueStatusArguments;
    returns: XQueryVirtioQueueStatusResult;
  };
  /** @experimental */
  'x-query-virtio-status': { arguments: XQueryVirtioStatusArguments; returns: XQueryVirtioStatusResult };
  /** @experimental */
  'x-query-virtio-vhost-queue-status': {
    arguments: XQueryVirtioVhostQueueStatusArguments;
    returns: XQueryVirtioVhostQueueStatusResult;
  };
  'xen-colo-do-checkpoint': { arguments: NoArguments; returns: EmptyResult };
  'xen-load-devices-state': { arguments: XenLoadDevicesStateArguments; returns: EmptyResult };
  'xen-save-devices-state': { arguments: XenSaveDevicesStateArguments; returns: EmptyResult };
  'xen-set-global-dirty-log': { arguments: XenSetGlobalDirtyLogArguments; returns: EmptyResult };
  'xen-set-replication': { arguments: XenSetReplicationArguments; returns: EmptyResult };
  /** May be executed out of band. */
  yank: { arguments: YankArguments; returns: EmptyResult };
}

/** Events with the types of their data. */
export interface QmpEvents {
  ACPI_DEVICE_OST: AcpiDeviceOstEvent;
  BALLOON_CHANGE: BalloonChangeEvent;
  BLOCK_EXPORT_DELETED: BlockExportDeletedEvent;
  BLOCK_IMAGE_CORRUPTED: BlockImageCorruptedEvent;
  BLOCK_IO_ERROR: BlockIoErrorEvent;
  BLOCK_JOB_CANCELLED: BlockJobCancelledEvent;
  BLOCK_JOB_COMPLETED: BlockJobCompletedEvent;
  BLOCK_JOB_ERROR: BlockJobErrorEvent;
  BLOCK_JOB_PENDING: BlockJobPendingEvent;
  BLOCK_JOB_READY: BlockJobReadyEvent;
  BLOCK_WRITE_THRESHOLD: BlockWriteThresholdEvent;
  COLO_EXIT: ColoExitEvent;
  DEVICE_DELETED: DeviceDeletedEvent;
  DEVICE_TRAY_MOVED: DeviceTrayMovedEvent;
  DEVICE_UNPLUG_GUEST_ERROR: DeviceUnplugGuestErrorEvent;
  DUMP_COMPLETED: DumpCompletedEvent;
  FAILOVER_NEGOTIATED: FailoverNegotiatedEvent;
  GUEST_CRASHLOADED: GuestCrashloadedEvent;
  GUEST_PANICKED: GuestPanickedEvent;
  JOB_STATUS_CHANGE: JobStatusChangeEvent;
  MEMORY_DEVICE_SIZE_CHANGE: MemoryDeviceSizeChangeEvent;
  MEMORY_FAILURE: MemoryFailureEvent;
  /** @deprecated */
  MEM_UNPLUG_ERROR: MemUnplugErrorEvent;
  MIGRATION: MigrationEvent;
  MIGRATION_PASS: MigrationPassEvent;
  NETDEV_STREAM_CONNECTED: NetdevStreamConnectedEvent;
  NETDEV_STREAM_DISCONNECTED: NetdevStreamDisconnectedEvent;
  NIC_RX_FILTER_CHANGED: NicRxFilterChangedEvent;
  POWERDOWN: EmptyResult;
  PR_MANAGER_STATUS_CHANGED: PrManagerStatusChangedEvent;
  QUORUM_FAILURE: QuorumFailureEvent;
  QUORUM_REPORT_BAD: QuorumReportBadEvent;
  RDMA_GID_STATUS_CHANGED: RdmaGidStatusChangedEvent;
  RESET: ResetEvent;
  RESUME: EmptyResult;
  RTC_CHANGE: RtcChangeEvent;
  SHUTDOWN: ShutdownEvent;
  SPICE_CONNECTED: SpiceConnectedEvent;
  SPICE_DISCONNECTED: SpiceDisconnectedEvent;
  SPICE_INITIALIZED: SpiceInitializedEvent;
  SPICE_MIGRATE_COMPLETED: EmptyResult;
  STOP: EmptyResult;
  SUSPEND: EmptyResult;
  SUSPEND_DISK: EmptyResult;
  UNPLUG_PRIMARY: UnplugPrimaryEvent;
  VFU_CLIENT_HANGUP: VfuClientHangupEvent;
  VNC_CONNECTED: VncConnectedEvent;
  VNC_DISCONNECTED: VncDisconnectedEvent;
  VNC_INITIALIZED: VncInitializedEvent;
  VSERPORT_CHANGE: VserportChangeEvent;
  WAKEUP: EmptyResult;
  WATCHDOG: WatchdogEvent;
}

/** For a command without arguments. */
export type NoArguments = Readonly<Record<string, never>>;

/** What a command answers that only says that it is done. */
export type EmptyResult = Readonly<Record<string, unknown>>;

declare const other: unique symbol;

/** A value of a tag that this QEMU did not have; a string at run time. */
export interface OtherValue {
  readonly [other]: string;
  toString(): string;
}

export interface AddFdArguments {
  readonly 'fdset-id'?: number | bigint | undefined;
  readonly opaque?: string | undefined;
}

export interface AddFdResult {
  readonly 'fdset-id': number;
  readonly fd: number;
}

export interface AddClientArguments {
  readonly protocol: string;
  readonly fdname: string;
  readonly skipauth?: boolean | undefined;
  readonly tls?: boolean | undefined;
}

export interface AnnounceSelfArguments {
  readonly initial: number | bigint;
  readonly max: number | bigint;
  readonly rounds: number | bigint;
  readonly step: number | bigint;
  readonly interfaces?: readonly string[] | undefined;
  readonly id?: string | undefined;
}

export interface BalloonArguments {
  readonly value: number | bigint;
}

export interface BlockCommitArguments {
  readonly 'job-id'?: string | undefined;
  readonly device: string;
  readonly 'base-node'?: string | undefined;
  /** @deprecated */
  readonly base?: string | undefined;
  readonly 'top-node'?: string | undefined;
  /** @deprecated */
  readonly top?: string | undefined;
  readonly 'backing-file'?: string | undefined;
  readonly speed?: number | bigint | undefined;
  readonly 'on-error'?: BlockCommitArgumentsOnError | undefined;
  readonly 'filter-node-name'?: string | undefined;
  readonly 'auto-finalize'?: boolean | undefined;
  readonly 'auto-dismiss'?: boolean | undefined;
}

export type BlockCommitArgumentsOnError = 'report' | 'ignore' | 'enospc' | 'stop' | 'auto';

export interface BlockDirtyBitmapAddArguments {
  readonly node: string;
  readonly name: string;
  readonly granularity?: number | bigint | undefined;
  readonly persistent?: boolean | undefined;
  readonly disabled?: boolean | undefined;
}

export interface BlockDirtyBitmapClearArguments {
  readonly node: string;
  readonly name: string;
}

export interface BlockDirtyBitmapMergeArguments {
  readonly node: string;
  readonly target: string;
  readonly bitmaps: readonly BlockDirtyBitmapMergeArgumentsBitmaps[];
}

export type BlockDirtyBitmapMergeArgumentsBitmaps = string | BlockDirtyBitmapClearArguments;

export interface BlockExportAddArgumentsBase {
  readonly id: string;
  readonly 'fixed-iothread'?: boolean | undefined;
  readonly iothread?: string | undefined;
  readonly 'node-name': string;
  readonly writable?: boolean | undefined;
  readonly writethrough?: boolean | undefined;
}

export type BlockExportAddArguments = BlockExportAddArgumentsBase &
  (
    | ({ readonly type: 'nbd' } & BlockExportAddArgumentsNbd)
    | ({ readonly type: 'vhost-user-blk' } & BlockExportAddArgumentsVhostUserBlk)
    | ({ readonly type: 'fuse' } & BlockExportAddArgumentsFuse)
    | ({ readonly type: 'vduse-blk' } & BlockExportAddArgumentsVduseBlk)
  );

export type BlockExportAddArgumentsType = 'nbd' | 'vhost-user-blk' | 'fuse' | 'vduse-blk';

export interface BlockExportAddArgumentsNbd {
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  readonly bitmaps?: readonly BlockDirtyBitmapMergeArgumentsBitmaps[] | undefined;
  readonly 'allocation-depth'?: boolean | undefined;
}

export interface BlockExportAddArgumentsVhostUserBlk {
  readonly addr: BlockExportAddArgumentsVhostUserBlkAddr;
  readonly 'logical-block-size'?: number | bigint | undefined;
  readonly 'num-queues'?: number | bigint | undefined;
}

export interface BlockExportAddArgumentsFuse {
  readonly mountpoint: string;
  readonly growable?: boolean | undefined;
  readonly 'allow-other'?: BlockExportAddArgumentsFuseAllowOther | undefined;
}

export interface BlockExportAddArgumentsVduseBlk {
  readonly name: string;
  readonly 'num-queues'?: number | bigint | undefined;
  readonly 'queue-size'?: number | bigint | undefined;
  readonly 'logical-block-size'?: number | bigint | undefined;
  readonly serial?: string | undefined;
}

export type BlockExportAddArgumentsVhostUserBlkAddr =
  | ({ readonly type: 'inet' } & BlockExportAddArgumentsVhostUserBlkAddrInet)
  | ({ readonly type: 'unix' } & BlockExportAddArgumentsVhostUserBlkAddrUnix)
  | ({ readonly type: 'vsock' } & BlockExportAddArgumentsVhostUserBlkAddrVsock)
  | ({ readonly type: 'fd' } & BlockExportAddArgumentsVhostUserBlkAddrFd);

export type BlockExportAddArgumentsFuseAllowOther = 'off' | 'on' | 'auto';

export type BlockExportAddArgumentsVhostUserBlkAddrType = 'inet' | 'unix' | 'vsock' | 'fd';

export interface BlockExportAddArgumentsVhostUserBlkAddrInet {
  readonly host: string;
  readonly port: string;
  readonly numeric?: boolean | undefined;
  readonly to?: number | bigint | undefined;
  readonly ipv4?: boolean | undefined;
  readonly ipv6?: boolean | undefined;
  readonly 'keep-alive'?: boolean | undefined;
  readonly mptcp?: boolean | undefined;
}

export interface BlockExportAddArgumentsVhostUserBlkAddrUnix {
  readonly path: string;
  readonly abstract?: boolean | undefined;
  readonly tight?: boolean | undefined;
}

export interface BlockExportAddArgumentsVhostUserBlkAddrVsock {
  readonly cid: string;
  readonly port: string;
}

export interface BlockExportAddArgumentsVhostUserBlkAddrFd {
  readonly str: string;
}

export interface BlockExportDelArguments {
  readonly id: string;
  readonly mode?: BlockExportDelArgumentsMode | undefined;
}

export type BlockExportDelArgumentsMode = 'safe' | 'hard';

export interface BlockJobCancelArguments {
  readonly device: string;
  readonly force?: boolean | undefined;
}

export interface BlockJobCompleteArguments {
  readonly device: string;
}

export interface BlockJobDismissArguments {
  readonly id: string;
}

export interface BlockJobFinalizeArguments {
  readonly id: string;
}

export interface BlockJobPauseArguments {
  readonly device: string;
}

export interface BlockJobResumeArguments {
  readonly device: string;
}

export interface BlockJobSetSpeedArguments {
  readonly device: string;
  readonly speed: number | bigint;
}

export interface BlockLatencyHistogramSetArguments {
  readonly id: string;
  readonly boundaries?: readonly (number | bigint)[] | undefined;
  readonly 'boundaries-read'?: readonly (number | bigint)[] | undefined;
  readonly 'boundaries-write'?: readonly (number | bigint)[] | undefined;
  readonly 'boundaries-flush'?: readonly (number | bigint)[] | undefined;
}

export interface BlockSetWriteThresholdArguments {
  readonly 'node-name': string;
  readonly 'write-threshold': number | bigint;
}

export interface BlockStreamArguments {
  readonly 'job-id'?: string | undefined;
  readonly device: string;
  readonly base?: string | undefined;
  readonly 'base-node'?: string | undefined;
  readonly 'backing-file'?: string | undefined;
  readonly bottom?: string | undefined;
  readonly speed?: number | bigint | undefined;
  readonly 'on-error'?: BlockCommitArgumentsOnError | undefined;
  readonly 'filter-node-name'?: string | undefined;
  readonly 'auto-finalize'?: boolean | undefined;
  readonly 'auto-dismiss'?: boolean | undefined;
}

export interface BlockResizeArguments {
  readonly device?: string | undefined;
  readonly 'node-name'?: string | undefined;
  readonly size: number | bigint;
}

export interface BlockSetIoThrottleArguments {
  /** @deprecated */
  readonly device?: string | undefined;
  readonly id?: string | undefined;
  readonly bps: number | bigint;
  readonly bps_rd: number | bigint;
  readonly bps_wr: number | bigint;
  readonly iops: number | bigint;
  readonly iops_rd: number | bigint;
  readonly iops_wr: number | bigint;
  readonly bps_max?: number | bigint | undefined;
  readonly bps_rd_max?: number | bigint | undefined;
  readonly bps_wr_max?: number | bigint | undefined;
  readonly iops_max?: number | bigint | undefined;
  readonly iops_rd_max?: number | bigint | undefined;
  readonly iops_wr_max?: number | bigint | undefined;
  readonly bps_max_length?: number | bigint | undefined;
  readonly bps_rd_max_length?: number | bigint | undefined;
  readonly bps_wr_max_length?: number | bigint | undefined;
  readonly iops_max_length?: number | bigint | undefined;
  readonly iops_rd_max_length?: number | bigint | undefined;
  readonly iops_wr_max_length?: number | bigint | undefined;
  readonly iops_size?: number | bigint | undefined;
  readonly group?: string | undefined;
}

export interface BlockdevAddArgumentsBase {
  readonly 'node-name'?: string | undefined;
  readonly discard?: BlockdevAddArgumentsDiscard | undefined;
  readonly cache?: BlockdevAddArgumentsCache | undefined;
  readonly 'read-only'?: boolean | undefined;
  readonly 'auto-read-only'?: boolean | undefined;
  readonly 'force-share'?: boolean | undefined;
  readonly 'detect-zeroes'?: BlockdevAddArgumentsDetectZeroes | undefined;
}

export type BlockdevAddArguments = BlockdevAddArgumentsBase &
  (
    | ({ readonly driver: 'blkdebug' } & BlockdevAddArgumentsBlkdebug)
    | ({ readonly driver: 'blklogwrites' } & BlockdevAddArgumentsBlklogwrites)
    | ({ readonly driver: 'blkverify' } & BlockdevAddArgumentsBlkverify)
    | ({ readonly driver: 'blkreplay' } & BlockdevAddArgumentsBlkreplay)
    | ({ readonly driver: 'bochs' } & BlockdevAddArgumentsBochs)
    | ({ readonly driver: 'cloop' } & BlockdevAddArgumentsBochs)
    | ({ readonly driver: 'compress' } & BlockdevAddArgumentsBochs)
    | ({ readonly driver: 'copy-before-write' } & BlockdevAddArgumentsCopyBeforeWrite)
    | ({ readonly driver: 'copy-on-read' } & BlockdevAddArgumentsCopyOnRead)
    | ({ readonly driver: 'dmg' } & BlockdevAddArgumentsBochs)
    | ({ readonly driver: 'file' } & BlockdevAddArgumentsFile)
    | ({ readonly driver: 'ftp' } & BlockdevAddArgumentsFtp)
    | ({ readonly driver: 'ftps' } & BlockdevAddArgumentsFtps)
    | ({ readonly driver: 'gluster' } & BlockdevAddArgumentsGluster)
    | ({ readonly driver: 'host_cdrom' } & BlockdevAddArgumentsFile)
    | ({ readonly driver: 'host_device' } & BlockdevAddArgumentsFile)
    | ({ readonly driver: 'http' } & BlockdevAddArgumentsHttp)
    | ({ readonly driver: 'https' } & BlockdevAddArgumentsHttps)
    | ({ readonly driver: 'iscsi' } & BlockdevAddArgumentsIscsi)
    | ({ readonly driver: 'luks' } & BlockdevAddArgumentsLuks)
    | ({ readonly driver: 'nbd' } & BlockdevAddArgumentsNbd)
    | ({ readonly driver: 'nfs' } & BlockdevAddArgumentsNfs)
    | ({ readonly driver: 'null-aio' } & BlockdevAddArgumentsNullAio)
    | ({ readonly driver: 'null-co' } & BlockdevAddArgumentsNullAio)
    | ({ readonly driver: 'nvme' } & BlockdevAddArgumentsNvme)
    | ({ readonly driver: 'parallels' } & BlockdevAddArgumentsBochs)
    | ({ readonly driver: 'preallocate' } & BlockdevAddArgumentsPreallocate)
    | ({ readonly driver: 'qcow2' } & BlockdevAddArgumentsQcow2)
    | ({ readonly driver: 'qcow' } & BlockdevAddArgumentsQcow)
    | ({ readonly driver: 'qed' } & BlockdevAddArgumentsQed)
    | ({ readonly driver: 'quorum' } & BlockdevAddArgumentsQuorum)
    | ({ readonly driver: 'raw' } & BlockdevAddArgumentsRaw)
    | ({ readonly driver: 'rbd' } & BlockdevAddArgumentsRbd)
    | ({ readonly driver: 'replication' } & BlockdevAddArgumentsReplication)
    | ({ readonly driver: 'snapshot-access' } & BlockdevAddArgumentsBochs)
    | ({ readonly driver: 'ssh' } & BlockdevAddArgumentsSsh)
    | ({ readonly driver: 'throttle' } & BlockdevAddArgumentsThrottle)
    | ({ readonly driver: 'vdi' } & BlockdevAddArgumentsBochs)
    | ({ readonly driver: 'vhdx' } & BlockdevAddArgumentsBochs)
    | ({ readonly driver: 'vmdk' } & BlockdevAddArgumentsQed)
    | ({ readonly driver: 'vpc' } & BlockdevAddArgumentsBochs)
    | ({ readonly driver: 'vvfat' } & BlockdevAddArgumentsVvfat)
  );

export interface BlockdevAddArgumentsCache {
  readonly direct?: boolean | undefined;
  readonly 'no-flush'?: boolean | undefined;
}

export type BlockdevAddArgumentsDetectZeroes = 'off' | 'on' | 'unmap';

export type BlockdevAddArgumentsDiscard = 'ignore' | 'unmap';

export type BlockdevAddArgumentsDriver =
  | 'blkdebug'
  | 'blklogwrites'
  | 'blkreplay'
  | 'blkverify'
  | 'bochs'
  | 'cloop'
  | 'compress'
  | 'copy-before-write'
  | 'copy-on-read'
  | 'dmg'
  | 'file'
  | 'snapshot-access'
  | 'ftp'
  | 'ftps'
  | 'gluster'
  | 'host_cdrom'
  | 'host_device'
  | 'http'
  | 'https'
  | 'iscsi'
  | 'luks'
  | 'nbd'
  | 'nfs'
  | 'null-aio'
  | 'null-co'
  | 'nvme'
  | 'parallels'
  | 'preallocate'
  | 'qcow'
  | 'qcow2'
  | 'qed'
  | 'quorum'
  | 'raw'
  | 'rbd'
  | 'replication'
  | 'ssh'
  | 'throttle'
  | 'vdi'
  | 'vhdx'
  | 'vmdk'
  | 'vpc'
  | 'vvfat';

export interface BlockdevAddArgumentsBlkdebug {
  readonly image: BlockdevAddArgumentsBlkdebugImage;
  readonly config?: string | undefined;
  readonly align?: number | bigint | undefined;
  readonly 'max-transfer'?: number | bigint | undefined;
  readonly 'opt-write-zero'?: number | bigint | undefined;
  readonly 'max-write-zero'?: number | bigint | undefined;
  readonly 'opt-discard'?: number | bigint | undefined;
  readonly 'max-discard'?: number | bigint | undefined;
  readonly 'inject-error'?: readonly BlockdevAddArgumentsBlkdebugInjectError[] | undefined;
  readonly 'set-state'?: readonly BlockdevAddArgumentsBlkdebugSetState[] | undefined;
  readonly 'take-child-perms'?: readonly BlockdevAddArgumentsBlkdebugTakeChildPerms[] | undefined;
  readonly 'unshare-child-perms'?: readonly BlockdevAddArgumentsBlkdebugTakeChildPerms[] | undefined;
}

export interface BlockdevAddArgumentsBlklogwrites {
  readonly file: BlockdevAddArgumentsBlkdebugImage;
  readonly log: BlockdevAddArgumentsBlkdebugImage;
  readonly 'log-sector-size'?: number | bigint | undefined;
  readonly 'log-append'?: boolean | undefined;
  readonly 'log-super-update-interval'?: number | bigint | undefined;
}

export interface BlockdevAddArgumentsBlkverify {
  readonly test: BlockdevAddArgumentsBlkdebugImage;
  readonly raw: BlockdevAddArgumentsBlkdebugImage;
}

export interface BlockdevAddArgumentsBlkreplay {
  readonly image: BlockdevAddArgumentsBlkdebugImage;
}

export interface BlockdevAddArgumentsBochs {
  readonly file: BlockdevAddArgumentsBlkdebugImage;
}

export interface BlockdevAddArgumentsCopyBeforeWrite {
  readonly file: BlockdevAddArgumentsBlkdebugImage;
  readonly target: BlockdevAddArgumentsBlkdebugImage;
  readonly bitmap?: BlockDirtyBitmapClearArguments | undefined;
  readonly 'on-cbw-error'?: BlockdevAddArgumentsCopyBeforeWriteOnCbwError | undefined;
  readonly 'cbw-timeout'?: number | bigint | undefined;
}

export interface BlockdevAddArgumentsCopyOnRead {
  readonly file: BlockdevAddArgumentsBlkdebugImage;
  readonly bottom?: string | undefined;
}

export interface BlockdevAddArgumentsFile {
  readonly filename: string;
  readonly 'pr-manager'?: string | undefined;
  readonly locking?: BlockdevAddArgumentsFileLocking | undefined;
  readonly aio?: BlockdevAddArgumentsFileAio | undefined;
  readonly 'aio-max-batch'?: number | bigint | undefined;
  readonly 'drop-cache'?: boolean | undefined;
  /** @experimental */
  readonly 'x-check-cache-dropped'?: boolean | undefined;
}

export interface BlockdevAddArgumentsFtp {
  readonly url: string;
  readonly readahead?: number | bigint | undefined;
  readonly timeout?: number | bigint | undefined;
  readonly username?: string | undefined;
  readonly 'password-secret'?: string | undefined;
  readonly 'proxy-username'?: string | undefined;
  readonly 'proxy-password-secret'?: string | undefined;
}

export interface BlockdevAddArgumentsFtps {
  readonly url: string;
  readonly readahead?: number | bigint | undefined;
  readonly timeout?: number | bigint | undefined;
  readonly username?: string | undefined;
  readonly 'password-secret'?: string | undefined;
  readonly 'proxy-username'?: string | undefined;
  readonly 'proxy-password-secret'?: string | undefined;
  readonly sslverify?: boolean | undefined;
}

export interface BlockdevAddArgumentsGluster {
  readonly volume: string;
  readonly path: string;
  readonly server: readonly BlockExportAddArgumentsVhostUserBlkAddr[];
  readonly debug?: number | bigint | undefined;
  readonly logfile?: string | undefined;
}

export interface BlockdevAddArgumentsHttp {
  readonly url: string;
  readonly readahead?: number | bigint | undefined;
  readonly timeout?: number | bigint | undefined;
  readonly username?: string | undefined;
  readonly 'password-secret'?: string | undefined;
  readonly 'proxy-username'?: string | undefined;
  readonly 'proxy-password-secret'?: string | undefined;
  readonly cookie?: string | undefined;
  readonly 'cookie-secret'?: string | undefined;
}

export interface BlockdevAddArgumentsHttps {
  readonly url: string;
  readonly readahead?: number | bigint | undefined;
  readonly timeout?: number | bigint | undefined;
  readonly username?: string | undefined;
  readonly 'password-secret'?: string | undefined;
  readonly 'proxy-username'?: string | undefined;
  readonly 'proxy-password-secret'?: string | undefined;
  readonly cookie?: string | undefined;
  readonly sslverify?: boolean | undefined;
  readonly 'cookie-secret'?: string | undefined;
}

export interface BlockdevAddArgumentsIscsi {
  readonly transport: BlockdevAddArgumentsIscsiTransport;
  readonly portal: string;
  readonly target: string;
  readonly lun?: number | bigint | undefined;
  readonly user?: string | undefined;
  readonly 'password-secret'?: string | undefined;
  readonly 'initiator-name'?: string | undefined;
  readonly 'header-digest'?: BlockdevAddArgumentsIscsiHeaderDigest | undefined;
  readonly timeout?: number | bigint | undefined;
}

export interface BlockdevAddArgumentsLuks {
  readonly file: BlockdevAddArgumentsBlkdebugImage;
  readonly 'key-secret'?: string | undefined;
}

export interface BlockdevAddArgumentsNbd {
  readonly server: BlockExportAddArgumentsVhostUserBlkAddr;
  readonly export?: string | undefined;
  readonly 'tls-creds'?: string | undefined;
  readonly 'tls-hostname'?: string | undefined;
  /** @experimental */
  readonly 'x-dirty-bitmap'?: string | undefined;
  readonly 'reconnect-delay'?: number | bigint | undefined;
  readonly 'open-timeout'?: number | bigint | undefined;
}

export interface BlockdevAddArgumentsNfs {
  readonly server: BlockdevAddArgumentsNfsServer;
  readonly path: string;
  readonly user?: number | bigint | undefined;
  readonly group?: number | bigint | undefined;
  readonly 'tcp-syn-count'?: number | bigint | undefined;
  readonly 'readahead-size'?: number | bigint | undefined;
  readonly 'page-cache-size'?: number | bigint | undefined;
  readonly debug?: number | bigint | undefined;
}

export interface BlockdevAddArgumentsNullAio {
  readonly size?: number | bigint | undefined;
  readonly 'latency-ns'?: number | bigint | undefined;
  readonly 'read-zeroes'?: boolean | undefined;
}

export interface BlockdevAddArgumentsNvme {
  readonly device: string;
  readonly namespace: number | bigint;
}

export interface BlockdevAddArgumentsPreallocate {
  readonly file: BlockdevAddArgumentsBlkdebugImage;
  readonly 'prealloc-align'?: number | bigint | undefined;
  readonly 'prealloc-size'?: number | bigint | undefined;
}

export interface BlockdevAddArgumentsQcow2 {
  readonly file: BlockdevAddArgumentsBlkdebugImage;
  readonly backing?: BlockdevAddArgumentsQcow2Backing | undefined;
  readonly 'lazy-refcounts'?: boolean | undefined;
  readonly 'pass-discard-request'?: boolean | undefined;
  readonly 'pass-discard-snapshot'?: boolean | undefined;
  readonly 'pass-discard-other'?: boolean | undefined;
  readonly 'overlap-check'?: BlockdevAddArgumentsQcow2OverlapCheck | undefined;
  readonly 'cache-size'?: number | bigint | undefined;
  readonly 'l2-cache-size'?: number | bigint | undefined;
  readonly 'l2-cache-entry-size'?: number | bigint | undefined;
  readonly 'refcount-cache-size'?: number | bigint | undefined;
  readonly 'cache-clean-interval'?: number | bigint | undefined;
  readonly encrypt?: BlockdevAddArgumentsQcow2Encrypt | undefined;
  readonly 'data-file'?: BlockdevAddArgumentsBlkdebugImage | undefined;
}

export interface BlockdevAddArgumentsQcow {
  readonly file: BlockdevAddArgumentsBlkdebugImage;
  readonly backing?: BlockdevAddArgumentsQcow2Backing | undefined;
  readonly encrypt?: BlockdevAddArgumentsQcowEncrypt | undefined;
}

export interface BlockdevAddArgumentsQed {
  readonly file: BlockdevAddArgumentsBlkdebugImage;
  readonly backing?: BlockdevAddArgumentsQcow2Backing | undefined;
}

export interface BlockdevAddArgumentsQuorum {
  readonly blkverify?: boolean | undefined;
  readonly children: readonly BlockdevAddArgumentsBlkdebugImage[];
  readonly 'vote-threshold': number | bigint;
  readonly 'rewrite-corrupted'?: boolean | undefined;
  readonly 'read-pattern'?: BlockdevAddArgumentsQuorumReadPattern | undefined;
}

export interface BlockdevAddArgumentsRaw {
  readonly file: BlockdevAddArgumentsBlkdebugImage;
  readonly offset?: number | bigint | undefined;
  readonly size?: number | bigint | undefined;
}

export interface BlockdevAddArgumentsRbd {
  readonly pool: string;
  readonly namespace?: string | undefined;
  readonly image: string;
  readonly conf?: string | undefined;
  readonly snapshot?: string | undefined;
  readonly encrypt?: BlockdevAddArgumentsRbdEncrypt | undefined;
  readonly user?: string | undefined;
  readonly 'auth-client-required'?: readonly BlockdevAddArgumentsRbdAuthClientRequired[] | undefined;
  readonly 'key-secret'?: string | undefined;
  readonly server?: readonly BlockdevAddArgumentsRbdServer[] | undefined;
}

export interface BlockdevAddArgumentsReplication {
  readonly file: BlockdevAddArgumentsBlkdebugImage;
  readonly mode: BlockdevAddArgumentsReplicationMode;
  readonly 'top-id'?: string | undefined;
}

export interface BlockdevAddArgumentsSsh {
  readonly server: BlockExportAddArgumentsVhostUserBlkAddrInet;
  readonly path: string;
  readonly user?: string | undefined;
  readonly 'host-key-check'?: BlockdevAddArgumentsSshHostKeyCheck | undefined;
}

export interface BlockdevAddArgumentsThrottle {
  readonly 'throttle-group': string;
  readonly file: BlockdevAddArgumentsBlkdebugImage;
}

export interface BlockdevAddArgumentsVvfat {
  readonly dir: string;
  readonly 'fat-type'?: number | bigint | undefined;
  readonly floppy?: boolean | undefined;
  readonly label?: string | undefined;
  readonly rw?: boolean | undefined;
}

export type BlockdevAddArgumentsBlkdebugImage = BlockdevAddArguments | string;

export type BlockdevAddArgumentsCopyBeforeWriteOnCbwError = 'break-guest-write' | 'break-snapshot';

export type BlockdevAddArgumentsFileAio = 'threads' | 'native' | 'io_uring';

export type BlockdevAddArgumentsFileLocking = 'auto' | 'on' | 'off';

export type BlockdevAddArgumentsIscsiHeaderDigest = 'crc32c' | 'none' | 'crc32c-none' | 'none-crc32c';

export type BlockdevAddArgumentsIscsiTransport = 'tcp' | 'iser';

export interface BlockdevAddArgumentsNfsServer {
  readonly type: BlockdevAddArgumentsNfsServerType;
  readonly host: string;
}

export type BlockdevAddArgumentsQcow2Backing = BlockdevAddArguments | string | null;

export type BlockdevAddArgumentsQcow2Encrypt =
  | ({ readonly format: 'aes' } & BlockdevAddArgumentsQcow2EncryptAes)
  | ({ readonly format: 'luks' } & BlockdevAddArgumentsQcow2EncryptLuks);

export type BlockdevAddArgumentsQcow2OverlapCheck =
  | BlockdevAddArgumentsQcow2OverlapCheckObject
  | BlockdevAddArgumentsQcow2OverlapCheckEnum;

export type BlockdevAddArgumentsQcowEncrypt = { readonly format: 'aes' } & BlockdevAddArgumentsQcow2EncryptAes;

export type BlockdevAddArgumentsQuorumReadPattern = 'quorum' | 'fifo';

export type BlockdevAddArgumentsRbdEncrypt =
  | ({ readonly format: 'luks' } & BlockdevAddArgumentsRbdEncryptLuks)
  | ({ readonly format: 'luks2' } & BlockdevAddArgumentsRbdEncryptLuks2);

export type BlockdevAddArgumentsReplicationMode = 'primary' | 'secondary';

export type BlockdevAddArgumentsSshHostKeyCheck =
  | ({ readonly mode: 'hash' } & BlockdevAddArgumentsSshHostKeyCheckHash)
  | { readonly mode: 'none' }
  | { readonly mode: 'known_hosts' };

export interface BlockdevAddArgumentsBlkdebugInjectError {
  readonly event: BlockdevAddArgumentsBlkdebugInjectErrorEvent;
  readonly state?: number | bigint | undefined;
  readonly iotype?: BlockdevAddArgumentsBlkdebugInjectErrorIotype | undefined;
  readonly errno?: number | bigint | undefined;
  readonly sector?: number | bigint | undefined;
  readonly once?: boolean | undefined;
  readonly immediately?: boolean | undefined;
}

export interface BlockdevAddArgumentsBlkdebugSetState {
  readonly event: BlockdevAddArgumentsBlkdebugInjectErrorEvent;
  readonly state?: number | bigint | undefined;
  readonly new_state: number | bigint;
}

export type BlockdevAddArgumentsBlkdebugTakeChildPerms = 'consistent-read' | 'write' | 'write-unchanged' | 'resize';

export type BlockdevAddArgumentsNfsServerType = 'inet';

export type BlockdevAddArgumentsQcow2EncryptFormat = 'aes' | 'luks';

export interface BlockdevAddArgumentsQcow2EncryptAes {
  readonly 'key-secret'?: string | undefined;
}

export interface BlockdevAddArgumentsQcow2EncryptLuks {
  readonly 'key-secret'?: string | undefined;
}

export interface BlockdevAddArgumentsQcow2OverlapCheckObject {
  readonly template?: BlockdevAddArgumentsQcow2OverlapCheckEnum | undefined;
  readonly 'main-header'?: boolean | undefined;
  readonly 'active-l1'?: boolean | undefined;
  readonly 'active-l2'?: boolean | undefined;
  readonly 'refcount-table'?: boolean | undefined;
  readonly 'refcount-block'?: boolean | undefined;
  readonly 'snapshot-table'?: boolean | undefined;
  readonly 'inactive-l1'?: boolean | undefined;
  readonly 'inactive-l2'?: boolean | undefined;
  readonly 'bitmap-directory'?: boolean | undefined;
}

export type BlockdevAddArgumentsQcow2OverlapCheckEnum = 'none' | 'constant' | 'cached' | 'all';

export type BlockdevAddArgumentsQcowEncryptFormat = 'aes';

export type BlockdevAddArgumentsRbdAuthClientRequired = 'cephx' | 'none';

export type BlockdevAddArgumentsRbdEncryptFormat = 'luks' | 'luks2';

export interface BlockdevAddArgumentsRbdEncryptLuks {
  readonly 'key-secret': string;
}

export interface BlockdevAddArgumentsRbdEncryptLuks2 {
  readonly 'key-secret': string;
}

export interface BlockdevAddArgumentsRbdServer {
  readonly host: string;
  readonly port: string;
}

export type BlockdevAddArgumentsSshHostKeyCheckMode = 'none' | 'hash' | 'known_hosts';

export interface BlockdevAddArgumentsSshHostKeyCheckHash {
  readonly type: BlockdevAddArgumentsSshHostKeyCheckHashType;
  readonly hash: string;
}

export type BlockdevAddArgumentsBlkdebugInjectErrorEvent =
  | 'l1_update'
  | 'l1_grow_alloc_table'
  | 'l1_grow_write_table'
  | 'l1_grow_activate_table'
  | 'l2_load'
  | 'l2_update'
  | 'l2_update_compressed'
  | 'l2_alloc_cow_read'
  | 'l2_alloc_write'
  | 'read_aio'
  | 'read_backing_aio'
  | 'read_compressed'
  | 'write_aio'
  | 'write_compressed'
  | 'vmstate_load'
  | 'vmstate_save'
  | 'cow_read'
  | 'cow_write'
  | 'reftable_load'
  | 'reftable_grow'
  | 'reftable_update'
  | 'refblock_load'
  | 'refblock_update'
  | 'refblock_update_part'
  | 'refblock_alloc'
  | 'refblock_alloc_hookup'
  | 'refblock_alloc_write'
  | 'refblock_alloc_write_blocks'
  | 'refblock_alloc_write_table'
  | 'refblock_alloc_switch_table'
  | 'cluster_alloc'
  | 'cluster_alloc_bytes'
  | 'cluster_free'
  | 'flush_to_os'
  | 'flush_to_disk'
  | 'pwritev_rmw_head'
  | 'pwritev_rmw_after_head'
  | 'pwritev_rmw_tail'
  | 'pwritev_rmw_after_tail'
  | 'pwritev'
  | 'pwritev_zero'
  | 'pwritev_done'
  | 'empty_image_prepare'
  | 'l1_shrink_write_table'
  | 'l1_shrink_free_l2_clusters'
  | 'cor_write'
  | 'cluster_alloc_space'
  | 'none';

export type BlockdevAddArgumentsBlkdebugInjectErrorIotype =
  | 'read'
  | 'write'
  | 'write-zeroes'
  | 'discard'
  | 'flush'
  | 'block-status';

export type BlockdevAddArgumentsSshHostKeyCheckHashType = 'md5' | 'sha1' | 'sha256';

export interface BlockdevBackupArguments {
  readonly 'job-id'?: string | undefined;
  readonly device: string;
  readonly sync: BlockdevBackupArgumentsSync;
  readonly speed?: number | bigint | undefined;
  readonly bitmap?: string | undefined;
  readonly 'bitmap-mode'?: BlockdevBackupArgumentsBitmapMode | undefined;
  readonly compress?: boolean | undefined;
  readonly 'on-source-error'?: BlockCommitArgumentsOnError | undefined;
  readonly 'on-target-error'?: BlockCommitArgumentsOnError | undefined;
  readonly 'auto-finalize'?: boolean | undefined;
  readonly 'auto-dismiss'?: boolean | undefined;
  readonly 'filter-node-name'?: string | undefined;
  /** @experimental */
  readonly 'x-perf'?: BlockdevBackupArgumentsXPerf | undefined;
  readonly target: string;
}

export type BlockdevBackupArgumentsBitmapMode = 'on-success' | 'never' | 'always';

export type BlockdevBackupArgumentsSync = 'top' | 'full' | 'none' | 'incremental' | 'bitmap';

export interface BlockdevBackupArgumentsXPerf {
  readonly 'use-copy-range'?: boolean | undefined;
  readonly 'max-workers'?: number | bigint | undefined;
  readonly 'max-chunk'?: number | bigint | undefined;
}

export interface BlockdevChangeMediumArguments {
  /** @deprecated */
  readonly device?: string | undefined;
  readonly id?: string | undefined;
  readonly filename: string;
  readonly format?: string | undefined;
  readonly force?: boolean | undefined;
  readonly 'read-only-mode'?: BlockdevChangeMediumArgumentsReadOnlyMode | undefined;
}

export type BlockdevChangeMediumArgumentsReadOnlyMode = 'retain' | 'read-only' | 'read-write';

export interface BlockdevCloseTrayArguments {
  /** @deprecated */
  readonly device?: string | undefined;
  readonly id?: string | undefined;
}

export interface BlockdevCreateArguments {
  readonly 'job-id': string;
  readonly options: BlockdevCreateArgumentsOptions;
}

export type BlockdevCreateArgumentsOptions =
  | ({ readonly driver: 'file' } & BlockdevCreateArgumentsOptionsFile)
  | ({ readonly driver: 'gluster' } & BlockdevCreateArgumentsOptionsGluster)
  | ({ readonly driver: 'luks' } & BlockdevCreateArgumentsOptionsLuks)
  | ({ readonly driver: 'nfs' } & BlockdevCreateArgumentsOptionsNfs)
  | ({ readonly driver: 'parallels' } & BlockdevCreateArgumentsOptionsParallels)
  | ({ readonly driver: 'qcow' } & BlockdevCreateArgumentsOptionsQcow)
  | ({ readonly driver: 'qcow2' } & BlockdevCreateArgumentsOptionsQcow2)
  | ({ readonly driver: 'qed' } & BlockdevCreateArgumentsOptionsQed)
  | ({ readonly driver: 'rbd' } & BlockdevCreateArgumentsOptionsRbd)
  | ({ readonly driver: 'ssh' } & BlockdevCreateArgumentsOptionsSsh)
  | ({ readonly driver: 'vdi' } & BlockdevCreateArgumentsOptionsVdi)
  | ({ readonly driver: 'vhdx' } & BlockdevCreateArgumentsOptionsVhdx)
  | ({ readonly driver: 'vmdk' } & BlockdevCreateArgumentsOptionsVmdk)
  | ({ readonly driver: 'vpc' } & BlockdevCreateArgumentsOptionsVpc)
  | { readonly driver: 'blkdebug' }
  | { readonly driver: 'blklogwrites' }
  | { readonly driver: 'blkreplay' }
  | { readonly driver: 'blkverify' }
  | { readonly driver: 'bochs' }
  | { readonly driver: 'cloop' }
  | { readonly driver: 'compress' }
  | { readonly driver: 'copy-before-write' }
  | { readonly driver: 'copy-on-read' }
  | { readonly driver: 'dmg' }
  | { readonly driver: 'snapshot-access' }
  | { readonly driver: 'ftp' }
  | { readonly driver: 'ftps' }
  | { readonly driver: 'host_cdrom' }
  | { readonly driver: 'host_device' }
  | { readonly driver: 'http' }
  | { readonly driver: 'https' }
  | { readonly driver: 'iscsi' }
  | { readonly driver: 'nbd' }
  | { readonly driver: 'null-aio' }
  | { readonly driver: 'null-co' }
  | { readonly driver: 'nvme' }
  | { readonly driver: 'preallocate' }
  | { readonly driver: 'quorum' }
  | { readonly driver: 'raw' }
  | { readonly driver: 'replication' }
  | { readonly driver: 'throttle' }
  | { readonly driver: 'vvfat' };

export interface BlockdevCreateArgumentsOptionsFile {
  readonly filename: string;
  readonly size: number | bigint;
  readonly preallocation?: BlockdevCreateArgumentsOptionsFilePreallocation | undefined;
  readonly nocow?: boolean | undefined;
  readonly 'extent-size-hint'?: number | bigint | undefined;
}

export interface BlockdevCreateArgumentsOptionsGluster {
  readonly location: BlockdevAddArgumentsGluster;
  readonly size: number | bigint;
  readonly preallocation?: BlockdevCreateArgumentsOptionsFilePreallocation | undefined;
}

export interface BlockdevCreateArgumentsOptionsLuks {
  readonly 'key-secret'?: string | undefined;
  readonly 'cipher-alg'?: BlockdevCreateArgumentsOptionsLuksCipherAlg | undefined;
  readonly 'cipher-mode'?: BlockdevCreateArgumentsOptionsLuksCipherMode | undefined;
  readonly 'ivgen-alg'?: BlockdevCreateArgumentsOptionsLuksIvgenAlg | undefined;
  readonly 'ivgen-hash-alg'?: BlockdevCreateArgumentsOptionsLuksHashAlg | undefined;
  readonly 'hash-alg'?: BlockdevCreateArgumentsOptionsLuksHashAlg | undefined;
  readonly 'iter-time'?: number | bigint | undefined;
  readonly file: BlockdevAddArgumentsBlkdebugImage;
  readonly size: number | bigint;
  readonly preallocation?: BlockdevCreateArgumentsOptionsFilePreallocation | undefined;
}

export interface BlockdevCreateArgumentsOptionsNfs {
  readonly location: BlockdevAddArgumentsNfs;
  readonly size: number | bigint;
}

export interface BlockdevCreateArgumentsOptionsParallels {
  readonly file: BlockdevAddArgumentsBlkdebugImage;
  readonly size: number | bigint;
  readonly 'cluster-size'?: number | bigint | undefined;
}

export interface BlockdevCreateArgumentsOptionsQcow {
  readonly file: BlockdevAddArgumentsBlkdebugImage;
  readonly size: number | bigint;
  readonly 'backing-file'?: string | undefined;
  readonly encrypt?: BlockdevCreateArgumentsOptionsQcowEncrypt | undefined;
}

export interface BlockdevCreateArgumentsOptionsQcow2 {
  readonly file: BlockdevAddArgumentsBlkdebugImage;
  readonly 'data-file'?: BlockdevAddArgumentsBlkdebugImage | undefined;
  readonly 'data-file-raw'?: boolean | undefined;
  readonly 'extended-l2'?: boolean | undefined;
  readonly size: number | bigint;
  readonly version?: BlockdevCreateArgumentsOptionsQcow2Version | undefined;
  readonly 'backing-file'?: string | undefined;
  readonly 'backing-fmt'?: BlockdevAddArgumentsDriver | undefined;
  readonly encrypt?: BlockdevCreateArgumentsOptionsQcowEncrypt | undefined;
  readonly 'cluster-size'?: number | bigint | undefined;
  readonly preallocation?: BlockdevCreateArgumentsOptionsFilePreallocation | undefined;
  readonly 'lazy-refcounts'?: boolean | undefined;
  readonly 'refcount-bits'?: number | bigint | undefined;
  readonly 'compression-type'?: BlockdevCreateArgumentsOptionsQcow2CompressionType | undefined;
}

export interface BlockdevCreateArgumentsOptionsQed {
  readonly file: BlockdevAddArgumentsBlkdebugImage;
  readonly size: number | bigint;
  readonly 'backing-file'?: string | undefined;
  readonly 'backing-fmt'?: BlockdevAddArgumentsDriver | undefined;
  readonly 'cluster-size'?: number | bigint | undefined;
  readonly 'table-size'?: number | bigint | undefined;
}

export interface BlockdevCreateArgumentsOptionsRbd {
  readonly location: BlockdevAddArgumentsRbd;
  readonly size: number | bigint;
  readonly 'cluster-size'?: number | bigint | undefined;
  readonly encrypt?: BlockdevCreateArgumentsOptionsRbdEncrypt | undefined;
}

export interface BlockdevCreateArgumentsOptionsSsh {
  readonly location: BlockdevAddArgumentsSsh;
  readonly size: number | bigint;
}

export interface BlockdevCreateArgumentsOptionsVdi {
  readonly file: BlockdevAddArgumentsBlkdebugImage;
  readonly size: number | bigint;
  readonly preallocation?: BlockdevCreateArgumentsOptionsFilePreallocation | undefined;
}

export interface BlockdevCreateArgumentsOptionsVhdx {
  readonly file: BlockdevAddArgumentsBlkdebugImage;
  readonly size: number | bigint;
  readonly 'log-size'?: number | bigint | undefined;
  readonly 'block-size'?: number | bigint | undefined;
  readonly subformat?: BlockdevCreateArgumentsOptionsVhdxSubformat | undefined;
  readonly 'block-state-zero'?: boolean | undefined;
}

export interface BlockdevCreateArgumentsOptionsVmdk {
  readonly file: BlockdevAddArgumentsBlkdebugImage;
  readonly size: number | bigint;
  readonly extents?: readonly BlockdevAddArgumentsBlkdebugImage[] | undefined;
  readonly subformat?: BlockdevCreateArgumentsOptionsVmdkSubformat | undefined;
  readonly 'backing-file'?: string | undefined;
  readonly 'adapter-type'?: BlockdevCreateArgumentsOptionsVmdkAdapterType | undefined;
  readonly hwversion?: string | undefined;
  readonly toolsversion?: string | undefined;
  readonly 'zeroed-grain'?: boolean | undefined;
}

export interface BlockdevCreateArgumentsOptionsVpc {
  readonly file: BlockdevAddArgumentsBlkdebugImage;
  readonly size: number | bigint;
  readonly subformat?: BlockdevCreateArgumentsOptionsVpcSubformat | undefined;
  readonly 'force-size'?: boolean | undefined;
}

export type BlockdevCreateArgumentsOptionsFilePreallocation = 'off' | 'metadata' | 'falloc' | 'full';

export type BlockdevCreateArgumentsOptionsLuksCipherAlg =
  | 'aes-128'
  | 'aes-192'
  | 'aes-256'
  | 'des'
  | '3des'
  | 'cast5-128'
  | 'serpent-128'
  | 'serpent-192'
  | 'serpent-256'
  | 'twofish-128'
  | 'twofish-192'
  | 'twofish-256';

export type BlockdevCreateArgumentsOptionsLuksCipherMode = 'ecb' | 'cbc' | 'xts' | 'ctr';

export type BlockdevCreateArgumentsOptionsLuksHashAlg =
  | 'md5'
  | 'sha1'
  | 'sha224'
  | 'sha256'
  | 'sha384'
  | 'sha512'
  | 'ripemd160';

export type BlockdevCreateArgumentsOptionsLuksIvgenAlg = 'plain' | 'plain64' | 'essiv';

export type BlockdevCreateArgumentsOptionsQcowEncrypt =
  | ({ readonly format: 'qcow' } & BlockdevAddArgumentsQcow2EncryptAes)
  | ({ readonly format: 'luks' } & BlockdevCreateArgumentsOptionsQcowEncryptLuks);

export type BlockdevCreateArgumentsOptionsQcow2CompressionType = 'zlib' | 'zstd';

export type BlockdevCreateArgumentsOptionsQcow2Version = 'v2' | 'v3';

export type BlockdevCreateArgumentsOptionsRbdEncrypt =
  | ({ readonly format: 'luks' } & BlockdevCreateArgumentsOptionsRbdEncryptLuks)
  | ({ readonly format: 'luks2' } & BlockdevCreateArgumentsOptionsRbdEncryptLuks2);

export type BlockdevCreateArgumentsOptionsVhdxSubformat = 'dynamic' | 'fixed';

export type BlockdevCreateArgumentsOptionsVmdkAdapterType = 'ide' | 'buslogic' | 'lsilogic' | 'legacyESX';

export type BlockdevCreateArgumentsOptionsVmdkSubformat =
  | 'monolithicSparse'
  | 'monolithicFlat'
  | 'twoGbMaxExtentSparse'
  | 'twoGbMaxExtentFlat'
  | 'streamOptimized';

export type BlockdevCreateArgumentsOptionsVpcSubformat = 'dynamic' | 'fixed';

export type BlockdevCreateArgumentsOptionsQcowEncryptFormat = 'qcow' | 'luks';

export interface BlockdevCreateArgumentsOptionsQcowEncryptLuks {
  readonly 'key-secret'?: string | undefined;
  readonly 'cipher-alg'?: BlockdevCreateArgumentsOptionsLuksCipherAlg | undefined;
  readonly 'cipher-mode'?: BlockdevCreateArgumentsOptionsLuksCipherMode | undefined;
  readonly 'ivgen-alg'?: BlockdevCreateArgumentsOptionsLuksIvgenAlg | undefined;
  readonly 'ivgen-hash-alg'?: BlockdevCreateArgumentsOptionsLuksHashAlg | undefined;
  readonly 'hash-alg'?: BlockdevCreateArgumentsOptionsLuksHashAlg | undefined;
  readonly 'iter-time'?: number | bigint | undefined;
}

export interface BlockdevCreateArgumentsOptionsRbdEncryptLuks {
  readonly 'key-secret': string;
  readonly 'cipher-alg'?: BlockdevCreateArgumentsOptionsLuksCipherAlg | undefined;
}

export interface BlockdevCreateArgumentsOptionsRbdEncryptLuks2 {
  readonly 'key-secret': string;
  readonly 'cipher-alg'?: BlockdevCreateArgumentsOptionsLuksCipherAlg | undefined;
}

export interface BlockdevDelArguments {
  readonly 'node-name': string;
}

export interface BlockdevInsertMediumArguments {
  readonly id: string;
  readonly 'node-name': string;
}

export interface BlockdevMirrorArguments {
  readonly 'job-id'?: string | undefined;
  readonly device: string;
  readonly target: string;
  readonly replaces?: string | undefined;
  readonly sync: BlockdevBackupArgumentsSync;
  readonly speed?: number | bigint | undefined;
  readonly granularity?: number | bigint | undefined;
  readonly 'buf-size'?: number | bigint | undefined;
  readonly 'on-source-error'?: BlockCommitArgumentsOnError | undefined;
  readonly 'on-target-error'?: BlockCommitArgumentsOnError | undefined;
  readonly 'filter-node-name'?: string | undefined;
  readonly 'copy-mode'?: BlockdevMirrorArgumentsCopyMode | undefined;
  readonly 'auto-finalize'?: boolean | undefined;
  readonly 'auto-dismiss'?: boolean | undefined;
}

export type BlockdevMirrorArgumentsCopyMode = 'background' | 'write-blocking';

export interface BlockdevOpenTrayArguments {
  /** @deprecated */
  readonly device?: string | undefined;
  readonly id?: string | undefined;
  readonly force?: boolean | undefined;
}

export interface BlockdevRemoveMediumArguments {
  readonly id: string;
}

export interface BlockdevReopenArguments {
  readonly options: readonly BlockdevAddArguments[];
}

export interface BlockdevSnapshotArguments {
  readonly node: string;
  readonly overlay: string;
}

export interface BlockdevSnapshotDeleteInternalSyncArguments {
  readonly device: string;
  readonly id?: string | undefined;
  readonly name?: string | undefined;
}

export interface BlockdevSnapshotDeleteInternalSyncResult {
  readonly id: string;
  readonly name: string;
  readonly 'vm-state-size': number;
  readonly 'date-sec': number;
  readonly 'date-nsec': number;
  readonly 'vm-clock-sec': number;
  readonly 'vm-clock-nsec': number;
  readonly icount?: number;
}

export interface BlockdevSnapshotInternalSyncArguments {
  readonly device: string;
  readonly name: string;
}

export interface BlockdevSnapshotSyncArguments {
  readonly device?: string | undefined;
  readonly 'node-name'?: string | undefined;
  readonly 'snapshot-file': string;
  readonly 'snapshot-node-name'?: string | undefined;
  readonly format?: string | undefined;
  readonly mode?: BlockdevSnapshotSyncArgumentsMode | undefined;
}

export type BlockdevSnapshotSyncArgumentsMode = 'existing' | 'absolute-paths';

export interface CalcDirtyRateArguments {
  readonly 'calc-time': number | bigint;
  readonly 'sample-pages'?: number | bigint | undefined;
  readonly mode?: CalcDirtyRateArgumentsMode | undefined;
}

export type CalcDirtyRateArgumentsMode = 'page-sampling' | 'dirty-ring' | 'dirty-bitmap';

export interface CancelVcpuDirtyLimitArguments {
  readonly 'cpu-index'?: number | bigint | undefined;
}

export interface ChangeBackingFileArguments {
  readonly device: string;
  readonly 'image-node-name': string;
  readonly 'backing-file': string;
}

export interface ChangeVncPasswordArguments {
  readonly password: string;
}

export interface ChardevAddArguments {
  readonly id: string;
  readonly backend: ChardevAddArgumentsBackend;
}

export type ChardevAddArgumentsBackend =
  | ({ readonly type: 'file' } & ChardevAddArgumentsBackendFile)
  | ({ readonly type: 'serial' } & ChardevAddArgumentsBackendSerial)
  | ({ readonly type: 'parallel' } & ChardevAddArgumentsBackendSerial)
  | ({ readonly type: 'pipe' } & ChardevAddArgumentsBackendSerial)
  | ({ readonly type: 'socket' } & ChardevAddArgumentsBackendSocket)
  | ({ readonly type: 'udp' } & ChardevAddArgumentsBackendUdp)
  | ({ readonly type: 'pty' } & ChardevAddArgumentsBackendPty)
  | ({ readonly type: 'null' } & ChardevAddArgumentsBackendPty)
  | ({ readonly type: 'mux' } & ChardevAddArgumentsBackendMux)
  | ({ readonly type: 'msmouse' } & ChardevAddArgumentsBackendPty)
  | ({ readonly type: 'wctablet' } & ChardevAddArgumentsBackendPty)
  | ({ readonly type: 'braille' } & ChardevAddArgumentsBackendPty)
  | ({ readonly type: 'testdev' } & ChardevAddArgumentsBackendPty)
  | ({ readonly type: 'stdio' } & ChardevAddArgumentsBackendStdio)
  | ({ readonly type: 'console' } & ChardevAddArgumentsBackendPty)
  | ({ readonly type: 'spicevmc' } & ChardevAddArgumentsBackendSpicevmc)
  | ({ readonly type: 'spiceport' } & ChardevAddArgumentsBackendSpiceport)
  | ({ readonly type: 'qemu-vdagent' } & ChardevAddArgumentsBackendQemuVdagent)
  | ({ readonly type: 'dbus' } & ChardevAddArgumentsBackendDbus)
  | ({ readonly type: 'vc' } & ChardevAddArgumentsBackendVc)
  | ({ readonly type: 'ringbuf' } & ChardevAddArgumentsBackendRingbuf)
  | ({ readonly type: 'memory' } & ChardevAddArgumentsBackendRingbuf);

export type ChardevAddArgumentsBackendType =
  | 'file'
  | 'serial'
  | 'parallel'
  | 'pipe'
  | 'socket'
  | 'udp'
  | 'pty'
  | 'null'
  | 'mux'
  | 'msmouse'
  | 'wctablet'
  | 'braille'
  | 'testdev'
  | 'stdio'
  | 'console'
  | 'spicevmc'
  | 'spiceport'
  | 'qemu-vdagent'
  | 'dbus'
  | 'vc'
  | 'ringbuf'
  | 'memory';

export interface ChardevAddArgumentsBackendFile {
  readonly data: ChardevAddArgumentsBackendFileData;
}

export interface ChardevAddArgumentsBackendSerial {
  readonly data: ChardevAddArgumentsBackendSerialData;
}

export interface ChardevAddArgumentsBackendSocket {
  readonly data: ChardevAddArgumentsBackendSocketData;
}

export interface ChardevAddArgumentsBackendUdp {
  readonly data: ChardevAddArgumentsBackendUdpData;
}

export interface ChardevAddArgumentsBackendPty {
  readonly data: ChardevAddArgumentsBackendPtyData;
}

export interface ChardevAddArgumentsBackendMux {
  readonly data: ChardevAddArgumentsBackendMuxData;
}

export interface ChardevAddArgumentsBackendStdio {
  readonly data: ChardevAddArgumentsBackendStdioData;
}

export interface ChardevAddArgumentsBackendSpicevmc {
  readonly data: ChardevAddArgumentsBackendSpicevmcData;
}

export interface ChardevAddArgumentsBackendSpiceport {
  readonly data: ChardevAddArgumentsBackendSpiceportData;
}

export interface ChardevAddArgumentsBackendQemuVdagent {
  readonly data: ChardevAddArgumentsBackendQemuVdagentData;
}

export interface ChardevAddArgumentsBackendDbus {
  readonly data: ChardevAddArgumentsBackendDbusData;
}

export interface ChardevAddArgumentsBackendVc {
  readonly data: ChardevAddArgumentsBackendVcData;
}

export interface ChardevAddArgumentsBackendRingbuf {
  readonly data: ChardevAddArgumentsBackendRingbufData;
}

export interface ChardevAddArgumentsBackendFileData {
  readonly logfile?: string | undefined;
  readonly logappend?: boolean | undefined;
  readonly in?: string | undefined;
  readonly out: string;
  readonly append?: boolean | undefined;
}

export interface ChardevAddArgumentsBackendSerialData {
  readonly logfile?: string | undefined;
  readonly logappend?: boolean | undefined;
  readonly device: string;
}

export interface ChardevAddArgumentsBackendSocketData {
  readonly logfile?: string | undefined;
  readonly logappend?: boolean | undefined;
  readonly addr: ChardevAddArgumentsBackendSocketDataAddr;
  readonly 'tls-creds'?: string | undefined;
  readonly 'tls-authz'?: string | undefined;
  readonly server?: boolean | undefined;
  readonly wait?: boolean | undefined;
  readonly nodelay?: boolean | undefined;
  readonly telnet?: boolean | undefined;
  readonly tn3270?: boolean | undefined;
  readonly websocket?: boolean | undefined;
  readonly reconnect?: number | bigint | undefined;
}

export interface ChardevAddArgumentsBackendUdpData {
  readonly logfile?: string | undefined;
  readonly logappend?: boolean | undefined;
  readonly remote: ChardevAddArgumentsBackendSocketDataAddr;
  readonly local?: ChardevAddArgumentsBackendSocketDataAddr | undefined;
}

export interface ChardevAddArgumentsBackendPtyData {
  readonly logfile?: string | undefined;
  readonly logappend?: boolean | undefined;
}

export interface ChardevAddArgumentsBackendMuxData {
  readonly logfile?: string | undefined;
  readonly logappend?: boolean | undefined;
  readonly chardev: string;
}

export interface ChardevAddArgumentsBackendStdioData {
  readonly logfile?: string | undefined;
  readonly logappend?: boolean | undefined;
  readonly signal?: boolean | undefined;
}

export interface ChardevAddArgumentsBackendSpicevmcData {
  readonly logfile?: string | undefined;
  readonly logappend?: boolean | undefined;
  readonly type: string;
}

export interface ChardevAddArgumentsBackendSpiceportData {
  readonly logfile?: string | undefined;
  readonly logappend?: boolean | undefined;
  readonly fqdn: string;
}

export interface ChardevAddArgumentsBackendQemuVdagentData {
  readonly logfile?: string | undefined;
  readonly logappend?: boolean | undefined;
  readonly mouse?: boolean | undefined;
  readonly clipboard?: boolean | undefined;
}

export interface ChardevAddArgumentsBackendDbusData {
  readonly logfile?: string | undefined;
  readonly logappend?: boolean | undefined;
  readonly name: string;
}

export interface ChardevAddArgumentsBackendVcData {
  readonly logfile?: string | undefined;
  readonly logappend?: boolean | undefined;
  readonly width?: number | bigint | undefined;
  readonly height?: number | bigint | undefined;
  readonly cols?: number | bigint | undefined;
  readonly rows?: number | bigint | undefined;
}

export interface ChardevAddArgumentsBackendRingbufData {
  readonly logfile?: string | undefined;
  readonly logappend?: boolean | undefined;
  readonly size?: number | bigint | undefined;
}

export type ChardevAddArgumentsBackendSocketDataAddr =
  | ({ readonly type: 'inet' } & ChardevAddArgumentsBackendSocketDataAddrInet)
  | ({ readonly type: 'unix' } & ChardevAddArgumentsBackendSocketDataAddrUnix)
  | ({ readonly type: 'vsock' } & ChardevAddArgumentsBackendSocketDataAddrVsock)
  | ({ readonly type: 'fd' } & ChardevAddArgumentsBackendSocketDataAddrFd);

export interface ChardevAddArgumentsBackendSocketDataAddrInet {
  readonly data: BlockExportAddArgumentsVhostUserBlkAddrInet;
}

export interface ChardevAddArgumentsBackendSocketDataAddrUnix {
  readonly data: BlockExportAddArgumentsVhostUserBlkAddrUnix;
}

export interface ChardevAddArgumentsBackendSocketDataAddrVsock {
  readonly data: BlockExportAddArgumentsVhostUserBlkAddrVsock;
}

export interface ChardevAddArgumentsBackendSocketDataAddrFd {
  readonly data: BlockExportAddArgumentsVhostUserBlkAddrFd;
}

export interface ChardevAddResult {
  readonly pty?: string;
}

export interface ChardevChangeArguments {
  readonly id: string;
  readonly backend: ChardevAddArgumentsBackend;
}

export interface ChardevRemoveArguments {
  readonly id: string;
}

export interface ChardevSendBreakArguments {
  readonly id: string;
}

export interface ClientMigrateInfoArguments {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number | bigint | undefined;
  readonly 'tls-port'?: number | bigint | undefined;
  readonly 'cert-subject'?: string | undefined;
}

export interface ClosefdArguments {
  readonly fdname: string;
}

export interface DeviceListPropertiesArguments {
  readonly typename: string;
}

export interface DeviceListPropertiesResult {
  readonly name: string;
  readonly type: string;
  readonly description?: string;
  readonly 'default-value'?: unknown;
}

export interface DeviceAddArguments {
  readonly driver: string;
  readonly bus?: string | undefined;
  readonly id?: string | undefined;
}

export interface DeviceDelArguments {
  readonly id: string;
}

export type DisplayReloadArguments = { readonly type: 'vnc' } & DisplayReloadArgumentsVnc;

export type DisplayReloadArgumentsType = 'vnc';

export interface DisplayReloadArgumentsVnc {
  readonly 'tls-certs'?: boolean | undefined;
}

export type DisplayUpdateArguments = { readonly type: 'vnc' } & DisplayUpdateArgumentsVnc;

export type DisplayUpdateArgumentsType = 'vnc';

export interface DisplayUpdateArgumentsVnc {
  readonly addresses?: readonly BlockExportAddArgumentsVhostUserBlkAddr[] | undefined;
}

export interface DriveBackupArguments {
  readonly 'job-id'?: string | undefined;
  readonly device: string;
  readonly sync: BlockdevBackupArgumentsSync;
  readonly speed?: number | bigint | undefined;
  readonly bitmap?: string | undefined;
  readonly 'bitmap-mode'?: BlockdevBackupArgumentsBitmapMode | undefined;
  readonly compress?: boolean | undefined;
  readonly 'on-source-error'?: BlockCommitArgumentsOnError | undefined;
  readonly 'on-target-error'?: BlockCommitArgumentsOnError | undefined;
  readonly 'auto-finalize'?: boolean | undefined;
  readonly 'auto-dismiss'?: boolean | undefined;
  readonly 'filter-node-name'?: string | undefined;
  /** @experimental */
  readonly 'x-perf'?: BlockdevBackupArgumentsXPerf | undefined;
  readonly target: string;
  readonly format?: string | undefined;
  readonly mode?: BlockdevSnapshotSyncArgumentsMode | undefined;
}

export interface DriveMirrorArguments {
  readonly 'job-id'?: string | undefined;
  readonly device: string;
  readonly target: string;
  readonly format?: string | undefined;
  readonly 'node-name'?: string | undefined;
  readonly replaces?: string | undefined;
  readonly sync: BlockdevBackupArgumentsSync;
  readonly mode?: BlockdevSnapshotSyncArgumentsMode | undefined;
  readonly speed?: number | bigint | undefined;
  readonly granularity?: number | bigint | undefined;
  readonly 'buf-size'?: number | bigint | undefined;
  readonly 'on-source-error'?: BlockCommitArgumentsOnError | undefined;
  readonly 'on-target-error'?: BlockCommitArgumentsOnError | undefined;
  readonly unmap?: boolean | undefined;
  readonly 'copy-mode'?: BlockdevMirrorArgumentsCopyMode | undefined;
  readonly 'auto-finalize'?: boolean | undefined;
  readonly 'auto-dismiss'?: boolean | undefined;
}

export interface DumpGuestMemoryArguments {
  readonly paging: boolean;
  readonly protocol: string;
  readonly detach?: boolean | undefined;
  readonly begin?: number | bigint | undefined;
  readonly length?: number | bigint | undefined;
  readonly format?: DumpGuestMemoryArgumentsFormat | undefined;
}

export type DumpGuestMemoryArgumentsFormat = 'elf' | 'kdump-zlib' | 'kdump-lzo' | 'kdump-snappy' | 'win-dmp';

export interface DumpdtbArguments {
  readonly filename: string;
}

export interface EjectArguments {
  /** @deprecated */
  readonly device?: string | undefined;
  readonly id?: string | undefined;
  readonly force?: boolean | undefined;
}

export interface ExpirePasswordArgumentsBase {
  readonly time: string;
}

export type ExpirePasswordArguments = ExpirePasswordArgumentsBase &
  (({ readonly protocol: 'vnc' } & ExpirePasswordArgumentsVnc) | { readonly protocol: 'spice' });

export type ExpirePasswordArgumentsProtocol = 'vnc' | 'spice';

export interface ExpirePasswordArgumentsVnc {
  readonly display?: string | undefined;
}

export interface GetfdArguments {
  readonly fdname: string;
}

export interface HumanMonitorCommandArguments {
  readonly 'command-line': string;
  readonly 'cpu-index'?: number | bigint | undefined;
}

export interface InputSendEventArguments {
  readonly device?: string | undefined;
  readonly head?: number | bigint | undefined;
  readonly events: readonly InputSendEventArgumentsEvents[];
}

export type InputSendEventArgumentsEvents =
  | ({ readonly type: 'key' } & InputSendEventArgumentsEventsKey)
  | ({ readonly type: 'btn' } & InputSendEventArgumentsEventsBtn)
  | ({ readonly type: 'rel' } & InputSendEventArgumentsEventsRel)
  | ({ readonly type: 'abs' } & InputSendEventArgumentsEventsRel);

export type InputSendEventArgumentsEventsType = 'key' | 'btn' | 'rel' | 'abs';

export interface InputSendEventArgumentsEventsKey {
  readonly data: InputSendEventArgumentsEventsKeyData;
}

export interface InputSendEventArgumentsEventsBtn {
  readonly data: InputSendEventArgumentsEventsBtnData;
}

export interface InputSendEventArgumentsEventsRel {
  readonly data: InputSendEventArgumentsEventsRelData;
}

export interface InputSendEventArgumentsEventsKeyData {
  readonly key: InputSendEventArgumentsEventsKeyDataKey;
  readonly down: boolean;
}

export interface InputSendEventArgumentsEventsBtnData {
  readonly button: InputSendEventArgumentsEventsBtnDataButton;
  readonly down: boolean;
}

export interface InputSendEventArgumentsEventsRelData {
  readonly axis: InputSendEventArgumentsEventsRelDataAxis;
  readonly value: number | bigint;
}

export type InputSendEventArgumentsEventsKeyDataKey =
  | ({ readonly type: 'number' } & InputSendEventArgumentsEventsKeyDataKeyNumber)
  | ({ readonly type: 'qcode' } & InputSendEventArgumentsEventsKeyDataKeyQcode);

export type InputSendEventArgumentsEventsBtnDataButton =
  | 'left'
  | 'middle'
  | 'right'
  | 'wheel-up'
  | 'wheel-down'
  | 'side'
  | 'extra'
  | 'wheel-left'
  | 'wheel-right';

export type InputSendEventArgumentsEventsRelDataAxis = 'x' | 'y';

export type InputSendEventArgumentsEventsKeyDataKeyType = 'number' | 'qcode';

export interface InputSendEventArgumentsEventsKeyDataKeyNumber {
  readonly data: number | bigint;
}

export interface InputSendEventArgumentsEventsKeyDataKeyQcode {
  readonly data: InputSendEventArgumentsEventsKeyDataKeyQcodeData;
}

export type InputSendEventArgumentsEventsKeyDataKeyQcodeData =
  | 'unmapped'
  | 'shift'
  | 'shift_r'
  | 'alt'
  | 'alt_r'
  | 'ctrl'
  | 'ctrl_r'
  | 'menu'
  | 'esc'
  | '1'
  | '2'
  | '3'
  | '4'
  | '5'
  | '6'
  | '7'
  | '8'
  | '9'
  | '0'
  | 'minus'
  | 'equal'
  | 'backspace'
  | 'tab'
  | 'q'
  | 'w'
  | 'e'
  | 'r'
  | 't'
  | 'y'
  | 'u'
  | 'i'
  | 'o'
  | 'p'
  | 'bracket_left'
  | 'bracket_right'
  | 'ret'
  | 'a'
  | 's'
  | 'd'
  | 'f'
  | 'g'
  | 'h'
  | 'j'
  | 'k'
  | 'l'
  | 'semicolon'
  | 'apostrophe'
  | 'grave_accent'
  | 'backslash'
  | 'z'
  | 'x'
  | 'c'
  | 'v'
  | 'b'
  | 'n'
  | 'm'
  | 'comma'
  | 'dot'
  | 'slash'
  | 'asterisk'
  | 'spc'
  | 'caps_lock'
  | 'f1'
  | 'f2'
  | 'f3'
  | 'f4'
  | 'f5'
  | 'f6'
  | 'f7'
  | 'f8'
  | 'f9'
  | 'f10'
  | 'num_lock'
  | 'scroll_lock'
  | 'kp_divide'
  | 'kp_multiply'
  | 'kp_subtract'
  | 'kp_add'
  | 'kp_enter'
  | 'kp_decimal'
  | 'sysrq'
  | 'kp_0'
  | 'kp_1'
  | 'kp_2'
  | 'kp_3'
  | 'kp_4'
  | 'kp_5'
  | 'kp_6'
  | 'kp_7'
  | 'kp_8'
  | 'kp_9'
  | 'less'
  | 'f11'
  | 'f12'
  | 'print'
  | 'home'
  | 'pgup'
  | 'pgdn'
  | 'end'
  | 'left'
  | 'up'
  | 'down'
  | 'right'
  | 'insert'
  | 'delete'
  | 'stop'
  | 'again'
  | 'props'
  | 'undo'
  | 'front'
  | 'copy'
  | 'open'
  | 'paste'
  | 'find'
  | 'cut'
  | 'lf'
  | 'help'
  | 'meta_l'
  | 'meta_r'
  | 'compose'
  | 'pause'
  | 'ro'
  | 'hiragana'
  | 'henkan'
  | 'yen'
  | 'muhenkan'
  | 'katakanahiragana'
  | 'kp_comma'
  | 'kp_equals'
  | 'power'
  | 'sleep'
  | 'wake'
  | 'audionext'
  | 'audioprev'
  | 'audiostop'
  | 'audioplay'
  | 'audiomute'
  | 'volumeup'
  | 'volumedown'
  | 'mediaselect'
  | 'mail'
  | 'calculator'
  | 'computer'
  | 'ac_home'
  | 'ac_back'
  | 'ac_forward'
  | 'ac_refresh'
  | 'ac_bookmarks'
  | 'lang1'
  | 'lang2';

export interface JobCancelArguments {
  readonly id: string;
}

export interface JobCompleteArguments {
  readonly id: string;
}

export interface JobDismissArguments {
  readonly id: string;
}

export interface JobFinalizeArguments {
  readonly id: string;
}

export interface JobPauseArguments {
  readonly id: string;
}

export interface JobResumeArguments {
  readonly id: string;
}

export interface MemsaveArguments {
  readonly val: number | bigint;
  readonly size: number | bigint;
  readonly filename: string;
  readonly 'cpu-index'?: number | bigint | undefined;
}

export interface MigrateArguments {
  readonly uri: string;
  readonly blk?: boolean | undefined;
  readonly inc?: boolean | undefined;
  readonly detach?: boolean | undefined;
  readonly resume?: boolean | undefined;
}

export interface MigrateContinueArguments {
  readonly state: MigrateContinueArgumentsState;
}

export type MigrateContinueArgumentsState =
  | 'none'
  | 'setup'
  | 'cancelling'
  | 'cancelled'
  | 'active'
  | 'postcopy-active'
  | 'postcopy-paused'
  | 'postcopy-recover'
  | 'completed'
  | 'failed'
  | 'colo'
  | 'pre-switchover'
  | 'device'
  | 'wait-unplug';

export interface MigrateIncomingArguments {
  readonly uri: string;
}

export interface MigrateRecoverArguments {
  readonly uri: string;
}

export interface MigrateSetCapabilitiesArguments {
  readonly capabilities: readonly MigrateSetCapabilitiesArgumentsCapabilities[];
}

export interface MigrateSetCapabilitiesArgumentsCapabilities {
  readonly capability: MigrateSetCapabilitiesArgumentsCapabilitiesCapability;
  readonly state: boolean;
}

/** Unstable: `x-colo`, `x-ignore-shared`. */
export type MigrateSetCapabilitiesArgumentsCapabilitiesCapability =
  | 'xbzrle'
  | 'rdma-pin-all'
  | 'auto-converge'
  | 'zero-blocks'
  | 'compress'
  | 'events'
  | 'postcopy-ram'
  | 'x-colo'
  | 'release-ram'
  | 'block'
  | 'return-path'
  | 'pause-before-switchover'
  | 'multifd'
  | 'dirty-bitmaps'
  | 'postcopy-blocktime'
  | 'late-block-activate'
  | 'x-ignore-shared'
  | 'validate-uuid'
  | 'background-snapshot'
  | 'zero-copy-send'
  | 'postcopy-preempt';

export interface MigrateSetParametersArguments {
  readonly 'announce-initial'?: number | bigint | undefined;
  readonly 'announce-max'?: number | bigint | undefined;
  readonly 'announce-rounds'?: number | bigint | undefined;
  readonly 'announce-step'?: number | bigint | undefined;
  readonly 'compress-level'?: number | bigint | undefined;
  readonly 'compress-threads'?: number | bigint | undefined;
  readonly 'compress-wait-thread'?: boolean | undefined;
  readonly 'decompress-threads'?: number | bigint | undefined;
  readonly 'throttle-trigger-threshold'?: number | bigint | undefined;
  readonly 'cpu-throttle-initial'?: number | bigint | undefined;
  readonly 'cpu-throttle-increment'?: number | bigint | undefined;
  readonly 'cpu-throttle-tailslow'?: boolean | undefined;
  readonly 'tls-creds'?: MigrateSetParametersArgumentsTlsAuthz | undefined;
  readonly 'tls-hostname'?: MigrateSetParametersArgumentsTlsAuthz | undefined;
  readonly 'tls-authz'?: MigrateSetParametersArgumentsTlsAuthz | undefined;
  readonly 'max-bandwidth'?: number | bigint | undefined;
  readonly 'downtime-limit'?: number | bigint | undefined;
  /** @experimental */
  readonly 'x-checkpoint-delay'?: number | bigint | undefined;
  readonly 'block-incremental'?: boolean | undefined;
  readonly 'multifd-channels'?: number | bigint | undefined;
  readonly 'xbzrle-cache-size'?: number | bigint | undefined;
  readonly 'max-postcopy-bandwidth'?: number | bigint | undefined;
  readonly 'max-cpu-throttle'?: number | bigint | undefined;
  readonly 'multifd-compression'?: MigrateSetParametersArgumentsMultifdCompression | undefined;
  readonly 'multifd-zlib-level'?: number | bigint | undefined;
  readonly 'multifd-zstd-level'?: number | bigint | undefined;
  readonly 'block-bitmap-mapping'?: readonly MigrateSetParametersArgumentsBlockBitmapMapping[] | undefined;
}

export type MigrateSetParametersArgumentsMultifdCompression = 'none' | 'zlib' | 'zstd';

export type MigrateSetParametersArgumentsTlsAuthz = string | null;

export interface MigrateSetParametersArgumentsBlockBitmapMapping {
  readonly 'node-name': string;
  readonly alias: string;
  readonly bitmaps: readonly MigrateSetParametersArgumentsBlockBitmapMappingBitmaps[];
}

export interface MigrateSetParametersArgumentsBlockBitmapMappingBitmaps {
  readonly name: string;
  readonly alias: string;
  readonly transform?: MigrateSetParametersArgumentsBlockBitmapMappingBitmapsTransform | undefined;
}

export interface MigrateSetParametersArgumentsBlockBitmapMappingBitmapsTransform {
  readonly persistent?: boolean | undefined;
}

export interface NbdServerAddArguments {
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  readonly device: string;
  readonly writable?: boolean | undefined;
  readonly bitmap?: string | undefined;
}

export interface NbdServerRemoveArguments {
  readonly name: string;
  readonly mode?: BlockExportDelArgumentsMode | undefined;
}

export interface NbdServerStartArguments {
  readonly addr: ChardevAddArgumentsBackendSocketDataAddr;
  readonly 'tls-creds'?: string | undefined;
  readonly 'tls-authz'?: string | undefined;
  readonly 'max-connections'?: number | bigint | undefined;
}

export interface NetdevAddArgumentsBase {
  readonly id: string;
}

export type NetdevAddArguments = NetdevAddArgumentsBase &
  (
    | ({ readonly type: 'nic' } & NetdevAddArgumentsNic)
    | ({ readonly type: 'user' } & NetdevAddArgumentsUser)
    | ({ readonly type: 'tap' } & NetdevAddArgumentsTap)
    | ({ readonly type: 'l2tpv3' } & NetdevAddArgumentsL2tpv3)
    | ({ readonly type: 'socket' } & NetdevAddArgumentsSocket)
    | ({ readonly type: 'stream' } & NetdevAddArgumentsStream)
    | ({ readonly type: 'dgram' } & NetdevAddArgumentsDgram)
    | ({ readonly type: 'vde' } & NetdevAddArgumentsVde)
    | ({ readonly type: 'bridge' } & NetdevAddArgumentsBridge)
    | ({ readonly type: 'hubport' } & NetdevAddArgumentsHubport)
    | ({ readonly type: 'netmap' } & NetdevAddArgumentsNetmap)
    | ({ readonly type: 'vhost-user' } & NetdevAddArgumentsVhostUser)
    | ({ readonly type: 'vhost-vdpa' } & NetdevAddArgumentsVhostVdpa)
    | { readonly type: 'none' }
  );

export type NetdevAddArgumentsType =
  | 'none'
  | 'nic'
  | 'user'
  | 'tap'
  | 'l2tpv3'
  | 'socket'
  | 'stream'
  | 'dgram'
  | 'vde'
  | 'bridge'
  | 'hubport'
  | 'netmap'
  | 'vhost-user'
  | 'vhost-vdpa';

export interface NetdevAddArgumentsNic {
  readonly netdev?: string | undefined;
  readonly macaddr?: string | undefined;
  readonly model?: string | undefined;
  readonly addr?: string | undefined;
  readonly vectors?: number | bigint | undefined;
}

export interface NetdevAddArgumentsUser {
  readonly hostname?: string | undefined;
  readonly restrict?: boolean | undefined;
  readonly ipv4?: boolean | undefined;
  readonly ipv6?: boolean | undefined;
  readonly ip?: string | undefined;
  readonly net?: string | undefined;
  readonly host?: string | undefined;
  readonly tftp?: string | undefined;
  readonly bootfile?: string | undefined;
  readonly dhcpstart?: string | undefined;
  readonly dns?: string | undefined;
  readonly dnssearch?: readonly BlockExportAddArgumentsVhostUserBlkAddrFd[] | undefined;
  readonly domainname?: string | undefined;
  readonly 'ipv6-prefix'?: string | undefined;
  readonly 'ipv6-prefixlen'?: number | bigint | undefined;
  readonly 'ipv6-host'?: string | undefined;
  readonly 'ipv6-dns'?: string | undefined;
  readonly smb?: string | undefined;
  readonly smbserver?: string | undefined;
  readonly hostfwd?: readonly BlockExportAddArgumentsVhostUserBlkAddrFd[] | undefined;
  readonly guestfwd?: readonly BlockExportAddArgumentsVhostUserBlkAddrFd[] | undefined;
  readonly 'tftp-server-name'?: string | undefined;
}

export interface NetdevAddArgumentsTap {
  readonly ifname?: string | undefined;
  readonly fd?: string | undefined;
  readonly fds?: string | undefined;
  readonly script?: string | undefined;
  readonly downscript?: string | undefined;
  readonly br?: string | undefined;
  readonly helper?: string | undefined;
  readonly sndbuf?: number | bigint | undefined;
  readonly vnet_hdr?: boolean | undefined;
  readonly vhost?: boolean | undefined;
  readonly vhostfd?: string | undefined;
  readonly vhostfds?: string | undefined;
  readonly vhostforce?: boolean | undefined;
  readonly queues?: number | bigint | undefined;
  readonly 'poll-us'?: number | bigint | undefined;
}

export interface NetdevAddArgumentsL2tpv3 {
  readonly src: string;
  readonly dst: string;
  readonly srcport?: string | undefined;
  readonly dstport?: string | undefined;
  readonly ipv6?: boolean | undefined;
  readonly udp?: boolean | undefined;
  readonly cookie64?: boolean | undefined;
  readonly counter?: boolean | undefined;
  readonly pincounter?: boolean | undefined;
  readonly txcookie?: number | bigint | undefined;
  readonly rxcookie?: number | bigint | undefined;
  readonly txsession: number | bigint;
  readonly rxsession?: number | bigint | undefined;
  readonly offset?: number | bigint | undefined;
}

export interface NetdevAddArgumentsSocket {
  readonly fd?: string | undefined;
  readonly listen?: string | undefined;
  readonly connect?: string | undefined;
  readonly mcast?: string | undefined;
  readonly localaddr?: string | undefined;
  readonly udp?: string | undefined;
}

export interface NetdevAddArgumentsStream {
  readonly addr: BlockExportAddArgumentsVhostUserBlkAddr;
  readonly server?: boolean | undefined;
}

export interface NetdevAddArgumentsDgram {
  readonly local?: BlockExportAddArgumentsVhostUserBlkAddr | undefined;
  readonly remote?: BlockExportAddArgumentsVhostUserBlkAddr | undefined;
}

export interface NetdevAddArgumentsVde {
  readonly sock?: string | undefined;
  readonly port?: number | bigint | undefined;
  readonly group?: string | undefined;
  readonly mode?: number | bigint | undefined;
}

export interface NetdevAddArgumentsBridge {
  readonly br?: string | undefined;
  readonly helper?: string | undefined;
}

export interface NetdevAddArgumentsHubport {
  readonly hubid: number | bigint;
  readonly netdev?: string | undefined;
}

export interface NetdevAddArgumentsNetmap {
  readonly ifname: string;
  readonly devname?: string | undefined;
}

export interface NetdevAddArgumentsVhostUser {
  readonly chardev: string;
  readonly vhostforce?: boolean | undefined;
  readonly queues?: number | bigint | undefined;
}

export interface NetdevAddArgumentsVhostVdpa {
  readonly vhostdev?: string | undefined;
  readonly vhostfd?: string | undefined;
  readonly queues?: number | bigint | undefined;
  /** @experimental */
  readonly 'x-svq'?: boolean | undefined;
}

export interface NetdevDelArguments {
  readonly id: string;
}

export interface ObjectAddArgumentsBase {
  readonly id: string;
}

export type ObjectAddArguments = ObjectAddArgumentsBase &
  (
    | ({ readonly 'qom-type': 'authz-list' } & ObjectAddArgumentsAuthzList)
    | ({ readonly 'qom-type': 'authz-listfile' } & ObjectAddArgumentsAuthzListfile)
    | ({ readonly 'qom-type': 'authz-pam' } & ObjectAddArgumentsAuthzPam)
    | ({ readonly 'qom-type': 'authz-simple' } & ObjectAddArgumentsAuthzSimple)
    | ({ readonly 'qom-type': 'can-host-socketcan' } & ObjectAddArgumentsCanHostSocketcan)
    | ({ readonly 'qom-type': 'colo-compare' } & ObjectAddArgumentsColoCompare)
    | ({ readonly 'qom-type': 'cryptodev-backend' } & ObjectAddArgumentsCryptodevBackend)
    | ({ readonly 'qom-type': 'cryptodev-backend-builtin' } & ObjectAddArgumentsCryptodevBackend)
    | ({ readonly 'qom-type': 'cryptodev-backend-lkcf' } & ObjectAddArgumentsCryptodevBackend)
    | ({ readonly 'qom-type': 'cryptodev-vhost-user' } & ObjectAddArgumentsCryptodevVhostUser)
    | ({ readonly 'qom-type': 'dbus-vmstate' } & ObjectAddArgumentsDbusVmstate)
    | ({ readonly 'qom-type': 'filter-buffer' } & ObjectAddArgumentsFilterBuffer)
    | ({ readonly 'qom-type': 'filter-dump' } & ObjectAddArgumentsFilterDump)
    | ({ readonly 'qom-type': 'filter-mirror' } & ObjectAddArgumentsFilterMirror)
    | ({ readonly 'qom-type': 'filter-redirector' } & ObjectAddArgumentsFilterRedirector)
    | ({ readonly 'qom-type': 'filter-replay' } & ObjectAddArgumentsFilterReplay)
    | ({ readonly 'qom-type': 'filter-rewriter' } & ObjectAddArgumentsFilterRewriter)
    | ({ readonly 'qom-type': 'input-barrier' } & ObjectAddArgumentsInputBarrier)
    | ({ readonly 'qom-type': 'input-linux' } & ObjectAddArgumentsInputLinux)
    | ({ readonly 'qom-type': 'iothread' } & ObjectAddArgumentsIothread)
    | ({ readonly 'qom-type': 'main-loop' } & ObjectAddArgumentsMainLoop)
    | ({ readonly 'qom-type': 'memory-backend-epc' } & ObjectAddArgumentsMemoryBackendEpc)
    | ({ readonly 'qom-type': 'memory-backend-file' } & ObjectAddArgumentsMemoryBackendFile)
    | ({ readonly 'qom-type': 'memory-backend-memfd' } & ObjectAddArgumentsMemoryBackendMemfd)
    | ({ readonly 'qom-type': 'memory-backend-ram' } & ObjectAddArgumentsMemoryBackendRam)
    | ({ readonly 'qom-type': 'pr-manager-helper' } & ObjectAddArgumentsPrManagerHelper)
    | ({ readonly 'qom-type': 'qtest' } & ObjectAddArgumentsQtest)
    | ({ readonly 'qom-type': 'rng-builtin' } & ObjectAddArgumentsRngBuiltin)
    | ({ readonly 'qom-type': 'rng-egd' } & ObjectAddArgumentsRngEgd)
    | ({ readonly 'qom-type': 'rng-random' } & ObjectAddArgumentsRngRandom)
    | ({ readonly 'qom-type': 'secret' } & ObjectAddArgumentsSecret)
    | ({ readonly 'qom-type': 'secret_keyring' } & ObjectAddArgumentsSecretKeyring)
    | ({ readonly 'qom-type': 'sev-guest' } & ObjectAddArgumentsSevGuest)
    | ({ readonly 'qom-type': 'thread-context' } & ObjectAddArgumentsThreadContext)
    | ({ readonly 'qom-type': 'throttle-group' } & ObjectAddArgumentsThrottleGroup)
    | ({ readonly 'qom-type': 'tls-creds-anon' } & ObjectAddArgumentsTlsCredsAnon)
    | ({ readonly 'qom-type': 'tls-creds-psk' } & ObjectAddArgumentsTlsCredsPsk)
    | ({ readonly 'qom-type': 'tls-creds-x509' } & ObjectAddArgumentsTlsCredsX509)
    | ({ readonly 'qom-type': 'tls-cipher-suites' } & ObjectAddArgumentsTlsCipherSuites)
    | ({ readonly 'qom-type': 'x-remote-object' } & ObjectAddArgumentsXRemoteObject)
    | ({ readonly 'qom-type': 'x-vfio-user-server' } & ObjectAddArgumentsXVfioUserServer)
    | { readonly 'qom-type': 'can-bus' }
    | { readonly 'qom-type': 'pef-guest' }
    | { readonly 'qom-type': 's390-pv-guest' }
  );

/** Unstable: `x-remote-object`, `x-vfio-user-server`. */
export type ObjectAddArgumentsQomType =
  | 'authz-list'
  | 'authz-listfile'
  | 'authz-pam'
  | 'authz-simple'
  | 'can-bus'
  | 'can-host-socketcan'
  | 'colo-compare'
  | 'cryptodev-backend'
  | 'cryptodev-backend-builtin'
  | 'cryptodev-backend-lkcf'
  | 'cryptodev-vhost-user'
  | 'dbus-vmstate'
  | 'filter-buffer'
  | 'filter-dump'
  | 'filter-mirror'
  | 'filter-redirector'
  | 'filter-replay'
  | 'filter-rewriter'
  | 'input-barrier'
  | 'input-linux'
  | 'iothread'
  | 'main-loop'
  | 'memory-backend-epc'
  | 'memory-backend-file'
  | 'memory-backend-memfd'
  | 'memory-backend-ram'
  | 'pef-guest'
  | 'pr-manager-helper'
  | 'qtest'
  | 'rng-builtin'
  | 'rng-egd'
  | 'rng-random'
  | 'secret'
  | 'secret_keyring'
  | 'sev-guest'
  | 'thread-context'
  | 's390-pv-guest'
  | 'throttle-group'
  | 'tls-creds-anon'
  | 'tls-creds-psk'
  | 'tls-creds-x509'
  | 'tls-cipher-suites'
  | 'x-remote-object'
  | 'x-vfio-user-server';

export interface ObjectAddArgumentsAuthzList {
  readonly policy?: ObjectAddArgumentsAuthzListPolicy | undefined;
  readonly rules?: readonly ObjectAddArgumentsAuthzListRules[] | undefined;
}

export interface ObjectAddArgumentsAuthzListfile {
  readonly filename: string;
  readonly refresh?: boolean | undefined;
}

export interface ObjectAddArgumentsAuthzPam {
  readonly service: string;
}

export interface ObjectAddArgumentsAuthzSimple {
  readonly identity: string;
}

export interface ObjectAddArgumentsCanHostSocketcan {
  readonly if: string;
  readonly canbus: string;
}

export interface ObjectAddArgumentsColoCompare {
  readonly primary_in: string;
  readonly secondary_in: string;
  readonly outdev: string;
  readonly iothread: string;
  readonly notify_dev?: string | undefined;
  readonly compare_timeout?: number | bigint | undefined;
  readonly expired_scan_cycle?: number | bigint | undefined;
  readonly max_queue_size?: number | bigint | undefined;
  readonly vnet_hdr_support?: boolean | undefined;
}

export interface ObjectAddArgumentsCryptodevBackend {
  readonly queues?: number | bigint | undefined;
}

export interface ObjectAddArgumentsCryptodevVhostUser {
  readonly queues?: number | bigint | undefined;
  readonly chardev: string;
}

export interface ObjectAddArgumentsDbusVmstate {
  readonly addr: string;
  readonly 'id-list'?: string | undefined;
}

export interface ObjectAddArgumentsFilterBuffer {
  readonly netdev: string;
  readonly queue?: ObjectAddArgumentsFilterBufferQueue | undefined;
  readonly status?: string | undefined;
  readonly position?: string | undefined;
  readonly insert?: ObjectAddArgumentsFilterBufferInsert | undefined;
  readonly interval: number | bigint;
}

export interface ObjectAddArgumentsFilterDump {
  readonly netdev: string;
  readonly queue?: ObjectAddArgumentsFilterBufferQueue | undefined;
  readonly status?: string | undefined;
  readonly position?: string | undefined;
  readonly insert?: ObjectAddArgumentsFilterBufferInsert | undefined;
  readonly file: string;
  readonly maxlen?: number | bigint | undefined;
}

export interface ObjectAddArgumentsFilterMirror {
  readonly netdev: string;
  readonly queue?: ObjectAddArgumentsFilterBufferQueue | undefined;
  readonly status?: string | undefined;
  readonly position?: string | undefined;
  readonly insert?: ObjectAddArgumentsFilterBufferInsert | undefined;
  readonly outdev: string;
  readonly vnet_hdr_support?: boolean | undefined;
}

export interface ObjectAddArgumentsFilterRedirector {
  readonly netdev: string;
  readonly queue?: ObjectAddArgumentsFilterBufferQueue | undefined;
  readonly status?: string | undefined;
  readonly position?: string | undefined;
  readonly insert?: ObjectAddArgumentsFilterBufferInsert | undefined;
  readonly indev?: string | undefined;
  readonly outdev?: string | undefined;
  readonly vnet_hdr_support?: boolean | undefined;
}

export interface ObjectAddArgumentsFilterReplay {
  readonly netdev: string;
  readonly queue?: ObjectAddArgumentsFilterBufferQueue | undefined;
  readonly status?: string | undefined;
  readonly position?: string | undefined;
  readonly insert?: ObjectAddArgumentsFilterBufferInsert | undefined;
}

export interface ObjectAddArgumentsFilterRewriter {
  readonly netdev: string;
  readonly queue?: ObjectAddArgumentsFilterBufferQueue | undefined;
  readonly status?: string | undefined;
  readonly position?: string | undefined;
  readonly insert?: ObjectAddArgumentsFilterBufferInsert | undefined;
  readonly vnet_hdr_support?: boolean | undefined;
}

export interface ObjectAddArgumentsInputBarrier {
  readonly name: string;
  readonly server?: string | undefined;
  readonly port?: string | undefined;
  readonly 'x-origin'?: string | undefined;
  readonly 'y-origin'?: string | undefined;
  readonly width?: string | undefined;
  readonly height?: string | undefined;
}

export interface ObjectAddArgumentsInputLinux {
  readonly evdev: string;
  readonly grab_all?: boolean | undefined;
  readonly repeat?: boolean | undefined;
  readonly 'grab-toggle'?: ObjectAddArgumentsInputLinuxGrabToggle | undefined;
}

export interface ObjectAddArgumentsIothread {
  readonly 'aio-max-batch'?: number | bigint | undefined;
  readonly 'thread-pool-min'?: number | bigint | undefined;
  readonly 'thread-pool-max'?: number | bigint | undefined;
  readonly 'poll-max-ns'?: number | bigint | undefined;
  readonly 'poll-grow'?: number | bigint | undefined;
  readonly 'poll-shrink'?: number | bigint | undefined;
}

export interface ObjectAddArgumentsMainLoop {
  readonly 'aio-max-batch'?: number | bigint | undefined;
  readonly 'thread-pool-min'?: number | bigint | undefined;
  readonly 'thread-pool-max'?: number | bigint | undefined;
}

export interface ObjectAddArgumentsMemoryBackendEpc {
  readonly dump?: boolean | undefined;
  readonly 'host-nodes'?: readonly (number | bigint)[] | undefined;
  readonly merge?: boolean | undefined;
  readonly policy?: ObjectAddArgumentsMemoryBackendEpcPolicy | undefined;
  readonly prealloc?: boolean | undefined;
  readonly 'prealloc-threads'?: number | bigint | undefined;
  readonly 'prealloc-context'?: string | undefined;
  readonly share?: boolean | undefined;
  readonly reserve?: boolean | undefined;
  readonly size: number | bigint;
  readonly 'x-use-canonical-path-for-ramblock-id'?: boolean | undefined;
}

export interface ObjectAddArgumentsMemoryBackendFile {
  readonly dump?: boolean | undefined;
  readonly 'host-nodes'?: readonly (number | bigint)[] | undefined;
  readonly merge?: boolean | undefined;
  readonly policy?: ObjectAddArgumentsMemoryBackendEpcPolicy | undefined;
  readonly prealloc?: boolean | undefined;
  readonly 'prealloc-threads'?: number | bigint | undefined;
  readonly 'prealloc-context'?: string | undefined;
  readonly share?: boolean | undefined;
  readonly reserve?: boolean | undefined;
  readonly size: number | bigint;
  readonly 'x-use-canonical-path-for-ramblock-id'?: boolean | undefined;
  readonly align?: number | bigint | undefined;
  readonly 'discard-data'?: boolean | undefined;
  readonly 'mem-path': string;
  readonly pmem?: boolean | undefined;
  readonly readonly?: boolean | undefined;
}

export interface ObjectAddArgumentsMemoryBackendMemfd {
  readonly dump?: boolean | undefined;
  readonly 'host-nodes'?: readonly (number | bigint)[] | undefined;
  readonly merge?: boolean | undefined;
  readonly policy?: ObjectAddArgumentsMemoryBackendEpcPolicy | undefined;
  readonly prealloc?: boolean | undefined;
  readonly 'prealloc-threads'?: number | bigint | undefined;
  readonly 'prealloc-context'?: string | undefined;
  readonly share?: boolean | undefined;
  readonly reserve?: boolean | undefined;
  readonly size: number | bigint;
  readonly 'x-use-canonical-path-for-ramblock-id'?: boolean | undefined;
  readonly hugetlb?: boolean | undefined;
  readonly hugetlbsize?: number | bigint | undefined;
  readonly seal?: boolean | undefined;
}

export interface ObjectAddArgumentsMemoryBackendRam {
  readonly dump?: boolean | undefined;
  readonly 'host-nodes'?: readonly (number | bigint)[] | undefined;
  readonly merge?: boolean | undefined;
  readonly policy?: ObjectAddArgumentsMemoryBackendEpcPolicy | undefined;
  readonly prealloc?: boolean | undefined;
  readonly 'prealloc-threads'?: number | bigint | undefined;
  readonly 'prealloc-context'?: string | undefined;
  readonly share?: boolean | undefined;
  readonly reserve?: boolean | undefined;
  readonly size: number | bigint;
  readonly 'x-use-canonical-path-for-ramblock-id'?: boolean | undefined;
}

export interface ObjectAddArgumentsPrManagerHelper {
  readonly path: string;
}

export interface ObjectAddArgumentsQtest {
  readonly chardev: string;
  readonly log?: string | undefined;
}

export interface ObjectAddArgumentsRngBuiltin {
  /** @deprecated */
  readonly opened?: boolean | undefined;
}

export interface ObjectAddArgumentsRngEgd {
  /** @deprecated */
  readonly opened?: boolean | undefined;
  readonly chardev: string;
}

export interface ObjectAddArgumentsRngRandom {
  /** @deprecated */
  readonly opened?: boolean | undefined;
  readonly filename?: string | undefined;
}

export interface ObjectAddArgumentsSecret {
  /** @deprecated */
  readonly loaded?: boolean | undefined;
  readonly format?: ObjectAddArgumentsSecretFormat | undefined;
  readonly keyid?: string | undefined;
  readonly iv?: string | undefined;
  readonly data?: string | undefined;
  readonly file?: string | undefined;
}

export interface ObjectAddArgumentsSecretKeyring {
  /** @deprecated */
  readonly loaded?: boolean | undefined;
  readonly format?: ObjectAddArgumentsSecretFormat | undefined;
  readonly keyid?: string | undefined;
  readonly iv?: string | undefined;
  readonly serial: number | bigint;
}

export interface ObjectAddArgumentsSevGuest {
  readonly 'sev-device'?: string | undefined;
  readonly 'dh-cert-file'?: string | undefined;
  readonly 'session-file'?: string | undefined;
  readonly policy?: number | bigint | undefined;
  readonly handle?: number | bigint | undefined;
  readonly cbitpos?: number | bigint | undefined;
  readonly 'reduced-phys-bits': number | bigint;
  readonly 'kernel-hashes'?: boolean | undefined;
}

export interface ObjectAddArgumentsThreadContext {
  readonly 'cpu-affinity'?: readonly (number | bigint)[] | undefined;
  readonly 'node-affinity'?: readonly (number | bigint)[] | undefined;
}

export interface ObjectAddArgumentsThrottleGroup {
  readonly limits?: ObjectAddArgumentsThrottleGroupLimits | undefined;
  /** @experimental */
  readonly 'x-iops-total'?: number | bigint | undefined;
  /** @experimental */
  readonly 'x-iops-total-max'?: number | bigint | undefined;
  /** @experimental */
  readonly 'x-iops-total-max-length'?: number | bigint | undefined;
  /** @experimental */
  readonly 'x-iops-read'?: number | bigint | undefined;
  /** @experimental */
  readonly 'x-iops-read-max'?: number | bigint | undefined;
  /** @experimental */
  readonly 'x-iops-read-max-length'?: number | bigint | undefined;
  /** @experimental */
  readonly 'x-iops-write'?: number | bigint | undefined;
  /** @experimental */
  readonly 'x-iops-write-max'?: number | bigint | undefined;
  /** @experimental */
  readonly 'x-iops-write-max-length'?: number | bigint | undefined;
  /** @experimental */
  readonly 'x-bps-total'?: number | bigint | undefined;
  /** @experimental */
  readonly 'x-bps-total-max'?: number | bigint | undefined;
  /** @experimental */
  readonly 'x-bps-total-max-length'?: number | bigint | undefined;
  /** @experimental */
  readonly 'x-bps-read'?: number | bigint | undefined;
  /** @experimental */
  readonly 'x-bps-read-max'?: number | bigint | undefined;
  /** @experimental */
  readonly 'x-bps-read-max-length'?: number | bigint | undefined;
  /** @experimental */
  readonly 'x-bps-write'?: number | bigint | undefined;
  /** @experimental */
  readonly 'x-bps-write-max'?: number | bigint | undefined;
  /** @experimental */
  readonly 'x-bps-write-max-length'?: number | bigint | undefined;
  /** @experimental */
  readonly 'x-iops-size'?: number | bigint | undefined;
}

export interface ObjectAddArgumentsTlsCredsAnon {
  readonly 'verify-peer'?: boolean | undefined;
  readonly dir?: string | undefined;
  readonly endpoint?: ObjectAddArgumentsTlsCredsAnonEndpoint | undefined;
  readonly priority?: string | undefined;
  /** @deprecated */
  readonly loaded?: boolean | undefined;
}

export interface ObjectAddArgumentsTlsCredsPsk {
  readonly 'verify-peer'?: boolean | undefined;
  readonly dir?: string | undefined;
  readonly endpoint?: ObjectAddArgumentsTlsCredsAnonEndpoint | undefined;
  readonly priority?: string | undefined;
  /** @deprecated */
  readonly loaded?: boolean | undefined;
  readonly username?: string | undefined;
}

export interface ObjectAddArgumentsTlsCredsX509 {
  readonly 'verify-peer'?: boolean | undefined;
  readonly dir?: string | undefined;
  readonly endpoint?: ObjectAddArgumentsTlsCredsAnonEndpoint | undefined;
  readonly priority?: string | undefined;
  /** @deprecated */
  readonly loaded?: boolean | undefined;
  readonly 'sanity-check'?: boolean | undefined;
  readonly passwordid?: string | undefined;
}

export interface ObjectAddArgumentsTlsCipherSuites {
  readonly 'verify-peer'?: boolean | undefined;
  readonly dir?: string | undefined;
  readonly endpoint?: ObjectAddArgumentsTlsCredsAnonEndpoint | undefined;
  readonly priority?: string | undefined;
}

export interface ObjectAddArgumentsXRemoteObject {
  readonly fd: string;
  readonly devid: string;
}

export interface ObjectAddArgumentsXVfioUserServer {
  readonly socket: BlockExportAddArgumentsVhostUserBlkAddr;
  readonly device: string;
}

export type ObjectAddArgumentsAuthzListPolicy = 'deny' | 'allow';

export type ObjectAddArgumentsFilterBufferInsert = 'before' | 'behind';

export type ObjectAddArgumentsFilterBufferQueue = 'all' | 'rx' | 'tx';

export type ObjectAddArgumentsInputLinuxGrabToggle =
  | 'ctrl-ctrl'
  | 'alt-alt'
  | 'shift-shift'
  | 'meta-meta'
  | 'scrolllock'
  | 'ctrl-scrolllock';

export type ObjectAddArgumentsMemoryBackendEpcPolicy = 'default' | 'preferred' | 'bind' | 'interleave';

export type ObjectAddArgumentsSecretFormat = 'raw' | 'base64';

export interface ObjectAddArgumentsThrottleGroupLimits {
  readonly 'iops-total'?: number | bigint | undefined;
  readonly 'iops-total-max'?: number | bigint | undefined;
  readonly 'iops-total-max-length'?: number | bigint | undefined;
  readonly 'iops-read'?: number | bigint | undefined;
  readonly 'iops-read-max'?: number | bigint | undefined;
  readonly 'iops-read-max-length'?: number | bigint | undefined;
  readonly 'iops-write'?: number | bigint | undefined;
  readonly 'iops-write-max'?: number | bigint | undefined;
  readonly 'iops-write-max-length'?: number | bigint | undefined;
  readonly 'bps-total'?: number | bigint | undefined;
  readonly 'bps-total-max'?: number | bigint | undefined;
  readonly 'bps-total-max-length'?: number | bigint | undefined;
  readonly 'bps-read'?: number | bigint | undefined;
  readonly 'bps-read-max'?: number | bigint | undefined;
  readonly 'bps-read-max-length'?: number | bigint | undefined;
  readonly 'bps-write'?: number | bigint | undefined;
  readonly 'bps-write-max'?: number | bigint | undefined;
  readonly 'bps-write-max-length'?: number | bigint | undefined;
  readonly 'iops-size'?: number | bigint | undefined;
}

export type ObjectAddArgumentsTlsCredsAnonEndpoint = 'client' | 'server';

export interface ObjectAddArgumentsAuthzListRules {
  readonly match: string;
  readonly policy: ObjectAddArgumentsAuthzListPolicy;
  readonly format?: ObjectAddArgumentsAuthzListRulesFormat | undefined;
}

export type ObjectAddArgumentsAuthzListRulesFormat = 'exact' | 'glob';

export interface ObjectDelArguments {
  readonly id: string;
}

export interface PmemsaveArguments {
  readonly val: number | bigint;
  readonly size: number | bigint;
  readonly filename: string;
}

export interface QmpCapabilitiesArguments {
  readonly enable?: readonly QmpCapabilitiesArgumentsEnable[] | undefined;
}

export type QmpCapabilitiesArgumentsEnable = 'oob';

export interface QomGetArguments {
  readonly path: string;
  readonly property: string;
}

export interface QomListArguments {
  readonly path: string;
}

export interface QomListPropertiesArguments {
  readonly typename: string;
}

export interface QomListTypesArguments {
  readonly implements?: string | undefined;
  readonly abstract?: boolean | undefined;
}

export interface QomListTypesResult {
  readonly name: string;
  readonly abstract?: boolean;
  readonly parent?: string;
}

export interface QomSetArguments {
  readonly path: string;
  readonly property: string;
  readonly value: unknown;
}

export interface QueryAcpiOspmStatusResult {
  readonly device?: string;
  readonly slot: string;
  readonly 'slot-type': QueryAcpiOspmStatusResultSlotType;
  readonly source: number;
  readonly status: number;
}

export type QueryAcpiOspmStatusResultSlotType = 'DIMM' | 'CPU' | (string & {});

export interface QueryBalloonResult {
  readonly actual: number;
}

export interface QueryBlockResult {
  readonly device: string;
  readonly qdev?: string;
  readonly type: string;
  readonly removable: boolean;
  readonly locked: boolean;
  readonly inserted?: QueryBlockResultInserted;
  readonly tray_open?: boolean;
  readonly 'io-status'?: QueryBlockResultIoStatus;
}

export interface QueryBlockResultInserted {
  readonly file: string;
  readonly 'node-name'?: string;
  readonly ro: boolean;
  readonly drv: string;
  readonly backing_file?: string;
  readonly backing_file_depth: number;
  readonly encrypted: boolean;
  readonly detect_zeroes: QueryBlockResultInsertedDetectZeroes;
  readonly bps: number;
  readonly bps_rd: number;
  readonly bps_wr: number;
  readonly iops: number;
  readonly iops_rd: number;
  readonly iops_wr: number;
  readonly image: QueryBlockResultInsertedImage;
  readonly bps_max?: number;
  readonly bps_rd_max?: number;
  readonly bps_wr_max?: number;
  readonly iops_max?: number;
  readonly iops_rd_max?: number;
  readonly iops_wr_max?: number;
  readonly bps_max_length?: number;
  readonly bps_rd_max_length?: number;
  readonly bps_wr_max_length?: number;
  readonly iops_max_length?: number;
  readonly iops_rd_max_length?: number;
  readonly iops_wr_max_length?: number;
  readonly iops_size?: number;
  readonly group?: string;
  readonly cache: QueryBlockResultInsertedCache;
  readonly write_threshold: number;
  readonly 'dirty-bitmaps'?: readonly QueryBlockResultInsertedDirtyBitmaps[];
}

export type QueryBlockResultIoStatus = 'ok' | 'failed' | 'nospace' | (string & {});

export interface QueryBlockResultInsertedCache {
  readonly writeback: boolean;
  readonly direct: boolean;
  readonly 'no-flush': boolean;
}

export type QueryBlockResultInsertedDetectZeroes = 'off' | 'on' | 'unmap' | (string & {});

export interface QueryBlockResultInsertedImage {
  readonly filename: string;
  readonly format: string;
  readonly 'dirty-flag'?: boolean;
  readonly 'actual-size'?: number;
  readonly 'virtual-size': number;
  readonly 'cluster-size'?: number;
  readonly encrypted?: boolean;
  readonly compressed?: boolean;
  readonly 'backing-filename'?: string;
  readonly 'full-backing-filename'?: string;
  readonly 'backing-filename-format'?: string;
  readonly snapshots?: readonly BlockdevSnapshotDeleteInternalSyncResult[];
  readonly 'backing-image'?: QueryBlockResultInsertedImage;
  readonly 'format-specific'?: QueryBlockResultInsertedImageFormatSpecific;
}

export interface QueryBlockResultInsertedDirtyBitmaps {
  readonly name?: string;
  readonly count: number;
  readonly granularity: number;
  readonly recording: boolean;
  readonly busy: boolean;
  readonly persistent: boolean;
  readonly inconsistent?: boolean;
}

export type QueryBlockResultInsertedImageFormatSpecific =
  | ({ readonly type: 'qcow2' } & QueryBlockResultInsertedImageFormatSpecificQcow2)
  | ({ readonly type: 'vmdk' } & QueryBlockResultInsertedImageFormatSpecificVmdk)
  | ({ readonly type: 'luks' } & QueryBlockResultInsertedImageFormatSpecificLuks)
  | ({ readonly type: 'rbd' } & QueryBlockResultInsertedImageFormatSpecificRbd)
  | { readonly type: OtherValue };

export type QueryBlockResultInsertedImageFormatSpecificType = 'qcow2' | 'vmdk' | 'luks' | 'rbd' | (string & {});

export interface QueryBlockResultInsertedImageFormatSpecificQcow2 {
  readonly data: QueryBlockResultInsertedImageFormatSpecificQcow2Data;
}

export interface QueryBlockResultInsertedImageFormatSpecificVmdk {
  readonly data: QueryBlockResultInsertedImageFormatSpecificVmdkData;
}

export interface QueryBlockResultInsertedImageFormatSpecificLuks {
  readonly data: QueryBlockResultInsertedImageFormatSpecificLuksData;
}

export interface QueryBlockResultInsertedImageFormatSpecificRbd {
  readonly data: QueryBlockResultInsertedImageFormatSpecificRbdData;
}

export interface QueryBlockResultInsertedImageFormatSpecificQcow2Data {
  readonly compat: string;
  readonly 'data-file'?: string;
  readonly 'data-file-raw'?: boolean;
  readonly 'extended-l2'?: boolean;
  readonly 'lazy-refcounts'?: boolean;
  readonly corrupt?: boolean;
  readonly 'refcount-bits': number;
  readonly encrypt?: QueryBlockResultInsertedImageFormatSpecificQcow2DataEncrypt;
  readonly bitmaps?: readonly QueryBlockResultInsertedImageFormatSpecificQcow2DataBitmaps[];
  readonly 'compression-type': QueryBlockResultInsertedImageFormatSpecificQcow2DataCompressionType;
}

export interface QueryBlockResultInsertedImageFormatSpecificVmdkData {
  readonly 'create-type': string;
  readonly cid: number;
  readonly 'parent-cid': number;
  readonly extents: readonly QueryBlockResultInsertedImage[];
}

export interface QueryBlockResultInsertedImageFormatSpecificLuksData {
  readonly 'cipher-alg': QueryBlockResultInsertedImageFormatSpecificLuksDataCipherAlg;
  readonly 'cipher-mode': QueryBlockResultInsertedImageFormatSpecificLuksDataCipherMode;
  readonly 'ivgen-alg': QueryBlockResultInsertedImageFormatSpecificLuksDataIvgenAlg;
  readonly 'ivgen-hash-alg'?: QueryBlockResultInsertedImageFormatSpecificLuksDataHashAlg;
  readonly 'hash-alg': QueryBlockResultInsertedImageFormatSpecificLuksDataHashAlg;
  readonly 'payload-offset': number;
  readonly 'master-key-iters': number;
  readonly uuid: string;
  readonly slots: readonly QueryBlockResultInsertedImageFormatSpecificLuksDataSlots[];
}

export interface QueryBlockResultInsertedImageFormatSpecificRbdData {
  readonly 'encryption-format'?: QueryBlockResultInsertedImageFormatSpecificRbdDataEncryptionFormat;
}

export type QueryBlockResultInsertedImageFormatSpecificQcow2DataCompressionType = 'zlib' | 'zstd' | (string & {});

export type QueryBlockResultInsertedImageFormatSpecificQcow2DataEncrypt =
  | ({ readonly format: 'luks' } & QueryBlockResultInsertedImageFormatSpecificLuksData)
  | { readonly format: 'aes' }
  | { readonly format: OtherValue };

export type QueryBlockResultInsertedImageFormatSpecificLuksDataCipherAlg =
  | 'aes-128'
  | 'aes-192'
  | 'aes-256'
  | 'des'
  | '3des'
  | 'cast5-128'
  | 'serpent-128'
  | 'serpent-192'
  | 'serpent-256'
  | 'twofish-128'
  | 'twofish-192'
  | 'twofish-256'
  | (string & {});

export type QueryBlockResultInsertedImageFormatSpecificLuksDataCipherMode =
  | 'ecb'
  | 'cbc'
  | 'xts'
  | 'ctr'
  | (string & {});

export type QueryBlockResultInsertedImageFormatSpecificLuksDataHashAlg =
  | 'md5'
  | 'sha1'
  | 'sha224'
  | 'sha256'
  | 'sha384'
  | 'sha512'
  | 'ripemd160'
  | (string & {});

export type QueryBlockResultInsertedImageFormatSpecificLuksDataIvgenAlg = 'plain' | 'plain64' | 'essiv' | (string & {});

export type QueryBlockResultInsertedImageFormatSpecificRbdDataEncryptionFormat = 'luks' | 'luks2' | (string & {});

export interface QueryBlockResultInsertedImageFormatSpecificQcow2DataBitmaps {
  readonly name: string;
  readonly granularity: number;
  readonly flags: readonly QueryBlockResultInsertedImageFormatSpecificQcow2DataBitmapsFlags[];
}

export type QueryBlockResultInsertedImageFormatSpecificQcow2DataEncryptFormat = 'aes' | 'luks' | (string & {});

export interface QueryBlockResultInsertedImageFormatSpecificLuksDataSlots {
  readonly active: boolean;
  readonly iters?: number;
  readonly stripes?: number;
  readonly 'key-offset': number;
}

export type QueryBlockResultInsertedImageFormatSpecificQcow2DataBitmapsFlags = 'in-use' | 'auto' | (string & {});

export interface QueryBlockExportsResult {
  readonly id: string;
  readonly type: QueryBlockExportsResultType;
  readonly 'node-name': string;
  readonly 'shutting-down': boolean;
}

export type QueryBlockExportsResultType = 'nbd' | 'vhost-user-blk' | 'fuse' | 'vduse-blk' | (string & {});

export interface QueryBlockJobsResult {
  readonly type: string;
  readonly device: string;
  readonly len: number;
  readonly offset: number;
  readonly busy: boolean;
  readonly paused: boolean;
  readonly speed: number;
  readonly 'io-status': QueryBlockResultIoStatus;
  readonly ready: boolean;
  readonly status: QueryBlockJobsResultStatus;
  readonly 'auto-finalize': boolean;
  readonly 'auto-dismiss': boolean;
  readonly error?: string;
}

export type QueryBlockJobsResultStatus =
  | 'undefined'
  | 'created'
  | 'running'
  | 'paused'
  | 'ready'
  | 'standby'
  | 'waiting'
  | 'pending'
  | 'aborting'
  | 'concluded'
  | 'null'
  | (string & {});

export interface QueryBlockstatsArguments {
  readonly 'query-nodes'?: boolean | undefined;
}

export interface QueryBlockstatsResult {
  readonly device?: string;
  readonly qdev?: string;
  readonly 'node-name'?: string;
  readonly stats: QueryBlockstatsResultStats;
  readonly 'driver-specific'?: QueryBlockstatsResultDriverSpecific;
  readonly parent?: QueryBlockstatsResult;
  readonly backing?: QueryBlockstatsResult;
}

export type QueryBlockstatsResultDriverSpecific =
  | ({ readonly driver: 'file' } & QueryBlockstatsResultDriverSpecificFile)
  | ({ readonly driver: 'host_device' } & QueryBlockstatsResultDriverSpecificFile)
  | ({ readonly driver: 'nvme' } & QueryBlockstatsResultDriverSpecificNvme)
  | { readonly driver: 'blkdebug' }
  | { readonly driver: 'blklogwrites' }
  | { readonly driver: 'blkreplay' }
  | { readonly driver: 'blkverify' }
  | { readonly driver: 'bochs' }
  | { readonly driver: 'cloop' }
  | { readonly driver: 'compress' }
  | { readonly driver: 'copy-before-write' }
  | { readonly driver: 'copy-on-read' }
  | { readonly driver: 'dmg' }
  | { readonly driver: 'snapshot-access' }
  | { readonly driver: 'ftp' }
  | { readonly driver: 'ftps' }
  | { readonly driver: 'gluster' }
  | { readonly driver: 'host_cdrom' }
  | { readonly driver: 'http' }
  | { readonly driver: 'https' }
  | { readonly driver: 'iscsi' }
  | { readonly driver: 'luks' }
  | { readonly driver: 'nbd' }
  | { readonly driver: 'nfs' }
  | { readonly driver: 'null-aio' }
  | { readonly driver: 'null-co' }
  | { readonly driver: 'parallels' }
  | { readonly driver: 'preallocate' }
  | { readonly driver: 'qcow' }
  | { readonly driver: 'qcow2' }
  | { readonly driver: 'qed' }
  | { readonly driver: 'quorum' }
  | { readonly driver: 'raw' }
  | { readonly driver: 'rbd' }
  | { readonly driver: 'replication' }
  | { readonly driver: 'ssh' }
  | { readonly driver: 'throttle' }
  | { readonly driver: 'vdi' }
  | { readonly driver: 'vhdx' }
  | { readonly driver: 'vmdk' }
  | { readonly driver: 'vpc' }
  | { readonly driver: 'vvfat' }
  | { readonly driver: OtherValue };

export interface QueryBlockstatsResultStats {
  readonly rd_bytes: number;
  readonly wr_bytes: number;
  readonly unmap_bytes: number;
  readonly rd_operations: number;
  readonly wr_operations: number;
  readonly flush_operations: number;
  readonly unmap_operations: number;
  readonly rd_total_time_ns: number;
  readonly wr_total_time_ns: number;
  readonly flush_total_time_ns: number;
  readonly unmap_total_time_ns: number;
  readonly wr_highest_offset: number;
  readonly rd_merged: number;
  readonly wr_merged: number;
  readonly unmap_merged: number;
  readonly idle_time_ns?: number;
  readonly failed_rd_operations: number;
  readonly failed_wr_operations: number;
  readonly failed_flush_operations: number;
  readonly failed_unmap_operations: number;
  readonly invalid_rd_operations: number;
  readonly invalid_wr_operations: number;
  readonly invalid_flush_operations: number;
  readonly invalid_unmap_operations: number;
  readonly account_invalid: boolean;
  readonly account_failed: boolean;
  readonly timed_stats: readonly QueryBlockstatsResultStatsTimedStats[];
  readonly rd_latency_histogram?: QueryBlockstatsResultStatsFlushLatencyHistogram;
  readonly wr_latency_histogram?: QueryBlockstatsResultStatsFlushLatencyHistogram;
  readonly flush_latency_histogram?: QueryBlockstatsResultStatsFlushLatencyHistogram;
}

export type QueryBlockstatsResultDriverSpecificDriver =
  | 'blkdebug'
  | 'blklogwrites'
  | 'blkreplay'
  | 'blkverify'
  | 'bochs'
  | 'cloop'
  | 'compress'
  | 'copy-before-write'
  | 'copy-on-read'
  | 'dmg'
  | 'file'
  | 'snapshot-access'
  | 'ftp'
  | 'ftps'
  | 'gluster'
  | 'host_cdrom'
  | 'host_device'
  | 'http'
  | 'https'
  | 'iscsi'
  | 'luks'
  | 'nbd'
  | 'nfs'
  | 'null-aio'
  | 'null-co'
  | 'nvme'
  | 'parallels'
  | 'preallocate'
  | 'qcow'
  | 'qcow2'
  | 'qed'
  | 'quorum'
  | 'raw'
  | 'rbd'
  | 'replication'
  | 'ssh'
  | 'throttle'
  | 'vdi'
  | 'vhdx'
  | 'vmdk'
  | 'vpc'
  | 'vvfat'
  | (string & {});

export interface QueryBlockstatsResultDriverSpecificFile {
  readonly 'discard-nb-ok': number;
  readonly 'discard-nb-failed': number;
  readonly 'discard-bytes-ok': number;
}

export interface QueryBlockstatsResultDriverSpecificNvme {
  readonly 'completion-errors': number;
  readonly 'aligned-accesses': number;
  readonly 'unaligned-accesses': number;
}

export interface QueryBlockstatsResultStatsFlushLatencyHistogram {
  readonly boundaries: readonly number[];
  readonly bins: readonly number[];
}

export interface QueryBlockstatsResultStatsTimedStats {
  readonly interval_length: number;
  readonly min_rd_latency_ns: number;
  readonly max_rd_latency_ns: number;
  readonly avg_rd_latency_ns: number;
  readonly min_wr_latency_ns: number;
  readonly max_wr_latency_ns: number;
  readonly avg_wr_latency_ns: number;
  readonly min_flush_latency_ns: number;
  readonly max_flush_latency_ns: number;
  readonly avg_flush_latency_ns: number;
  readonly avg_rd_queue_depth: number;
  readonly avg_wr_queue_depth: number;
}

export interface QueryChardevResult {
  readonly label: string;
  readonly filename: string;
  readonly 'frontend-open': boolean;
}

export interface QueryChardevBackendsResult {
  readonly name: string;
}

export interface QueryColoStatusResult {
  readonly mode: QueryColoStatusResultLastMode;
  readonly 'last-mode': QueryColoStatusResultLastMode;
  readonly reason: QueryColoStatusResultReason;
}

export type QueryColoStatusResultLastMode = 'none' | 'primary' | 'secondary' | (string & {});

export type QueryColoStatusResultReason = 'none' | 'request' | 'error' | 'processing' | (string & {});

export interface QueryCommandLineOptionsArguments {
  readonly option?: string | undefined;
}

export interface QueryCommandLineOptionsResult {
  readonly option: string;
  readonly parameters: readonly QueryCommandLineOptionsResultParameters[];
}

export interface QueryCommandLineOptionsResultParameters {
  readonly name: string;
  readonly type: QueryCommandLineOptionsResultParametersType;
  readonly help?: string;
  readonly default?: string;
}

export type QueryCommandLineOptionsResultParametersType = 'string' | 'boolean' | 'number' | 'size' | (string & {});

export interface QueryCommandsResult {
  readonly name: string;
}

export interface QueryCpuDefinitionsResult {
  readonly name: string;
  readonly 'migration-safe'?: boolean;
  readonly static: boolean;
  readonly 'unavailable-features'?: readonly string[];
  readonly typename: string;
  readonly 'alias-of'?: string;
  readonly deprecated: boolean;
}

export interface QueryCpuModelExpansionArguments {
  readonly type: QueryCpuModelExpansionArgumentsType;
  readonly model: QueryCpuModelExpansionArgumentsModel;
}

export interface QueryCpuModelExpansionArgumentsModel {
  readonly name: string;
  readonly props?: unknown;
}

export type QueryCpuModelExpansionArgumentsType = 'static' | 'full';

export interface QueryCpuModelExpansionResult {
  readonly model: QueryCpuModelExpansionResultModel;
}

export interface QueryCpuModelExpansionResultModel {
  readonly name: string;
  readonly props?: unknown;
}

export interface QueryCpusFastResultBase {
  readonly 'cpu-index': number;
  readonly 'qom-path': string;
  readonly 'thread-id': number;
  readonly props?: QueryCpusFastResultProps;
}

export type QueryCpusFastResult = QueryCpusFastResultBase &
  (
    | ({ readonly target: 's390x' } & QueryCpusFastResultS390x)
    | { readonly target: 'aarch64' }
    | { readonly target: 'alpha' }
    | { readonly target: 'arm' }
    | { readonly target: 'avr' }
    | { readonly target: 'cris' }
    | { readonly target: 'hppa' }
    | { readonly target: 'i386' }
    | { readonly target: 'loongarch64' }
    | { readonly target: 'm68k' }
    | { readonly target: 'microblaze' }
    | { readonly target: 'microblazeel' }
    | { readonly target: 'mips' }
    | { readonly target: 'mips64' }
    | { readonly target: 'mips64el' }
    | { readonly target: 'mipsel' }
    | { readonly target: 'nios2' }
    | { readonly target: 'or1k' }
    | { readonly target: 'ppc' }
    | { readonly target: 'ppc64' }
    | { readonly target: 'riscv32' }
    | { readonly target: 'riscv64' }
    | { readonly target: 'rx' }
    | { readonly target: 'sh4' }
    | { readonly target: 'sh4eb' }
    | { readonly target: 'sparc' }
    | { readonly target: 'sparc64' }
    | { readonly target: 'tricore' }
    | { readonly target: 'x86_64' }
    | { readonly target: 'xtensa' }
    | { readonly target: 'xtensaeb' }
    | { readonly target: OtherValue }
  );

export interface QueryCpusFastResultProps {
  readonly 'node-id'?: number;
  readonly 'socket-id'?: number;
  readonly 'die-id'?: number;
  readonly 'cluster-id'?: number;
  readonly 'core-id'?: number;
  readonly 'thread-id'?: number;
}

export type QueryCpusFastResultTarget =
  | 'aarch64'
  | 'alpha'
  | 'arm'
  | 'avr'
  | 'cris'
  | 'hppa'
  | 'i386'
  | 'loongarch64'
  | 'm68k'
  | 'microblaze'
  | 'microblazeel'
  | 'mips'
  | 'mips64'
  | 'mips64el'
  | 'mipsel'
  | 'nios2'
  | 'or1k'
  | 'ppc'
  | 'ppc64'
  | 'riscv32'
  | 'riscv64'
  | 'rx'
  | 's390x'
  | 'sh4'
  | 'sh4eb'
  | 'sparc'
  | 'sparc64'
  | 'tricore'
  | 'x86_64'
  | 'xtensa'
  | 'xtensaeb'
  | (string & {});

export interface QueryCpusFastResultS390x {
  readonly 'cpu-state': QueryCpusFastResultS390xCpuState;
}

export type QueryCpusFastResultS390xCpuState =
  | 'uninitialized'
  | 'stopped'
  | 'check-stop'
  | 'operating'
  | 'load'
  | (string & {});

export interface QueryCurrentMachineResult {
  readonly 'wakeup-suspend-support': boolean;
}

export interface QueryDirtyRateResult {
  readonly 'dirty-rate'?: number;
  readonly status: QueryDirtyRateResultStatus;
  readonly 'start-time': number;
  readonly 'calc-time': number;
  readonly 'sample-pages': number;
  readonly mode: QueryDirtyRateResultMode;
  readonly 'vcpu-dirty-rate'?: readonly QueryDirtyRateResultVcpuDirtyRate[];
}

export type QueryDirtyRateResultMode = 'page-sampling' | 'dirty-ring' | 'dirty-bitmap' | (string & {});

export type QueryDirtyRateResultStatus = 'unstarted' | 'measuring' | 'measured' | (string & {});

export interface QueryDirtyRateResultVcpuDirtyRate {
  readonly id: number;
  readonly 'dirty-rate': number;
}

export interface QueryDisplayOptionsResultBase {
  readonly 'full-screen'?: boolean;
  readonly 'window-close'?: boolean;
  readonly 'show-cursor'?: boolean;
  readonly gl?: QueryDisplayOptionsResultGl;
}

export type QueryDisplayOptionsResult = QueryDisplayOptionsResultBase &
  (
    | ({ readonly type: 'gtk' } & QueryDisplayOptionsResultGtk)
    | ({ readonly type: 'curses' } & QueryDisplayOptionsResultCurses)
    | ({ readonly type: 'egl-headless' } & QueryDisplayOptionsResultEglHeadless)
    | ({ readonly type: 'dbus' } & QueryDisplayOptionsResultDbus)
    | ({ readonly type: 'sdl' } & QueryDisplayOptionsResultSdl)
    | { readonly type: 'default' }
    | { readonly type: 'none' }
    | { readonly type: 'spice-app' }
    | { readonly type: OtherValue }
  );

export type QueryDisplayOptionsResultGl = 'off' | 'on' | 'core' | 'es' | (string & {});

export type QueryDisplayOptionsResultType =
  | 'default'
  | 'none'
  | 'gtk'
  | 'sdl'
  | 'egl-headless'
  | 'curses'
  | 'spice-app'
  | 'dbus'
  | (string & {});

export interface QueryDisplayOptionsResultGtk {
  readonly 'grab-on-hover'?: boolean;
  readonly 'zoom-to-fit'?: boolean;
  readonly 'show-tabs'?: boolean;
  readonly 'show-menubar'?: boolean;
}

export interface QueryDisplayOptionsResultCurses {
  readonly charset?: string;
}

export interface QueryDisplayOptionsResultEglHeadless {
  readonly rendernode?: string;
}

export interface QueryDisplayOptionsResultDbus {
  readonly rendernode?: string;
  readonly addr?: string;
  readonly p2p?: boolean;
  readonly audiodev?: string;
}

export interface QueryDisplayOptionsResultSdl {
  readonly 'grab-mod'?: QueryDisplayOptionsResultSdlGrabMod;
}

export type QueryDisplayOptionsResultSdlGrabMod = 'lctrl-lalt' | 'lshift-lctrl-lalt' | 'rctrl' | (string & {});

export interface QueryDumpResult {
  readonly status: QueryDumpResultStatus;
  readonly completed: number;
  readonly total: number;
}

export type QueryDumpResultStatus = 'none' | 'active' | 'completed' | 'failed' | (string & {});

export interface QueryDumpGuestMemoryCapabilityResult {
  readonly formats: readonly QueryDumpGuestMemoryCapabilityResultFormats[];
}

export type QueryDumpGuestMemoryCapabilityResultFormats =
  | 'elf'
  | 'kdump-zlib'
  | 'kdump-lzo'
  | 'kdump-snappy'
  | 'win-dmp'
  | (string & {});

export interface QueryFdsetsResult {
  readonly 'fdset-id': number;
  readonly fds: readonly QueryFdsetsResultFds[];
}

export interface QueryFdsetsResultFds {
  readonly fd: number;
  readonly opaque?: string;
}

export interface QueryHotpluggableCpusResult {
  readonly type: string;
  readonly 'vcpus-count': number;
  readonly props: QueryCpusFastResultProps;
  readonly 'qom-path'?: string;
}

export interface QueryIothreadsResult {
  readonly id: string;
  readonly 'thread-id': number;
  readonly 'poll-max-ns': number;
  readonly 'poll-grow': number;
  readonly 'poll-shrink': number;
  readonly 'aio-max-batch': number;
}

export interface QueryJobsResult {
  readonly id: string;
  readonly type: QueryJobsResultType;
  readonly status: QueryBlockJobsResultStatus;
  readonly 'current-progress': number;
  readonly 'total-progress': number;
  readonly error?: string;
}

export type QueryJobsResultType =
  | 'commit'
  | 'stream'
  | 'mirror'
  | 'backup'
  | 'create'
  | 'amend'
  | 'snapshot-load'
  | 'snapshot-save'
  | 'snapshot-delete'
  | (string & {});

export interface QueryKvmResult {
  readonly enabled: boolean;
  readonly present: boolean;
}

export interface QueryMachinesResult {
  readonly name: string;
  readonly alias?: string;
  readonly 'is-default'?: boolean;
  readonly 'cpu-max': number;
  readonly 'hotpluggable-cpus': boolean;
  readonly 'numa-mem-supported': boolean;
  readonly deprecated: boolean;
  readonly 'default-cpu-type'?: string;
  readonly 'default-ram-id'?: string;
}

export interface QueryMemdevResult {
  readonly id?: string;
  readonly size: number;
  readonly merge: boolean;
  readonly dump: boolean;
  readonly prealloc: boolean;
  readonly share: boolean;
  readonly reserve?: boolean;
  readonly 'host-nodes': readonly number[];
  readonly policy: QueryMemdevResultPolicy;
}

export type QueryMemdevResultPolicy = 'default' | 'preferred' | 'bind' | 'interleave' | (string & {});

export type QueryMemoryDevicesResult =
  | ({ readonly type: 'dimm' } & QueryMemoryDevicesResultDimm)
  | ({ readonly type: 'nvdimm' } & QueryMemoryDevicesResultDimm)
  | ({ readonly type: 'virtio-pmem' } & QueryMemoryDevicesResultVirtioPmem)
  | ({ readonly type: 'virtio-mem' } & QueryMemoryDevicesResultVirtioMem)
  | ({ readonly type: 'sgx-epc' } & QueryMemoryDevicesResultSgxEpc)
  | { readonly type: OtherValue };

export type QueryMemoryDevicesResultType = 'dimm' | 'nvdimm' | 'virtio-pmem' | 'virtio-mem' | 'sgx-epc' | (string & {});

export interface QueryMemoryDevicesResultDimm {
  readonly data: QueryMemoryDevicesResultDimmData;
}

export interface QueryMemoryDevicesResultVirtioPmem {
  readonly data: QueryMemoryDevicesResultVirtioPmemData;
}

export interface QueryMemoryDevicesResultVirtioMem {
  readonly data: QueryMemoryDevicesResultVirtioMemData;
}

export interface QueryMemoryDevicesResultSgxEpc {
  readonly data: QueryMemoryDevicesResultSgxEpcData;
}

export interface QueryMemoryDevicesResultDimmData {
  readonly id?: string;
  readonly addr: number;
  readonly size: number;
  readonly slot: number;
  readonly node: number;
  readonly memdev: string;
  readonly hotplugged: boolean;
  readonly hotpluggable: boolean;
}

export interface QueryMemoryDevicesResultVirtioPmemData {
  readonly id?: string;
  readonly memaddr: number;
  readonly size: number;
  readonly memdev: string;
}

export interface QueryMemoryDevicesResultVirtioMemData {
  readonly id?: string;
  readonly memaddr: number;
  readonly 'requested-size': number;
  readonly size: number;
  readonly 'max-size': number;
  readonly 'block-size': number;
  readonly node: number;
  readonly memdev: string;
}

export interface QueryMemoryDevicesResultSgxEpcData {
  readonly id?: string;
  readonly memaddr: number;
  readonly size: number;
  readonly node: number;
  readonly memdev: string;
}

export interface QueryMemorySizeSummaryResult {
  readonly 'base-memory': number;
  readonly 'plugged-memory'?: number;
}

export interface QueryMiceResult {
  readonly name: string;
  readonly index: number;
  readonly current: boolean;
  readonly absolute: boolean;
}

export interface QueryMigrateResult {
  readonly status?: QueryMigrateResultStatus;
  readonly ram?: QueryMigrateResultDisk;
  readonly disk?: QueryMigrateResultDisk;
  readonly vfio?: QueryMigrateResultVfio;
  readonly 'xbzrle-cache'?: QueryMigrateResultXbzrleCache;
  readonly 'total-time'?: number;
  readonly 'expected-downtime'?: number;
  readonly downtime?: number;
  readonly 'setup-time'?: number;
  readonly 'cpu-throttle-percentage'?: number;
  readonly 'error-desc'?: string;
  readonly 'blocked-reasons'?: readonly string[];
  readonly 'postcopy-blocktime'?: number;
  readonly 'postcopy-vcpu-blocktime'?: readonly number[];
  readonly compression?: QueryMigrateResultCompression;
  readonly 'socket-address'?: readonly QueryMigrateResultSocketAddress[];
}

export interface QueryMigrateResultCompression {
  readonly pages: number;
  readonly busy: number;
  readonly 'busy-rate': number;
  readonly 'compressed-size': number;
  readonly 'compression-rate': number;
}

export interface QueryMigrateResultDisk {
  readonly transferred: number;
  readonly remaining: number;
  readonly total: number;
  readonly duplicate: number;
  readonly skipped: number;
  readonly normal: number;
  readonly 'normal-bytes': number;
  readonly 'dirty-pages-rate': number;
  readonly mbps: number;
  readonly 'dirty-sync-count': number;
  readonly 'postcopy-requests': number;
  readonly 'page-size': number;
  readonly 'multifd-bytes': number;
  readonly 'pages-per-second': number;
  readonly 'precopy-bytes': number;
  readonly 'downtime-bytes': number;
  readonly 'postcopy-bytes': number;
  readonly 'dirty-sync-missed-zero-copy': number;
}

export type QueryMigrateResultStatus =
  | 'none'
  | 'setup'
  | 'cancelling'
  | 'cancelled'
  | 'active'
  | 'postcopy-active'
  | 'postcopy-paused'
  | 'postcopy-recover'
  | 'completed'
  | 'failed'
  | 'colo'
  | 'pre-switchover'
  | 'device'
  | 'wait-unplug'
  | (string & {});

export interface QueryMigrateResultVfio {
  readonly transferred: number;
}

export interface QueryMigrateResultXbzrleCache {
  readonly 'cache-size': number;
  readonly bytes: number;
  readonly pages: number;
  readonly 'cache-miss': number;
  readonly 'cache-miss-rate': number;
  readonly 'encoding-rate': number;
  readonly overflow: number;
}

export type QueryMigrateResultSocketAddress =
  | ({ readonly type: 'inet' } & QueryMigrateResultSocketAddressInet)
  | ({ readonly type: 'unix' } & QueryMigrateResultSocketAddressUnix)
  | ({ readonly type: 'vsock' } & QueryMigrateResultSocketAddressVsock)
  | ({ readonly type: 'fd' } & QueryMigrateResultSocketAddressFd)
  | { readonly type: OtherValue };

export type QueryMigrateResultSocketAddressType = 'inet' | 'unix' | 'vsock' | 'fd' | (string & {});

export interface QueryMigrateResultSocketAddressInet {
  readonly host: string;
  readonly port: string;
  readonly numeric?: boolean;
  readonly to?: number;
  readonly ipv4?: boolean;
  readonly ipv6?: boolean;
  readonly 'keep-alive'?: boolean;
  readonly mptcp?: boolean;
}

export interface QueryMigrateResultSocketAddressUnix {
  readonly path: string;
  readonly abstract?: boolean;
  readonly tight?: boolean;
}

export interface QueryMigrateResultSocketAddressVsock {
  readonly cid: string;
  readonly port: string;
}

export interface QueryMigrateResultSocketAddressFd {
  readonly str: string;
}

export interface QueryMigrateCapabilitiesResult {
  readonly capability: QueryMigrateCapabilitiesResultCapability;
  readonly state: boolean;
}

/** Unstable: `x-colo`, `x-ignore-shared`. */
export type QueryMigrateCapabilitiesResultCapability =
  | 'xbzrle'
  | 'rdma-pin-all'
  | 'auto-converge'
  | 'zero-blocks'
  | 'compress'
  | 'events'
  | 'postcopy-ram'
  | 'x-colo'
  | 'release-ram'
  | 'block'
  | 'return-path'
  | 'pause-before-switchover'
  | 'multifd'
  | 'dirty-bitmaps'
  | 'postcopy-blocktime'
  | 'late-block-activate'
  | 'x-ignore-shared'
  | 'validate-uuid'
  | 'background-snapshot'
  | 'zero-copy-send'
  | 'postcopy-preempt'
  | (string & {});

export interface QueryMigrateParametersResult {
  readonly 'announce-initial'?: number;
  readonly 'announce-max'?: number;
  readonly 'announce-rounds'?: number;
  readonly 'announce-step'?: number;
  readonly 'compress-level'?: number;
  readonly 'compress-threads'?: number;
  readonly 'compress-wait-thread'?: boolean;
  readonly 'decompress-threads'?: number;
  readonly 'throttle-trigger-threshold'?: number;
  readonly 'cpu-throttle-initial'?: number;
  readonly 'cpu-throttle-increment'?: number;
  readonly 'cpu-throttle-tailslow'?: boolean;
  readonly 'tls-creds'?: string;
  readonly 'tls-hostname'?: string;
  readonly 'tls-authz'?: string;
  readonly 'max-bandwidth'?: number;
  readonly 'downtime-limit'?: number;
  /** @experimental */
  readonly 'x-checkpoint-delay'?: number;
  readonly 'block-incremental'?: boolean;
  readonly 'multifd-channels'?: number;
  readonly 'xbzrle-cache-size'?: number;
  readonly 'max-postcopy-bandwidth'?: number;
  readonly 'max-cpu-throttle'?: number;
  readonly 'multifd-compression'?: QueryMigrateParametersResultMultifdCompression;
  readonly 'multifd-zlib-level'?: number;
  readonly 'multifd-zstd-level'?: number;
  readonly 'block-bitmap-mapping'?: readonly QueryMigrateParametersResultBlockBitmapMapping[];
}

export type QueryMigrateParametersResultMultifdCompression = 'none' | 'zlib' | 'zstd' | (string & {});

export interface QueryMigrateParametersResultBlockBitmapMapping {
  readonly 'node-name': string;
  readonly alias: string;
  readonly bitmaps: readonly QueryMigrateParametersResultBlockBitmapMappingBitmaps[];
}

export interface QueryMigrateParametersResultBlockBitmapMappingBitmaps {
  readonly name: string;
  readonly alias: string;
  readonly transform?: QueryMigrateParametersResultBlockBitmapMappingBitmapsTransform;
}

export interface QueryMigrateParametersResultBlockBitmapMappingBitmapsTransform {
  readonly persistent?: boolean;
}

export interface QueryNameResult {
  readonly name?: string;
}

export interface QueryNamedBlockNodesArguments {
  readonly flat?: boolean | undefined;
}

export interface QueryPciResult {
  readonly bus: number;
  readonly devices: readonly QueryPciResultDevices[];
}

export interface QueryPciResultDevices {
  readonly bus: number;
  readonly slot: number;
  readonly function: number;
  readonly class_info: QueryPciResultDevicesClassInfo;
  readonly id: QueryPciResultDevicesId;
  readonly irq?: number;
  readonly irq_pin: number;
  readonly qdev_id: string;
  readonly pci_bridge?: QueryPciResultDevicesPciBridge;
  readonly regions: readonly QueryPciResultDevicesRegions[];
}

export interface QueryPciResultDevicesClassInfo {
  readonly desc?: string;
  readonly class: number;
}

export interface QueryPciResultDevicesId {
  readonly device: number;
  readonly vendor: number;
  readonly subsystem?: number;
  readonly 'subsystem-vendor'?: number;
}

export interface QueryPciResultDevicesPciBridge {
  readonly bus: QueryPciResultDevicesPciBridgeBus;
  readonly devices?: readonly QueryPciResultDevices[];
}

export interface QueryPciResultDevicesPciBridgeBus {
  readonly number: number;
  readonly secondary: number;
  readonly subordinate: number;
  readonly io_range: QueryPciResultDevicesPciBridgeBusIoRange;
  readonly memory_range: QueryPciResultDevicesPciBridgeBusIoRange;
  readonly prefetchable_range: QueryPciResultDevicesPciBridgeBusIoRange;
}

export interface QueryPciResultDevicesRegions {
  readonly bar: number;
  readonly type: string;
  readonly address: number;
  readonly size: number;
  readonly prefetch?: boolean;
  readonly mem_type_64?: boolean;
}

export interface QueryPciResultDevicesPciBridgeBusIoRange {
  readonly base: number;
  readonly limit: number;
}

export interface QueryPrManagersResult {
  readonly id: string;
  readonly connected: boolean;
}

export interface QueryQmpSchemaResultBase {
  readonly name: string;
  readonly features?: readonly string[];
}

export type QueryQmpSchemaResult = QueryQmpSchemaResultBase &
  (
    | ({ readonly 'meta-type': 'builtin' } & QueryQmpSchemaResultBuiltin)
    | ({ readonly 'meta-type': 'enum' } & QueryQmpSchemaResultEnum)
    | ({ readonly 'meta-type': 'array' } & QueryQmpSchemaResultArray)
    | ({ readonly 'meta-type': 'object' } & QueryQmpSchemaResultObject)
    | ({ readonly 'meta-type': 'alternate' } & QueryQmpSchemaResultAlternate)
    | ({ readonly 'meta-type': 'command' } & QueryQmpSchemaResultCommand)
    | ({ readonly 'meta-type': 'event' } & QueryQmpSchemaResultEvent)
    | { readonly 'meta-type': OtherValue }
  );

export type QueryQmpSchemaResultMetaType =
  | 'builtin'
  | 'enum'
  | 'array'
  | 'object'
  | 'alternate'
  | 'command'
  | 'event'
  | (string & {});

export interface QueryQmpSchemaResultBuiltin {
  readonly 'json-type': QueryQmpSchemaResultBuiltinJsonType;
}

export interface QueryQmpSchemaResultEnum {
  readonly members: readonly QueryQmpSchemaResultEnumMembers[];
  /** @deprecated */
  readonly values: readonly string[];
}

export interface QueryQmpSchemaResultArray {
  readonly 'element-type': string;
}

export interface QueryQmpSchemaResultObject {
  readonly members: readonly QueryQmpSchemaResultObjectMembers[];
  readonly tag?: string;
  readonly variants?: readonly QueryQmpSchemaResultObjectVariants[];
}

export interface QueryQmpSchemaResultAlternate {
  readonly members: readonly QueryQmpSchemaResultAlternateMembers[];
}

export interface QueryQmpSchemaResultCommand {
  readonly 'arg-type': string;
  readonly 'ret-type': string;
  readonly 'allow-oob'?: boolean;
}

export interface QueryQmpSchemaResultEvent {
  readonly 'arg-type': string;
}

export type QueryQmpSchemaResultBuiltinJsonType =
  | 'string'
  | 'number'
  | 'int'
  | 'boolean'
  | 'null'
  | 'object'
  | 'array'
  | 'value'
  | (string & {});

export interface QueryQmpSchemaResultEnumMembers {
  readonly name: string;
  readonly features?: readonly string[];
}

export interface QueryQmpSchemaResultObjectMembers {
  readonly name: string;
  readonly type: string;
  readonly default?: unknown;
  readonly features?: readonly string[];
}

export interface QueryQmpSchemaResultObjectVariants {
  readonly case: string;
  readonly type: string;
}

export interface QueryQmpSchemaResultAlternateMembers {
  readonly type: string;
}

export interface QueryReplayResult {
  readonly mode: QueryReplayResultMode;
  readonly filename?: string;
  readonly icount: number;
}

export type QueryReplayResultMode = 'none' | 'record' | 'play' | (string & {});

export interface QueryRockerArguments {
  readonly name: string;
}

export interface QueryRockerResult {
  readonly name: string;
  readonly id: number;
  readonly ports: number;
}

export interface QueryRockerOfDpaFlowsArguments {
  readonly name: string;
  readonly 'tbl-id'?: number | bigint | undefined;
}

export interface QueryRockerOfDpaFlowsResult {
  readonly cookie: number;
  readonly hits: number;
  readonly key: QueryRockerOfDpaFlowsResultKey;
  readonly mask: QueryRockerOfDpaFlowsResultMask;
  readonly action: QueryRockerOfDpaFlowsResultAction;
}

export interface QueryRockerOfDpaFlowsResultAction {
  readonly 'goto-tbl'?: number;
  readonly 'group-id'?: number;
  readonly 'tunnel-lport'?: number;
  readonly 'vlan-id'?: number;
  readonly 'new-vlan-id'?: number;
  readonly 'out-pport'?: number;
}

export interface QueryRockerOfDpaFlowsResultKey {
  readonly priority: number;
  readonly 'tbl-id': number;
  readonly 'in-pport'?: number;
  readonly 'tunnel-id'?: number;
  readonly 'vlan-id'?: number;
  readonly 'eth-type'?: number;
  readonly 'eth-src'?: string;
  readonly 'eth-dst'?: string;
  readonly 'ip-proto'?: number;
  readonly 'ip-tos'?: number;
  readonly 'ip-dst'?: string;
}

export interface QueryRockerOfDpaFlowsResultMask {
  readonly 'in-pport'?: number;
  readonly 'tunnel-id'?: number;
  readonly 'vlan-id'?: number;
  readonly 'eth-src'?: string;
  readonly 'eth-dst'?: string;
  readonly 'ip-proto'?: number;
  readonly 'ip-tos'?: number;
}

export interface QueryRockerOfDpaGroupsArguments {
  readonly name: string;
  readonly type?: number | bigint | undefined;
}

export interface QueryRockerOfDpaGroupsResult {
  readonly id: number;
  readonly type: number;
  readonly 'vlan-id'?: number;
  readonly pport?: number;
  readonly index?: number;
  readonly 'out-pport'?: number;
  readonly 'group-id'?: number;
  readonly 'set-vlan-id'?: number;
  readonly 'pop-vlan'?: number;
  readonly 'group-ids'?: readonly number[];
  readonly 'set-eth-src'?: string;
  readonly 'set-eth-dst'?: string;
  readonly 'ttl-check'?: number;
}

export interface QueryRockerPortsArguments {
  readonly name: string;
}

export interface QueryRockerPortsResult {
  readonly name: string;
  readonly enabled: boolean;
  readonly 'link-up': boolean;
  readonly speed: number;
  readonly duplex: QueryRockerPortsResultDuplex;
  readonly autoneg: QueryRockerPortsResultAutoneg;
}

export type QueryRockerPortsResultAutoneg = 'off' | 'on' | (string & {});

export type QueryRockerPortsResultDuplex = 'half' | 'full' | (string & {});

export interface QueryRxFilterArguments {
  readonly name?: string | undefined;
}

export interface QueryRxFilterResult {
  readonly name: string;
  readonly promiscuous: boolean;
  readonly multicast: QueryRxFilterResultMulticast;
  readonly unicast: QueryRxFilterResultMulticast;
  readonly vlan: QueryRxFilterResultMulticast;
  readonly 'broadcast-allowed': boolean;
  readonly 'multicast-overflow': boolean;
  readonly 'unicast-overflow': boolean;
  readonly 'main-mac': string;
  readonly 'vlan-table': readonly number[];
  readonly 'unicast-table': readonly string[];
  readonly 'multicast-table': readonly string[];
}

export type QueryRxFilterResultMulticast = 'normal' | 'none' | 'all' | (string & {});

export interface QuerySevResult {
  readonly enabled: boolean;
  readonly 'api-major': number;
  readonly 'api-minor': number;
  readonly 'build-id': number;
  readonly policy: number;
  readonly state: QuerySevResultState;
  readonly handle: number;
}

export type QuerySevResultState =
  | 'uninit'
  | 'launch-update'
  | 'launch-secret'
  | 'running'
  | 'send-update'
  | 'receive-update'
  | (string & {});

export interface QuerySevAttestationReportArguments {
  readonly mnonce: string;
}

export interface QuerySevAttestationReportResult {
  readonly data: string;
}

export interface QuerySevCapabilitiesResult {
  readonly pdh: string;
  readonly 'cert-chain': string;
  readonly 'cpu0-id': string;
  readonly cbitpos: number;
  readonly 'reduced-phys-bits': number;
}

export interface QuerySevLaunchMeasureResult {
  readonly data: string;
}

export interface QuerySgxResult {
  readonly sgx: boolean;
  readonly sgx1: boolean;
  readonly sgx2: boolean;
  readonly flc: boolean;
  /** @deprecated */
  readonly 'section-size': number;
  readonly sections: readonly QuerySgxResultSections[];
}

export interface QuerySgxResultSections {
  readonly node: number;
  readonly size: number;
}

export interface QuerySpiceResult {
  readonly enabled: boolean;
  readonly migrated: boolean;
  readonly host?: string;
  readonly port?: number;
  readonly 'tls-port'?: number;
  readonly auth?: string;
  readonly 'compiled-version'?: string;
  readonly 'mouse-mode': QuerySpiceResultMouseMode;
  readonly channels?: readonly QuerySpiceResultChannels[];
}

export type QuerySpiceResultMouseMode = 'client' | 'server' | 'unknown' | (string & {});

export interface QuerySpiceResultChannels {
  readonly host: string;
  readonly port: string;
  readonly family: QuerySpiceResultChannelsFamily;
  readonly 'connection-id': number;
  readonly 'channel-type': number;
  readonly 'channel-id': number;
  readonly tls: boolean;
}

export type QuerySpiceResultChannelsFamily = 'ipv4' | 'ipv6' | 'unix' | 'vsock' | 'unknown' | (string & {});

export interface QueryStatsArgumentsBase {
  readonly providers?: readonly QueryStatsArgumentsProviders[] | undefined;
}

export type QueryStatsArguments = QueryStatsArgumentsBase &
  (({ readonly target: 'vcpu' } & QueryStatsArgumentsVcpu) | { readonly target: 'vm' });

export type QueryStatsArgumentsTarget = 'vm' | 'vcpu';

export interface QueryStatsArgumentsVcpu {
  readonly vcpus?: readonly string[] | undefined;
}

export interface QueryStatsArgumentsProviders {
  readonly provider: QueryStatsArgumentsProvidersProvider;
  readonly names?: readonly string[] | undefined;
}

export type QueryStatsArgumentsProvidersProvider = 'kvm';

export interface QueryStatsResult {
  readonly provider: QueryStatsResultProvider;
  readonly 'qom-path'?: string;
  readonly stats: readonly QueryStatsResultStats[];
}

export type QueryStatsResultProvider = 'kvm' | (string & {});

export interface QueryStatsResultStats {
  readonly name: string;
  readonly value: QueryStatsResultStatsValue;
}

export type QueryStatsResultStatsValue = number | boolean | readonly number[];

export interface QueryStatsSchemasArguments {
  readonly provider?: QueryStatsArgumentsProvidersProvider | undefined;
}

export interface QueryStatsSchemasResult {
  readonly provider: QueryStatsResultProvider;
  readonly target: QueryStatsSchemasResultTarget;
  readonly stats: readonly QueryStatsSchemasResultStats[];
}

export type QueryStatsSchemasResultTarget = 'vm' | 'vcpu' | (string & {});

export interface QueryStatsSchemasResultStats {
  readonly name: string;
  readonly type: QueryStatsSchemasResultStatsType;
  readonly unit?: QueryStatsSchemasResultStatsUnit;
  readonly base?: number;
  readonly exponent: number;
  readonly 'bucket-size'?: number;
}

export type QueryStatsSchemasResultStatsType =
  | 'cumulative'
  | 'instant'
  | 'peak'
  | 'linear-histogram'
  | 'log2-histogram'
  | (string & {});

export type QueryStatsSchemasResultStatsUnit = 'bytes' | 'seconds' | 'cycles' | 'boolean' | (string & {});

export interface QueryStatusResult {
  readonly running: boolean;
  readonly singlestep: boolean;
  readonly status: QueryStatusResultStatus;
}

export type QueryStatusResultStatus =
  | 'debug'
  | 'inmigrate'
  | 'internal-error'
  | 'io-error'
  | 'paused'
  | 'postmigrate'
  | 'prelaunch'
  | 'finish-migrate'
  | 'restore-vm'
  | 'running'
  | 'save-vm'
  | 'shutdown'
  | 'suspended'
  | 'watchdog'
  | 'guest-panicked'
  | 'colo'
  | (string & {});

export interface QueryTargetResult {
  readonly arch: QueryCpusFastResultTarget;
}

export interface QueryTpmResult {
  readonly id: string;
  readonly model: QueryTpmResultModel;
  readonly options: QueryTpmResultOptions;
}

export type QueryTpmResultModel = 'tpm-tis' | 'tpm-crb' | 'tpm-spapr' | (string & {});

export type QueryTpmResultOptions =
  | ({ readonly type: 'passthrough' } & QueryTpmResultOptionsPassthrough)
  | ({ readonly type: 'emulator' } & QueryTpmResultOptionsEmulator)
  | { readonly type: OtherValue };

export type QueryTpmResultOptionsType = 'passthrough' | 'emulator' | (string & {});

export interface QueryTpmResultOptionsPassthrough {
  readonly data: QueryTpmResultOptionsPassthroughData;
}

export interface QueryTpmResultOptionsEmulator {
  readonly data: QueryTpmResultOptionsEmulatorData;
}

export interface QueryTpmResultOptionsPassthroughData {
  readonly path?: string;
  readonly 'cancel-path'?: string;
}

export interface QueryTpmResultOptionsEmulatorData {
  readonly chardev: string;
}

export interface QueryUuidResult {
  readonly UUID: string;
}

export interface QueryVcpuDirtyLimitResult {
  readonly 'cpu-index': number;
  readonly 'limit-rate': number;
  readonly 'current-rate': number;
}

export interface QueryVersionResult {
  readonly qemu: QueryVersionResultQemu;
  readonly package: string;
}

export interface QueryVersionResultQemu {
  readonly major: number;
  readonly minor: number;
  readonly micro: number;
}

export interface QueryVmGenerationIdResult {
  readonly guid: string;
}

export interface QueryVncResult {
  readonly enabled: boolean;
  readonly host?: string;
  readonly family?: QuerySpiceResultChannelsFamily;
  readonly service?: string;
  readonly auth?: string;
  readonly clients?: readonly QueryVncResultClients[];
}

export interface QueryVncResultClients {
  readonly host: string;
  readonly service: string;
  readonly family: QuerySpiceResultChannelsFamily;
  readonly websocket: boolean;
  readonly x509_dname?: string;
  readonly sasl_username?: string;
}

export interface QueryVncServersResult {
  readonly id: string;
  readonly server: readonly QueryVncServersResultServer[];
  readonly clients: readonly QueryVncResultClients[];
  readonly auth: QueryVncServersResultAuth;
  readonly vencrypt?: QueryVncServersResultVencrypt;
  readonly display?: string;
}

export type QueryVncServersResultAuth =
  | 'none'
  | 'vnc'
  | 'ra2'
  | 'ra2ne'
  | 'tight'
  | 'ultra'
  | 'tls'
  | 'vencrypt'
  | 'sasl'
  | (string & {});

export type QueryVncServersResultVencrypt =
  | 'plain'
  | 'tls-none'
  | 'x509-none'
  | 'tls-vnc'
  | 'x509-vnc'
  | 'tls-plain'
  | 'x509-plain'
  | 'tls-sasl'
  | 'x509-sasl'
  | (string & {});

export interface QueryVncServersResultServer {
  readonly host: string;
  readonly service: string;
  readonly family: QuerySpiceResultChannelsFamily;
  readonly websocket: boolean;
  readonly auth: QueryVncServersResultAuth;
  readonly vencrypt?: QueryVncServersResultVencrypt;
}

export interface QueryXenReplicationStatusResult {
  readonly error: boolean;
  readonly desc?: string;
}

export type QueryYankResult =
  | ({ readonly type: 'block-node' } & QueryYankResultBlockNode)
  | ({ readonly type: 'chardev' } & QueryYankResultChardev)
  | { readonly type: 'migration' }
  | { readonly type: OtherValue };

export type QueryYankResultType = 'block-node' | 'chardev' | 'migration' | (string & {});

export interface QueryYankResultBlockNode {
  readonly 'node-name': string;
}

export interface QueryYankResultChardev {
  readonly id: string;
}

export interface RemoveFdArguments {
  readonly 'fdset-id': number | bigint;
  readonly fd?: number | bigint | undefined;
}

export interface ReplayBreakArguments {
  readonly icount: number | bigint;
}

export interface ReplaySeekArguments {
  readonly icount: number | bigint;
}

export interface RingbufReadArguments {
  readonly device: string;
  readonly size: number | bigint;
  readonly format?: RingbufReadArgumentsFormat | undefined;
}

export type RingbufReadArgumentsFormat = 'utf8' | 'base64';

export interface RingbufWriteArguments {
  readonly device: string;
  readonly data: string;
  readonly format?: RingbufReadArgumentsFormat | undefined;
}

export interface ScreendumpArguments {
  readonly filename: string;
  readonly device?: string | undefined;
  readonly head?: number | bigint | undefined;
  readonly format?: ScreendumpArgumentsFormat | undefined;
}

export type ScreendumpArgumentsFormat = 'ppm' | 'png';

export interface SendKeyArguments {
  readonly keys: readonly InputSendEventArgumentsEventsKeyDataKey[];
  readonly 'hold-time'?: number | bigint | undefined;
}

export interface SetActionArguments {
  readonly reboot?: SetActionArgumentsReboot | undefined;
  readonly shutdown?: SetActionArgumentsShutdown | undefined;
  readonly panic?: SetActionArgumentsPanic | undefined;
  readonly watchdog?: SetActionArgumentsWatchdog | undefined;
}

export type SetActionArgumentsPanic = 'pause' | 'shutdown' | 'exit-failure' | 'none';

export type SetActionArgumentsReboot = 'reset' | 'shutdown';

export type SetActionArgumentsShutdown = 'poweroff' | 'pause';

export type SetActionArgumentsWatchdog = 'reset' | 'shutdown' | 'poweroff' | 'pause' | 'debug' | 'none' | 'inject-nmi';

export type SetNumaNodeArguments =
  | ({ readonly type: 'node' } & SetNumaNodeArgumentsNode)
  | ({ readonly type: 'dist' } & SetNumaNodeArgumentsDist)
  | ({ readonly type: 'cpu' } & SetNumaNodeArgumentsCpu)
  | ({ readonly type: 'hmat-lb' } & SetNumaNodeArgumentsHmatLb)
  | ({ readonly type: 'hmat-cache' } & SetNumaNodeArgumentsHmatCache);

export type SetNumaNodeArgumentsType = 'node' | 'dist' | 'cpu' | 'hmat-lb' | 'hmat-cache';

export interface SetNumaNodeArgumentsNode {
  readonly nodeid?: number | bigint | undefined;
  readonly cpus?: readonly (number | bigint)[] | undefined;
  readonly mem?: number | bigint | undefined;
  readonly memdev?: string | undefined;
  readonly initiator?: number | bigint | undefined;
}

export interface SetNumaNodeArgumentsDist {
  readonly src: number | bigint;
  readonly dst: number | bigint;
  readonly val: number | bigint;
}

export interface SetNumaNodeArgumentsCpu {
  readonly 'node-id'?: number | bigint | undefined;
  readonly 'socket-id'?: number | bigint | undefined;
  readonly 'die-id'?: number | bigint | undefined;
  readonly 'cluster-id'?: number | bigint | undefined;
  readonly 'core-id'?: number | bigint | undefined;
  readonly 'thread-id'?: number | bigint | undefined;
}

export interface SetNumaNodeArgumentsHmatLb {
  readonly initiator: number | bigint;
  readonly target: number | bigint;
  readonly hierarchy: SetNumaNodeArgumentsHmatLbHierarchy;
  readonly 'data-type': SetNumaNodeArgumentsHmatLbDataType;
  readonly latency?: number | bigint | undefined;
  readonly bandwidth?: number | bigint | undefined;
}

export interface SetNumaNodeArgumentsHmatCache {
  readonly 'node-id': number | bigint;
  readonly size: number | bigint;
  readonly level: number | bigint;
  readonly associativity: SetNumaNodeArgumentsHmatCacheAssociativity;
  readonly policy: SetNumaNodeArgumentsHmatCachePolicy;
  readonly line: number | bigint;
}

export type SetNumaNodeArgumentsHmatLbDataType =
  | 'access-latency'
  | 'read-latency'
  | 'write-latency'
  | 'access-bandwidth'
  | 'read-bandwidth'
  | 'write-bandwidth';

export type SetNumaNodeArgumentsHmatLbHierarchy = 'memory' | 'first-level' | 'second-level' | 'third-level';

export type SetNumaNodeArgumentsHmatCacheAssociativity = 'none' | 'direct' | 'complex';

export type SetNumaNodeArgumentsHmatCachePolicy = 'none' | 'write-back' | 'write-through';

export interface SetVcpuDirtyLimitArguments {
  readonly 'cpu-index'?: number | bigint | undefined;
  readonly 'dirty-rate': number | bigint;
}

export interface SetLinkArguments {
  readonly name: string;
  readonly up: boolean;
}

export interface SetPasswordArgumentsBase {
  readonly password: string;
  readonly connected?: SetPasswordArgumentsConnected | undefined;
}

export type SetPasswordArguments = SetPasswordArgumentsBase &
  (({ readonly protocol: 'vnc' } & SetPasswordArgumentsVnc) | { readonly protocol: 'spice' });

export type SetPasswordArgumentsConnected = 'keep' | 'fail' | 'disconnect';

export interface SetPasswordArgumentsVnc {
  readonly display?: string | undefined;
}

export interface SevInjectLaunchSecretArguments {
  readonly 'packet-header': string;
  readonly secret: string;
  readonly gpa?: number | bigint | undefined;
}

export interface SnapshotDeleteArguments {
  readonly 'job-id': string;
  readonly tag: string;
  readonly devices: readonly string[];
}

export interface SnapshotLoadArguments {
  readonly 'job-id': string;
  readonly tag: string;
  readonly vmstate: string;
  readonly devices: readonly string[];
}

export interface SnapshotSaveArguments {
  readonly 'job-id': string;
  readonly tag: string;
  readonly vmstate: string;
  readonly devices: readonly string[];
}

export interface TraceEventGetStateArguments {
  readonly name: string;
  readonly vcpu?: number | bigint | undefined;
}

export interface TraceEventGetStateResult {
  readonly name: string;
  readonly state: TraceEventGetStateResultState;
  readonly vcpu: boolean;
}

export type TraceEventGetStateResultState = 'unavailable' | 'disabled' | 'enabled' | (string & {});

export interface TraceEventSetStateArguments {
  readonly name: string;
  readonly enable: boolean;
  readonly 'ignore-unavailable'?: boolean | undefined;
  readonly vcpu?: number | bigint | undefined;
}

export interface TransactionArguments {
  readonly actions: readonly TransactionArgumentsActions[];
  readonly properties?: TransactionArgumentsProperties | undefined;
}

export interface TransactionArgumentsProperties {
  readonly 'completion-mode'?: TransactionArgumentsPropertiesCompletionMode | undefined;
}

export type TransactionArgumentsActions =
  | ({ readonly type: 'abort' } & TransactionArgumentsActionsAbort)
  | ({ readonly type: 'block-dirty-bitmap-add' } & TransactionArgumentsActionsBlockDirtyBitmapAdd)
  | ({ readonly type: 'block-dirty-bitmap-remove' } & TransactionArgumentsActionsBlockDirtyBitmapRemove)
  | ({ readonly type: 'block-dirty-bitmap-clear' } & TransactionArgumentsActionsBlockDirtyBitmapRemove)
  | ({ readonly type: 'block-dirty-bitmap-enable' } & TransactionArgumentsActionsBlockDirtyBitmapRemove)
  | ({ readonly type: 'block-dirty-bitmap-disable' } & TransactionArgumentsActionsBlockDirtyBitmapRemove)
  | ({ readonly type: 'block-dirty-bitmap-merge' } & TransactionArgumentsActionsBlockDirtyBitmapMerge)
  | ({ readonly type: 'blockdev-backup' } & TransactionArgumentsActionsBlockdevBackup)
  | ({ readonly type: 'blockdev-snapshot' } & TransactionArgumentsActionsBlockdevSnapshot)
  | ({ readonly type: 'blockdev-snapshot-internal-sync' } & TransactionArgumentsActionsBlockdevSnapshotInternalSync)
  | ({ readonly type: 'blockdev-snapshot-sync' } & TransactionArgumentsActionsBlockdevSnapshotSync)
  | ({ readonly type: 'drive-backup' } & TransactionArgumentsActionsDriveBackup);

export type TransactionArgumentsPropertiesCompletionMode = 'individual' | 'grouped';

/** Deprecated: `drive-backup`. */
export type TransactionArgumentsActionsType =
  | 'abort'
  | 'block-dirty-bitmap-add'
  | 'block-dirty-bitmap-remove'
  | 'block-dirty-bitmap-clear'
  | 'block-dirty-bitmap-enable'
  | 'block-dirty-bitmap-disable'
  | 'block-dirty-bitmap-merge'
  | 'blockdev-backup'
  | 'blockdev-snapshot'
  | 'blockdev-snapshot-internal-sync'
  | 'blockdev-snapshot-sync'
  | 'drive-backup';

export interface TransactionArgumentsActionsAbort {
  readonly data: NoArguments;
}

export interface TransactionArgumentsActionsBlockDirtyBitmapAdd {
  readonly data: BlockDirtyBitmapAddArguments;
}

export interface TransactionArgumentsActionsBlockDirtyBitmapRemove {
  readonly data: BlockDirtyBitmapClearArguments;
}

export interface TransactionArgumentsActionsBlockDirtyBitmapMerge {
  readonly data: BlockDirtyBitmapMergeArguments;
}

export interface TransactionArgumentsActionsBlockdevBackup {
  readonly data: BlockdevBackupArguments;
}

export interface TransactionArgumentsActionsBlockdevSnapshot {
  readonly data: BlockdevSnapshotArguments;
}

export interface TransactionArgumentsActionsBlockdevSnapshotInternalSync {
  readonly data: BlockdevSnapshotInternalSyncArguments;
}

export interface TransactionArgumentsActionsBlockdevSnapshotSync {
  readonly data: BlockdevSnapshotSyncArguments;
}

export interface TransactionArgumentsActionsDriveBackup {
  readonly data: DriveBackupArguments;
}

export interface WatchdogSetActionArguments {
  readonly action: SetActionArgumentsWatchdog;
}

export interface XBlockdevAmendArguments {
  readonly 'job-id': string;
  readonly 'node-name': string;
  readonly options: XBlockdevAmendArgumentsOptions;
  readonly force?: boolean | undefined;
}

export type XBlockdevAmendArgumentsOptions =
  | ({ readonly driver: 'luks' } & XBlockdevAmendArgumentsOptionsLuks)
  | ({ readonly driver: 'qcow2' } & XBlockdevAmendArgumentsOptionsQcow2)
  | { readonly driver: 'blkdebug' }
  | { readonly driver: 'blklogwrites' }
  | { readonly driver: 'blkreplay' }
  | { readonly driver: 'blkverify' }
  | { readonly driver: 'bochs' }
  | { readonly driver: 'cloop' }
  | { readonly driver: 'compress' }
  | { readonly driver: 'copy-before-write' }
  | { readonly driver: 'copy-on-read' }
  | { readonly driver: 'dmg' }
  | { readonly driver: 'file' }
  | { readonly driver: 'snapshot-access' }
  | { readonly driver: 'ftp' }
  | { readonly driver: 'ftps' }
  | { readonly driver: 'gluster' }
  | { readonly driver: 'host_cdrom' }
  | { readonly driver: 'host_device' }
  | { readonly driver: 'http' }
  | { readonly driver: 'https' }
  | { readonly driver: 'iscsi' }
  | { readonly driver: 'nbd' }
  | { readonly driver: 'nfs' }
  | { readonly driver: 'null-aio' }
  | { readonly driver: 'null-co' }
  | { readonly driver: 'nvme' }
  | { readonly driver: 'parallels' }
  | { readonly driver: 'preallocate' }
  | { readonly driver: 'qcow' }
  | { readonly driver: 'qed' }
  | { readonly driver: 'quorum' }
  | { readonly driver: 'raw' }
  | { readonly driver: 'rbd' }
  | { readonly driver: 'replication' }
  | { readonly driver: 'ssh' }
  | { readonly driver: 'throttle' }
  | { readonly driver: 'vdi' }
  | { readonly driver: 'vhdx' }
  | { readonly driver: 'vmdk' }
  | { readonly driver: 'vpc' }
  | { readonly driver: 'vvfat' };

export interface XBlockdevAmendArgumentsOptionsLuks {
  readonly state: XBlockdevAmendArgumentsOptionsLuksState;
  readonly 'new-secret'?: string | undefined;
  readonly 'old-secret'?: string | undefined;
  readonly keyslot?: number | bigint | undefined;
  readonly 'iter-time'?: number | bigint | undefined;
  readonly secret?: string | undefined;
}

export interface XBlockdevAmendArgumentsOptionsQcow2 {
  readonly encrypt?: XBlockdevAmendArgumentsOptionsQcow2Encrypt | undefined;
}

export type XBlockdevAmendArgumentsOptionsLuksState = 'active' | 'inactive';

export type XBlockdevAmendArgumentsOptionsQcow2Encrypt =
  | ({ readonly format: 'luks' } & XBlockdevAmendArgumentsOptionsQcow2EncryptLuks)
  | { readonly format: 'qcow' };

export interface XBlockdevAmendArgumentsOptionsQcow2EncryptLuks {
  readonly state: XBlockdevAmendArgumentsOptionsLuksState;
  readonly 'new-secret'?: string | undefined;
  readonly 'old-secret'?: string | undefined;
  readonly keyslot?: number | bigint | undefined;
  readonly 'iter-time'?: number | bigint | undefined;
  readonly secret?: string | undefined;
}

export interface XBlockdevChangeArguments {
  readonly parent: string;
  readonly child?: string | undefined;
  readonly node?: string | undefined;
}

export interface XBlockdevSetIothreadArguments {
  readonly 'node-name': string;
  readonly iothread: MigrateSetParametersArgumentsTlsAuthz;
  readonly force?: boolean | undefined;
}

export interface XDebugBlockDirtyBitmapSha256Result {
  readonly sha256: string;
}

export interface XDebugQueryBlockGraphResult {
  readonly nodes: readonly XDebugQueryBlockGraphResultNodes[];
  readonly edges: readonly XDebugQueryBlockGraphResultEdges[];
}

export interface XDebugQueryBlockGraphResultEdges {
  readonly parent: number;
  readonly child: number;
  readonly name: string;
  readonly perm: readonly XDebugQueryBlockGraphResultEdgesPerm[];
  readonly 'shared-perm': readonly XDebugQueryBlockGraphResultEdgesPerm[];
}

export interface XDebugQueryBlockGraphResultNodes {
  readonly id: number;
  readonly type: XDebugQueryBlockGraphResultNodesType;
  readonly name: string;
}

export type XDebugQueryBlockGraphResultNodesType = 'block-backend' | 'block-job' | 'block-driver' | (string & {});

export type XDebugQueryBlockGraphResultEdgesPerm =
  | 'consistent-read'
  | 'write'
  | 'write-unchanged'
  | 'resize'
  | (string & {});

export interface XQueryIrqResult {
  readonly 'human-readable-text': string;
}

export interface XQueryVirtioResult {
  readonly path: string;
  readonly name: string;
}

export interface XQueryVirtioQueueElementArguments {
  readonly path: string;
  readonly queue: number | bigint;
  readonly index?: number | bigint | undefined;
}

export interface XQueryVirtioQueueElementResult {
  readonly name: string;
  readonly index: number;
  readonly descs: readonly XQueryVirtioQueueElementResultDescs[];
  readonly avail: XQueryVirtioQueueElementResultAvail;
  readonly used: XQueryVirtioQueueElementResultUsed;
}

export interface XQueryVirtioQueueElementResultAvail {
  readonly flags: number;
  readonly idx: number;
  readonly ring: number;
}

export interface XQueryVirtioQueueElementResultUsed {
  readonly flags: number;
  readonly idx: number;
}

export interface XQueryVirtioQueueElementResultDescs {
  readonly addr: number;
  readonly len: number;
  readonly flags: readonly string[];
}

export interface XQueryVirtioQueueStatusArguments {
  readonly path: string;
  readonly queue: number | bigint;
}

export interface XQueryVirtioQueueStatusResult {
  readonly name: string;
  readonly 'queue-index': number;
  readonly inuse: number;
  readonly 'vring-num': number;
  readonly 'vring-num-default': number;
  readonly 'vring-align': number;
  readonly 'vring-desc': number;
  readonly 'vring-avail': number;
  readonly 'vring-used': number;
  readonly 'last-avail-idx'?: number;
  readonly 'shadow-avail-idx'?: number;
  readonly 'used-idx': number;
  readonly 'signalled-used': number;
  readonly 'signalled-used-valid': boolean;
}

export interface XQueryVirtioStatusArguments {
  readonly path: string;
}

export interface XQueryVirtioStatusResult {
  readonly name: string;
  readonly 'device-id': number;
  readonly 'vhost-started': boolean;
  readonly 'device-endian': string;
  readonly 'guest-features': XQueryVirtioStatusResultBackendFeatures;
  readonly 'host-features': XQueryVirtioStatusResultBackendFeatures;
  readonly 'backend-features': XQueryVirtioStatusResultBackendFeatures;
  readonly 'num-vqs': number;
  readonly status: XQueryVirtioStatusResultStatus;
  readonly isr: number;
  readonly 'queue-sel': number;
  readonly 'vm-running': boolean;
  readonly broken: boolean;
  readonly disabled: boolean;
  readonly 'use-started': boolean;
  readonly started: boolean;
  readonly 'start-on-kick': boolean;
  readonly 'disable-legacy-check': boolean;
  readonly 'bus-name': string;
  readonly 'use-guest-notifier-mask': boolean;
  readonly 'vhost-dev'?: XQueryVirtioStatusResultVhostDev;
}

export interface XQueryVirtioStatusResultBackendFeatures {
  readonly transports: readonly string[];
  readonly 'dev-features'?: readonly string[];
  readonly 'unknown-dev-features'?: number;
}

export interface XQueryVirtioStatusResultStatus {
  readonly statuses: readonly string[];
  readonly 'unknown-statuses'?: number;
}

export interface XQueryVirtioStatusResultVhostDev {
  readonly 'n-mem-sections': number;
  readonly 'n-tmp-sections': number;
  readonly nvqs: number;
  readonly 'vq-index': number;
  readonly features: XQueryVirtioStatusResultBackendFeatures;
  readonly 'acked-features': XQueryVirtioStatusResultBackendFeatures;
  readonly 'backend-features': XQueryVirtioStatusResultBackendFeatures;
  readonly 'protocol-features': XQueryVirtioStatusResultVhostDevProtocolFeatures;
  readonly 'max-queues': number;
  readonly 'backend-cap': number;
  readonly 'log-enabled': boolean;
  readonly 'log-size': number;
}

export interface XQueryVirtioStatusResultVhostDevProtocolFeatures {
  readonly protocols: readonly string[];
  readonly 'unknown-protocols'?: number;
}

export interface XQueryVirtioVhostQueueStatusArguments {
  readonly path: string;
  readonly queue: number | bigint;
}

export interface XQueryVirtioVhostQueueStatusResult {
  readonly name: string;
  readonly kick: number;
  readonly call: number;
  readonly desc: number;
  readonly avail: number;
  readonly used: number;
  readonly num: number;
  readonly 'desc-phys': number;
  readonly 'desc-size': number;
  readonly 'avail-phys': number;
  readonly 'avail-size': number;
  readonly 'used-phys': number;
  readonly 'used-size': number;
}

export interface XenLoadDevicesStateArguments {
  readonly filename: string;
}

export interface XenSaveDevicesStateArguments {
  readonly filename: string;
  readonly live?: boolean | undefined;
}

export interface XenSetGlobalDirtyLogArguments {
  readonly enable: boolean;
}

export interface XenSetReplicationArguments {
  readonly enable: boolean;
  readonly primary: boolean;
  readonly failover?: boolean | undefined;
}

export interface YankArguments {
  readonly instances: readonly YankArgumentsInstances[];
}

export type YankArgumentsInstances =
  | ({ readonly type: 'block-node' } & YankArgumentsInstancesBlockNode)
  | ({ readonly type: 'chardev' } & YankArgumentsInstancesChardev)
  | { readonly type: 'migration' };

export type YankArgumentsInstancesType = 'block-node' | 'chardev' | 'migration';

export interface YankArgumentsInstancesBlockNode {
  readonly 'node-name': string;
}

export interface YankArgumentsInstancesChardev {
  readonly id: string;
}

export interface AcpiDeviceOstEvent {
  readonly info: QueryAcpiOspmStatusResult;
}

export interface BalloonChangeEvent {
  readonly actual: number;
}

export interface BlockExportDeletedEvent {
  readonly id: string;
}

export interface BlockImageCorruptedEvent {
  readonly device: string;
  readonly 'node-name'?: string;
  readonly msg: string;
  readonly offset?: number;
  readonly size?: number;
  readonly fatal: boolean;
}

export interface BlockIoErrorEvent {
  readonly device: string;
  readonly 'node-name'?: string;
  readonly operation: BlockIoErrorEventOperation;
  readonly action: BlockIoErrorEventAction;
  readonly nospace?: boolean;
  readonly reason: string;
}

export type BlockIoErrorEventAction = 'ignore' | 'report' | 'stop' | (string & {});

export type BlockIoErrorEventOperation = 'read' | 'write' | (string & {});

export interface BlockJobCancelledEvent {
  readonly type: QueryJobsResultType;
  readonly device: string;
  readonly len: number;
  readonly offset: number;
  readonly speed: number;
}

export interface BlockJobCompletedEvent {
  readonly type: QueryJobsResultType;
  readonly device: string;
  readonly len: number;
  readonly offset: number;
  readonly speed: number;
  readonly error?: string;
}

export interface BlockJobErrorEvent {
  readonly device: string;
  readonly operation: BlockIoErrorEventOperation;
  readonly action: BlockIoErrorEventAction;
}

export interface BlockJobPendingEvent {
  readonly type: QueryJobsResultType;
  readonly id: string;
}

export interface BlockJobReadyEvent {
  readonly type: QueryJobsResultType;
  readonly device: string;
  readonly len: number;
  readonly offset: number;
  readonly speed: number;
}

export interface BlockWriteThresholdEvent {
  readonly 'node-name': string;
  readonly 'amount-exceeded': number;
  readonly 'write-threshold': number;
}

export interface ColoExitEvent {
  readonly mode: QueryColoStatusResultLastMode;
  readonly reason: QueryColoStatusResultReason;
}

export interface DeviceDeletedEvent {
  readonly device?: string;
  readonly path: string;
}

export interface DeviceTrayMovedEvent {
  readonly device: string;
  readonly id: string;
  readonly 'tray-open': boolean;
}

export interface DeviceUnplugGuestErrorEvent {
  readonly device?: string;
  readonly path: string;
}

export interface DumpCompletedEvent {
  readonly result: QueryDumpResult;
  readonly error?: string;
}

export interface FailoverNegotiatedEvent {
  readonly 'device-id': string;
}

export interface GuestCrashloadedEvent {
  readonly action: GuestCrashloadedEventAction;
  readonly info?: GuestCrashloadedEventInfo;
}

export type GuestCrashloadedEventAction = 'pause' | 'poweroff' | 'run' | (string & {});

export type GuestCrashloadedEventInfo =
  | ({ readonly type: 'hyper-v' } & GuestCrashloadedEventInfoHyperV)
  | ({ readonly type: 's390' } & GuestCrashloadedEventInfoS390)
  | { readonly type: OtherValue };

export type GuestCrashloadedEventInfoType = 'hyper-v' | 's390' | (string & {});

export interface GuestCrashloadedEventInfoHyperV {
  readonly arg1: number;
  readonly arg2: number;
  readonly arg3: number;
  readonly arg4: number;
  readonly arg5: number;
}

export interface GuestCrashloadedEventInfoS390 {
  readonly core: number;
  readonly 'psw-mask': number;
  readonly 'psw-addr': number;
  readonly reason: GuestCrashloadedEventInfoS390Reason;
}

export type GuestCrashloadedEventInfoS390Reason =
  | 'unknown'
  | 'disabled-wait'
  | 'extint-loop'
  | 'pgmint-loop'
  | 'opint-loop'
  | (string & {});

export interface GuestPanickedEvent {
  readonly action: GuestCrashloadedEventAction;
  readonly info?: GuestCrashloadedEventInfo;
}

export interface JobStatusChangeEvent {
  readonly id: string;
  readonly status: QueryBlockJobsResultStatus;
}

export interface MemoryDeviceSizeChangeEvent {
  readonly id?: string;
  readonly size: number;
  readonly 'qom-path': string;
}

export interface MemoryFailureEvent {
  readonly recipient: MemoryFailureEventRecipient;
  readonly action: MemoryFailureEventAction;
  readonly flags: MemoryFailureEventFlags;
}

export type MemoryFailureEventAction = 'ignore' | 'inject' | 'fatal' | 'reset' | (string & {});

export interface MemoryFailureEventFlags {
  readonly 'action-required': boolean;
  readonly recursive: boolean;
}

export type MemoryFailureEventRecipient = 'hypervisor' | 'guest' | (string & {});

export interface MemUnplugErrorEvent {
  readonly device: string;
  readonly msg: string;
}

export interface MigrationEvent {
  readonly status: QueryMigrateResultStatus;
}

export interface MigrationPassEvent {
  readonly pass: number;
}

export interface NetdevStreamConnectedEvent {
  readonly 'netdev-id': string;
  readonly addr: QueryMigrateResultSocketAddress;
}

export interface NetdevStreamDisconnectedEvent {
  readonly 'netdev-id': string;
}

export interface NicRxFilterChangedEvent {
  readonly name?: string;
  readonly path: string;
}

export interface PrManagerStatusChangedEvent {
  readonly id: string;
  readonly connected: boolean;
}

export interface QuorumFailureEvent {
  readonly reference: string;
  readonly 'sector-num': number;
  readonly 'sectors-count': number;
}

export interface QuorumReportBadEvent {
  readonly type: QuorumReportBadEventType;
  readonly error?: string;
  readonly 'node-name': string;
  readonly 'sector-num': number;
  readonly 'sectors-count': number;
}

export type QuorumReportBadEventType = 'read' | 'write' | 'flush' | (string & {});

export interface RdmaGidStatusChangedEvent {
  readonly netdev: string;
  readonly 'gid-status': boolean;
  readonly 'subnet-prefix': number;
  readonly 'interface-id': number;
}

export interface ResetEvent {
  readonly guest: boolean;
  readonly reason: ResetEventReason;
}

export type ResetEventReason =
  | 'none'
  | 'host-error'
  | 'host-qmp-quit'
  | 'host-qmp-system-reset'
  | 'host-signal'
  | 'host-ui'
  | 'guest-shutdown'
  | 'guest-reset'
  | 'guest-panic'
  | 'subsystem-reset'
  | 'snapshot-load'
  | (string & {});

export interface RtcChangeEvent {
  readonly offset: number;
  readonly 'qom-path': string;
}

export interface ShutdownEvent {
  readonly guest: boolean;
  readonly reason: ResetEventReason;
}

export interface SpiceConnectedEvent {
  readonly server: SpiceConnectedEventClient;
  readonly client: SpiceConnectedEventClient;
}

export interface SpiceConnectedEventClient {
  readonly host: string;
  readonly port: string;
  readonly family: QuerySpiceResultChannelsFamily;
}

export interface SpiceDisconnectedEvent {
  readonly server: SpiceConnectedEventClient;
  readonly client: SpiceConnectedEventClient;
}

export interface SpiceInitializedEvent {
  readonly server: SpiceInitializedEventServer;
  readonly client: QuerySpiceResultChannels;
}

export interface SpiceInitializedEventServer {
  readonly host: string;
  readonly port: string;
  readonly family: QuerySpiceResultChannelsFamily;
  readonly auth?: string;
}

export interface UnplugPrimaryEvent {
  readonly 'device-id': string;
}

export interface VfuClientHangupEvent {
  readonly 'vfu-id': string;
  readonly 'vfu-qom-path': string;
  readonly 'dev-id': string;
  readonly 'dev-qom-path': string;
}

export interface VncConnectedEvent {
  readonly server: VncConnectedEventServer;
  readonly client: VncConnectedEventClient;
}

export interface VncConnectedEventClient {
  readonly host: string;
  readonly service: string;
  readonly family: QuerySpiceResultChannelsFamily;
  readonly websocket: boolean;
}

export interface VncConnectedEventServer {
  readonly host: string;
  readonly service: string;
  readonly family: QuerySpiceResultChannelsFamily;
  readonly websocket: boolean;
  readonly auth?: string;
}

export interface VncDisconnectedEvent {
  readonly server: VncConnectedEventServer;
  readonly client: QueryVncResultClients;
}

export interface VncInitializedEvent {
  readonly server: VncConnectedEventServer;
  readonly client: QueryVncResultClients;
}

export interface VserportChangeEvent {
  readonly id: string;
  readonly open: boolean;
}

export interface WatchdogEvent {
  readonly action: WatchdogEventAction;
}

export type WatchdogEventAction =
  | 'reset'
  | 'shutdown'
  | 'poweroff'
  | 'pause'
  | 'debug'
  | 'none'
  | 'inject-nmi'
  | (string & {});
