import type {Kubernetes} from '../../source/deployment/schema.ts';

export type LoggingSize = {
  /** Gigabytes for the log lines, compressed about eight times. */
  readonly storeGb: number;
  readonly memory: {readonly request: string; readonly limit: string};
  /** Of the collectors that take lines from all machines. */
  readonly gateways: number;
};

/** OpenG2P's common services write 1 to 3 GB of lines a day; 50 GB hold these for months (its storage calculator). */
export const loggingSizes: Readonly<Record<Kubernetes['logging']['size'], LoggingSize>> = {
  small: {storeGb: 50, memory: {request: '512Mi', limit: '2Gi'}, gateways: 1},
  medium: {storeGb: 100, memory: {request: '1Gi', limit: '4Gi'}, gateways: 2},
  large: {storeGb: 250, memory: {request: '2Gi', limit: '8Gi'}, gateways: 2},
};
