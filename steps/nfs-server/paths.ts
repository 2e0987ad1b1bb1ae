export const exportsFile = '/etc/exports.d/groundwork.exports';
export const settingsFile = '/etc/nfs.conf.d/groundwork.conf';
export const ganeshaFile = '/etc/ganesha/ganesha.conf';
