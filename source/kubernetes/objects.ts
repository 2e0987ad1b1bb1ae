/** An object of Kubernetes as plain data, as its YAML would hold it. */
export type KubeObject = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
};

/** An object by its name. `kind` as kubectl takes it, with the group where it could be mistaken: `certificates.cert-manager.io`. */
export type ObjectRef = {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
};
