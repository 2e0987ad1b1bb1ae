import {type ModuleId, moduleNeeds, modulesInOrder} from '../../source/deployment/environments.ts';
import type {Environment} from '../../source/deployment/schema.ts';
import type {Step} from '../../source/engine/step.ts';
import {certificates} from '../certificates/certificates.ts';
import {istio} from '../istio/istio.ts';
import {nginx} from '../nginx/nginx.ts';
import {postgresql} from '../postgresql/postgresql.ts';
import {rancher} from '../rancher/rancher.ts';
import {rke2} from '../rke2/rke2.ts';
import {environmentDnsStep} from '../site-dns/site-dns.ts';
import {storageAccess} from '../storage-access/storage-access.ts';
import {storageClass} from '../storage-class/storage-class.ts';
import {openg2pCharts} from './charts.ts';
import {baseStep, passwordsStep, servicesStep} from './commons.ts';
import {databaseAccessStep, databasesStep} from './database-steps.ts';
import {gatewayStep} from './gateway.ts';
import {moduleStep} from './modules.ts';
import {namespaceStep} from './namespace.ts';

/** An environment's own steps, in their order. Modules stand side by side unless one works with another. */
export const environmentSteps = (environment: Environment): readonly Step[] => {
  const dns = environmentDnsStep(environment);
  const namespace = namespaceStep(environment, [certificates, rke2, rancher]);
  const gateway = gatewayStep(environment, [namespace, nginx, istio]);
  const passwords = passwordsStep(environment, [namespace]);
  const databases = databasesStep(environment, [postgresql]);
  const databaseAccess = databaseAccessStep(environment, [namespace, databases, storageAccess]);
  const base = baseStep(environment, [gateway, passwords, databaseAccess, openg2pCharts, storageClass, dns]);
  const services = servicesStep(environment, [base]);
  const modules = new Map<ModuleId, Step>();
  for (const id of modulesInOrder(environment)) {
    const needed = moduleNeeds[id].flatMap(need => modules.get(need) ?? []);
    modules.set(id, moduleStep(environment, id, [services, ...needed]));
  }
  return [dns, namespace, gateway, passwords, databases, databaseAccess, base, services, ...modules.values()];
};
