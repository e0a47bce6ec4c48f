/** What the command line has, under the names of the options. */
export interface CreateArguments {
  readonly name: string;
  readonly settings?: readonly string[];
  readonly disk?: readonly string[];
  readonly from?: string;
  readonly image?: string;
  readonly linked?: boolean;
  readonly iso?: string;
  readonly kernel?: string;
  readonly initrd?: string;
  readonly append?: string;
  readonly ram?: string;
  readonly cpus?: string;
  readonly bridge?: string;
  readonly net?: string;
  readonly sshPort?: number;
  readonly firmware?: string;
  readonly tpm?: boolean;
  readonly os?: string;
  readonly sshKey?: string;
  readonly login?: string;
  readonly hostname?: string;
  readonly userData?: string;
  readonly metaData?: string;
  readonly networkConfig?: string;
  readonly output?: string;
  readonly start?: boolean;
  readonly wait?: boolean;
  readonly timeout: number;
}
