/** Something that has happened to a machine. */
export interface FleetEvent {
  /** ISO 8601. */
  readonly time: string;
  /** Long name. */
  readonly machine: string;
  /** Name of a QMP event, or `STARTED`, `STOPPED` and `LOST` of qemu-init itself. */
  readonly event: string;
  /** As QEMU sends it; of `STOPPED` how the run ended, of `LOST` how many events were lost. */
  readonly data: Readonly<Record<string, unknown>>;
}
