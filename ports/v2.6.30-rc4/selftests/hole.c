// SPDX-License-Identifier: GPL-2.0
/*
 * hole DIR [-v]: stores to a hole through a mapping, the only thing that
 * happens to that file, and msync(); with -v, after the next mount, are they
 * there? fs_integrity writes in other ways, too, any of which has the
 * filesystem write the file.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>

#include "tap.h"

#define PAGES	16

static char name[100];

static void store(void)
{
	unsigned long page;
	char *map;
	int fd;

	fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	expect(fd >= 0);
	expect(ftruncate(fd, PAGES * PAGE) == 0);
	/* What ftruncate() has queued is written by now. */
	expect(fsync(fd) == 0);
	sync();
	map = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	expect(map != MAP_FAILED);
	for (page = 0; page < PAGES; page += 2)
		expect(write_byte(map + page * PAGE, page + 1) == 0);
	expect(msync(map, PAGES * PAGE, MS_SYNC) == 0);
}

static void verify(void)
{
	unsigned long page;
	char byte;
	int fd;

	fd = open(name, O_RDONLY);
	expect(fd >= 0);
	for (page = 0; page < PAGES; page++) {
		expect(pread(fd, &byte, 1, page * PAGE) == 1);
		if (byte != (page % 2 ? 0 : (char)(page + 1)))
			fail("page %lu begins with %d", page, byte);
	}
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "store", store, 60 },
		{ "verify", verify, 60 },
	};

	if (argc < 2)
		return 2;
	snprintf(name, sizeof(name), "%s/hole", argv[1]);
	return run_tests(&tests[argc > 2], 1);
}
