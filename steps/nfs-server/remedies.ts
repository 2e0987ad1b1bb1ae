import type {Remedy} from '../../source/engine/step.ts';

export const nfsRemedies: readonly Remedy[] = [
  {
    id: 'nfs-kernel',
    match: /proc-fs-nfsd\.mount|unknown filesystem type '?nfsd|failed to start .*nfsd|dependency failed for nfs/i,
    cause: 'The kernel of the host cannot serve NFS: it is a container, or a kernel without that module.',
    remedy: 'Set the NFS server of the deployment to `auto` or `ganesha`, which serves from user space, then retry.',
  },
  {
    id: 'nfs-export-unsupported',
    match: /does not support nfs export|requires fsid/i,
    cause: 'The file system that the export lies on cannot be exported by the kernel (overlay, FUSE, another NFS).',
    remedy: 'Choose an export path on ext4 or XFS, or the server `ganesha`, then retry.',
  },
  {
    id: 'nfs-port',
    match: /2049.*address already in use|bind.*2049|cannot bind/i,
    cause: 'Another NFS server of the host holds port 2049.',
    remedy: 'See which with `ss -tlpn "sport = :2049"`; stop and disable it, then retry.',
  },
  {
    id: 'nfs-refused',
    match: /nfs_service failed|failed to mount nfs share|waited .* for the NFS server/i,
    cause: 'The server runs and does not give the directory to this host’s private address.',
    remedy: 'Check that the host’s private address lies in the private subnet of the deployment; see the server’s log.',
  },
];
