/**
 * sha256 of published files that were learnt from a second source, by address. What is not here is checked against the
 * file of checksums that its publisher puts beside it, or the digest in the index of its chart repository.
 */
export const pinnedChecksums: Readonly<Record<string, string>> = {
  // github.com/helm/helm, notes of release v3.20.2.
  'https://get.helm.sh/helm-v3.20.2-linux-amd64.tar.gz':
    '258e830a9e613c8a7a302d6059b4bb3b9758f2f3e1bb8ea0d707ce10a9a72fea',
  'https://get.helm.sh/helm-v3.20.2-linux-arm64.tar.gz':
    '5ea2d6bc2cda3f8edf985e028809f5a9278f404fb8ab24044de9b7cb9b79a691',
  // Written down from dl.k8s.io by several projects, independently of each other.
  'https://dl.k8s.io/release/v1.35.8/bin/linux/amd64/kubectl':
    '874d5e72dbb819f43cff16bcd1e4f8bac5b7f2361fe1e55049b0a6c676fb0cbf',
  'https://dl.k8s.io/release/v1.35.8/bin/linux/arm64/kubectl':
    'cc749967b62f4422260bc9c0aa7a7c55f45175ae38cb8d95767b5d2b7e04c1fd',
};
