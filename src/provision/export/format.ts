/** Kinds of definitions that a machine can be written as. */
export const EXPORT_FORMATS = ['libvirt', 'command'] as const;

/** What a machine is written as: XML of libvirt, or a shell script with the command line. */
export type ExportFormat = (typeof EXPORT_FORMATS)[number];
