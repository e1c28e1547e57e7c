// SPDX-License-Identifier: GPL-2.0
/*
 * As much of a portmapper as nfsd needs to start: says yes to everything.
 * Debian's rpcbind is not static. Version 2 over UDP, RFC 1833.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <unistd.h>

int main(void)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(111),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || daemon(0, 1))
		return 1;
	for (;;) {
		uint32_t call[128], reply[7] = {
			[1] = htonl(1),		/* a reply */
			[6] = htonl(1),		/* true */
		};
		struct sockaddr_in peer;
		socklen_t len = sizeof(peer);

		if (recvfrom(fd, call, sizeof(call), 0, (struct sockaddr *)&peer, &len) < 24)
			continue;
		reply[0] = call[0];
		/* Later versions do not exist: the kernel then comes with this one. */
		if (call[4] != htonl(2)) {
			uint32_t mismatch[8] = {
				reply[0], reply[1], 0, 0, 0, htonl(2), htonl(2), htonl(2),
			};

			sendto(fd, mismatch, sizeof(mismatch), 0, (struct sockaddr *)&peer, len);
			continue;
		}
		sendto(fd, reply, call[5] ? sizeof(reply) : 24, 0, (struct sockaddr *)&peer, len);
	}
}
