import type {Kubernetes} from '../../source/deployment/schema.ts';

export type MonitoringSize = {
  /** Gigabytes on the disk of the first compute host. */
  readonly diskGb: number;
  /** How long measurements are kept, unless the disk is full before. */
  readonly days: number;
  /** Of Prometheus: what it gets for sure, and what it may take. */
  readonly memory: {readonly request: string; readonly limit: string};
  readonly cpu: string;
};

/**
 * A cluster of one machine with OpenG2P's common services has about 150 pods and 300 thousand series: 1 GB of memory and
 * half a gigabyte of disk a day. `medium` is for two environments or three machines, `large` for more.
 */
export const monitoringSizes: Readonly<Record<Kubernetes['monitoring']['size'], MonitoringSize>> = {
  small: {diskGb: 20, days: 10, memory: {request: '1Gi', limit: '3Gi'}, cpu: '300m'},
  medium: {diskGb: 50, days: 20, memory: {request: '2Gi', limit: '5Gi'}, cpu: '500m'},
  large: {diskGb: 150, days: 30, memory: {request: '4Gi', limit: '10Gi'}, cpu: '1'},
};
