// SPDX-License-Identifier: GPL-2.0
/*
 * again DIR: after a store to a hole of the full filesystem at DIR has given
 * SIGBUS, the next one to that page fails, too, from user mode and by read(2)
 * into the page; and it succeeds once there is space. The failed store may have
 * left the page not uptodate: then the second one must not fault for ever, nor
 * go through with no block behind it. What fails first ends it, as the kernel
 * may not survive the next.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>

#include "tap.h"

#define PAGES	64

static const char *dir;
static char *map;
static unsigned long full;	/* the page that had no space */
static int ballast;

static int create(const char *what)
{
	char name[100];
	int fd;

	snprintf(name, sizeof(name), "%s/%s", dir, what);
	fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	expect(fd >= 0);
	return fd;
}

/* Maps a sparse file, fills the filesystem, and stores until there is no space. */
static void fill(void)
{
	static char buf[1 << 16];
	int fd = create("again");
	size_t n;

	expect(ftruncate(fd, PAGES * PAGE) == 0);
	map = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	expect(map != MAP_FAILED);
	/* Mapped for reading, all of it: do_wp_page() */
	for (full = 0; full < PAGES; full++)
		expect(read_byte(map + full * PAGE) == 0);
	ballast = create("ballast");
	memset(buf, 'b', sizeof(buf));
	for (n = sizeof(buf); n >= 512; n /= 2)
		while (write(ballast, buf, n) == (ssize_t)n)
			;
	fsync(ballast);
	for (full = 0; full < PAGES; full++)
		if (write_byte(map + full * PAGE, 'w') == SIGBUS)
			return;
	fail("there was space");
}

static void again_user(void)
{
	fill();
	expect_eq(SIGBUS, write_byte(map + full * PAGE, 'w'));
	expect_eq(0, read_byte(map + full * PAGE));
}

/* This kernel says EFAULT and sends SIGBUS as well. */
static void again_kernel(void)
{
	int zero = open("/dev/zero", O_RDONLY);

	fill();
	if (sigsetjmp(tap_escape, 1))
		return;
	tap_armed = 1;
	errno = 0;
	if (read(zero, map + full * PAGE, 1) != -1 || errno != EFAULT)
		fail("read(2) into the page: errno %d", errno);
}

static void again_space(void)
{
	fill();
	expect_eq(SIGBUS, write_byte(map + full * PAGE, 'w'));
	expect(ftruncate(ballast, 0) == 0);
	expect(fsync(ballast) == 0);
	expect_eq(0, write_byte(map + full * PAGE, 'w'));
	expect(msync(map, PAGES * PAGE, MS_SYNC) == 0);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "user", again_user, 60 },
		{ "space", again_space, 60 },
		{ "kernel", again_kernel, 60 },
	};

	int i;

	if (argc != 2)
		return 2;
	dir = argv[1];
	for (i = 0; i < 3; i++)
		if (run_tests(&tests[i], 1))
			return 1;
	return 0;
}
