/** Kinds of definitions that a machine can be written as. */
export const EXPORT_FORMATS = ['libvirt', 'command'] as const;

export type ExportFormat = (typeof EXPORT_FORMATS)[number];
