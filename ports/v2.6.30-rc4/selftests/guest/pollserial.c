// SPDX-License-Identifier: GPL-2.0
/*
 * Makes the driver of the serial port on standard input poll it. In QEMU this
 * kernel now and then misses a transmit interrupt, and what was written stays
 * in its buffer for ever.
 */
#include <linux/serial.h>
#include <stdio.h>
#include <sys/ioctl.h>

int main(void)
{
	struct serial_struct port;

	if (ioctl(0, TIOCGSERIAL, &port))
		return 1;
	port.irq = 0;
	if (ioctl(0, TIOCSSERIAL, &port)) {
		perror("pollserial");
		return 1;
	}
	return 0;
}
