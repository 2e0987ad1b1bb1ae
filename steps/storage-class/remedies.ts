import type {Remedy} from '../../source/engine/step.ts';

export const storageRemedies: readonly Remedy[] = [
  {
    id: 'nfs-mount-refused',
    match: /mount\.nfs.*(access denied|No such file)|mount failed.*nfs/i,
    cause: 'The storage host refuses the mount: the node lies outside the private subnet, or the export is missing.',
    remedy: 'Verify the step “NFS server” on the storage host; compare the node’s address with the private subnet.',
  },
  {
    id: 'nfs-mount-silent',
    match: /mount\.nfs.*(timed out|No route to host)/i,
    cause: 'The storage host does not answer on port 2049.',
    remedy: 'Verify the steps “Firewall” and “NFS server” on the storage host.',
    transient: true,
  },
  {
    id: 'nfs-program-missing',
    match: /bad option; for several filesystems|mount\.nfs: (not found|No such device)|unknown filesystem type .nfs/i,
    cause: 'The machine of the cluster cannot mount NFS: its kernel has no NFS client, as in most containers.',
    remedy: 'Use a machine whose kernel has the NFS client (`modprobe nfs`), then retry.',
  },
  {
    id: 'claim-pending-proof',
    match: /the claim stays Pending/,
    cause: 'The driver runs, and no volume came of the claim. The lines above say what it met.',
    remedy: 'See `kubectl -n kube-system logs deploy/csi-nfs-controller -c nfs --tail=30`; put that right, then retry.',
  },
];
