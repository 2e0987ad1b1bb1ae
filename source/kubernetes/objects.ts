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

/** `Deployment shop/cart`, for people. */
export const nameOf = ({kind, name, namespace}: ObjectRef): string =>
  `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;

export const refOf = ({kind, metadata: {name, namespace}}: KubeObject): ObjectRef => ({
  kind,
  name,
  ...(namespace !== undefined && {namespace}),
});

/** What others stand on comes first: namespaces, definitions, then rights and settings, then what runs, then what operators read. */
const ranks: readonly (readonly string[])[] = [
  ['Namespace'],
  ['CustomResourceDefinition'],
  ['PriorityClass', 'StorageClass', 'ResourceQuota', 'LimitRange', 'ServiceAccount', 'Secret', 'ConfigMap'],
  ['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding', 'PersistentVolume', 'PersistentVolumeClaim'],
  ['Service', 'NetworkPolicy', 'PodDisruptionBudget'],
  ['DaemonSet', 'Deployment', 'StatefulSet', 'Job', 'CronJob', 'Pod'],
];

const rankOf = ({kind}: KubeObject): number => {
  const found = ranks.findIndex(kinds => kinds.includes(kind));
  return found < 0 ? ranks.length : found;
};

/** In the order in which they can be made; those of one rank as they were given. */
export const inOrder = (objects: readonly KubeObject[]): readonly KubeObject[] =>
  objects.toSorted((one, other) => rankOf(one) - rankOf(other));

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * A Secret with `data` alone. The server turns `stringData` into it, and forgets that we own the keys: one that we drop
 * later would stay.
 */
export const withPlainSecrets = (object: KubeObject): KubeObject => {
  if (object.kind !== 'Secret' || !isRecord(object.stringData)) return object;
  const {stringData, data, ...rest} = object;
  const encoded = Object.entries(stringData as Readonly<Record<string, unknown>>).map(([key, text]) => [
    key,
    Buffer.from(String(text)).toString('base64'),
  ]);
  return {...rest, data: {...(isRecord(data) && data), ...Object.fromEntries(encoded)}} as KubeObject;
};

/** Shorter values are words that stand elsewhere too, and would blot out half of a log. */
const shortestSecret = 8;

/** The values in the Secrets among the objects that must not be shown, as text. A user's name is none. */
export const secretsIn = (objects: readonly KubeObject[]): readonly string[] =>
  objects
    .map(withPlainSecrets)
    .flatMap(({kind, data}) => (kind === 'Secret' && isRecord(data) ? Object.entries(data) : []))
    .filter(([key]) => !/user(-?name)?$/i.test(key))
    .map(([, value]) => Buffer.from(String(value), 'base64').toString())
    .filter(text => text.trim().length >= shortestSecret);

/** Objects as the one document that kubectl reads. */
export const listOf = (objects: readonly object[]): string =>
  JSON.stringify({apiVersion: 'v1', kind: 'List', items: objects});
