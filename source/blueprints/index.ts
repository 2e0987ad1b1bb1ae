import type {Blueprint, Topology} from './blueprint.ts';
import {openg2p} from './openg2p.ts';

/** Everything that can be installed. A new product is one file and one entry here. */
export const blueprints: readonly Blueprint[] = [openg2p];

export const blueprintById = (id: string): Blueprint | undefined => blueprints.find(blueprint => blueprint.id === id);

export const topologyById = (blueprint: Blueprint, id: string): Topology | undefined =>
  blueprint.topologies.find(topology => topology.id === id);
