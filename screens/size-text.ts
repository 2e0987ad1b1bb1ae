import type {Size} from '../source/blueprints/blueprint.ts';
import type {Aside} from '../source/components/row.ts';

const inColumns = (cpus: string, memory: string, disk: string): string =>
  `${cpus.padStart(5)}${memory.padStart(9)}${disk.padStart(9)}`;

/** The head of the columns that `sizeAside` fills. */
export const sizeHead: Aside = {text: inColumns('CPUs', 'Memory', 'Disk'), spoken: ''};

const whole = (number: number): string => String(Math.round(number * 10) / 10);

/** What something takes, in columns at the right edge of its row; with plus signs what it would take. */
export const sizeAside = (size: Size, chosen = true): Aside => {
  const sign = chosen ? '' : '+';
  const {cpus, memoryGb, diskGb} = size;
  return {
    text: inColumns(sign + whole(cpus), `${sign}${whole(memoryGb)} GB`, `${sign}${whole(diskGb)} GB`),
    spoken: `${chosen ? '' : 'would take '}${sizeText(size)}`,
  };
};

/** The same as a sentence has it: `4 CPUs, 16 GB memory, 40 GB disk`. */
export const sizeText = ({cpus, memoryGb, diskGb}: Size): string =>
  `${cpus === 1 ? '1 CPU' : `${whole(cpus)} CPUs`}, ${whole(memoryGb)} GB memory, ${whole(diskGb)} GB disk`;
