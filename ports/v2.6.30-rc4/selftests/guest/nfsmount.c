// SPDX-License-Identifier: GPL-2.0
/*
 * nfsmount HANDLE DIR: mount what nfsd of this machine exports, by the handle
 * from /proc/fs/nfsd/filehandle, without a mountd: NFSv3, TCP, no locks.
 */
#include <arpa/inet.h>
#include <linux/nfs_mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

int main(int argc, char **argv)
{
	struct nfs_mount_data data = {
		.version = 6,
		.fd = -1,
		.flags = NFS_MOUNT_VER3 | NFS_MOUNT_TCP | NFS_MOUNT_NONLM,
		.timeo = 600,
		.retrans = 2,
		.acregmin = 3, .acregmax = 60, .acdirmin = 30, .acdirmax = 60,
		.addr = {
			.sin_family = AF_INET,
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		},
		.hostname = "localhost",
		.pseudoflavor = 1,	/* AUTH_UNIX */
	};
	unsigned int byte;
	const char *hex;

	data.addr.sin_port = htons(2049);
	if (argc != 3)
		return 2;
	for (hex = argv[1] + 2; sscanf(hex, "%2x", &byte) == 1; hex += 2) {
		if (data.root.size == sizeof(data.root.data))
			return 2;
		data.root.data[data.root.size++] = byte;
	}
	if (mount("localhost:/", argv[2], "nfs", 0, &data)) {
		perror("nfsmount");
		return 1;
	}
	return 0;
}
