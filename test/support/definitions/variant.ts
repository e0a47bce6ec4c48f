/** A part of a definition, and a line that the cfg then has, or what is said of the part. */
export type Variant = readonly [part: string, line: string | RegExp];
